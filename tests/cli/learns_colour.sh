# ResNet-20 learns: drawn digits in colour, few enough to be known by heart, and the first steps on real pictures.
"$B/make_digits" colour --cifar --train 320 --test 100 >/dev/null
plan resnet20
expect 0 netrun resnet20.plan --train colour --batch 32 --epochs 12 --lr 0.05 --json
loss=$(sed -n 's/.*"event":"epoch",.*"epoch":12,.*"train":{"loss":\([0-9.]*\).*/\1/p' out)
awk "BEGIN { exit !(${loss:-9} < 1) }" || fail "the loss of epoch 12 is ${loss:-not told}"

if real cifar10; then
    expect 0 netrun resnet20.plan --train "$DATA/cifar10" --steps 30 --log-every 1 --json --batch 64
    mean() { sed -n 's/.*"event":"step".*"step":\([0-9]*\),.*"loss":\([0-9.]*\).*/\1 \2/p' out | awk "\$1 > $1 && \$1 <= $1 + 5 { sum += \$2; n++ } END { print sum / n }"; }
    awk "BEGIN { exit !($(mean 0) > 2 && $(mean 0) < 4 && $(mean 25) < $(mean 0) - 0.2) }" || fail "losses $(mean 0) ... $(mean 25)"
fi
