# Real MNIST, one epoch.
real mnist || skip "set DATA to the folder of mnist"
learns mlp "$DATA/mnist" 95 --epochs 1
learns mlp3 "$DATA/mnist" 88 --epochs 1
learns mnist_cnn "$DATA/mnist" 97 --epochs 1
