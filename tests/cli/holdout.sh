# data { holdout = 10% }: what epochs are judged by is no part of the training, and the test set is tested once, at the end.
data=$(digits)
sed 's/^data {/data {\n    holdout = 10%/; s/^train {/train {\n    stop = patience(3, measure = loss)/; s/lr = 1e-3/lr = 5e-3/' \
    "$ROOT/models/mlp.net" >held.net
expect 0 netc held.net -o held.plan
train="held.plan --train $data --batch 50 --epochs 4"
number() { sed -n "s/.*$1.*\"$2\":{\"loss\":\([0-9.e-]*\),\"accuracy\":\([0-9.]*\),.*/\1 \2/p" out; }

expect 0 netrun $train --runs whole --json
"$B/tests/json_check" <out >count
says out '"event":"start",.*"samples":1800,"holdout":200,'
[ "$(grep -c '"event":"epoch".*"holdout":{.*"n":200}' out)" = 4 ] || fail "not each epoch is tested on the holdout"
[ "$(grep -c '"event":"evaluation"' out)" = 1 ] || fail "the test set is not tested just once"
[ "$(tail -n 2 out | sed -n 's/{"event":"\([a-z]*\)".*/\1/p' | tr '\n' ' ')" = "evaluation end " ] || fail "not at the end"
says err '^holdout: 200 of 2000 training samples, tested after each epoch and not trained$'
says err '^epoch 4/4  loss .*  holdout [0-9.]+  accuracy'
! grep -q '^epoch.* test ' err || fail "the holdout is called a test set"
says err '^test loss .* 500 samples .*, weights of epoch [1-4]$'
best=$(sed -n 's/.*"event":"evaluation".*"epoch":\([0-9]*\),.*/\1/p' out)
says out "\"event\":\"end\".*\"best\":\{\"epoch\":$best,"
last=$(number '"epoch":4' holdout)
tested=$(sed -n 's/.*"event":"evaluation",.*"loss":\([0-9.e-]*\),.*/\1/p' out)

# The best weights tested again are what was told; without a test set it is the holdout that they were not trained with,
# though another seed stands in the plan.
expect 0 netrun held.plan --test "$data" --weights whole/mlp-1 --json
says out "\"event\":\"evaluation\",.*\"loss\":$tested,"
mkdir only && cp "$data"/train-* "$data"/SYNTHETIC only
expect 0 netrun held.plan --test only --weights whole/mlp-1/last.safetensors --json
says out "\"event\":\"evaluation\",.*\"set\":\"holdout\",\"loss\":${last% *},\"accuracy\":${last#* },"
expect 0 netrun $train --runs seeds --seed 5 --epochs 2 --json
seeded=$(number '"epoch":2' holdout)
[ "$seeded" != "$(number '"epoch":1' holdout)" ] || fail "the numbers are not read"
expect 0 netrun held.plan --test only --weights seeds/mlp-1/last.safetensors
says out '^holdout loss .* 200 samples'
expect 0 netrun held.plan --test only --weights seeds/mlp-1/last.safetensors --json
says out "\"set\":\"holdout\",\"loss\":${seeded% *},"
plan mlp
expect 0 netrun mlp.plan --train only --epochs 1 --runs none
expect 4 netrun mlp.plan --test only --weights none/mlp-1
says err 'no test set there, and the weights were trained without a holdout'
cp -r only other
printf '\377' | dd of=other/train-images-idx3-ubyte bs=1 seek=500000 conv=notrunc status=none
expect 4 netrun held.plan --test other --weights whole/mlp-1
says err 'no test set there, nor the training set that .* held a part of out'

# Stopped, or killed before the test: the same split and the same bits.
expect 0 netrun $train --runs parts --steps 50
expect 0 netrun --resume parts/mlp-1
cmp {whole,parts}/mlp-1/last.safetensors || fail "a run that is resumed is trained on other samples"
says out '^test loss'
expect 0 netrun --resume parts/mlp-1 --json
! grep -q '"event":"evaluation"' out || fail "tested twice"
sed -i '/"event":"\(evaluation\|end\)"/d' parts/mlp-1/metrics.jsonl
expect 0 netrun --resume parts/mlp-1 --json
says out "\"event\":\"evaluation\",.*\"loss\":$tested,"
says parts/mlp-1/metrics.jsonl "\"event\":\"evaluation\",.*\"loss\":$tested,"
expect 2 netrun --resume parts/mlp-1 --set data.holdout=0.2
says err 'keeps its holdout, 10 %'

# The holdout measures where there is no test set at all; none of a few samples is refused; samples of the plan are divided too.
expect 0 netrun mlp.plan --train only --epochs 2 --set data.holdout=5% --set train.batch=50 --json
says out '"holdout":\{"loss":.*"accuracy":.*"n":100\}'
! grep -q 'there is no test set' err || fail "the holdout is forgotten"
! grep -q '"event":"evaluation"' out || fail "a test set that is not there is tested"
expect 4 netrun held.plan --train "$data" --set data.holdout=0.0001
says err 'a holdout of 0.01 % of 2000 samples'
expect 2 netrun held.plan --train "$data" --set data.holdout=100%
says err '`data.holdout` is a number from 0 to below 1'
netc "$ROOT/models/xor.net" -o xor.plan
expect 0 netrun xor.plan --train --epochs 2 --set data.holdout=25% --json
says out '"samples":3,"holdout":1,'
! grep -q '"event":"evaluation"' out || fail "samples that were trained are tested"

# A GPU keeps it beside the other sets.
if here cuda; then
    expect 0 netrun $train --device cuda --epochs 1 --runs gpu --json
    says out '"holdout":\{"loss":.*"n":200\}'
    says out '"event":"evaluation",.*"loss":.*"n":500'
fi

# "test" is said of the test set alone, in tables and for TensorBoard too; tables of runs and sweeps have the holdout's results.
expect 0 netrun held.plan --train "$data" --epochs 2 --runs tables
head -n 1 tables/mlp-1/metrics.csv | grep -q ',holdout_loss,holdout_accuracy,' || fail "columns of metrics.csv"
! head -n 1 tables/mlp-1/metrics.csv | grep -q 'test_loss' || fail "the holdout is called a test set in metrics.csv"
grep -aq loss/holdout tables/mlp-1/events.out.tfevents.* || fail "no loss/holdout for TensorBoard"
! grep -aq loss/test tables/mlp-1/events.out.tfevents.* || fail "the holdout is called a test set for TensorBoard"
best=$(sed 1d tables/mlp-1/metrics.csv | cut -d, -f 7 | sort -g | tail -n 1)
expect 0 netrun --runs tables --output runs.csv
[ "$(sed -n 2p runs.csv | cut -d, -f 4)" = "$best" ] || fail "--runs has not $best"
expect 0 netrun held.net --train "$data" --device cpu --epochs 2 --sweep "seed = [1]" --runs swept -o swept.csv
[ "$(sed -n 2p swept.csv | cut -d, -f 8)" = "$best" ] || fail "the sweep's table has not $best"
