# Drawn data must not pass for a real set: where the file SYNTHETIC is beside them, every start and every result says so.
cp -r "$(digits)" drawn
touch drawn/SYNTHETIC
cp -r drawn real
rm real/SYNTHETIC
plan mlp
expect 0 netrun mlp.plan --train drawn --epochs 2
says out '^drawn: SYNTHETIC data'
[ "$(grep -c '^epoch .* synthetic  ' out)" = 2 ] || fail "an epoch does not say it"
says out '^best epoch [12] \(synthetic data\)'
says runs/mlp-1/settings.json '"synthetic": true'
! grep -v '"synthetic":true}$' runs/mlp-1/metrics.jsonl || fail "an event does not say it"
expect 0 netrun --resume last --epochs 3
says out '^/.*drawn: SYNTHETIC data'
expect 0 netrun mlp.plan --test drawn --quiet
says out ' 500 samples \(synthetic data\)$'
expect 0 netrun mlp.plan --predict 0 --data drawn --quiet
says out '^0: logits = class .*\(synthetic data\)$'
expect 0 netrun mlp.plan --predict test --data drawn --output drawn.csv
says out '^drawn.csv: 500 samples \(synthetic data\)$'
! tail -n +2 drawn.csv | grep -v '^[0-9]*,data,' || fail "a line of the table does not say it"
expect 0 netrun --inspect drawn
says out '^IDX, synthetic'
for what in "--train drawn --epochs 1" "--test drawn" "--predict 0 --data drawn"; do
    # shellcheck disable=SC2086
    expect 0 netrun mlp.plan $what --json
    ! grep -v '"synthetic":true}$' out || fail "$what: an event does not say it"
    "$B/tests/json_check" <out >count
done
# Weights know what they were trained on.
expect 0 netrun mlp.plan --test real
says err '; trained on SYNTHETIC data$'
says out ' 500 samples \(weights from synthetic data\)$'
expect 0 netrun mlp.plan --test real --json
says out '"trained_on":"synthetic",'

# What is trained from such weights goes on to know, resumed as well.
expect 0 netrun mlp.plan --train real --epochs 1 --weights runs/mlp-1/best.safetensors --runs heirs
says out '\(weights from synthetic data\)'
for epochs in 1 2; do
    [ $epochs = 1 ] || expect 0 netrun --resume heirs/mlp-1 --epochs $epochs
    expect 0 netrun mlp.plan --test real --runs heirs
    says out ' 500 samples \(weights from synthetic data\)$'
done

# Others do not.
expect 0 netrun mlp.plan --train real --epochs 1 --runs others
! grep -i synthetic out || fail "says it of other data"
! grep -i 'synthetic": *true' others/mlp-1/* || fail "says it of other data"
expect 0 netrun --inspect real
! grep -i synthetic out || fail "says it of other data"

# Samples of the plan are nobody's set; but the test is no test then.
plan xor
expect 0 netrun xor.plan --train --epochs 1
says out 'the 4 samples in the plan are training set and test set'
! grep -i synthetic out || fail "says it of the plan's samples"
expect 0 netrun xor.plan --test
says out '4 samples of the plan$'
