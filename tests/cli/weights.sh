# Which weights --test and --predict take: the best where there is one, else the last; --weights asks for others. They say which.
data=$(digits)
plan mlp
# says_weights REGEX [--weights ...]: of --test and --predict, as text and as an event.
says_weights() {
    local regex=$1
    shift
    expect 0 netrun mlp.plan --test "$data" "$@"
    says err "^netrun: weights of $regex"
    expect 0 netrun mlp.plan --predict 3 --data "$data" "$@"
    says err "^netrun: weights of $regex"
    expect 0 netrun mlp.plan --test "$data" --json --quiet "$@"
    says out "\"weights\":\"${regex%%:*}"
    [ ! -s err ] || says err '^test'
}
expect 4 netrun mlp.plan --test "$data"
says err 'no run of net mlp yet'

# Untrained ones: those that a training begins with, which one at no rate leaves as they are.
for seed in 1 2; do
    expect 0 netrun mlp.plan --train "$data" --epochs 1 --lr 1e-30 --seed $seed --runs still
    expect 0 netrun mlp.plan --test "$data" --runs still
    cp out still.$seed
    expect 0 netrun mlp.plan --test "$data" --weights none --seed $seed
    says err "^netrun: weights as they are before training, of seed $seed\$"
    cmp out still.$seed || fail "other weights than a training begins with"
done
! cmp -s still.1 still.2 || fail "the seed has no effect"
expect 0 netrun mlp.plan --test "$data" --weights none
cmp out still.1 || fail "not the seed of the plan"
expect 0 netrun mlp.plan --predict 3 --data "$data" --weights none --json
says out '"weights":"none"'
expect 0 netrun mlp.plan --train "$data" --dry-run --weights none
cp -r still/mlp-1/best.safetensors none
expect 4 netrun mlp.plan --test "$data" --weights ./nothing
expect 0 netrun mlp.plan --test "$data" --weights ./none
says err '^netrun: weights of \./none: epoch 1'
expect 2 netrun mlp.plan --test "$data" --weights ./none --seed 2
says err 'a seed has no effect on weights that are there'
expect 2 netrun mlp.plan --test "$data" --weights none --partial
says err 'weights none is no file'

expect 0 netrun mlp.plan --train "$data" --steps 5
says_weights 'runs/mlp-1/last.safetensors: epoch 1, step 5, the last of the newest run, which has no best yet'
expect 4 netrun mlp.plan --test "$data" --weights best
says err '--weights last'

# Two good epochs, then a bad one.
expect 0 netrun mlp.plan --train "$data" --epochs 2
expect 0 netrun --resume last --epochs 3 --lr 1
says out '^best epoch 2'
says_weights 'runs/mlp-2/best.safetensors: epoch 2, the best of the newest run \(--weights last takes its last\)'
says_weights 'runs/mlp-2/best.safetensors: epoch 2, the best of the newest run' --weights best
says_weights 'runs/mlp-2/last.safetensors: epoch 3, the last of the newest run' --weights last
for run in runs/mlp-2 runs/mlp-2/ "$PWD/runs/mlp-2" mlp-2; do
    expect 0 netrun mlp.plan --test "$data" --weights "$run"
    says err 'runs/mlp-2/best.safetensors: epoch 2, the best of that run'
done
says_weights 'runs/mlp-1/last.safetensors: epoch 1, step 5, the last of that run, which has no best yet' --weights mlp-1
says_weights 'runs/mlp-2/last.safetensors: epoch 3' --weights runs/mlp-2/last.safetensors
cp runs/mlp-2/best.safetensors mine
says_weights 'mine: epoch 2' --weights mine
expect 4 netrun mlp.plan --test "$data" --weights mlp-9
says err 'mlp-9: no such file, nor a run of that name here or in runs/'

# Other runs folders, and the same words where a training starts and goes on.
expect 0 netrun mlp.plan --train "$data" --epochs 1 --weights runs/mlp-2 --runs others
says others/mlp-1/settings.json '"weights": ".*/runs/mlp-2/best.safetensors"'
expect 0 netrun mlp.plan --test "$data" --runs others
says err 'others/mlp-1/best.safetensors: epoch 1, the best'
expect 0 netrun --resume mlp-1 --runs others --epochs 2
says out 'others/mlp-1$'
expect 4 netrun --resume mlp-7
says err 'mlp-7: no run of that name, neither here nor in runs/'
