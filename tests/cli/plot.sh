# --plot: the numbers of metrics.jsonl as a script of gnuplot, and the pictures that it makes of them.
data=$(digits)
plan mlp
for seed in 1 2; do
    expect 0 netrun mlp.plan --train "$data" --epochs 3 --seed $seed --log-every 5
done
expect 0 netrun mlp.plan --train "$data" --epochs 2 --lr 0.003

# Without gnuplot the script is there, and it is said; nothing is lost.
mkdir nothing
[ -s runs/mlp-1/curves.gp ] || fail "the training has left no curves"
rm runs/mlp-1/curves.*
status=0
PATH=$PWD/nothing "$NETRUN" --plot mlp-1 >out 2>err || status=$?
[ $status = 0 ] || fail "status $status"
says err 'mlp-1/curves.gp has the curves, but they are not drawn: there is no gnuplot'
loss=$(sed -nE 's/.*"event":"epoch",.*"epoch":3,.*"test":\{"loss":([^,]*),.*/\1/p' runs/mlp-1/metrics.jsonl)
[ "$loss" ] || fail "no loss of epoch 3"
awk -v wanted="$loss" '{ d = $2 - wanted; if (d < 0) d = -d; if (d < 1e-6 * wanted) found = 1 } END { exit !found }' \
    runs/mlp-1/curves.gp || fail "curves.gp has no $loss"
# A rate that stays is drawn over 0: about itself alone its axis would have the same few numbers over and over.
grep -A 2 "^set ylabel 'learning rate'" runs/mlp-1/curves.gp | grep -qxF 'set yrange [0:*]' || fail "the axis of the learning rate has no 0"
grep -qx 'set xtics 20' runs/mlp-1/curves.gp || fail "96 steps are not marked by 20: $(grep xtics runs/mlp-1/curves.gp)"

expect 4 netrun --plot mlp-9
says err 'mlp-9: no run of that name'
expect 2 netrun --plot mlp-1 --train "$data"
says err 'give one of'
mkdir runs/empty
expect 4 netrun --plot empty
says err 'metrics.jsonl'

# A line that is just being written is no epoch; what is no event is counted.
cp -r runs/mlp-3 runs/cut
printf 'x\n{"event":"epoch","ep' >>runs/cut/metrics.jsonl
expect 0 netrun --plot cut
says err 'passed over 2 lines that are no events'

command -v gnuplot >/dev/null || exit 0
expect 0 netrun --plot
says out 'runs/cut/curves.svg|runs/mlp-3/curves.svg'
# Two seeds are a mean with a band, the other rate is a curve of its own.
expect 0 netrun --plot mlp-1 mlp-2 mlp-3 --output some.svg
says out '^some.svg$'
says some.gp '^set key above$'                          # not over the curves
says some.svg 'mlp-1, mean of 2, train'
says some.svg 'mlp-3, test'
! grep -q 'mlp-2' some.svg || fail "the runs of a group are drawn apart"
# Mean and standard deviation of the last test losses of both.
losses=$(for run in mlp-1 mlp-2; do sed -nE 's/.*"event":"epoch",.*"epoch":3,.*"test":\{"loss":([^,]*),.*/\1/p' runs/$run/metrics.jsonl; done)
echo $losses | awk '{ mean = ($1 + $2) / 2; sd = ($1 > $2 ? $1 - $2 : $2 - $1) / sqrt(2); printf "%.5f %.5f %.5f\n", mean, mean - sd, mean + sd }' >wanted
awk 'NF == 4 { printf "%.5f %.5f %.5f\n", $2, $3, $4 }' some.gp | grep -qFxf wanted || fail "no mean and band of $losses"
[ "$(head -c 4 some.png | tail -c 3)" = PNG ] || fail "some.png is no PNG"

# Runs that differ in a param are no seeds of each other.
expect 0 netrun "$ROOT/models/mlp.net" --train "$data" --epochs 2 --runs wide
expect 0 netrun "$ROOT/models/mlp.net" -D hidden=8 --train "$data" --epochs 2 --runs wide
expect 0 netrun --plot wide/mlp-1 wide/mlp-2 -o two.svg
! grep -q 'mean of' two.svg || fail "two networks are one curve"
# Names are names, whatever is in them.
mkdir "o'k ü"
expect 0 netrun --plot wide/mlp-1 wide/mlp-2 -o "o'k ü/it's.svg"
[ -s "o'k ü/it's.svg" ] && [ -s "o'k ü/it's.png" ] || fail "a quote in a path: nothing is drawn"
