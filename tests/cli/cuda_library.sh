# Large products go to cuBLAS where it can be used. Where it cannot, our own kernels make them and that is said; a call of it that fails
# while arming or later ends the run with its name. `netc --emit=cuda` shows both ways.
export NETRUN_CUDA_LIBDIR=$ROOT/build/cudasim SIM_LEAK=77 SIM_THREADS=1
"$NETRUN" --devices >devices 2>&1 || :
! grep -q '^libnvrtc *not found' devices || skip "libnvrtc is not installed"
[ -e "$NETRUN_CUDA_LIBDIR/libcublas.so.13" ] || fail "the simulated device is not built: make sim"
set -- wide.plan --train "$(digits)" --device cuda --batch 16 --steps 2 --quiet --no-report
last=runs/wide-1/last.safetensors

expect 0 netc "$ROOT/tests/wide.net" --emit=cuda
for part in '' _pack _unpack; do says out "k[0-9]+_conv$part\("; done
expect 0 netc "$ROOT/tests/wide.net" -o wide.plan

expect 0 netrun "$@"
! grep -q cuBLAS err || fail "cuBLAS is there"
# Who made its kernels, and what they ran on, as the same libraries say to `--devices`.
nvrtc=$(sed -n 's/^libnvrtc .*, version \([0-9.]*\)$/\1/p' devices) driver=$(sed -n 's/^libcuda .*, for \(CUDA up to [0-9.]*\)$/\1/p' devices)
[ "$nvrtc" ] && [ "$driver" ] || fail "$(cat devices)"
says runs/wide-1/settings.json "\"compiler\": \"NVRTC $nvrtc\""
says runs/wide-1/settings.json "\"driver\": \"([0-9.]+, )?for $driver\""
says runs/wide-1/settings.json '"gpu": "[^"]'
mv $last library
rm -r runs
NETRUN_CUBLAS=0 expect 0 netrun "$@"
says err '^netrun: large products are made without cuBLAS, which may be slower: NETRUN_CUBLAS=0$'
[ "$(grep -c 'made without cuBLAS' err)" = 1 ] || fail "it is said once more for the report"
mv $last own
rm -r runs

# Calls that lie further and further apart, until there is none left to fail. A failure is overcome (without the library, or on another try at the memory), or ends the run.
for call in cublasCreate_v2 cublasSetStream_v2 cublasSetWorkspace_v2 cublasGemmEx; do
    n=0
    while :; do
        n=$((n + 1 + n / 2)) status=0 same=library
        SIM_FAIL="$call:$n" netrun "$@" --no-report >out 2>err || status=$?
        grep -q 'as SIM_FAIL asks' err || break
        says err "^netrun: .*$call failed: CUBLAS_STATUS_"
        ! grep -q 'made without cuBLAS' err || same=own
        case $status in
        0) cmp -s $last $same || fail "call $n, $call: other weights than before" ;;
        3 | 5) [ ! -e $last ] || fail "call $n, $call: a checkpoint of nothing" ;;
        *) fail "call $n, $call: exit status $status" ;;
        esac
        rm -rf runs
        [ $n -lt 100 ] || fail "there is no end to the calls"
    done
    [ $status = 0 ] && cmp -s $last library || fail "nothing fails, and the exit status is $status, or the weights are others"
    rm -r runs
    echo "$call: fewer than $n calls"
    [ $n -gt 1 ] || fail "$call is not called"
done
