# Behind a max-pool the gradients of a convolution are made of those of the winners alone, and are what all places give: channels
# that fill a vector, and not; one, three, several vectors of them; strides, dilated rows, windows of any shape, bias or not.
data=$(digits)
net() { # NAME LAYERS
    cat >"$1.net" <<END
net $1
input  image : f32[1, 28, 28]
target digit : class[10]
logits = image
$2
    -> Flatten -> fc: Linear(10)
output logits
data  { transform = [Scale(1/255)] }
train {
    loss      = CrossEntropy(logits, digit)
    optimizer = SGD(lr = 1e4)
    batch     = 40
}
END
}
net small '    -> a: Conv(12, kernel = 5) -> ReLU -> MaxPool(2)
    -> b: Conv(20, kernel = [5, 3], pad = [2, 1]) -> MaxPool([2, 3]) -> Sigmoid
    -> c: Conv(33, kernel = 3, stride = 2, pad = 1, bias = false) -> ReLU -> GlobalMaxPool'
net large '    -> a: Conv(3, kernel = 3) -> Tanh
    -> b: Conv(40, kernel = 3) -> ReLU -> MaxPool([4, 2])
    -> c: Conv(24, kernel = 3, pad = [2, 1], dilation = [2, 1]) -> ReLU -> MaxPool(2)
    -> d: Conv(17, kernel = 2) -> ReLU -> MaxPool([1, 5])'
for net in small large; do
    expect 0 netc $net.net -d t -o winners.plan
    grep -oE 'conv_d[wx]_max\(' err | sort | uniq -c | awk '{ print $1, $2 }' >stand
    [ "$(paste -sd' ' stand)" = "3 conv_dw_max( $([ $net = small ] && echo 1 || echo 2) conv_dx_max(" ] || fail "$net: $(cat stand)"
    plain=(--algorithm b=plain --algorithm c=plain)
    expect 0 netc $net.net "${plain[@]}" --algorithm "$([ $net = small ] && echo a || echo d)=plain" -o plain.plan
    for how in winners plain; do
        expect 0 netrun $how.plan --train "$data" --steps 1 --device cpu --runs $how
    done
    expect 0 netrun --inspect {winners,plain}/$net-1/last.safetensors
    awk '$1 ~ /\.(weight|bias)$/ { n++; if (!($NF < 2e-5)) bad = bad " " $1 ": " $NF } END { print n, bad; exit n < 7 || bad != "" }' out ||
        fail "$net: other gradients: $(cat out)"
    expect 0 netrun winners.plan --train "$data" --steps 1 --device cpu --runs threads --threads 3
    cmp {winners,threads}/$net-1/last.safetensors || fail "$net: other bits by three threads"
done

# Where windows overlap or are means, and in groups, nothing stands in.
for other in 's/GlobalMaxPool/MaxPool(2, stride = 1)/' 's/GlobalMaxPool/MaxPool([3, 1], stride = [3, 2])/' \
    's/GlobalMaxPool/AvgPool([3, 2])/' 's/pad = 1, bias = false/pad = 2, dilation = [1, 2]/'; do
    sed "$other" small.net >other.net
    expect 0 netc other.net -d t -o other.plan
    [ "$(grep -c 'c.weight.*conv_dw(' err)" = 1 ] || fail "$other: $(grep 'grad.c.weight' err)"
done

# A GPU's kernels are those for all places.
expect 0 netc small.net --emit=cuda
says out 'conv_dw'
! grep 'conv_d[wx]_max' out || fail "a GPU has them as well"
