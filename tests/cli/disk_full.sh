# A disk that is full while a checkpoint is written: exit 4, and the old one survives.
data=$(digits)
plan mlp
expect 0 netrun mlp.plan --train "$data" --epochs 1
sum=$(sha256sum runs/mlp-1/last.safetensors)
status=0
(trap '' XFSZ; ulimit -f 100; netrun --resume runs/mlp-1 --epochs 3) >out 2>err || status=$?
[ $status = 4 ] || fail "exit status $status, not 4"
says err 'safetensors|large|space'
[ "$(sha256sum runs/mlp-1/last.safetensors)" = "$sum" ] || fail "the old checkpoint is gone"
[ -z "$(find runs -name '*tmp*')" ] || fail "a temporary file is left"
expect 0 netrun --resume runs/mlp-1 --epochs 3
