# Ctrl-C: exit 130 and a checkpoint; a resumed run ends with the bits of one that was not interrupted.
data=$(digits)
plan mnist_cnn
options="--train $data --epochs 4 --batch 50 --progress none"
expect 0 netrun mnist_cnn.plan $options --runs whole
expect 0 netrun mnist_cnn.plan $options --steps 70 --runs stopped
expect 0 netrun --resume stopped/mnist_cnn-1 --train "$data" --runs stopped
for file in last last.optimizer; do
    cmp {whole,stopped}/mnist_cnn-1/$file.safetensors || fail "--steps and --resume end elsewhere: $file"
done

"$NETRUN" mnist_cnn.plan $options --epochs 200 --runs killed >out 2>err &
child=$!
for _ in $(seq 300); do
    [ "$(grep -c '"event":"epoch"' killed/mnist_cnn-1/metrics.jsonl 2>/dev/null)" = 1 ] && break
    sleep 0.05
done
kill -INT $child
status=0
wait $child || status=$?
[ $status = 130 ] || fail "SIGINT gave $status, not 130"
[ -s killed/mnist_cnn-1/last.safetensors ] || fail "no checkpoint"
expect 0 netrun --resume killed/mnist_cnn-1 --epochs 4 --runs killed
cmp whole/mnist_cnn-1/best.safetensors killed/mnist_cnn-1/best.safetensors || fail "interrupted and resumed: other weights"
