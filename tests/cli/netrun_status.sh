# Exit statuses of netrun; 130 has a test of its own.
data=$(digits)
plan mlp
plan xor
expect 0 netrun xor.plan --train --epochs 2
expect 0 netrun mlp.plan --train "$data" --steps 2
expect 2 netrun
expect 2 netrun mlp.plan
expect 2 netrun mlp.plan --train "$data" --epochs -3
expect 2 netrun mlp.plan --train "$data" --threads 0
expect 2 netrun mlp.plan --train "$data" --no-such-option
expect 2 netrun mlp.plan --train "$data" --set train.no_such_key=3
expect 2 netrun mlp.plan --train "$data" --set train.loss=MSE
says err 'give that with -D train.loss=VALUE'
for option in --epochs=3 --batch=4 --lr=1 --seed=2 --steps=3 --log-every=1 --allow-batch-stats-change; do
    expect 2 netrun mlp.plan --test "$data" $option
    says err "${option%%=*} has no effect without --"
done
expect 2 netrun mlp.plan --train "$data" --partial
expect 3 netrun mlp.plan --train "$data" --memory 1MiB
says err 'error\[N05'
expect 4 netrun no-such.plan --train "$data"
expect 4 netrun mlp.plan --train no-such-folder
mkdir empty
expect 4 netrun mlp.plan --train empty
for what in "--train $data --data empty" "--data empty --train $data" "--test empty --test $data" "--predict 0 --data $data --data empty" \
    "--inspect empty --inspect $data"; do
    # shellcheck disable=SC2086
    expect 2 netrun mlp.plan $what
    says err 'one data folder, please'
done
expect 0 netrun mlp.plan --test --data "$data"
expect 1 netrun "$ROOT/tests/errors/layer_unknown.net" --train "$data"
expect 4 netrun runs/mlp-1/last.safetensors --test "$data"
says err 'these are weights'
: >empty.plan
expect 4 netrun empty.plan --train
says err 'empty.plan: an empty file'
expect 4 netrun . --train
says err 'Is a directory'
truncate -s 6G large.plan                     # is not read to its end before it is refused
expect 4 netrun large.plan --train
says err 'large.plan: no plan'
sed '1s/.*/netc-plan 99999/' mlp.plan >other.plan
expect 4 netrun other.plan --train "$data"
says err 'other.plan:1: a plan of version 99999.* make it again with netc'
sed 's/^\(checksum .*\).$/\1x/' mlp.plan >broken.plan
expect 4 netrun broken.plan --train "$data"
expect 5 env CC=/nonexistent "$NETRUN" mlp.plan --train "$data" --steps 1
says err '/nonexistent'
expect 5 env CC=/bin/false "$NETRUN" mlp.plan --train "$data" --steps 1
says err '`/bin/false`, does not answer to --version: it ended with status 1'
says err '= help: set CC'
expect 5 env CC="$(command -v true)" "$NETRUN" mlp.plan --train "$data" --steps 1
says err 'true` has ended well, but made no object'
says err '= help: set CC'
touch file
for runs in file file/runs; do
    expect 4 netrun mlp.plan --train "$data" --steps 1 --runs $runs
    says err '^netrun: error: file/.*: cannot be made: Not a directory'
    says err '= help: --runs DIR'
done
if [ "$(id -u)" != 0 ]; then
    mkdir -m 500 locked
    expect 4 netrun mlp.plan --train "$data" --steps 1 --runs locked
    says err 'locked/mlp-1: cannot be made: Permission denied'
fi
plan mlp3
expect 6 netrun mlp3.plan --train "$data" --lr 1e6
says err '[Nn]aN|finite|diverge|infinite'

# What needs no plan passes over none.
expect 2 netrun xor.plan --devices
says err '^netrun: error: --devices needs no plan; what is `xor.plan`[?]$'
expect 2 netrun missing.plan --inspect "$(digits)"
says err '^netrun: error: --inspect compares weights; what is `missing.plan`[?]$'

# A table of samples is CSV: a name that says otherwise is no name for it.
expect 2 netrun xor.plan --predict 0 --output xor.json
says err '^netrun: error: --output xor.json: a table of samples is CSV; --json writes answers as JSON to stdout$'
[ ! -e xor.json ] || fail "CSV under a name of JSON"
