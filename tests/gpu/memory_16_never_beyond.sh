# Only device memory is ever asked for, so nothing spills to the host: steps are as fast where little is free.
plan mnist_cnn
folder=$(digits)
! grep -i managed "$ROOT/runtime/cuda/cuda_names.h" >&2 || fail "managed memory is used"
steps=$(pick 64 2)
# microseconds of a step
pace() {
    cuda mnist_cnn.plan "$folder" --batch "$(pick 256 32)" --steps "$steps" --log-every "$steps" --runs "$1" >out
    sed -n 's/.*"event":"step".*"seconds":\([^,}]*\).*/\1/p' out | awk -v steps="$steps" '{ printf "%.1f", $1 / steps * 1e6 }'
}
alone=$(pace alone)
hold $((6 << 30))
beside=$(pace beside)
release
[ "$SIM" ] || within "$beside" "$(awk -v a="$alone" 'BEGIN { print 4 * a }')" ||
    fail "a step takes $beside us beside a hog, $alone us alone"
echo "a step takes $alone us alone, $beside us with 6 GiB left"
