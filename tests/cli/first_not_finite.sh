# A loss that is not finite: the layer, its line, the step and the samples are named, on both devices, and nothing changes. Where values
# overflow follows from the numbers in the networks below: floats end at 3.4e38.

# net FILE SAMPLES [SED]: four samples in the plan in their order, two inputs and a target each.
net() {
    cat >m.net <<END2
net m
input x : f32[2]
target t : f32[1]
y = x
    -> fc1: Linear(4)
    -> ReLU
    -> fc2: Linear(1)
output y
data {
    shuffle = false
    samples = [$2]
}
train {
    loss = MSE(y, t)
    optimizer = SGD(lr = 0.01)
    epochs = 3
    batch = 2
}
END2
    sed "${3:-}" m.net >"$1.net"
}
common="--train --json --quiet"

for device in cpu cuda; do
    here $device || continue
    runs=runs_$device
    on="$common --device $device --runs $runs"

    # Sums of 3e38 with weights below 0.71 and their bias: one of four units overflows with a sign that ReLU keeps. The loss of the
    # sample before it is finite; its step, the second of the epoch, is not made.
    net forward '[1,1,1], [1,2,1], [1,1,1], [3.4e38,3.4e38,1]' 's/batch = 2/batch = 3/'
    expect 6 netrun forward.net $on
    says err 'the loss is (infinite|NaN) in epoch 1, step 2\. The weights are those before that step'
    says err 'forward.net:5: `fc1: Linear\(4\)`: the first values that are not finite come out of fc1 \(or of ReLU behind fc1: the same kernel\), in all 1 samples of the batch: 3 of forward.net'
    says out '"status":"diverged".*"cause":\{"kind":"forward","layer":"fc1","line":5,"tensor":"[a-z0-9@]*","step":2,"bad":1,"samples":\[3\]\}'
    expect 0 netrun forward.net $on --steps 1
    for part in 1 2; do
        expect 0 netrun --inspect $runs/m-$part/last.safetensors
        grep -v last.safetensors out >weights$part
    done
    cmp weights1 weights2 || fail "the second pass changed weights"

    # 1e20 is a float and its square is none; the output is finite. With shuffling on it is found wherever it stands.
    net loss '[1,1,1], [1,2,1], [1,1,1e20], [1,1,1]' 's/shuffle = false/shuffle = true/; s/batch = 2/batch = 4/'
    for seed in 1 2 3; do
        expect 6 netrun loss.net $on --seed $seed
        says err 'loss.net:14: `loss = MSE\(y, t\)`: what it is given is finite, what it makes of it is not, in 1 of the 4 samples of the batch: 2 of loss.net'
        says out '"kind":"loss",.*"line":14,.*"step":1,"bad":1,"samples":\[2\]'
    done

    # x = 1e30 times 1e30.
    net data '[1,1,1], [1e30,2,1], [1,1,1], [1,1,1]' 's/shuffle = false/transform = [Scale(1e30)]/; s/batch = 2/batch = 4/'
    expect 6 netrun data.net $on
    says err 'data.net:10: `transform = \[Scale\(1e30\)\]`: the transforms make values of `x` that are not finite, in 1 of the 4 samples of the batch: 1 of data.net'
    says out '"kind":"data","layer":"x","line":10'

    # A gradient of about 1e36 times a rate of 1e6; the loss before that update is still finite.
    net weights '[1,1,1], [1,2,1], [1e18,1,1], [1,1,1]' 's/batch = 2/batch = 4/'
    expect 6 netrun weights.net $on --lr 1e6
    says err 'the loss is NaN in epoch 2, step 1\. The weights before that step are not finite either'
    says err 'weights.net:5: `fc1: Linear\(4\)`: fc1.weight.* not finite, since the update of step 1 in all at the latest'
    says out '"kind":"weights","layer":"fc1","line":5,"tensor":"fc1.weight","step":2\}'

    # The test set has it, and no training does: a warning, once, and the training goes on.
    says err 'warning: the test loss is NaN'
    [ "$(grep -c '"event":"warning".*"name":"not-finite"' out)" = 1 ] || fail "no warning, or several"
done

# Numbers are those of the file although a part of it is held out, 77 among them; of a batch in parts the part is named.
for bad in 77 76; do
    samples=$(for i in $(seq 0 99); do [ "$i" = $bad ] && echo -n '[3.4e38,3.4e38,1],' || echo -n '[1,1,1],'; done)
    net parts "${samples%,}" 's/batch = 2/batch = 90/; s/Linear(4)/Linear(4000)/; s/shuffle = false/holdout = 10%/'
    expect $((bad == 76 ? 6 : 0)) netrun parts.net $common --device cpu --memory 1600KiB
done
says out '"micro_batch":32'
says err "in 1 of the [0-9]* samples of the batch's part [1-6]: 76 of parts.net"
expect 0 grep -h '"name":"not-finite"' runs/m-1/metrics.jsonl
[ "$(wc -l <out)" = 1 ] || fail "not said once in three epochs"
says out 'the holdout loss is.*"bad":1,"samples":\[77\]'

# In any block of samples: outputs of three values, of which none fills a place of memory.
samples=$(for i in $(seq 0 39); do [ "$i" = 37 ] && echo -n '[1,1,1,1,1e20],' || echo -n '[1,1,1,1,1],'; done)
net many "${samples%,}" 's/batch = 2/batch = 40/; s/Linear(1)/Linear(3)/; s/f32\[1\]/f32[3]/'
expect 6 netrun many.net $common --device cpu
says err 'in 1 of the 40 samples of the batch: 37 of many.net'

# What a normalisation counts belongs to it, and so does a variance that overflows: 3e19 and -3e19, squared.
net norm '[3e19,1,1], [-3e19,2,1], [1,1,1], [1,1,1]' 's/-> ReLU/-> bn: BatchNorm -> ReLU/; s/batch = 2/batch = 4/'
expect 6 netrun norm.net $common --device cpu
says err 'norm.net:6: `bn: BatchNorm -> ReLU`: the first values that are not finite come out of bn'

# Testing names it too, and ends well.
mkdir -p data
net huge '[1,1,1]' ''
expect 0 netrun huge.net --train --device cpu --epochs 1 --quiet
net huge '[1,1,1], [1,1,1e20]' ''
expect 0 netrun huge.net --test --device cpu --json
says err 'warning: the test loss is infinite'
says err 'huge.net:14: `loss = MSE\(y, t\)`: .*in 1 of the 2 samples of the batch: 1 of huge.net'
says out '"event":"warning",.*"cause":\{"kind":"loss"'
