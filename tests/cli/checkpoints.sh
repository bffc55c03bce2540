# --checkpoint-every: a training that is killed within an epoch goes on from there, to the bits of one that was not.
data=$(digits)
plan mlp
train="mlp.plan --train $data --batch 2 --epochs 2"
last=mlp-1/last.safetensors

# killed_at N EVERY: a run in runs/ that is killed when its Nth checkpoint is told; what it kept is within an epoch.
killed_at() {
    local line n=0
    rm -rf runs events
    mkfifo events
    "$NETRUN" --threads 1 $train --log-every 2 --checkpoint-every "$2" --json >events 2>err &
    child=$!
    exec 3<events
    while [ $n -lt "$1" ] && read -r line <&3; do
        [[ $line != *'"event":"checkpoint"'*'"step":'[1-9]* ]] || n=$((n + 1))
    done
    kill -KILL $child
    exec 3<&-
    wait $child 2>log || true
    [ $n = "$1" ] || fail "there were $n checkpoints"
    ! grep -q '"event":"end"' runs/mlp-1/metrics.jsonl || fail "it was not killed in time"
}

expect 0 netrun $train --runs whole --json
[ "$(grep -c '"event":"checkpoint".*"step":[1-9]' out)" = 0 ] || fail "a checkpoint that nobody asked for"
for every in 100 0.001s; do
    killed_at 3 $every
    cp -r runs killed
    expect 0 netrun --resume mlp-1 --json
    says err 'resumed in epoch [12] after step [1-9]'
    cmp {whole,runs}/$last || fail "$every: other bits than those of a run that was not killed"
    cmp {whole,runs}/mlp-1/last.optimizer.safetensors || fail "$every: another state of the optimizer"
    cmp {whole,runs}/mlp-1/best.safetensors || fail "$every: another best"
    rm -r killed
done

# What the run tells stays in order, and each step is told once.
grep -o '"epoch":[0-9]*,"step":[0-9]*,"steps":[0-9]*,"loss"' runs/mlp-1/metrics.jsonl | sort >told
[ -s told ] || fail "no step is told"
uniq -d told >twice
[ ! -s twice ] || fail "told twice: $(head -1 twice)"

expect 0 netrun $train --steps 250 --checkpoint-every 100 --runs counted --json
[ "$(sed -n 's/.*"event":"checkpoint".*"steps":\([0-9]*\),.*/\1/p' out | tr '\n' ' ')" = "100 200 250 " ] || fail "not after each 100th step"
expect 0 netrun mlp.plan --train "$data" --dry-run --checkpoint-every 1 --runs none
[ ! -e none ] || fail "a dry run writes"
for wrong in 0 -5 5x 1.5 0s 10m '' s; do
    expect 2 netrun $train --checkpoint-every "$wrong"
    says err "checkpoint-every $wrong: expected a number of steps from 1, or a time such as 30s, 10min or 2h"
done
expect 2 netrun mlp.plan --test "$data" --checkpoint-every 5
says err 'no effect without --train or --resume'
