# What netrun takes of the host is what docs/devices.md says: the arena of the plan, the data set, and 16 MiB at most.
[[ ${NETRUN_CFLAGS:-} != *fsanitize* ]] || skip "sanitizers take memory of their own"
data=$(digits)
beside=$(((2500 * (784 + 4) >> 10) + (16 << 10)))     # KiB of the drawn digits, and what else there may be

# takes ARENA OPTIONS...: with an arena of so many bytes; `told`: as many as the start event says.
takes() {
    local arena=$1 peak
    shift
    expect 0 timeout -s KILL "$seconds" "$B/tests/peak" kib "$NETRUN" --threads 1 "$@" --json
    [ "$arena" != told ] || arena=$(sed -n 's/.*"event":"start".*"arena":\([0-9]*\).*/\1/p' out)
    peak=$(cat kib) arena=$((arena >> 10))
    [ "$arena" -le $((budget << 10)) ] || fail "$*: an arena of $arena KiB is more than $budget MiB"
    [ "$peak" -le $((arena + beside)) ] || fail "$*: $peak KiB resident, the arena has $arena"
    [ "$peak" -ge "$arena" ] || fail "$*: $peak KiB resident, less than the $arena of the arena: what is measured?"
}

# alone PHASE SAMPLES: bytes of the arena of a phase, as the plan says.
alone() {
    sed -n "s/.* cpu $1 .*# arena = \([0-9]*\) + rows \* \([0-9]*\)/\1 \2/p" mlp.plan |
        awk -v n="$2" '{ print $1 + int((n + 15) / 16) * 16 * $2 }'
}

for case in 500,8 6000,80 60000,800; do
    plan mlp -D hidden="${case%,*}"
    budget=${case#*,}
    train="mlp.plan --train $data --batch auto --memory ${budget}MiB"
    # Kernels are compiled by a program that takes memory as well.
    [ "$budget" = 800 ] || expect 0 netrun $train --dry-run
    takes told $train --steps 1
    takes told --resume last --steps 2
    # Where nothing is trained there are no slots and no gradients.
    takes "$(alone evaluate 500)" mlp.plan --test "$data"
    takes "$(alone predict 1)" mlp.plan --predict 3 --data "$data"
    takes "$(alone predict 500)" mlp.plan --predict test --data "$data" --output all.csv
    rm -r runs
done
