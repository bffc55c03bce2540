# A batch that does not fit runs in parts: the same losses, netc and netrun of one mind, the least budget that a refusal names
# is one that serves, and a run that is resumed keeps its parts.
data=$(digits)
plan mnist_cnn
common="--train $data --progress none --json --log-every 1"
least() { sed -n 's/.*the least.* is \([0-9]*\) bytes.*/\1/p' err; }

expect 0 netrun mnist_cnn.plan $common --batch 100 --steps 12 --runs whole
losses >whole.txt
for memory in 4.5MiB 5.5MiB; do
    expect 0 netrun mnist_cnn.plan $common --batch 100 --steps 12 --memory $memory --runs "parts$memory"
    says err 'batch 100 runs as [0-9]+ x (16|48), with the same gradients'
    says out '"micro_batch":(16|48)'
    losses >parts.txt
    [ "$(wc -l <parts.txt)" = 12 ] || fail "12 steps, not $(wc -l <parts.txt)"
    near whole.txt parts.txt 1e-5 || fail "$memory: other losses"
done

# To the same bits, although the whole batch would fit when the run goes on.
expect 0 netrun mnist_cnn.plan $common --batch 100 --steps 7 --memory 5.5MiB --runs stopped
expect 0 netrun --resume stopped/mnist_cnn-1 --json --log-every 1 --steps 12 --runs stopped
says out '"micro_batch":48'
cmp parts5.5MiB/mnist_cnn-1/last.safetensors stopped/mnist_cnn-1/last.safetensors || fail "resumed without the budget: other bits"

# One byte decides, in both programs.
for model in xor mlp mnist_cnn resnet20; do
    set=$data
    [ $model != resnet20 ] || { "$B/make_digits" colour --cifar --train 40 --test 10 >/dev/null; set=colour; }
    [ $model != xor ] || set=
    plan $model
    batch=40
    [ $model != xor ] || batch=4
    expect 3 netc "$ROOT/models/$model.net" --check --memory 1 --batch $batch
    bytes=$(least)
    expect 3 netrun $model.plan --train $set --batch $batch --memory 1 --dry-run
    [ "$(least)" = "$bytes" ] || fail "$model: netc says $bytes, netrun $(least)"
    expect 0 netc "$ROOT/models/$model.net" --check --memory "$bytes" --batch $batch
    expect 0 netrun $model.plan --train $set --batch $batch --memory "$bytes" --dry-run
    expect 3 netc "$ROOT/models/$model.net" --check --memory $((bytes - 1)) --batch $batch
    expect 3 netrun $model.plan --train $set --batch $batch --memory $((bytes - 1)) --dry-run
done

# Batch statistics are not those of parts, unless that is said.
expect 3 netrun resnet20.plan --train colour --batch 40 --memory 40MiB --dry-run
says err 'error\[N0502\]: batch 40 needs .*the budget is 40 MiB'
says err '`bn0` \(line [0-9]+\) takes its statistics over the whole batch'
says err 'the largest batch is 16; or, with netrun --allow-batch-stats-change, 40 as 3 x 16'
parts="resnet20.plan --train colour --batch 40 --memory 40MiB --allow-batch-stats-change"
expect 0 netrun $parts --steps 2 --runs parts
says err 'batch 40 runs as 3 x 16, with statistics of each part'
# Said once, it holds for the run.
expect 0 netrun $parts --steps 1 --runs resumed
expect 0 netrun --resume resumed/resnet20-1 --steps 2
cmp parts/resnet20-1/last.safetensors resumed/resnet20-1/last.safetensors || fail "resumed in one piece: other statistics"

# auto is what fits, at most 256 and no more than there are samples; it is kept by the run.
expect 0 netrun mnist_cnn.plan --train "$data" --batch auto --memory 5.5MiB --steps 2 --runs auto
says out 'batch auto: 64 \(64 would fit\)'
grep -q '"batch": 64' auto/mnist_cnn-1/settings.json || fail "settings.json does not keep the batch"
expect 0 netrun --resume auto/mnist_cnn-1 --steps 3 --json --runs auto
says out '"event":"start".*"batch":64,'
expect 0 netrun mnist_cnn.plan --train "$data" --batch auto --dry-run
says out 'batch auto: 256 \([0-9]+ would fit\)'
