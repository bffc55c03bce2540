# ResNet-20 learns something in a few steps.
if real cifar10; then
    data=$DATA/cifar10
else
    "$B/make_digits" colour --cifar --train 2000 --test 300 >/dev/null
    data=colour
fi
plan resnet20
expect 0 netrun resnet20.plan --train "$data" --steps 12 --log-every 1 --json --batch 64
first=$(sed -n 's/.*"step":1,"loss":\([0-9.]*\).*/\1/p' out)
last=$(sed -n 's/.*"step":12,"loss":\([0-9.]*\).*/\1/p' out)
awk "BEGIN { exit !($first > 2 && $first < 4 && $last < $first) }" || fail "losses $first ... $last"
