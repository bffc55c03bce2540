# Every op against the CPU, in all the cases with PyTorch's numbers.
# seconds: 150
cases=$(pick 'tests/expect/ops/*.net' 'tests/expect/ops/*3x3_p*.net')
cd "$ROOT"
NETRUN_CUDA_LIBDIR=${NETRUN_CUDA_LIBDIR-} "$B/tests/test_cuda_ops" "$cases" >"$WORK/ops.log" 2>&1 ||
    { grep -v '\[ RUN\|\[       OK' "$WORK/ops.log" | tail -n 20
        fail "$(grep -c 'FAILED  . tests' "$WORK/ops.log") cases differ"; }
echo "$(grep -c '^\[       OK \]' "$WORK/ops.log") cases agree with the CPU within rounding"
