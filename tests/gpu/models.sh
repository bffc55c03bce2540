# Whole models, trained: the CPU's numbers, and the same bits however launches are queued and wherever the data are.
# seconds: 60
[ -x "$B/tests/test_cuda_train" ] || skip "test_cuda_train is not built"
[ -z "$SIM" ] || skip "make check runs test_cuda_train on the simulated device"
cd "$ROOT"
NETRUN_CUDA_LIBDIR=${NETRUN_CUDA_LIBDIR-} "$B/tests/test_cuda_train" >"$WORK/models.log" 2>&1 ||
    { cat "$WORK/models.log"; fail "$(grep -c '^\[  FAILED  \] test' "$WORK/models.log") models differ"; }
echo "$(grep -c '^\[       OK \]' "$WORK/models.log") models"
