# Winograd's products give what the direct sums do: images of odd and even sides, padded or not, channels that fill no tile, with bias or
# not, pooled or not, forward and to the input. A step of so large a rate shows the gradients.
cat >odd.net <<'END'
net odd
input  image : f32[1, 28, 28]
target digit : class[10]
logits = image
    -> a: Conv(7, kernel = 3) -> ReLU
    -> b: Conv(11, kernel = 3, pad = 1, bias = false) -> BatchNorm -> ReLU -> MaxPool(2)
    -> c: Conv(9, kernel = 3, pad = 2) -> Sigmoid -> AvgPool(3, stride = 1)
    -> d: Conv(13, kernel = 3, pad = 1) -> ReLU -> MaxPool(2)
    -> e: Conv(70, kernel = 3) -> Tanh
    -> f: Conv(6, kernel = [3, 3], pad = [2, 1]) -> Flatten -> fc: Linear(10)
output logits
data  { transform = [Scale(1/255)] }
train {
    loss      = CrossEntropy(logits, digit)
    optimizer = SGD(lr = 1e4)
    batch     = 40
}
END
data=$(digits)
by() { for layer in a b c d e f; do printf -- '--algorithm %s=%s ' $layer "$1"; done; }
for how in winograd registers; do
    # shellcheck disable=SC2046
    expect 0 netc odd.net $(by $how) -o $how.plan
    expect 0 netrun $how.plan --train "$data" --steps 1 --device cpu --runs $how
done
[ "$(grep -c '^  conv.* by winograd ' winograd.plan)" = 29 ] || fail "$(grep -c '^  conv.* by winograd ' winograd.plan) kernels by winograd"
expect 0 netrun --inspect {winograd,registers}/odd-1/last.safetensors
awk '$1 ~ /\.(weight|bias)$/ { n++; if (!($NF < 2e-5)) bad = bad " " $1 ": " $NF } END { print n, bad; exit n < 14 || bad != "" }' out ||
    fail "other gradients: $(cat out)"

# The same bits on any number of threads, and in parts.
expect 0 netrun winograd.plan --train "$data" --steps 1 --device cpu --runs threads --threads 3
cmp {winograd,threads}/odd-1/last.safetensors || fail "other bits by three threads"

# Only where it is one: stride, dilation, groups and other kernels are not.
sed 's/kernel = 3, pad = 2)/kernel = 3, pad = 2, stride = 2)/' odd.net >strided.net
expect 2 netc strided.net --algorithm c=winograd
says err 'no kernel of the layer can be written so'
expect 2 netc odd.net --algorithm fc=winograd

# --exact does without it, but for what --algorithm asks for, and says so in the plan.
expect 0 netc odd.net --exact --algorithm b=winograd -d c -o exact.plan
grep -c '^  [*] winograd' err >taken || :
[ "$(cat taken)" = 5 ] || fail "--exact: $(cat taken) kernels by winograd"
[ "$(grep -c ' by registers ' exact.plan)" = 24 ] || fail "the plan says of $(grep -c ' by registers ' exact.plan) that they are exact"
