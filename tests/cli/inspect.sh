# --inspect: counts, shapes, classes, mean, deviation, images.
data=$(digits)
expect 0 netrun --inspect "$data"
says out 'train +2000 samples'
says out 'test +500 samples'
says out 'class\[10\]'
says out 'mean 0\.[0-9]+ +std 0\.[0-9]+'
says out '[@#]'
if real mnist; then
    expect 0 netrun --inspect "$DATA/mnist"
    says out 'train +60000 samples +u8\[1, 28, 28\]'
    says out 'mean 0.1307 +std 0.3081'
fi
if real cifar10; then
    expect 0 netrun --inspect "$DATA/cifar10"
    says out '3, 32, 32'
fi
