# Each call of the driver fails once, in a training that goes on from a checkpoint (arming, two steps, an evaluation,
# saving) and in one that begins: it is overcome, to the same bits, or refused with exit 3 or 5 and the name of the call.
# Nothing is left on the device, and the checkpoint is the old one or the new one, byte for byte.
export NETRUN_CUDA_LIBDIR=$ROOT/build/cudasim SIM_LEAK=77 SIM_THREADS=1
"$NETRUN" --devices >devices 2>&1 || :
! grep -q '^libnvrtc *not found' devices || skip "libnvrtc is not installed"
[ -e "$NETRUN_CUDA_LIBDIR/libcuda.so.1" ] || fail "the simulated device is not built: make sim"
seconds=60
last=runs/xor-1/last.safetensors
plan xor
set -- xor.plan --train --device cuda --batch 2 --quiet

# judge N FAILED STATUS: what became of the run in which call N, FAILED, was refused.
judge() {
    case $3 in
    0) cmp -s $last new || fail "call $1, $2: other weights" ;;
    3 | 5)
        says err "^netrun: .*$2"
        says err '^netrun: error: '
        refused=$((refused + 1))
        ;;
    *) fail "call $1, $2: exit status $3" ;;
    esac
    if [ -e old ]; then
        cmp -s $last old || cmp -s $last new || fail "call $1, $2: the checkpoint is neither the old one nor the new one"
    elif [ "$3" != 0 ]; then
        [ ! -e $last ] || cmp -s $last new || fail "call $1, $2: a checkpoint of half a run"
    fi
}

# sweep BEFORE COMMAND...: one run for each call, from the folder BEFORE of runs.
sweep() {
    local before=$1 n=0 failed status
    shift
    refused=0
    rm -rf runs
    cp -r "$before" runs
    expect 0 netrun "$@"
    cp $last new
    while :; do
        n=$((n + 1)) status=0
        rm -rf runs
        cp -r "$before" runs
        SIM_FAIL="*:$n" netrun "$@" >out 2>err </dev/null || status=$?
        failed=$(sed -n 's/^cudasim: \(.*\) fails with.*/\1/p' err)
        judge $n "${failed:-none}" $status
        [ "$failed" ] || break
        [ $n -lt 1000 ] || fail "there is no end to the calls"
    done
    [ $status = 0 ] || fail "nothing fails, and the exit status is $status"
    [ $n -gt 150 ] && [ $refused -gt 100 ] || fail "$n calls, $refused of them refused"
    echo "$n calls, $refused refused"
}

mkdir empty
sweep empty "$@" --epochs 1
NETRUN_CUDA_GRAPH=0 sweep empty "$@" --epochs 1

rm -rf runs
expect 0 netrun "$@" --epochs 2 --steps 2
cp $last old
cp -r runs before
sweep before --resume runs/xor-1 --device cuda --quiet
! cmp -s old new || fail "the run that goes on changes nothing"
