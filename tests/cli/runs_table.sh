# --runs: what came of each run of a folder, and the settings in which they differ; sorted, as CSV and as JSON.
data=$(digits)
plan mlp
for lr in 1e-3 1e-2; do
    for seed in 1 2; do expect 0 netrun mlp.plan --train "$data" --epochs 2 --lr $lr --seed $seed --quiet; done
done
mkdir runs/no_run
expect 0 netrun --runs
says out '^run +epochs +loss +accuracy +epoch_seconds +seconds +train.optimizer.lr +train.seed$'
[ "$(awk '{ print $1 }' out | tr '\n' ' ')" = "run mlp-1 mlp-2 mlp-3 mlp-4 " ] || fail "other runs, or another order"
says out '^mlp-3 +2 +0\.[0-9]{4} +[0-9.]+ % .* 0\.01 +1$'

# The numbers are those of the best epoch in metrics.csv; the best accuracy comes first, and the least loss.
best() { awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["test_accuracy"] > most { most = $at["test_accuracy"]; loss = $at["test_loss"] } END { print loss "," most }' "runs/$1/metrics.csv"; }
expect 0 netrun --runs runs --sort accuracy --output table.csv
[ "$(head -n 1 table.csv)" = run,epochs,loss,accuracy,epoch_seconds,seconds,train.optimizer.lr,train.seed ] || fail "$(head -n 1 table.csv)"
for run in mlp-1 mlp-2 mlp-3 mlp-4; do
    [ "$(sed -n "s/^$run,2,\([^,]*,[^,]*\),.*/\1/p" table.csv)" = "$(best $run)" ] || fail "$run: $(grep "^$run" table.csv), not $(best $run)"
done
tail -n +2 table.csv | cut -d, -f4 >accuracies
sort -gr accuracies | cmp - accuracies || fail "not sorted by accuracy"
expect 0 netrun --runs --sort loss --output -
tail -n +2 out | cut -d, -f3 >losses
sort -g losses | cmp - losses || fail "not sorted by loss"
expect 0 netrun --runs --output table.json
tr -d "\n" <table.json | "$B/tests/json_check" >count || fail "no JSON"
says table.json '"train.optimizer.lr": 0\.01'
# Which epoch is the best follows from the run's own rule: with `save = best(loss)` the one with the least loss, which here is another
# than the one with the most right answers.
(cat "$ROOT/models/mlp.net" && printf '\n') | sed 's/^train {/train {\n    save = best(loss)/' >by_loss.net
netc by_loss.net -o by_loss.plan
by_loss() { awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    NR == 2 || $at["test_loss"] < least { least = $at["test_loss"]; right = $at["test_accuracy"] } END { print least "," right }' ruled/mlp-1/metrics.csv; }
for batch in 10 20 40 5 8 15 25 30 50 none; do
    [ $batch != none ] || fail "the rules always agree: nothing is tested"
    rm -rf ruled
    expect 0 netrun by_loss.plan --train "$data" --epochs 12 --lr 0.01 --batch $batch --quiet --runs ruled
    wanted=$(by_loss)
    [ "$wanted" = "$(best ../ruled/mlp-1)" ] || break
done
expect 0 netrun --runs ruled --output -
says out "^mlp-1,12,$wanted,"
# An hour is no power of ten.
mkdir slow
cp -r runs/mlp-1 slow
sed -i -E 's/"seconds":[0-9.e-]+/"seconds":4190.25/g' slow/mlp-1/metrics.jsonl
expect 0 netrun --runs slow
says out '^mlp-1 +2 .* 4190( |$)'
expect 2 netrun --runs --sort speed
says err 'help: these are there: run epochs loss accuracy'
expect 4 netrun --runs elsewhere
says err 'elsewhere: there is no such folder of runs'
mkdir empty
expect 4 netrun --runs empty
says err 'empty: no runs there'
expect 2 netrun mlp.plan --test "$data" --sort loss
says err 'sort goes with --runs'
