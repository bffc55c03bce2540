# The metrics of training: what the network answered during the epoch, each batch before its update. Where nothing is learnt they are
# those of a test on the same samples, whether batches run whole or in parts, or the epoch was stopped and resumed.
cp -r "$(digits)" same
for kind in images-idx3-ubyte labels-idx1-ubyte; do
    cp "$(find same -name "train-$kind*")" "$(find same -name "t10k-$kind*")"
done
plan mlp
options="--train same --lr 0 --epochs 2"

# both RUN: the accuracies of each of its epochs.
both() {
    sed -n 's/.*"event":"epoch".*"train":{[^}]*"accuracy":\([0-9.]*\).*"test":{[^}]*"accuracy":\([0-9.]*\).*/\1 \2/p' \
        "$1/metrics.jsonl"
}
expect 0 netrun mlp.plan $options --runs whole
[ "$(both whole/mlp-1 | wc -l)" = 2 ] || fail "no accuracy of training"
[ "$(both whole/mlp-1 | awk '$1 == $2' | wc -l)" = 2 ] || fail "training saw other accuracies: $(both whole/mlp-1)"
expect 0 netrun mlp.plan $options --runs parts --batch 640 --memory 3MiB
says err 'batch 640'
[ "$(both parts/mlp-1)" = "$(both whole/mlp-1)" ] || fail "in parts: $(both parts/mlp-1)"
expect 0 netrun mlp.plan $options --runs stopped --steps 7
expect 0 netrun --resume last --runs stopped
[ "$(both stopped/mlp-1)" = "$(both whole/mlp-1)" ] || fail "stopped and resumed: $(both stopped/mlp-1)"
