# Clipped gradients and the moving mean of the weights: the same bits with any number of threads and after a resume, the best are the
# mean, what is trained are the weights, and parts of a batch are clipped together.
data=$(digits)
sed 's/^    epochs.*/    epochs = 2\n    clip = norm(0.5)\n    ema = 0.99/' "$ROOT/models/mnist_cnn.net" >m.net
sed '/ema = /d' m.net >plain.net
train="--train $data --batch 100 --steps 12 --progress none --json --log-every 1"
for threads in 1 2 7; do
    expect 0 netrun m.net --train "$data" --batch 100 --threads $threads --runs t$threads
    for file in last best last.optimizer; do
        cmp t1/mnist_cnn-1/$file.safetensors t$threads/mnist_cnn-1/$file.safetensors || fail "$threads threads: other bits"
    done
done

expect 0 netrun m.net --train "$data" --batch 100 --steps 3 --runs parts
expect 0 netrun --resume parts/mnist_cnn-1
for file in last best last.optimizer; do
    cmp t1/mnist_cnn-1/$file.safetensors parts/mnist_cnn-1/$file.safetensors || fail "resumed: other bits"
done

# The mean changes nothing of what is trained, and is what is tested.
expect 0 netrun plain.net --train "$data" --batch 100 --runs plain
expect 0 netrun m.net --test "$data" --weights t1/mnist_cnn-1/best.safetensors --json
mean=$(sed -n 's/.*"event":"evaluation".*"loss":\([^,]*\),.*/\1/p' out)
expect 0 netrun m.net --test "$data" --weights t1/mnist_cnn-1/last.safetensors --json
last=$(sed -n 's/.*"event":"evaluation".*"loss":\([^,]*\),.*/\1/p' out)
[ "$mean" != "$last" ] || fail "best and last are the same weights"
expect 0 netrun plain.net --test "$data" --weights plain/mnist_cnn-1/last.safetensors --json
[ "$last" = "$(sed -n 's/.*"event":"evaluation".*"loss":\([^,]*\),.*/\1/p' out)" ] || fail "the mean changes what is trained"
grep -q "\"test\":{[^}]*\"loss\":$mean" t1/mnist_cnn-1/metrics.jsonl || fail "the epochs are not tested with the mean"

# A batch in parts: its whole gradient is clipped.
expect 0 netrun m.net $train --runs whole
losses >whole.txt
expect 0 netrun m.net $train --memory 6MiB --runs piecewise
says out '"micro_batch":'
losses >parts.txt
[ "$(wc -l <parts.txt)" = 12 ] || fail "12 steps, not $(wc -l <parts.txt)"
near whole.txt parts.txt || fail "parts: other losses"
sed 's/clip = norm(0.5)/clip = norm(50000)/' m.net >loose.net
expect 0 netrun loose.net $train --runs loose
losses >loose.txt
! cmp -s whole.txt loose.txt || fail "nothing is clipped"
