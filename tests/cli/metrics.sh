# Metrics that are more than a count: the same of training and test where both see the same and nothing is learnt, in parts and after
# an interruption too; what a test says is what its answers say; and they choose the best epoch, fill tables and rank sweeps.
data=$(digits)
cp -r "$data" same
for kind in images-idx3-ubyte labels-idx1-ubyte; do
    cp "$(find same -name "train-$kind*")" "$(find same -name "t10k-$kind*")"
done
all='Accuracy, F1, BalancedAccuracy, MeanIoU, Perplexity, AUC'
model() { sed "s/^net mlp/net m/; s/metrics .*/metrics = [$all]\n$1/; s/hidden = 128 /hidden = 16 /" "$ROOT/models/mlp.net" >m.net && expect 0 netc m.net -o m.plan; }
# numbers FILE SET: of each epoch, the metrics of that set
numbers() { sed -n "s/.*\"event\":\"epoch\".*\"$2\":{\([^}]*\)}.*/\1/p" "$1" | sed 's/"[a-z_0-9]*_95":[^]]*],//g; s/"loss":[^,]*,//; s/,"n":.*//; s/,"auc".*//'; }

model ''
options="--train same --lr 0 --epochs 2"
expect 0 netrun m.plan $options --runs whole
numbers whole/m-1/metrics.jsonl train >train
numbers whole/m-1/metrics.jsonl test >tested
says train '"accuracy":[0-9.]+,"f1":[0-9.]+,"balanced_accuracy":[0-9.]+,"mean_iou":[0-9.]+,"perplexity":[0-9.]+$'
[ "$(wc -l <train)" = 2 ] && near train tested || fail "training saw other metrics: $(cat train tested)"
expect 0 netrun m.plan $options --runs parts --batch 640 --memory 2MiB
says err 'batch 640'
numbers parts/m-1/metrics.jsonl train >parted
near train parted || fail "in parts: $(cat parted)"

# AUC is of a test alone; only shares have intervals.
says whole/m-1/metrics.jsonl '"test":\{.*"auc":0\.[0-9]+,"accuracy_95":\[[^]]*\],"n":'
! grep -q '"train":{[^}]*"auc"' whole/m-1/metrics.jsonl || fail "AUC of training"
says whole/m-1/metrics.csv '^time,epoch,steps,.*train_auc,.*,test_auc,test_accuracy_95_low,test_accuracy_95_high,test_n'
[ "$(awk -F , '{ print NF }' whole/m-1/metrics.csv | sort -u | wc -l)" = 1 ] || fail "rows and head differ"

# Interrupted within an epoch, and gone on with: to the same numbers and bits.
options="--train $data --epochs 3 --batch 50"
expect 0 netrun m.plan $options --device cpu --runs through
expect 0 netrun m.plan $options --device cpu --runs stopped --steps 55
expect 0 netrun --resume last --device cpu --runs stopped
for set in train test; do
    numbers through/m-1/metrics.jsonl $set >one
    numbers stopped/m-1/metrics.jsonl $set | cmp one || fail "resumed: another $set"
done
for file in last last.optimizer; do
    cmp {through,stopped}/m-1/$file.safetensors || fail "resumed: another $file"
done

# What the answers of the test say, counted by awk.
on() {
    expect 0 netrun m.plan --device "$1" --test "$data" --json --weights through/m-1 --output tested.csv
    awk -F , -v near=1e-6 '
        FNR == NR && NR == 1 { for (i = 1; i <= NF; i++) { if ($i == "true") t = i; if ($i == "class") c = i }; next }
        FNR == NR { both[$t] += $t == $c; row[$t]++; column[$c]++; next }
        { for (i = 1; i <= NF; i++) { split($i, pair, ":"); gsub(/[{}"]/, "", pair[1]); got[pair[1]] = pair[2] } }
        END {
            for (k = 0; k < 10; k++) {
                f1 += 2 * both[k] / (row[k] + column[k]) / 10
                recall += both[k] / row[k] / 10
                iou += both[k] / (row[k] + column[k] - both[k]) / 10
            }
            e = f1 - got["f1"]; d = recall - got["balanced_accuracy"]; b = iou - got["mean_iou"]; p = log(got["perplexity"]) / got["loss"] - 1
            exit !(e * e < near ^ 2 && d * d < near ^ 2 && b * b < near ^ 2 && p * p < near ^ 2 && got["auc"] > 0.5 && got["auc"] <= 1)
        }' tested.csv <(grep '"event":"evaluation"' out | sed 's/"confusion".*//') || fail "$1: the answers say otherwise"
    expect 0 netrun m.plan --device "$1" --test "$data" --weights through/m-1
    says out '^test loss [0-9.]+   accuracy [0-9.]+ ± [0-9.]+ %   f1 0\.[0-9]+   balanced_accuracy 0\.[0-9]+   mean_iou 0\.[0-9]+   perplexity [0-9.]+   auc 0\.[0-9]+   500 samples'
}
for device in cpu cuda; do
    if here $device; then on $device; fi
done

# Perplexity is that of all classes alike, whatever weights the loss has.
perplexity() { expect 0 netrun m.plan --test "$data" --weights through/m-1 "$@" && sed -n 's/^test.*\(perplexity [0-9.]*\).*/\1/p' out; }
[ "$(perplexity)" = "$(perplexity --set train.loss.weights=[1,2,3,4,5,6,7,8,9,10])" ] || fail "the loss's weights change the perplexity"

# Less is better of some. A sweep goes by them, too.
all='Perplexity, F1'
model '    save = best(Perplexity)\n    stop = patience(3, measure = F1)'
expect 0 netrun m.plan $options --runs save --lr 0.03 --epochs 8 --json
falls=$(sed -n 's/.*"event":"epoch".*"epoch":\([0-9]*\).*"test":{.*"perplexity":\([0-9.e+]*\).*/\2 \1/p' out | sort -g | head -n 1)
says out "\"event\":\"end\".*\"best\":\{\"epoch\":${falls#* },\"perplexity\":${falls% *}"
expect 0 netrun m.plan --train "$data" --epochs 1 --sweep 'train.optimizer.lr=[1e-4,1e-2]' --runs sweep
says out '^sorted by perplexity'
says out '^\*   2 .* [0-9]+\.[0-9]+  '
says sweep/m-sweep-1/report.html 'perplexity</th>'
expect 0 netrun --runs sweep/m-sweep-1 --sort perplexity
[ "$(sed -n '2s/ .*//p' out)" = m-2 ] || fail "not the least perplexity first: $(cat out)"

# Values.
sed 's/MSE(y, t)/MSE(y, t)/; s/^train {/train {\n    metrics = [MAE, R2]/' "$ROOT/models/xor.net" >v.net
expect 0 netc v.net -o v.plan
expect 0 netrun v.plan --train --epochs 300 --runs values
says out '^best epoch [0-9]+: mae [0-9.e-]+; weights'
expect 0 netrun "$ROOT/models/xor.net" --train --epochs 2 --runs loss
says out '^best epoch [0-9]: loss [0-9.e-]+; weights'
for device in cpu cuda; do
    if here $device; then
        expect 0 netrun v.plan --device $device --test --weights values/xor-1
        says out '   mae [0-9.e-]+   r2 [-0-9.]+   4 samples of the plan'
        cp out said.$device
        expect 0 netrun v.plan --device $device --train --epochs 2 --lr 0 --weights values/xor-1 --runs at-$device
        numbers at-$device/xor-1/metrics.jsonl train >train
        numbers at-$device/xor-1/metrics.jsonl test >tested
        near train tested || fail "training saw other values: $(cat train tested)"
    fi
done
[ ! -e said.cuda ] || near said.cpu said.cuda || fail "the devices differ: $(cat said.*)"
