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
