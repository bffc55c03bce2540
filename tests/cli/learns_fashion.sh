# Real Fashion-MNIST: the mean training loss of the first epoch is PyTorch's.
real fashion || skip "set DATA to the folder of fashion"
plan fashion_lenet
expect 0 netrun fashion_lenet.plan --train "$DATA/fashion" --epochs 1 --json
loss=$(sed -n 's/.*"train":{"loss":\([0-9.]*\).*/\1/p' out)
awk "BEGIN { exit !($loss > 0.85 && $loss < 1.13) }" || fail "mean loss $loss"
