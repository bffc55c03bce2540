# report.html: whole, well-formed, without a reference to anything outside, and with the numbers of the run.
data=$(digits)

# check FILE: each element that is opened is closed, attributes are quoted, and nothing is fetched.
check() {
    tr '\n' ' ' <"$1" | sed 's/<style>[^<]*<\/style>/ /g; s/<script>.*<\/script>/ /' | grep -oE '<[^>]*>|^[^<]*$' | awk '
        /^<!DOCTYPE html>$/ { next }
        !/^<\/?[a-z][a-z0-9]*( [a-zA-Z0-9:-]+="[^"<]*")*\/?>$/ { print "no tag: " $0; bad = 1; next }
        /\/>$/ { next }
        { name = $1; gsub(/[<>\/]/, "", name) }
        /^<\// { if (stack[--depth] != name) { print "closes " name ", open is " stack[depth]; exit bad = 1 }; next }
        { stack[depth++] = name }
        END { if (depth) print "open at the end: " stack[depth - 1]; exit bad || depth || NR < 50 }' >wrong || fail "$1: $(head -n 3 wrong)"
    ! grep -nE '(href|src|data|action|poster)="(https?:|//|file:)|@import|url\(|<link|<iframe|<object' "$1" || fail "$1 refers to something outside"
    says "$1" "default-src 'none'; img-src data:"
    grep -oE 'href="#[a-z]+"' "$1" | sed 's/.*#//; s/"//' | while read -r id; do
        [ "$(grep -c "id=\"$id\"" "$1")" = 1 ] || fail "$1: no $id"
    done
    [ "$(stat -c %s "$1")" -lt 2000000 ] || fail "$1 is larger than 2 MB"
}

# section FILE ID: what stands below that heading.
section() { sed -n "/<h2 id=\"$2\"/,/<h2 /p" "$1"; }

cp -r "$data" named
cp -r named '<i>&"x"'
printf '%s\n' 'zero' '<b>&"one"</b>' two three four five six seven eight nine >'<i>&"x"/classes.txt'
mv '<i>&"x"' 'a<i>&"x"'
expect 0 netrun "$ROOT/models/mnist_cnn.net" --train 'a<i>&"x"' --epochs 2 --set data.holdout=0.1 --log-every 5
page=runs/mnist_cnn-1/report.html
check "$page"

# What stands in metrics.csv stands in the table; the confusion matrix is that of --test.
tail -n +2 runs/mnist_cnn-1/metrics.csv | cut -d, -f 3-6,10-11 | tr ',' '\n' | while read -r value; do
    grep -q "data-v=\"$value\"" "$page" || fail "no $value of metrics.csv"
done
expect 0 netrun "$ROOT/models/mnist_cnn.net" --test 'a<i>&"x"' --weights best --json
sed 's/.*"matrix":\[\[//; s/\]\].*//; s/\],\[/\n/g; s/,/ /g' out >wanted
[ "$(wc -w <wanted)" = 100 ] || fail "no matrix"
section "$page" classes | grep -oE '<tr><th scope="row">.*' | sed 's/<th[^>]*>[^<]*<\/th>//; s/<[^>]*>/ /g; s/  */ /g; s/^ //; s/ $//' | diff -B - wanted ||
    fail "another matrix than --test has"
grep -q '500 samples of the test set are right' "$page" || fail "not of the test set"
says "$page" 'best.safetensors \(epoch [12]\)'

# Texts from outside are texts.
says "$page" '&lt;b&gt;&amp;&quot;one&quot;&lt;/b&gt;'
says "$page" 'a&lt;i&gt;&amp;&quot;x&quot;'
! grep -qE '<b>|<i>' "$page" || fail "a name has become an element"

# The layers are those of netc; images are there, and each is a PNG to its end.
netc "$ROOT/models/mnist_cnn.net" --summary >summary
says summary ' conv1 .* 160 +112,896'
section "$page" layers | grep -E '>conv1<' | grep -q 'data-v="160">160</td><td class="n" data-v="112896">112,896<' || fail "no conv1 as netc has it"
section "$page" memory | grep -q '<title>@parameters: parameters, 808 KiB' || fail "no plan of memory"
for part in worst filters images; do
    section "$page" $part | grep -oE 'base64,[A-Za-z0-9+/=]*' | cut -d, -f 2 | base64 -d >image || fail "$part: no base64"
    [ "$(head -c 8 image | od -An -tx1 | tr -d ' ')$(tail -c 8 image | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a49454e44ae426082 ] || fail "$part: no PNG"
done
section "$page" images | grep -q 'Black is -0.4242, white 2.821' || fail "images are not what the transforms make of them"
says "$page" 'SYNTHETIC'

# Made again it is the same; where the data have gone, or are others, it says so.
cp "$page" first
expect 0 netrun --report
says out '^runs/mnist_cnn-1/report.html$'
cmp "$page" first || fail "--report makes another page"
mv 'a<i>&"x"' moved
expect 0 netrun --report mnist_cnn-1
[ ! -s err ] || fail "what is on the page is said twice"
check "$page"
says "$page" 'a&lt;i&gt;&amp;&quot;x&quot;: '
expect 0 netrun --report mnist_cnn-1 --data moved
cmp "$page" first || fail "--data makes another page"
"$B/make_digits" other --train 2000 --test 500 --seed 9 >/dev/null
expect 0 netrun --report mnist_cnn-1 --data other
says "$page" 'these are not the data that the run was trained with'

# Runs that did not go well: stopped within an epoch, diverged, resumed; one whose samples are no images, and no classes.
plan mlp
expect 0 netrun mlp.plan --train "$data" --epochs 2 --steps 5
check runs/mlp-1/report.html
says runs/mlp-1/report.html 'last.safetensors \(epoch 1, step 5\)'
says runs/mlp-1/report.html 'No epoch is over'
expect 0 netrun --resume mlp-1
says runs/mlp-1/report.html 'Resumed after step 5: '
check runs/mlp-1/report.html
# Of a run that was measured the layers have their shares of the time, and these are those of profile.json.
expect 0 netrun "$ROOT/models/mnist_cnn.net" --train "$data" --steps 2 --profile --runs timed
tr -d ' \n' <timed/mnist_cnn-1/profile.json | sed 's/"phase":"evaluate".*//; s/.*"layers"://' | grep -oE '"layer":"conv1".*' |
    sed -E 's/.*"layer":"conv1"[^}]*"share":([0-9.e-]*).*/\1/; q' >share
[ -s share ] && section timed/mnist_cnn-1/report.html layers | grep -E '>conv1<' | grep -q "data-v=\"$(cat share)" || fail "conv1 has not the share $(cat share)"
section timed/mnist_cnn-1/report.html layers | grep -q '<th class="n" scope="col">time</th>' || fail "no column of time"
check timed/mnist_cnn-1/report.html

# Warnings stand there, each once; layers are those of the params that were given.
expect 0 netrun "$ROOT/models/mlp.net" -D hidden=16 --train "$data" --epochs 1 --set data.transform.0.factor=1e-6 --runs warned
says err 'warning: '
grep -o 'warning: .*' err | sort -u | sed 's/.*warning: //; s/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/'"'"'/\&#39;/g; s/"/\&quot;/g' | while read -r text; do
    [ "$(grep -cF "Warning: $text" warned/mlp-1/report.html)" = 1 ] || fail "no warning: $text"
done
section warned/mlp-1/report.html layers | grep -q '>fc1<.*data-v="12560">12,560<' || fail "fc1 has not 784 * 16 + 16 parameters"
expect 6 netrun "$ROOT/models/mlp3.net" --train "$data" --lr 100000
check runs/mlp3-1/report.html
says runs/mlp3-1/report.html '^diverged after 0 epochs'
expect 0 netrun "$ROOT/models/xor.net" --train --epochs 3
check runs/xor-1/report.html
says runs/xor-1/report.html 'The network tells no classes apart'
says runs/xor-1/report.html 'The samples are no images'

# None for those who want none; a page that cannot be written ends nothing.
expect 0 netrun mlp.plan --train "$data" --epochs 1 --no-report
[ ! -e runs/mlp-2/report.html ] || fail "--no-report writes one"
mkdir -p into/mlp-1
expect 0 netrun "$ROOT/models/mlp.net" --train "$data" --epochs 1 --runs into
rm into/mlp-2/report.html
mkdir into/mlp-2/report.html
expect 0 netrun --resume mlp-2 --epochs 2 --runs into
says err 'netrun: no report: into/mlp-2/report.html'
cp -r runs/mnist_cnn-1 runs/weights
rm runs/weights/last.*
expect 0 netrun --report weights --data moved
says runs/weights/report.html 'samples of the test set are right'
expect 4 netrun --report mlp-9
says err 'mlp-9: no run of that name'
expect 2 netrun --report mlp-1 --train "$data"
says err 'give one of'

# A sweep has one over all its runs, and these have none of their own. Numbers are those of its table; the best and what ties are marked.
expect 0 netrun "$ROOT/models/mlp.net" --train "$data" --epochs 2 --sweep "train.optimizer.lr=1e-3,1e-2; seed=1,2; device=cpu,cuda:99" -o sweep.csv
page=runs/mlp-sweep-1/report.html
check "$page"
[ ! -e runs/mlp-sweep-1/mlp-1/report.html ] || fail "a run of a sweep has a page"
tail -n +2 sweep.csv | while IFS=, read -r run state _ _ _ train loss metric _; do
    [ "$state" = failed ] || grep "<td class=\"n\">$run</td>" "$page" | grep "data-v=\"$train\"" | grep "data-v=\"$loss\"" | grep -q "data-v=\"$metric\"" ||
        fail "row $run is not that of the table"
done
[ "$(grep -c '<td>failed</td>.*cuda:99' "$page")" = 4 ] || fail "rows that failed"
sed -nE 's/^([*=]) *([0-9]+) .*/\1 \2/p' out >wanted
grep -oE '<tr class="(best|tie)"><td class="n">[0-9]+' "$page" | sed -E 's/.*"(best|tie)".*>/\1 /; s/best/*/; s/tie/=/' | diff - wanted || fail "other marks than the table has"
grep -q '^= ' wanted || echo "nothing tied" >&2
section "$page" means | grep -oE '>[0-9.]+ ± [0-9.]+<' | tr -d '><' | head -n 1 >mean
sed -nE '/^means/,$s/^ *2 +[0-9.]+ ± [0-9.]+ +([0-9.]+) ± +([0-9.]+) %.*/\1 ± \2/p' out | head -n 1 | diff - mean || fail "another mean"
section "$page" curves | grep -q 'run [0-9]: lr = 1e-2, seed = 2, device = cpu' || fail "no curve of a run"
cp "$page" first
expect 0 netrun --report mlp-sweep-1
says out '^runs/mlp-sweep-1/report.html$'
cmp "$page" first || fail "--report makes another page of a sweep"
