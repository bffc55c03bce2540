# --watch: a run as curves on a terminal; off one, once.
data=$(digits)
plan mlp
expect 0 netrun mlp.plan --train "$data" --epochs 4
expect 0 netrun --watch mlp-1
says out '^runs/mlp-1: 4 epochs, ended, the last in '
says out '^ +loss  ━ train  ━ test$'
says out '^ +accuracy  ━ '
says out '^ +0 +[0-9]+$'
[ "$(wc -L <out)" -le 80 ] || fail "more than 80 columns"
! grep -q $'\033' out || fail "escape sequences off a terminal"
# The first and the last point of the test loss stand at the ends of the scale.
low=$(sed -nE 's/.*"event":"epoch".*"test":\{"loss":([^,]*),.*/\1/p' runs/mlp-1/metrics.jsonl | sort -g | head -n 1)
awk -v low="$low" '/│/ { n = $1; sub(/│.*/, "", n); if (n + 0 > 0 && (min == 0 || n + 0 < min)) min = n + 0 } /accuracy/ { exit }
    END { exit !(min <= low * 1.001) }' out || fail "the scale ends above $low"
high=$(sed -nE 's/.*"event":"epoch".*"train":\{"loss":([^,]*),.*/\1/p' runs/mlp-1/metrics.jsonl | sort -g | tail -n 1)
top=$(sed -nE 's/^ *([0-9.]+)│.*/\1/p' out | head -n 1)
awk -v high="$high" -v top="$top" 'BEGIN { d = high - top; exit !(d < 1e-3 * high && -d < 1e-3 * high) }' || fail "the scale begins at $top, not $high"
expect 2 netrun --watch mlp-1 mlp-2
says err 'follows one run'
expect 4 netrun --watch mlp-2
says err 'no run of that name'
CLICOLOR_FORCE=1 expect 0 netrun --watch
grep -q $'\033\[34m' out || fail "no colour where it is forced"
