# --json: each line of stdout is JSON, the same events stand in metrics.jsonl; off a terminal nothing returns to the
# start of a line.
data=$(digits)
plan mlp
expect 0 netrun mlp.plan --train "$data" --epochs 2 --log-every 10 --json
"$B/tests/json_check" <out >count
[ "$(cat count)" = "$(wc -l <out)" ] || fail "not one JSON text a line"
says out '^\{"event":"start","time":"20[0-9-]{8}T[0-9:.]{12}Z","schema":2'
says out '"event":"step","time":"[^"]*","epoch":1,"step":10,"steps":10,"loss":'
says out '"event":"step","time":"[^"]*","epoch":2,"step":10,"steps":42,"loss":'
says out '"event":"epoch","time":"[^"]*","epoch":2,.*"train":\{"loss":[^}]*"accuracy":[^}]*\},"test":\{"loss":[^}]*"accuracy":[^}]*"accuracy_95":\[[^}]*"n":500'
says out '"event":"checkpoint",.*"file":"last.safetensors","epoch":3,"step":0,"steps":64'
says out '"event":"end","time":"[^"]*","status":"ok","epochs":2,"seconds":[0-9.]*,"best":\{"epoch":'
"$B/tests/json_check" <runs/mlp-1/metrics.jsonl >/dev/null || fail "metrics.jsonl"
"$B/tests/json_check" <runs/mlp-1/settings.json >/dev/null || fail "settings.json"
expect 0 netrun mlp.plan --train "$data" --epochs 2
! grep -q $'\r' out err || fail "carriage returns off a terminal"
! grep -q $'\033' out err || fail "escape sequences off a terminal"
[ "$(grep -c '^epoch' err out | awk -F: '{ n += $2 } END { print n }')" = 2 ] || fail "not one line an epoch"

# The table of epochs has the numbers of the events, before and after a run was stopped and resumed; half a row is mended.
header=$(head -n 1 runs/mlp-1/metrics.csv)
[ "${header%%,test_loss*}" = time,epoch,steps,train_loss,train_accuracy ] || fail "header $header"
both() {
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { print $at["epoch"], $at["train_loss"], $at["test_loss"], $at["test_accuracy_95_low"], $at["lr"], $at["best"] }' "$1/metrics.csv" >table
    grep '"event":"epoch"' "$1/metrics.jsonl" |
        sed 's/.*"epoch":\([0-9]*\),.*"train":{"loss":\([^,]*\),.*"test":{"loss":\([^,]*\),.*"accuracy_95":\[\([^,]*\),.*"lr":\([^,]*\),.*"best":\([a-z]*\).*/\1 \2 \3 \4 \5 \6/' >lines
    cmp table lines && [ "$(wc -l <table)" = "$2" ] || fail "metrics.csv of $1: $(cat table)"
}
both runs/mlp-1 2
expect 0 netrun mlp.plan --train "$data" --epochs 3 --steps 40 --runs stopped
both stopped/mlp-1 1
printf '2026-01-01T00:00:00.000Z,2,64,0.' >>stopped/mlp-1/metrics.csv
expect 0 netrun --resume stopped/mlp-1
both stopped/mlp-1 3
expect 0 netrun mlp.plan --train "$data" --epochs 3 --runs whole
cut -d, -f2-11 stopped/mlp-1/metrics.csv >a
cut -d, -f2-11 whole/mlp-1/metrics.csv >b
cmp a b || fail "resumed: other rows"
says out '^best epoch [123] \(synthetic data\): accuracy [0-9.]+ %; weights in'
says out '^3 epochs in [0-9.]+ s$'

# Warnings are events, the first of them behind `start`.
expect 0 netrun mlp.plan --train "$data" --epochs 1 --lr 0 --json
sed -n 2p out | grep -q '"event":"warning",.*"text":"the learning rate is 0' || fail "no warning behind start"
says err 'warning: the learning rate is 0'

# The folder says what ran where, and what came of it.
for known in '"compiler": "[^"]' '"netrun": "' '"cpu": "' '"train_hash": "[0-9a-f]{32}"' '"command": \['; do
    says whole/mlp-1/settings.json "$known"
done
says whole/mlp-1/summary.txt '^mlp: 101770 parameters, cpu, batch 64,'
says whole/mlp-1/summary.txt '^ok after 3 epochs, in'
says whole/mlp-1/summary.txt '^best epoch 3 \(synthetic data\): accuracy 0.932$'
expect 0 netrun mlp.plan --train "$data" --epochs 3 --steps 40 --runs halfway
says halfway/mlp-1/summary.txt '^stopped after 1 epochs and 8 steps of the next, in'
