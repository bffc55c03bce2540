# Warnings that teach: each is said of a network made for it, once a run, with its line and its name, and of no other; --no-warn silences it
# and stays with the run. What they find follows from the networks below.
data=$(digits)
names() { sed -n 's/.*"event":"warning".*"name":"\([a-z-]*\)".*/\1/p' "$1" | sort | paste -sd' '; }
# warns NAMES FILE.net [OPTIONS]: is trained and warns of these, and of no others.
warns() {
    local wanted=$1
    shift
    expect 0 netrun "$@" --device "${device:-cpu}" --quiet --json
    [ "$(names out)" = "$wanted" ] || fail "warned of: $(names out); expected: $wanted"
}
# vector FILE INPUT TARGET LAYERS LOSS SAMPLES: a network on samples in the plan.
vector() {
    cat >"$1.net" <<END2
net m
input x : $2
target t : $3
y = x
    $4
output y
data {
    shuffle = false
    samples = [$6]
}
train {
    loss = $5(y, t)
    optimizer = SGD(lr = 1e-6)
    epochs = 2
    batch = 50
    metrics = [${7:-}]
}
END2
}
# rows N TEXT: TEXT N times, as samples; `$i` in it is the number.
rows() { for i in $(seq 0 $(($1 - 1))); do eval "echo -n \"$2,\""; done | sed 's/,$//'; }

# What is usual says nothing.
warns '' "$ROOT/models/mlp.net" --train "$data" --epochs 5
warns '' "$ROOT/models/xor.net" --train --epochs 120
warns '' "$ROOT/models/mnist_cnn.net" --train "$data" --epochs 2

# A ReLU of 19 inputs, of which 18 are negative in each sample: more than 90 % of it is dead; of 17 it is not. (19 floats are no multiple
# of 16 bytes.) Of a map whole channels count, and a single place in the last sample keeps one alive.
for device in cpu cuda; do
    here $device || continue
    values="[$(rows 18 -1),\$((i % 2)),1]"
    vector dead 'f32[19]' 'f32[1]' '-> ReLU -> fc: Linear(1)' MSE "$(rows 120 "$values")"
    warns dead-relu dead.net --train
    says err 'warning: dead.net:5: `ReLU -> fc: Linear\(1\)`: 18 of the 19 units of ReLU were 0 for all 70 samples that were looked at'
    says err 'help: a smaller learning rate \(--lr 1e-07\), BatchNorm before it, or LeakyReLU'
    says err 'note: --no-warn dead-relu silences this'
    says out '"event":"warning",.*"name":"dead-relu","cause":\{"layer":"ReLU","line":5,"value":0.947368421\}'
    [ "$(grep -c dead-relu err)" = 1 ] || fail "not said once in two epochs"
    vector living 'f32[19]' 'f32[1]' '-> ReLU -> fc: Linear(1)' MSE "$(rows 120 "${values/-1/1}")"
    warns '' living.net --train
done
unset device
map=$(rows 76 -1)
vector map 'f32[20, 2, 2]' 'f32[1]' '-> ReLU -> MaxPool(2) -> Flatten -> fc: Linear(1)' MSE "$(rows 120 "[$map,-1,-1,\$((i - 118)),-1,1]")"
warns dead-relu map.net --train
says err '19 of the 20 channels of ReLU'
vector map 'f32[20, 2, 2]' 'f32[1]' '-> ReLU -> MaxPool(2) -> Flatten -> fc: Linear(1)' MSE "$(rows 120 "[${map/-1/1},-1,-1,\$((i - 118)),-1,1]")"
warns '' map.net --train

# A sigmoid's derivative is 1/4 at most: behind 20 of them, with weights of 1/sqrt(8) at most, nothing is left. With three something is.
vector stack 'f32[8]' 'f32[1]' "$(rows 20 '-> f$i: Linear(8) -> Sigmoid ' | tr -d ,)-> out: Linear(1)" MSE "$(rows 100 '[1,0,1,0,1,0,1,$((i % 2)),1]')"
warns vanishing stack.net --train
says err 'warning: stack.net:5: .*: the gradient vanishes on its way back: that of f0 is [0-9.]*e-'
vector stack 'f32[8]' 'f32[1]' "$(rows 3 '-> f$i: Linear(8) -> Sigmoid ' | tr -d ,)-> out: Linear(1)" MSE "$(rows 100 '[1,0,1,0,1,0,1,$((i % 2)),1]')"
warns '' stack.net --train

# Behind a dead ReLU there is no gradient either, which is said once, and by its reason.
vector dark 'f32[1]' 'f32[1]' '-> ReLU -> f0: Linear(2) -> Sigmoid -> out: Linear(1)' MSE "$(rows 100 '[-1,1]')"
warns dead-relu dark.net --train

# y = w x + b with w below 1: the derivative of (y - t)^2 by w is 2 (y - t) x, some 2e6 for t = 1e6, and some 10 for 10.
vector far 'f32[1]' 'f32[1]' '-> fc: Linear(1)' MSE "$(rows 100 '[1,1e6]')"
warns exploding far.net --train --lr 1e-12
says err 'warning: far.net:5: `fc: Linear\(1\)`: the gradient of fc is 2e\+06'
says out '"name":"exploding","cause":\{"layer":"fc","line":5,"value":[0-9.e+]*\}'
vector far 'f32[1]' 'f32[1]' '-> fc: Linear(1)' MSE "$(rows 100 '[1,10]')"
warns '' far.net --train

# Classes in order are told before anything runs; not if they are shuffled, or take turns.
vector order 'f32[1]' 'class[2]' '-> fc: Linear(2)' CrossEntropy "$(rows 300 '[$((i % 7)),$((i / 150))]')" Accuracy
warns order order.net --train --epochs 1
says err 'warning: order.net:8: `shuffle = false`: shuffling is off.*the class changes 1 times from one sample to the next, by lot it would 150 times'
warns '' order.net --train --epochs 1 --set data.shuffle=true
vector order 'f32[1]' 'class[2]' '-> fc: Linear(2)' CrossEntropy "$(rows 300 '[$((i % 7)),$((i % 2))]')" Accuracy
warns '' order.net --train --epochs 1

# Labels that are all the same.
vector same 'f32[1]' 'class[2]' '-> fc: Linear(2)' CrossEntropy "$(rows 60 '[$((i % 7)),1]')" Accuracy
warns one-class same.net --train --epochs 1
says err 'same.net:13: .*: all 60 samples of the training set are of class 1'

# Inputs that are all 0: the biases of the outputs are all there is, one class is the answer, and the loss stays near ln(2). Two of 100
# samples more of class 0 or 1 do not matter; that w of fc gets no gradient does not, since it is the only layer.
vector blind 'f32[1]' 'class[2]' '-> fc: Linear(2)' CrossEntropy "$(rows 2000 '[0,$((i % 2))]')" Accuracy
warns 'no-progress one-class' blind.net --train --epochs 6
says err 'blind.net:13: `optimizer = SGD\(lr = 1e-6\)`: whatever it is shown, the network answers class [01]: its accuracy of 50 %'
says err 'with learning rate 1e-06 the loss of epoch 3 was .*, and guessing by the shares of the 2 classes gives 0\.6931, their logarithm'
warns one-class blind.net --train --epochs 6 --no-warn no-progress
says out '"name":"one-class","cause":\{"line":13,"value":0.5\}'
warns '' blind.net --train --epochs 2

# Silence stays with the run, and what was said is not said again when it is resumed.
warns '' blind.net --train --epochs 3 --no-warn no-progress,one-class --runs silent
warns '' --resume silent/m-1 --epochs 6
says silent/m-1/settings.json '"no_warn": \['
warns '' blind.net --train --epochs 3 --no-warn all --runs silent
expect 0 netrun --rerun silent/m-2 --runs silent --quiet --json
[ -z "$(names out)" ] || fail "--rerun has forgotten --no-warn"
warns 'no-progress one-class' blind.net --train --epochs 3 --runs said
warns '' --resume said/m-1 --epochs 6
expect 2 netrun blind.net --train --no-warn dead_relu
says err 'no-warn dead_relu: no warning has that name; did you mean `dead-relu`\?'
expect 2 netrun blind.net --train --no-warn nonsense
says err 'they are order, dead-relu, vanishing, exploding, one-class, no-progress, overfitting, not-finite, all'

# The training set says 3, more than two weights in 0..1 can, and the test set -1: the better the one is learnt, the worse the other gets, in each epoch.
floats() {
    # shellcheck disable=SC2059,SC2001
    printf "$(sed 's/../\\x&/g' <<<"$2")" >"$1"
}
mkdir -p against
for set in train t10k; do
    floats against/$set-samples 00000d0200000001000000013f800000
done
floats against/train-targets 00000d02000000010000000140400000
floats against/t10k-targets 00000d020000000100000001bf800000
vector against 'f32[1]' 'f32[1]' '-> fc: Linear(1)' MSE '[1,1]'
warns overfitting against.net --train against --lr 0.01 --epochs 6 --runs against_runs
says err 'against.net:14: `epochs = 2`: for three epochs the test loss has risen, from'
says err 'help: fewer epochs, or `stop = patience\(3\)`'
[ "$(sed -n '/overfitting/q; s/.*"event":"epoch".*"epoch":\([0-9]*\).*/\1/p' out | tail -n 1)" = 4 ] || fail "not after three rises"
warns '' against.net --train against --lr 0.01 --epochs 3 --runs against_runs
warns overfitting --resume against_runs/m-2 --epochs 5
warns '' --resume against_runs/m-2 --epochs 8

# To the same bits, whether anybody looks or not, of a batch in parts too.
for memory in 100MiB 6MiB; do
    rm -rf a b
    expect 0 netrun "$ROOT/models/mnist_cnn.net" --train "$data" --device cpu --epochs 2 --batch 100 --memory $memory --runs a
    expect 0 netrun "$ROOT/models/mnist_cnn.net" --train "$data" --device cpu --epochs 2 --batch 100 --memory $memory --runs b --no-warn all
    cmp a/mnist_cnn-1/last.safetensors b/mnist_cnn-1/last.safetensors || fail "$memory: looking changes bits"
done
