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
