# Sweeps beyond the product: drawn values, successive halving, runs side by side. The same bits whatever way.
data=$(digits)
common="--train $data --device cpu"
search='runs = random(9); hidden = log(4, 64); train.optimizer.lr = log(1e-4, 1e-1); train.batch = [16, 64]'
# shellcheck disable=SC2086
expect 0 netrun "$ROOT/models/mlp.net" $common --epochs 3 --sweep "$search; stop = halving(eta = 3)" -o halved.csv
cp out first
# Nine runs for a third of an epoch, which is one; three for one; one to its end: 1, 1, 3 epochs are two rungs.
[ "$(grep -c ',halved,1,3,' halved.csv)" = 6 ] || fail "not six runs were halved after an epoch"
[ "$(grep -c ',done,3,3,' halved.csv)" = 3 ] || fail "not three runs went to their end"
grep ',halved,' halved.csv | cut -d, -f 8 | sort -cnr || fail "the halved are not sorted"
# No run that was left behind was better after its epoch than one that went on.
for n in $(grep ',done,' halved.csv | cut -d, -f 1); do
    sed -n 's/.*"event":"epoch".*"epoch":1,.*"test":{[^}]*"accuracy":\([0-9.]*\).*/\1/p' "runs/mlp-sweep-1/mlp-$n/metrics.jsonl"
done | sort -n | head -n 1 >worst
[ -s worst ] || fail "no accuracy after the first epoch"
grep ',halved,' halved.csv | cut -d, -f 8 | awk -v worst="$(cat worst)" '$1 > worst { exit 1 }' || fail "a better run was left behind"
# What went on has the bits of a run that was never stopped; values are drawn by the seed, within their ranges.
n=$(sed -n 2p halved.csv | cut -d, -f 1)
hidden=$(sed -n 2p halved.csv | cut -d, -f 14) lr=$(sed -n 2p halved.csv | cut -d, -f 15) batch=$(sed -n 2p halved.csv | cut -d, -f 16)
# shellcheck disable=SC2086
expect 0 netrun "$ROOT/models/mlp.net" $common --epochs 3 -D hidden="$hidden" --lr "$lr" --batch "$batch" --runs alone
cmp alone/mlp-1/best.safetensors "runs/mlp-sweep-1/mlp-$n/best.safetensors"
sed 1d halved.csv | awk -F, '$14 !~ /^[0-9]+$/ || $14 < 4 || $14 > 64 || $15 < 1e-4 || $15 > 1e-1 || ($16 != 16 && $16 != 64) { exit 1 }' ||
    fail "a value is out of its range"
[ "$(sed 1d halved.csv | cut -d, -f 14,15 | sort -u | wc -l)" = 9 ] || fail "values were drawn twice"

# Side by side, and with another thread: the same table.
# shellcheck disable=SC2086
expect 0 "$NETRUN" "$ROOT/models/mlp.net" $common --epochs 3 --sweep "$search; stop = halving(eta = 3)" -o jobs.csv --jobs 3 --runs jobs
says out '^3 side by side, a thread each: their times are not comparable$'
cmp <(cut -d, -f 1-11,14-16 halved.csv) <(cut -d, -f 1-11,14-16 jobs.csv)
for n in 1 2 3 4 5 6 7 8 9; do cmp "runs/mlp-sweep-1/mlp-$n/last.safetensors" "jobs/mlp-sweep-1/mlp-$n/last.safetensors"; done

expect 2 netrun "$ROOT/models/mlp.net" --train "$data" --epochs 1 --jobs 2 --sweep 'device = cuda'
says out ' cuda  runs side by side have a thread of the CPU each: leave out --jobs$'

# Stopped between the rungs, and within one.
cp -r runs/mlp-sweep-1 runs/mlp-sweep-7
sed -i '/"run": 7/,$ s/"state": "[a-z]*"/"state": "waits"/; s/"state": "\(done\|halved\)"/"state": "waits"/; s/"rung": [0-9]*/"rung": 0/; /"run": [7-9]/,/seconds/ s/"epoch": [0-9]*/"epoch": 0/; s/"epoch": 3/"epoch": 1/' \
    runs/mlp-sweep-7/sweep.json
rm runs/mlp-sweep-7/mlp-[789]/*.safetensors
for n in 1 2 3 4 5 6; do [ ! -e "runs/mlp-sweep-7/mlp-$n/best.safetensors" ] || rm -r "runs/mlp-sweep-7/mlp-$n"; done
sed -i 's/"epoch": [0-9]*/"epoch": 0/' runs/mlp-sweep-7/sweep.json
expect 0 netrun --resume mlp-sweep-7 -o again.csv --jobs 2
cmp <(cut -d, -f 1-11,14-16 halved.csv) <(cut -d, -f 1-11,14-16 again.csv)

# The same in the file, and mistakes.
{ cat "$ROOT/models/mlp.net"; printf 'sweep {\n    runs = random(3)\n    hidden = log(4, 64)\n    train.optimizer.lr = uniform(low = 1e-3, high = 2e-3)\n    stop = halving(eta = 2)\n}\n'; } >mlp.net
# shellcheck disable=SC2086
expect 0 netrun mlp.net $common --epochs 2 --sweep
says out '^mlp: 3 runs'
says out ' halved$'
refused() { expect 2 netrun mlp.net --train "$data" --sweep "$1"; says err "$2"; }
refused 'train.optimizer.lr = log(1e-3, 1e-1)' 'say how often, runs=random'
refused 'runs = random(0); hidden = 1,2' 'random takes 1 to'
refused 'hidden = 1,2; stop = halving(eta = 1)' 'an eta from 2 on'
refused 'train.epochs = 1,2; stop = halving' 'leave out train.epochs'
refused 'runs = random(2); train.optimizer.lr = log(0, 1)' 'train.optimizer.lr. is a number'
expect 2 netrun mlp.net --train "$data" --jobs 2
says err 'jobs has no effect without --sweep or --resume'
