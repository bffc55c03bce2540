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

# The run's own metrics are no log: where they are lost the training ends, and says of what.
expect 0 netrun mlp.plan --train "$data" --epochs 1 --runs small
status=0
(trap '' XFSZ; ulimit -f 2000; yes '{"event":"step","epoch":1,"step":1}' | head -c 2046500 >>small/mlp-1/metrics.jsonl
    netrun --resume small/mlp-1 --epochs 9) >out 2>err || status=$?
[ $status = 4 ] || fail "lost metrics gave $status, not 4"
says err 'error: small/mlp-1: metrics.jsonl or metrics.csv cannot be written: File too large'
