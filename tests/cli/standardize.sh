# Standardize and Missing: what scikit-learn makes of the same table (tests/oracle/tables.py); the same numbers wherever the weights are.
expected=$ROOT/tests/expect/tables
cat >id.net <<'NET'
net id

input  x : f32[5]
target y : f32[1] from "y"

out = x -> fc: Linear(1)

output x

data {
    transform = [Drop("name"), OneHot("kind", ["p", "q"]), Missing(mean), Standardize]
}

train {
    loss      = MSE(out, y)
    optimizer = SGD(lr = 0.01, momentum = 0.9)
    batch     = 16
    epochs    = 3
}
NET
expect 0 netc id.net -o id.plan
learnt() { head -c 8000 "$1" | grep -ao "\"$2\":\"[^\"]*\"" | cut -d'"' -f4; }
expect 0 netrun id.plan --train "$expected"
says err 'Missing: 9 of 60 values of "a" become its mean, 2.61394$'
says err '^  constant  mean 7.3 +std 1$'
weights=runs/id-1/best.safetensors
for key in standardize_mean standardize_std missing_mean; do learnt $weights $key; done >got
near got "$expected/learnt.txt" 1e-9 || fail "other means than scikit-learn's"

# The network's input is what it makes of the test set. In 32 bits: of a column far from 0 fewer digits are left.
expect 0 netrun id.plan --predict "$expected/test.csv"
sed -n 's/.*: x = //p' out >got
near got "$expected/test.txt" 5e-5 || fail "other inputs than scikit-learn's"
cp got alone
expect 0 netrun id.plan --data "$expected" --predict test
sed -n 's/.*: x = //p' out | sed 's/ (.*//' | cmp - alone || fail "the test set is read otherwise than a file"

# Without the training set, and with other weights, whose means these are.
mkdir only && cp "$expected/test.csv" only
expect 0 netrun id.plan --test "$expected" --json
grep -o '"loss":.*' out >whole
expect 0 netrun id.plan --test only --json --weights $weights
grep -o '"loss":.*' out | cmp - whole || fail "a test set alone is tested otherwise"
mkdir half && head -n 30 "$expected/train.csv" >half/train.csv
expect 0 netrun id.plan --train half --weights $weights --epochs 1
[ "$(learnt runs/id-2/last.safetensors standardize_mean)" = "$(learnt $weights standardize_mean)" ] || fail "weights that are trained on lose their means"
expect 0 netrun id.plan --train half --epochs 1
[ "$(learnt runs/id-3/last.safetensors standardize_mean)" != "$(learnt $weights standardize_mean)" ] || fail "another training set has the same means"

# Killed and resumed, and made again: the same bits.
expect 0 netrun id.plan --train "$expected" --steps 5
expect 0 netrun --resume runs/id-4
cmp runs/id-4/last.safetensors runs/id-1/last.safetensors || fail "resumed to other weights"
expect 0 netrun --rerun runs/id-4

# Of what is trained alone: a holdout has no part in it.
sed 's/Standardize\]/Standardize]\n    holdout = 20%/' id.net >held.net
expect 0 netc held.net -o held.plan
expect 0 netrun held.plan --train "$expected" --epochs 1 --runs held
says err 'Standardize, of the 48 samples that are trained:$'
[ "$(learnt held/id-1/last.safetensors standardize_mean)" != "$(learnt $weights standardize_mean)" ] || fail "the holdout has a part in the means"

# Pictures: for each channel; the same weights as with Normalize and these numbers.
"$B/make_digits" digits --train 60 --test 20 >/dev/null
sed 's/\[Scale(1\/255).*\]/[Scale(1\/255), Standardize]/' "$ROOT/models/mlp.net" >mean.net
grep -q Standardize mean.net || fail "models/mlp.net has another transform"
expect 0 netc mean.net -o mean.plan
expect 0 netrun mean.plan --train digits --epochs 1 --runs pictures
says err '^  channel 0  mean [0-9.]+ +std [0-9.]+$'
mean=$(learnt pictures/mlp-1/last.safetensors standardize_mean) std=$(learnt pictures/mlp-1/last.safetensors standardize_std)
sed "s/Scale(1\/255), Standardize/Normalize(mean = $mean, std = $std)/" mean.net >given.net
expect 0 netc given.net -o given.plan
expect 0 netrun given.plan --train digits --epochs 1 --runs pictures
tail -c 4000 pictures/mlp-1/last.safetensors >one
tail -c 4000 pictures/mlp-2/last.safetensors | cmp - one || fail "Standardize is not Normalize"

# What is wrong with them is named.
expect 0 netrun id.plan --test "$expected" --weights none
expect 4 netrun id.plan --test only --weights none
says err 'Standardize and Missing take means of a training set, and neither the weights nor the data have them'
mkdir empty && sed '2,$s/^[^,]*,/,/' "$expected/train.csv" >empty/train.csv
expect 4 netrun id.plan --train empty
says err 'empty/train.csv: column "a" is missing in every row of the training set, and has no mean$'
sed 's/standardize_std":"[0-9]/standardize_std":"x/' $weights >wrong.safetensors
expect 4 netrun id.plan --test only --weights wrong.safetensors
says err 'wrong.safetensors: standardize_std: expected 5 numbers, as the input of net id has it$'
sed 's/Missing(mean), //' id.net >none.net
expect 0 netc none.net -o none.plan
expect 4 netrun none.plan --train "$expected"
says err 'train.csv:[0-9]+: column "a": a value is missing; `data \{ transform = \[Missing\(mean\), ...\] \}` puts the mean in its place$'

# A training set that stays in its files has the same means, and makes the same weights.
expect 0 netrun mean.plan --train digits --epochs 1 --runs pictures --loaders 2
says out '^the training set and test set stay in their files: 2 loaders each'
cmp pictures/mlp-3/last.safetensors pictures/mlp-1/last.safetensors || fail "a set that stays in its files is standardized otherwise"
