# A terminal or a pipe that goes away ends a run as Ctrl-C does: no finished epoch is lost, and it resumes to the same bits.
data=$(digits)
plan mlp
train="mlp.plan --train $data --batch 20"

# in_background OPTIONS...: starts a long training in runs/; its events come through the pipe `events`.
in_background() {
    rm -rf runs events
    mkfifo events
    "$@" "$NETRUN" --threads 1 $train --epochs 100000 --json >events 2>err &
    child=$!
    exec 3<events
    read -r start <&3
    read -r epoch <&3
    [[ $epoch = *'"epoch":1,'* ]] || fail "the second event is $epoch"
}

# kept: what metrics.jsonl and the checkpoint tell is the same number of epochs; the run resumes as if it had never stopped.
kept() {
    local told
    told=$(grep -c '"event":"epoch"' runs/mlp-1/metrics.jsonl)
    grep -aoq "\"epoch\":\"$told\"" runs/mlp-1/last.safetensors || fail "$1: $told epochs were told, the checkpoint has others"
    expect 0 netrun $train --epochs "$told" --runs whole_$1
    cmp runs/mlp-1/best.safetensors "whole_$1/mlp-1/best.safetensors" || fail "$1: other weights"
}

in_background env
exec 3<&-                                        # nobody reads any more
status=0
wait $child || status=$?
[ $status = 141 ] || fail "a dead pipe gave $status, not 141"
kept pipe

in_background env
kill -HUP $child
cat <&3 >out
status=0
wait $child || status=$?
exec 3<&-
[ $status = 129 ] || fail "SIGHUP gave $status, not 129"
says out '"status":"interrupted"'
kept hangup

in_background nohup
kill -HUP $child
read -r epoch <&3
read -r epoch <&3
[[ $epoch = *'"epoch":3,'* ]] || fail "nohup: after the signal comes $epoch"
kill -TERM $child
cat <&3 >out
status=0
wait $child || status=$?
exec 3<&-
[ $status = 143 ] || fail "SIGTERM gave $status, not 143"
kept nohup
