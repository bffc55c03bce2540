# A sweep: one table of many trainings, each as it would be alone; what fails is a row; what is interrupted goes on to the same bits.
data=$(digits)
{ cat "$ROOT/models/mlp.net"; printf 'sweep {\n    hidden = [8, 16]\n    train.optimizer.lr = [1e-3, 0.01]\n}\n'; } >mlp.net
common="--train $data --device cpu --epochs 2"
# shellcheck disable=SC2086
expect 0 netrun mlp.net $common --sweep -o all.csv
cp out first
[ "$(grep -cE '^ +[1-4] +2/2 ' out)" -ge 4 ] || fail "not four rows"
says out '^\* +[1-4] +2/2 '
says out '^\* the best; its weights: runs/mlp-sweep-1/mlp-[1-4]/best.safetensors$'
says out '^ +run +epoch +loss +accuracy +best +an epoch +the run +hidden +lr$'
says out '^SYNTHETIC data'
[ "$(wc -l <all.csv)" = 5 ] || fail "the table has other lines than 5"
says all.csv '^run,state,epoch,.*,accuracy,accuracy_95_low,accuracy_95_high,n,epoch_seconds,seconds,hidden,train.optimizer.lr,folder,reason$'
# Sorted by accuracy, the best first.
sed 1d all.csv | cut -d, -f 8 | sort -cnr || fail "not sorted"

# Each is the run that it would be alone.
# shellcheck disable=SC2086
expect 0 netrun mlp.net -D hidden=16 $common --lr 1e-3
says err 'this is one training; --sweep makes those'
cmp runs/mlp-1/best.safetensors runs/mlp-sweep-1/mlp-3/best.safetensors
cmp runs/mlp-1/model.plan runs/mlp-sweep-1/mlp-3/model.plan
says runs/mlp-sweep-1/mlp-3/metrics.jsonl "\"accuracy\":$(grep '^3,' all.csv | cut -d, -f 8)"

# Equal kernels are compiled once: two networks, four runs.
# shellcheck disable=SC2086
expect 0 env XDG_CACHE_HOME="$PWD/cache" "$NETRUN" mlp.net --threads 1 $common --sweep --runs once
[ "$(find cache -name '*.so' | wc -l)" = 2 ] || fail "not two kernels: $(find cache -type f)"

# From the command line: settings, params, seeds, devices; a device that is missing and what does not fit are rows.
expect 0 netrun mlp.net --train "$data" --sweep 'hidden = 8; seed = [1, 2, 3]; device = cpu, cuda:9' --epochs 1 -o -
[ "$(grep -cE '^[246],failed,.*,cuda:9,' out)" = 3 ] || fail "the missing device is not in three rows"
says out '^means over seeds'
says out '^ +3 +[0-9.]+ ± .* ± .* % +8 +cpu$'
expect 0 netrun mlp.net --train "$data" --device cpu --memory 3MiB --sweep 'hidden = 8,4096' --epochs 1
says out '^ +2 +0/1 .* 4096  batch 64 needs .*, the budget is 3.0 MiB$'
expect 5 netrun mlp.net --train "$data" --sweep 'device = cuda:9' --epochs 1
expect 0 netrun "$ROOT/models/mlp3.net" --train "$data" --device cpu --sweep 'train.optimizer.lr = 1e6,1e-3' --epochs 2
says out '^ +1 +0/2 .* 1e6  training diverged: the loss is .* in epoch 1, step [0-9]+$'
says out '^\*? +2 +2/2 '
expect 6 netrun "$ROOT/models/mlp3.net" --train "$data" --device cpu --sweep 'train.optimizer.lr = 1e6' --epochs 2

# What is wrong is refused before anything runs.
ls runs >before
refused() { expect "$1" netrun "$2" --train "$data" --device cpu --sweep "$3"; says err "$4"; }
netc mlp.net -o mlp.plan
netc "$ROOT/models/mlp.net" -o none.plan
refused 2 mlp.net 'train.bach = 1' 'there is no setting .train.bach.; did you mean .train.batch.'
refused 2 mlp.net 'train.batch = 64,0' 'train.batch. is an integer'
refused 2 mlp.net 'train.batch = 64,,65' 'empty value'
refused 2 mlp.net 'train.batch' 'write NAME=VALUE'
refused 2 mlp.net 'train.batch = 1; train.batch = 2' 'given twice'
refused 2 mlp.net 'device = gpu' 'expected auto, cpu, cuda'
refused 1 mlp.net 'hiden = 1,2' 'N0105'
refused 1 mlp.net 'hidden = 1,0' 'N0404'
refused 2 mlp.plan 'hidden = 1,2' 'params of a plan are numbers already'
refused 2 none.plan '' 'none.plan has no .sweep. section'
refused 2 none.plan 'runs = random(6)' 'there is nothing to go over'
refused 2 mlp.net "hidden = $(seq -s , 101); seed = $(seq -s , 100)" 'more than 10000 runs'
expect 2 netrun mlp.net --test "$data" --sweep 'seed = 1,2'
expect 2 netrun mlp.net --train "$data" --sweep 'seed = 1,2' --dry-run
ls runs | cmp - before || fail "something was made"

# Interrupted, and taken up again from another place, to the bits of the first.
# shellcheck disable=SC2086
"$NETRUN" mlp.net --threads 1 $common --sweep --runs again >out 2>err &
for _ in $(seq 200); do [ ! -s again/mlp-sweep-1/mlp-2/last.safetensors ] || break; sleep 0.05; done
kill -INT $!
status=0
wait $! || status=$?
if [ $status = 130 ]; then says err 'to go on: netrun --resume again/mlp-sweep-1'; else [ $status = 0 ] || fail "status $status"; fi
rm -f again/mlp-sweep-1/mlp-1/last.safetensors       # not asked for any more
mkdir elsewhere
cd elsewhere
expect 0 netrun --resume ../again/mlp-sweep-1 --output resumed.csv
cd ..
for n in 1 2 3 4; do cmp "again/mlp-sweep-1/mlp-$n/best.safetensors" "runs/mlp-sweep-1/mlp-$n/best.safetensors"; done
cmp <(cut -d, -f 1-11 all.csv) <(cut -d, -f 1-11 elsewhere/resumed.csv)
# Killed while it wrote nothing: the third run has no checkpoint and no row yet.
cp -r runs/mlp-sweep-1 runs/mlp-sweep-9
rm -r runs/mlp-sweep-9/mlp-4 runs/mlp-sweep-9/mlp-3/*.safetensors
sed -i '/"run": 2/,$ s/"state": "done"/"state": "waits"/' runs/mlp-sweep-9/sweep.json
expect 0 netrun --resume mlp-sweep-9 -o third.csv
for n in 1 2 3 4; do cmp "runs/mlp-sweep-9/mlp-$n/best.safetensors" "runs/mlp-sweep-1/mlp-$n/best.safetensors"; done
cmp <(cut -d, -f 1-11 all.csv) <(cut -d, -f 1-11 third.csv)
sed -i 's/"hidden": "8"/"hidden": "9"/' runs/mlp-sweep-9/sweep.json
expect 4 netrun --resume mlp-sweep-9
says err 'its runs are not those of its command'
expect 2 netrun --resume mlp-1 -o x.csv
# Its runs have their settings already.
for option in --epochs=3 --lr=1 --device=cpu --memory=1GiB --steps=3; do
    expect 2 netrun --resume mlp-sweep-1 $option
    says err 'mlp-sweep-1 is a sweep, whose runs keep their settings'
done

# Numbers of the section are told as they were written: 1000 is not 1e+03.
{ sed '/^sweep/,$ d' mlp.net; printf 'sweep {\n    train.batch = [100, 1000]\n    train.optimizer.lr = [1/1000]\n}\n'; } >round.net
expect 0 netrun round.net --train "$data" --device cpu --epochs 1 --sweep -o -
says out '^[12],.*,100,0\.001,'
says out '^[12],.*,1000,0\.001,'

# One of a list has a path with its number.
{ sed '/^sweep/,$ d; s/^train {/train {\n    schedule = [Linear(0.1, epochs = 1), Constant]/' mlp.net; printf 'sweep {\n    train.schedule.0.start = [0.2, .5]\n}\n'; } >list.net
expect 0 netrun list.net --train "$data" --device cpu --epochs 1 --sweep -o -
says out '^[12],.*,0\.2,'
says out '^[12],.*,0\.5,'

# What shapes the network, or stood nowhere: whole entries and parts of them, in the section and on the command line, as -D has them.
{ sed '/^sweep/,$ d' mlp.net; cat <<'END'
sweep {
    train.optimizer = [SGD(lr = 0.1, momentum = 0.5), Adam(lr = hidden / 8000)]
    train.schedule  = [Cosine, Step(every = 1, gamma = 0.5)]
}
END
} >words.net
expect 0 netrun words.net --train "$data" --device cpu --epochs 1 --sweep --runs words -o words.csv
says words.csv '^1,.*,"SGD\(lr = 0.1, momentum = 0.5\)",Cosine,'
says words.csv '^4,.*,Adam\(lr = hidden / 8000\),"Step\(every = 1, gamma = 0.5\)",'
sed 's/optimizer *=.*/optimizer = SGD(lr = 0.1, momentum = 0.5)\n    schedule = Step(every = 1, gamma = 0.5)/; /^sweep/,$ d' mlp.net >alone.net
expect 0 netrun alone.net --train "$data" --device cpu --epochs 1 --runs alone
values() { tail -c $((4 * 101770)) "$1/best.safetensors"; }       # without the hash of the text
cmp <(values words/mlp-sweep-1/mlp-2) <(values alone/mlp-1) || fail "a row is not the training that it names"
expect 0 netrun words.net --train "$data" --device cpu --epochs 1 --runs alone -D 'train.optimizer=SGD(lr = 0.1)' \
    -D train.optimizer.momentum=0.5 -D 'train.schedule=Step(every = 1, gamma = 0.5)'
cmp <(values alone/mlp-1) <(values alone/mlp-2) || fail "-D of entries is another training"
says alone/mlp-2/settings.json '"param.train.optimizer": "SGD\(lr = 0.1\)"'
expect 0 netrun --rerun alone/mlp-2 --runs alone
expect 1 netrun words.net --train "$data" --sweep 'train.optimizer = SGD(lr = 0.1), Adam(lrr = 1)'
says err '`Adam` has no argument `lrr`'
expect 1 netrun words.net --train "$data" -D train.optimiser=SGD
says err '`train` has no key `optimiser`'
expect 1 netrun words.net --train "$data" -D 'train.optimizer=SGD('
says err '-D train.optimizer=SGD\(: this is no expression'
# Lists are values, too.
expect 0 netrun words.net --train "$data" --device cpu --epochs 1 --runs lists -o lists.csv \
    --sweep 'train.optimizer.groups = [group("*.bias", lr = 0)], [group("fc2.*", decay = 0.1), group("*.bias", lr = 0.1)]; train.clip = norm(1)'
says lists.csv '^2,done,'
