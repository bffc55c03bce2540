# stop = patience(n) and save = best(measure): when the training ends, what is kept, and the same after it was interrupted.
data=$(digits)
model() { sed "s/^train {/train {\n$1/; s/lr = 1e-3/lr = 5e-3/" "$ROOT/models/mlp.net" >early.net && expect 0 netc early.net -o early.plan; }
best() { sed -n 's/.*"event":"end".*"best":{"epoch":\([0-9]*\),"\([a-z]*\)".*/\1 \2/p' out; }
# first RUN FIELD: the first epoch whose FIELD is the best; better is "<" or ">"
first() { sed -n 's/.*"event":"epoch",.*"epoch":\([0-9]*\),.*"test":{\(.*\)}.*/\1 \2/p' out | tr -d '"' | tr ':,' '  ' |
    awk -v key="$1" -v falls="$2" '{ for (i = 2; i < NF; i++) if ($i == key) v = falls ? -$(i + 1) : $(i + 1)
                                     if (NR == 1 || v > most) { most = v; at = $1 } } END { print at }'; }

model '    save = best(loss)\n    stop = patience(2)'
train="early.plan --train $data --epochs 40 --batch 50"
expect 0 netrun $train --json --runs whole
says out '"status":"ok",.*"stop":{"rule":"patience","measure":"loss","epoch":[0-9]+}'
says err '^stopped by patience: loss has not improved since epoch'
epochs=$(grep -c '"event":"epoch"' out)
[ "$epochs" -lt 40 ] || fail "it went on for $epochs epochs"
at=$(first loss 1)
[ "$(best)" = "$at loss" ] || fail "the best is $(best), not $at loss"
[ "$epochs" = $((at + 2)) ] || fail "it stopped after epoch $epochs, and the best was $at"

# ... to the same bits after an interruption while it waited, and on from there with more patience.
expect 0 netrun $train --runs parts --steps $((40 * (at + 1) + 7))
expect 0 netrun --resume parts/mlp-1
cmp whole/mlp-1/last.safetensors parts/mlp-1/last.safetensors || fail "patience is forgotten when a run is resumed"
expect 0 netrun --resume parts/mlp-1
says err "finished: patience stopped it after epoch $epochs; to go on: netrun --resume parts/mlp-1 --set train.stop.epochs=N"
expect 0 netrun --resume parts/mlp-1 --set train.stop.epochs=4
expect 0 netrun $train --runs four --set train.stop.epochs=4
for file in last best; do
    cmp {four,parts}/mlp-1/$file.safetensors || fail "$file: more patience later is not more patience from the start"
done
expect 2 netrun --resume parts/mlp-1 --set train.save.measure=accuracy
says err 'keeps what its epochs were measured by'

# Another measure keeps another epoch of the same training.
expect 0 netrun $train --epochs 12 --set train.stop.epochs=100 --set train.save.measure=accuracy --json --runs accuracy
[ "$(best)" = "$(first accuracy '') accuracy" ] || fail "the best is $(best), not $(first accuracy '') accuracy"
[ "$(first accuracy '')" != "$(first loss 1)" ] || fail "both measures are best in one epoch: the test shows nothing"
expect 2 netrun $train --set train.save.measure=top5
says err '`train.save.measure` is accuracy, auto or loss, not `top5`'
expect 2 netrun $train --set train.stop.epochs=-1
says err '`train.stop.epochs` is an integer from 1'

# What is not tested measures nothing.
mkdir only && cp "$data"/train-* only
expect 4 netrun early.plan --train only --set train.save.measure=accuracy
says err 'best goes by accuracy, and there is no test set to measure it on'
expect 0 netrun early.plan --train only --epochs 2
