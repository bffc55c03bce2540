# Networks train the same in vectors of 16, 8 and 4 floats, with what AVX-512, AVX2 and any other processor has: losses of three
# steps and of an evaluation, and all weights, but for rounding. Whether a multiply-add is one instruction is the compiler's
# choice, and a processor's; lanes are summed in another order. That makes 2e-6; a wrong lane is seen in the first digits.
flags=${NETRUN_CFLAGS-}
trains() { # LANES FLAGS: to the file of that name
    expect 0 env NETRUN_CFLAGS="$flags $2" "$B/tests/lanes" net.plan 1 "$1"
    says err "^$1 lanes\$"
    mv out "$1"
}
avx2='' any=''
[ "$(uname -m)" != x86_64 ] || avx2=-mno-avx512f any=-march=x86-64
sed 's/MaxPool/AvgPool/' "$ROOT/models/mnist_cnn.net" >averaged.net # its second convolution is winograd's, both ways
# 1 x 1 convolutions over 4 x 4 places, whose sums over 16 lanes are made 16 at a time, and where they cannot be.
sed '/conv1:/,/Flatten/c\    -> AvgPool(7)\n    -> point1: Conv(16, kernel = 1)\n    -> ReLU\n    -> point2: Conv(24, kernel = 1)\n    -> ReLU\n    -> point3: Conv(10, kernel = 1, stride = 2)\n    -> Flatten' \
    "$ROOT/models/mnist_cnn.net" >points.net
for net in "$ROOT"/{models/mlp,models/mnist_cnn,tests/mutants}.net averaged.net points.net; do
    expect 0 netc "$net" -D train.batch=40 -D train.optimizer='SGD(lr = 0.05, momentum = 0.9)' -o net.plan
    trains 16 ''
    trains 8 "$avx2"
    trains 4 "$any"
    for lanes in 8 4; do near 16 $lanes 2e-5 2>err || fail "$net: other numbers in vectors of $lanes"; done
done
