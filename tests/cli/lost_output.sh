# A device that is full, or a stdout that is closed: whatever is printed is lost, and each command and mode says so with exit 4.
# Root has a device of its own, so that a program which replaces it harms nobody.
if [ "$(id -u)" = 0 ]; then mknod full c 1 7 || true; else ln -s /dev/full full; fi
[ -c full ] && (: >full) 2>/dev/null || skip "no device that is full"

# lost COMMAND...
lost() {
    local status=0
    timeout -s KILL "$seconds" "$@" >full 2>err || status=$?
    [ $status = 4 ] || fail "$* on a full device gave $status, not 4"
    says err 'cannot (be written|write)'
    status=0
    timeout -s KILL "$seconds" "$@" >&- 2>err || status=$?
    [ $status = 4 ] || fail "$* with stdout closed gave $status, not 4"
}

model=$ROOT/models/xor.net
plan xor
data=$(digits)
printf 'id,lower,upper,size\na,0,2,16\n' >lives.csv
expect 4 netc "$model" -o full
says err 'full: cannot be written: No space left'
[ -c full ] || fail "the device was replaced"
for program in "$NETC" "$NETRUN"; do
    for option in --help --help=all --help=man --help=completion --version; do
        lost "$program" $option
    done
done
for option in --summary --memory-map --memory-map=- -o- --emit={plan,c,cuda,graph,dot,dot=kernels,json}; do
    lost "$NETC" "$model" $option
done
lost "$NETC" --passes
lost "$NETC" --ops
lost "$NETC" --place lives.csv
lost "$NETRUN" --devices
lost "$NETRUN" --inspect "$data"
for json in "" --json; do
    for what in "--train --epochs 2" --test "--predict 0"; do
        # shellcheck disable=SC2086
        lost "$NETRUN" xor.plan $what $json
    done
done
lost "$NETRUN" xor.plan --predict test --output -
lost "$NETRUN" xor.plan --predict test --output table
lost "$NETRUN" xor.plan --train --dry-run
lost "$NETRUN" xor.plan --predict test -o -
expect 4 netrun xor.plan --predict test -o full
says err 'full: cannot be written: No space left'
status=0
netrun --resume last --epochs 9 >full 2>err || status=$?
[ $status = 4 ] || fail "--resume on a full device gave $status, not 4"

# What netc prints on stderr: dumps, and that all is right.
for option in "-d pbgsfom" --check; do
    status=0
    # shellcheck disable=SC2086
    netc "$model" $option 2>full || status=$?
    [ $status = 4 ] || fail "netc $option, stderr on a full device, gave $status, not 4"
done

# A run whose lines are lost is whole all the same; nothing of them is in its files.
expect 0 netrun xor.plan --train --epochs 2 --runs whole
status=0
netrun xor.plan --train --epochs 2 --runs lines_lost >&- || status=$?
[ $status = 4 ] || fail "stdout closed gave $status, not 4"
cmp whole/xor-1/last.safetensors lines_lost/xor-1/last.safetensors

# Nor is a training stopped by lines or events that are lost: it warns once, and all its epochs are done.
for lost in lines json; do
    status=0
    option=--progress=lines
    [ $lost = lines ] || option=--json
    netrun xor.plan --train --epochs 5 $option --runs "full_$lost" >full 2>err || status=$?
    [ $status = 4 ] || fail "$lost on a full device gave $status, not 4"
    [ "$(grep -c 'warning: the .* on stdout cannot be written: No space left.*: left out from here on' err)" = 1 ] || fail "$lost: not one warning"
    [ "$(grep -c '"event":"epoch"' "full_$lost/xor-1/metrics.jsonl")" = 5 ] || fail "$lost stopped the training"
    { netrun xor.plan --train --epochs 2000 $option --runs "gone_$lost" 2>err || echo $? >gone; } | head -n 2 >out
    [ "$(cat gone)" = 4 ] || fail "$lost that nobody reads gave $(cat gone), not 4"
    [ "$(grep -c 'warning: .*: Broken pipe: left out' err)" = 1 ] || fail "$lost: not one warning of the pipe"
    [ "$(grep -c '"event":"epoch"' "gone_$lost/xor-1/metrics.jsonl")" = 2000 ] || fail "$lost: the reader that went stopped the training"
done
"$B/tests/json_check" <lines_lost/xor-1/metrics.jsonl >count
