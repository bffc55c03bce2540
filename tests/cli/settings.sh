# --set changes what leaves the graph as it is, and is recorded; -D goes into the plan; --dry-run changes nothing.
data=$(digits)
plan mlp
expect 0 netrun mlp.plan --train "$data" --set train.epochs=2 --set train.optimizer.lr=1/500 --seed 7 --json
[ "$(grep -c '"event":"epoch"' out)" = 2 ]
says runs/mlp-1/settings.json 'epochs'
says runs/mlp-1/settings.json '0\.002'
expect 0 netrun mlp.plan --train "$data" --dry-run --runs none
[ ! -e none ] || fail "--dry-run wrote something"
plan mnist_cnn -D drop=0.5
says mnist_cnn.plan 'dropout.*p=0.5'
expect 0 netrun mlp.plan --train "$data" --epochs 1 --seed 3 --runs a
expect 0 netrun mlp.plan --train "$data" --epochs 1 --seed 3 --runs b
cmp a/mlp-1/last.safetensors b/mlp-1/last.safetensors || fail "the same seed, other bits"
expect 0 netrun mlp.plan --train "$data" --epochs 1 --seed 4 --runs c
! cmp -s a/mlp-1/last.safetensors c/mlp-1/last.safetensors || fail "another seed, the same bits"

# A training says once that the file has a sweep.
{ cat "$ROOT/models/xor.net"; echo 'sweep { train.optimizer.lr = [0.1, 0.2, 0.3]'; echo 'train.seed = [1, 2] }'; } >sweep.net
expect 0 netc sweep.net -o sweep.plan
says sweep.plan '^  free  sweep.train.optimizer.lr "0.1, 0.2, 0.3"$'
expect 0 netrun sweep.plan --train --device cpu --epochs 2 --quiet --json
[ "$(grep -c 'this is one training; --sweep makes those of the .sweep. section' err)" = 1 ] || fail "not one note of the sweep"
plan xor
expect 0 netrun xor.plan --train --device cpu --epochs 2
! grep -q sweep err || fail "a warning of a sweep that is not there"
expect 0 netrun sweep.plan --test --device cpu
! grep -q sweep err || fail "a test does not sweep"

# A list has one number for each channel, from --set too; a number is for all.
sed 's/^ *transform.*/    transform = [Scale(1\/255), Normalize(mean = 0.5, std = 0.25)]/; /-> Flatten/d; s/f32\[1, 28, 28\]/f32[784]/' \
    "$ROOT/models/mlp.net" >flat.net
expect 0 netc flat.net -o flat.plan
each=$(seq -s , 784)
expect 2 netrun flat.plan --train "$data" --dry-run --set "data.transform.1.mean=[0.5, 0.5]"
says err 'data.transform.1.mean. is a number or a list of 784 \(one for each channel\), not .\[0.5, 0.5\]'
expect 2 netrun flat.plan --train "$data" --dry-run --set "train.optimizer.betas=0.9"
says err 'betas. is a list of two numbers'
expect 0 netrun flat.plan --train "$data" --dry-run --set "data.transform.1.mean=[$each]"
expect 0 netrun flat.plan --train "$data" --dry-run --set data.transform.1.mean=0.25
