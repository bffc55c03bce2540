# Whatever a model calls its values, the compiler's own names are others: the plan is accepted, and it learns.
cat >names.net <<'END'
net names
input  ring    : f32[2]
target control : class[2]
gradients = ring -> workspace: Linear(8) -> Tanh -> parameters: Linear(2)
output gradients
data { samples = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]] }
train {
    loss      = CrossEntropy(gradients, control)
    optimizer = Adam(lr = 5e-2)
    epochs    = 200
    batch     = 4
    metrics   = [Accuracy]
}
END
for input in ring conv2 relu4 workspace2; do
    sed "s/\<ring\>/$input/" names.net >"$input.net"
    expect 0 netc "$input.net" -o "$input.plan"
    expect 0 netrun "$input.plan" --train --quiet --json --device cpu
    [ "$(accuracy)" = 10000 ] || fail "it does not learn"
done

# Whatever name a layer is given, automatic names step aside for it, wherever it stands.
cat >chain.net <<'END2'
net chain
block linear() {
    input x
    y = x -> Linear(2) -> linear_2: Linear(2) -> Linear(2) -> linear_1: Linear(2)
    output y
}
block grad() {
    input x
    y = x -> fc: Linear(2) -> momentum_buffer: linear
    output y
}
input  x : f32[2]
target t : class[2]
y = x -> Linear(3) -> linear -> linear_1: Linear(4) -> linear_4: Linear(5) -> Linear(6) -> BatchNorm
      -> grad: grad -> optimizer: grad -> optimizer_1: grad -> fc: Linear(2) -> momentum_buffer: linear -> module: Linear(2)
output y
data { samples = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]] }
train { loss = CrossEntropy(y -> linear_5: Linear(2), t)
    optimizer = SGD(lr = 0.1, momentum = 0.9) }
END2
expect 0 netc chain.net -o chain.plan
expect 0 netrun chain.plan --train --device cpu --steps 2 --progress none
expect 0 netrun chain.plan --train --device cpu --resume runs/chain-1 --steps 4 --progress none
expect 0 netrun chain.plan --test --device cpu --weights runs/chain-1/last.safetensors
for name in linear_2 linear_3.linear_3 linear_3.linear_2 linear_3.linear_4 linear_3.linear_1 linear_1 linear_4 linear_5 linear_6 batchnorm_7 \
    grad.fc optimizer.fc optimizer.momentum_buffer.linear_3 optimizer_2.momentum_buffer.grad.fc fc module; do
    grep -Eq "^ +[0-9]+ ${name//./\\.}\.weight +(param|slot) " chain.plan || fail "no $name.weight in the plan"
done

# Words of the compiler, of C and of PyTorch are names like others: of nets, inputs, targets, values, labels, params, blocks.
words="repeat double void main Linear ReLU N end weight bias running_mean num_batches_tracked module _orig_mod output1 loss
    train1 V real lane rows sum forward self f32 CrossEntropy batch static return NULL __metadata__ NAN"
{
    echo "net main"
    echo "input int : f32[2]"
    echo "target class : class[2]"
    before=int
    for word in $words; do
        echo "$word = $before -> $word: Linear(2) -> BatchNorm"
        before=$word
    done
    printf 'block return(static1) {\ninput void\nint = void -> double: Linear(static1)\noutput int\n}\n'
    echo "y = $before -> return(2)"
    echo "output y"
    echo "data { samples = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]] }"
    echo "train { loss = CrossEntropy(y, class)"
    echo "    optimizer = SGD(lr = 0.1, momentum = 0.9)"
    echo "    batch = 4 }"
} >main.net
expect 0 netc main.net -o main.plan
expect 0 netrun main.plan --train --device cpu --epochs 1 --quiet
expect 0 netrun main.plan --test --device cpu --weights runs/main-1/last.safetensors

# Layers within the operands of another one have numbers of their own, and keep the layers that they are.
cat >within.net <<'END4'
net within
input  x : f32[2, 8, 8]
target t : class[3]
y = Concat(x -> Conv(3, kernel = 1) -> BatchNorm -> Conv(4, kernel = 1), x -> ReLU) -> Conv(5, kernel = 1) -> Flatten -> Linear(3)
output y
train {
    loss      = CrossEntropy(y, t)
    optimizer = SGD(lr = 0.1)
}
END4
expect 0 netc within.net --summary
[ "$(awk '$1 ~ /^[0-9]+$/ { print $2 }' out | grep _ | paste -sd' ')" = "conv_1 batchnorm_2 conv_3 conv_4 linear_5" ] ||
    fail "other names: $(cat out)"
expect 0 netc within.net --emit=json
grep -q '"name": "relu_1", "layer": "ReLU"' out || fail "ReLU is a part of Concat"
