# A folder `val` beside train and test is what epochs are tested on; the test set is tested once, at the end.
"$B/make_shapes" shapes --train 40 --test 10
expect 0 netc "$ROOT/examples/own_pictures/shapes.net" -o shapes.plan
"$B/make_shapes" others --train 8 --test 1 --seed 7
cp -r shapes three && cp -r others/train three/val
cp -r three two && rm -r two/test
number() { sed -n "s/.*$1.*\"$2\":{\"loss\":\([0-9.e-]*\),\"accuracy\":\([0-9.]*\),.*/\1 \2/p" "${3:-out}"; }

expect 0 netrun shapes.plan --train three --epochs 3 --runs whole --json
says out '"event":"start",.*"samples":120,"holdout":24,'
[ "$(grep -c '"event":"epoch".*"holdout":{.*"n":24}' out)" = 3 ] || fail "not each epoch is tested on val"
[ "$(grep -c '"event":"evaluation".*"n":30' out)" = 1 ] || fail "the test set is not tested just once"
says err '^holdout: 24 samples of their own, tested after each epoch and not trained$'
says err '^test loss .* 30 samples'
cp out whole.out
best=$(sed -n 's/.*"event":"end".*"best":{"epoch":\([0-9]*\),.*/\1/p' whole.out)

# Only val: what it says is no test. Its samples change no training.
expect 0 netrun shapes.plan --train two --epochs 3 --runs two --json
! grep -q '"event":"evaluation"\|"test":{' out || fail "a test without a test set"
[ "$(number '"epoch":2' holdout)" = "$(number '"epoch":2' holdout whole.out)" ] || fail "val is tested otherwise"
expect 0 netrun shapes.plan --train shapes --epochs 3 --runs none
values() { tail -c $((47363 * 4)) $1/shapes-1/last.safetensors; }     # the parameters, without what is said of them
for run in two none; do cmp <(values whole) <(values $run) || fail "$run: what is tested changes the training"; done
expect 0 netrun shapes.plan --test two --weights two/shapes-1 --json
says out "\"event\":\"evaluation\",.*\"set\":\"holdout\",\"loss\":$(number "\"epoch\":$best" holdout whole.out | sed 's/ .*//'),"
expect 0 netrun shapes.plan --test three --weights whole/shapes-1
says out '^test loss .* 30 samples'
expect 0 netrun --inspect three
says out '^holdout 24 samples'
says out '^    0        40        10         8  circle$'
expect 0 netrun --inspect three --json
says out '"holdout": ?8'

# Resumed, it has to be the same; and one holdout is enough.
expect 0 netrun shapes.plan --train three --epochs 3 --steps 5 --runs parts
expect 0 netrun --resume parts/shapes-1
cmp whole/shapes-1/last.safetensors parts/shapes-1/last.safetensors
expect 0 netrun shapes.plan --train three --epochs 3 --steps 5 --runs parts
rm three/val/square/000003.*
expect 4 netrun --resume parts/shapes-2
says err 'three: the holdout is not the one that parts/shapes-2 was trained with'
sed 's/^data {/data {\n    holdout = 10%/' "$ROOT/examples/own_pictures/shapes.net" >held.net
expect 0 netc held.net -o held.plan
expect 4 netrun held.plan --train three --epochs 1
says err 'three/val/circle/0000.*: of the holdout that the folder has; data.holdout = 10 % of the training set would be another'
