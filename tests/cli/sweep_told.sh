# What programs and eyes get of a sweep: its events, the results drawn against each value; weights that it begins with stay those.
data=$(digits)
common="--train $data --device cpu --no-report --no-tensorboard"
expect 0 netrun "$ROOT/models/mlp.net" $common --epochs 1
cp runs/mlp-1/best.safetensors .
real=${CC:-cc}
printf '#!/bin/sh\ncase " $* " in *" -shared "*) echo call >>"$CALLS" ;; esac\nexec %s "$@"\n' "$real" >cc
chmod +x cc
export CALLS=$PWD/calls

# Threads that want the same kernels compile them once.
: >calls
export CC=$PWD/cc
expect 0 env XDG_CACHE_HOME="$PWD/other" "$NETRUN" "$ROOT/models/mlp.net" $common --epochs 1 --jobs 4 --sweep 'seed = 1,2,3,4' --runs jobs
[ "$(wc -l <calls)" = 1 ] || fail "$(wc -l <calls) calls of the compiler by four threads"

# Every line is an event; those of the runs have their numbers and are otherwise what the runs' own files hold.
: >calls
expect 0 env XDG_CACHE_HOME="$PWD/cache" "$NETRUN" --threads 1 "$ROOT/models/mlp.net" $common --epochs 2 --json \
    --sweep 'train.optimizer.lr = 1e-4,1e-2; train.batch = 50,100; seed = 1,2; device = cpu,cuda:9' --weights best.safetensors
[ "$(wc -l <calls)" = 1 ] || fail "$(wc -l <calls) calls of the compiler, for one network"
export CC=$real
[ "$("$B/tests/json_check" <out)" = "$(wc -l <out)" ] || fail "not one JSON text a line"
says out '^\{"event":"sweep","time":"[^"]*","schema":2,.*"folder":"runs/mlp-sweep-1","runs":16,"jobs":1,"names":\["train.optimizer.lr","train.batch","train.seed","device"\]'
[ "$(grep -c '"event":"start",[^}]*"run":[0-9]*,' out)" = 8 ] || fail "not eight starts"
[ "$(grep -c '"event":"run",.*"state":"done"' out)" = 8 ] || fail "not eight runs are done"
[ "$(grep -c '"event":"run",.*"state":"failed","reason":".*","status":5,.*"device":"cuda:9"' out)" = 8 ] || fail "not eight devices are missing"
tail -n 1 out | grep -q '^{"event":"sweep_end",.*"status":"ok","runs":16,"failed":8,"left":0,"measure":"accuracy","best":[0-9]*,' || fail "$(tail -n 1 out)"
grep '"event":"epoch",[^}]*"run":3,' out | sed 's/"run":3,//' >told
grep '"event":"epoch"' runs/mlp-sweep-1/mlp-3/metrics.jsonl | cmp - told || fail "the events of run 3 are not its own"
! grep -q '"run":' runs/mlp-sweep-1/mlp-3/metrics.jsonl || fail "a run's own file has the number"
! head -n 1 runs/mlp-sweep-1/mlp-3/metrics.csv | grep -qw run || fail "metrics.csv has it"
says err '^sorted by accuracy$'
cp out first

# Means and intervals of the script are Student's of the runs: over seeds and batches, here four, t = 3.182.
sweep=runs/mlp-sweep-1
[ -s $sweep/sweep.gp ] || fail "nothing is drawn"
grep -c '^set logscale x' $sweep/sweep.gp >count
[ "$(cat count)" = 4 ] || fail "the learning rates span decades: $(cat count)"      # two pictures, two rows
says $sweep/sweep.gp "^set xtics \('cpu' 0, 'cuda:9' 1\)"
! grep -q "xlabel 'train.seed'" $sweep/sweep.gp || fail "the seed is an axis"
for lr in 1e-4 1e-2; do
    sed -nE "s/.*\"event\":\"run\",.*\"state\":\"done\".*\"train.optimizer.lr\":\"$lr\".*\"accuracy\":([0-9.e-]+),.*/\1/p" first |
        awk -v x=$lr '{ s += $1; q += $1 * $1; n++ } END { m = s / n; h = 3.182 * sqrt((q - n * m * m) / (n - 1) / n); printf "%g %.2f %.2f %.2f\n", x, 100 * m, 100 * (m - h), 100 * (m + h) }'
done >wanted
awk '/^\$means0_0/ { on = 1; next } /^EOD/ { on = 0 } on { printf "%g %.2f %.2f %.2f\n", $1, $2, $3, $4 }' $sweep/sweep.gp >got
paste wanted got | awk 'NF != 8 { bad = 1 } { for (i = 1; i <= 4; i++) { d = $i - $(i + 4); if (d > 0.02 || d < -0.02) bad = 1 } } END { exit bad || NR != 2 }' || fail "$(cat wanted got)"

# Drawn again from its folder, from elsewhere, and with another name; not beside others.
mkdir elsewhere
cd elsewhere
expect 0 netrun --plot ../$sweep --output drawn.svg
cmp drawn.gp ../$sweep/sweep.gp || fail "drawn again it is another"
! command -v gnuplot >/dev/null || { says out '^drawn.png$'; says drawn.svg 'train.optimizer.lr'; }
expect 2 netrun --plot ../$sweep ../runs/mlp-1
says err 'is a sweep, which is drawn alone'

# Taken up from elsewhere, with the weights it began with, though what they were called there means nothing here.
cd ..
cp -r $sweep runs/mlp-sweep-2
rm -r runs/mlp-sweep-2/mlp-{3,15}
sed -i '/"run": 3,/,/"run": 4,/ s/"state": "done"/"state": "waits"/; /"run": 15,/,/"run": 16,/ s/"state": "done"/"state": "waits"/' runs/mlp-sweep-2/sweep.json
cd elsewhere
expect 0 netrun --resume ../runs/mlp-sweep-2
cd ..
for n in 3 15; do cmp runs/mlp-sweep-{1,2}/mlp-$n/best.safetensors; done
expect 0 netrun "$ROOT/models/mlp.net" $common --epochs 2 --seed 1 --batch 100 --lr 1e-2 --weights best.safetensors --runs alone
cmp alone/mlp-1/best.safetensors runs/mlp-sweep-1/mlp-13/best.safetensors || fail "run 13 is not what it would be alone"
expect 1 netrun "$ROOT/models/mlp.net" $common --sweep 'train.save.measure = loss,accuracy'
