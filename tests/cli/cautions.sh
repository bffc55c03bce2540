# What can be run but was hardly meant is told once, and what cannot work is refused; what is usual says nothing.
data=$(digits)
model() { sed "$@" "$ROOT/models/mlp.net" >m.net && expect 0 netc m.net -o m.plan; }
dry() { expect 0 netrun m.plan --train "$data" --device cpu --dry-run "$@"; }

# Bytes that no transform, or the wrong one, brings near 0..1; floats that it makes too small.
model ''
dry
[ ! -s err ] || fail "a word too many about a usual network"
model '/transform/d'
dry
says err 'pixels reach the network as 0\.\.255: it has no transform, and the first loss may be far above ln 10 = 2\.3$'
says err 'help: .*Scale\(1/255\)'
model 's/Scale(1\/255), //'
dry
says err 'pixels reach the network as -0\.4.*\.\.827.*its transforms do not bring them near 0\.\.1'
dry --quiet
[ ! -s err ] || fail "--quiet says more than errors and warnings"
model 's/Normalize(.*)\]/Scale(1\/255)]/'
dry --quiet
says err 'warning: samples lie in 0\.\.255, and the transforms leave 0\.\.0\.0039'
sed 's/^data {/data {\n    transform = [Scale(1\/255), Normalize(mean = 0.1, std = 0.3)]/' "$ROOT/models/xor.net" >floats.net
expect 0 netc floats.net -o floats.plan
expect 0 netrun floats.plan --train --device cpu --dry-run --quiet
says err 'warning: samples lie in 0\.\.1, and the transforms leave -0\.3333\.\.-0\.3203'
says err 'help: they are no bytes: leave out Scale\(1/255\)'
expect 0 netrun floats.plan --train --device cpu --epochs 1 --quiet --runs floats
expect 0 netrun floats.plan --test --device cpu --quiet --runs floats
says err 'warning: samples lie in 0\.\.1'
# Bytes in floats: as an image they are pixels, as a vector they may be anything.
sed 's/f32\[2\]/f32[1, 1, 2]/; s/y = bits/y = bits -> Flatten/; s/\[\[0, 0,/[[0, 200,/' "$ROOT/models/xor.net" >floats.net
expect 0 netc floats.net -o floats.plan
expect 0 netrun floats.plan --train --device cpu --dry-run
says err 'pixels reach the network as 0\.\.200: it has no transform$'
sed 's/\[\[0, 0,/[[0, 200,/' "$ROOT/models/xor.net" >floats.net
expect 0 netc floats.net -o floats.plan
expect 0 netrun floats.plan --train --device cpu --dry-run
! grep pixels err || fail "a vector taken for pixels"

# Rates that never get where they should.
model 's/^    epochs.*/    schedule = Cosine(warmup = 64)\n    epochs = 2/'
dry
says err 'warning: the warm-up of 64 steps is not shorter than the training, 2 epochs of 32 steps: .* ends at 0\.001 of 0\.001'
dry --set train.schedule.warmup=63
[ ! -s err ] || fail "a warm-up within the training"
dry --lr 0
says err 'warning: the learning rate is 0'
model 's/^    epochs.*/    schedule = Step(every = 3)\n    epochs = 3/'
dry
says err 'Step\(every = 3\) changes nothing in 3 epochs'
dry --epochs 4
[ ! -s err ] || fail "a step within the training"

# Statistics over a single value: of a flat vector and of one place, but not of a map.
model 's/-> ReLU/-> BatchNorm/'
expect 2 netrun m.plan --train "$data" --device cpu --dry-run --batch 1
says err 'm.net:[0-9]*: a batch of one sample has one value a channel there'
dry --batch 1999
says err 'warning: m.net:[0-9]*: the last batch of an epoch has one sample'
says err 'help: another batch, such as --batch 2000'
dry --batch 1998
[ ! -s err ] || fail "a last batch of two"
model 's/-> ReLU/-> BatchNorm/; s/^    batch .*/    batch = auto(max = 8)/'
expect 2 netrun m.plan --train "$data" --device cpu --dry-run --set train.batch.max=1
says err 'm.net:[0-9]*: a batch of one sample'
model '0,/-> Flatten/s//-> BatchNorm -> Flatten/'
dry --batch 1
[ ! -s err ] || fail "a batch of one image has many values a channel"

# A run that is over says so, and is left as it is.
plan xor
expect 0 netrun xor.plan --train --device cpu --epochs 2
cp runs/xor-1/metrics.jsonl before
expect 0 netrun --resume last --device cpu --json
says err 'runs/xor-1 is finished: its 2 epochs are done; to go on: netrun --resume runs/xor-1 --epochs N'
says out '"event":"end",.*"status":"ok",.*"best"'
! grep -q '"seconds":0,' out || fail "the seconds of its epochs are forgotten"
cmp before runs/xor-1/metrics.jsonl || fail "a finished run was written to"
expect 0 netrun --resume last --device cpu --epochs 3
says out 'epoch 3/3'

# A batch that is never full, and metrics without anything to measure.
data=train
mkdir train
cp "$(digits)"/train-* train
model ''
dry --batch 3000
says err 'a batch of 3000 is more than the 2000 samples'
says err 'there is no test set: accuracy is not measured, and the best epoch is that of the least training loss'
