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
says err 'netc'
expect 3 netrun mlp.plan --train "$data" --memory 1MiB
says err 'error\[N05'
expect 4 netrun no-such.plan --train "$data"
expect 4 netrun mlp.plan --train no-such-folder
mkdir empty
expect 4 netrun mlp.plan --train empty
expect 4 netrun "$ROOT/models/mlp.net" --train "$data"
sed 's/^\(checksum .*\).$/\1x/' mlp.plan >broken.plan
expect 4 netrun broken.plan --train "$data"
expect 5 env CC=/nonexistent "$NETRUN" mlp.plan --train "$data" --steps 1
says err '/nonexistent'
plan mlp3
expect 6 netrun mlp3.plan --train "$data" --lr 1e6
says err '[Nn]aN|finite|diverge|infinite'
