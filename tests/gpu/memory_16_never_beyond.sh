# Only device memory is ever asked for, so nothing spills to the host: steps are as fast where little is free.
plan mnist_cnn
folder=$(digits)
! grep -i managed "$ROOT/runtime/cuda_names.h" >&2 || fail "managed memory is used"
[ -z "$SIM" ] || skip "the simulated device has no step times; no managed memory is used"
# seconds of 200 steps, the first 100 left out
pace() {
    cuda mnist_cnn.plan "$folder" --batch 256 --steps 70 --epochs 100000 --log-every 7 --runs "$1" >out
    sed -n 's/.*"event":"step".*"seconds":\([^,}]*\).*/\1/p' out | awk '{ if (NR > 1) d[NR] = $1 - last; last = $1 }
        END { asort_n = NR - 1; best = 1e9; for (i in d) best = d[i] < best ? d[i] : best; print best / 7 * 1e6 }'
}
alone=$(pace alone)
mkfifo hold
"$TOOLS/hog" $((6144 << 20)) <hold >hog &
hog=$!
exec 9>hold
until [ -s hog ]; do kill -0 $hog; sleep 0.1; done
beside=$(pace beside)
exec 9>&-
wait $hog
within "$beside" "$(awk -v a="$alone" 'BEGIN { print 4 * a }')" || fail "a step takes $beside us beside a hog, $alone us alone"
echo "a step takes $alone us alone, $beside us with 6 GiB left; netrun itself does not watch the time of steps"
