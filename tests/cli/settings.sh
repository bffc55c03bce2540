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
