# --json: each line of stdout is JSON, the same events stand in metrics.jsonl; off a terminal nothing returns to the
# start of a line.
data=$(digits)
plan mlp
expect 0 netrun mlp.plan --train "$data" --epochs 2 --log-every 10 --json
"$B/tests/json_check" <out >count
[ "$(cat count)" = "$(wc -l <out)" ] || fail "not one JSON text a line"
says out '"event":"start","schema":1'
says out '"event":"step","epoch":1,"step":10,"loss":'
says out '"event":"epoch","epoch":2,.*"train":\{"loss":.*"test":\{"loss":.*"accuracy":.*"n":500'
says out '"event":"end","status":"ok","best":\{"epoch":'
"$B/tests/json_check" <runs/mlp-1/metrics.jsonl >/dev/null || fail "metrics.jsonl"
"$B/tests/json_check" <runs/mlp-1/settings.json >/dev/null || fail "settings.json"
expect 0 netrun mlp.plan --train "$data" --epochs 2
! grep -q $'\r' out err || fail "carriage returns off a terminal"
! grep -q $'\033' out err || fail "escape sequences off a terminal"
[ "$(grep -c '^epoch' err out | awk -F: '{ n += $2 } END { print n }')" = 2 ] || fail "not one line an epoch"
