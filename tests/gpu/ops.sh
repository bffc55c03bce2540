# Every op against the CPU, in all the cases with PyTorch's numbers.
# seconds: 150
cases=$(pick 'tests/expect/ops/*.net' 'tests/expect/ops/*3x3_p*.net')
cd "$ROOT"
NETRUN_CUDA_LIBDIR=${NETRUN_CUDA_LIBDIR-} "$B/tests/test_cuda_ops" "$cases" >"$WORK/ops" 2>&1 ||
    { grep -v '\[ RUN\|\[       OK' "$WORK/ops" | tail -n 20; fail "$(grep -c '^\[  FAILED  \] tests' "$WORK/ops") cases differ"; }
echo "$(grep -c '^\[       OK \]' "$WORK/ops") cases agree with the CPU within rounding"
