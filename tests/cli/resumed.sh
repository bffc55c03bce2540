# What a run keeps: the settings in force, whichever command set them; one process at a time; nothing of a killed one.
data=$(digits)
plan mlp
train="mlp.plan --train $data --batch 50"
last=mlp-1/last.safetensors

# A resume with settings of its own, interrupted and resumed without them, ends with the bits of one that was not.
changed="--epochs 3 --lr 0.003 --set train.optimizer.betas=[0.8,0.99]"
expect 0 netrun $train --steps 30 --runs whole
cp -r whole early
expect 0 netrun --resume whole/mlp-1 $changed
expect 0 netrun --resume early/mlp-1 $changed --steps 70
expect 0 netrun --resume early/mlp-1 --steps 90
expect 0 netrun --resume early/mlp-1
cmp whole/$last early/$last || fail "settings of an interrupted resume are forgotten"
cp -r whole/mlp-1 early/mlp-2
expect 0 netrun --resume early/mlp-2 $changed --seed 1 --batch 50
cmp whole/$last early/mlp-2/last.safetensors || fail "the same command again gives other bits"
says early/mlp-1/settings.json '"train.epochs": 3\.0'
says early/mlp-1/settings.json '"train.optimizer.lr": 0\.003'
says early/mlp-1/settings.json '"resumed": \['
expect 2 netrun --resume early/mlp-1 --seed 2
says err 'keeps its seed, 1'
expect 2 netrun --resume early/mlp-1 --batch 51
says err 'keeps its batch, 50'

# ... even if it is killed before it has made a step.
cp -r whole/mlp-1 early/mlp-3
"$NETRUN" --threads 1 --resume early/mlp-3 --epochs 100000 --json >log 2>err &
child=$!
for _ in $(seq 300); do
    ! grep -q '"resumed"' log || break
    sleep 0.02
done

# Meanwhile nobody else may work in it.
expect 4 netrun --resume early/mlp-3
says err 'early/mlp-3: another process is at work in this run'
touch early/mlp-3/.last.safetensors.tmp-12345-0 early/mlp-3/.note.tmp-me
kill -KILL $child
wait $child 2>log || true
expect 0 netrun --resume early/mlp-3 --steps 1 --json
says out '"epochs":100000'
[ ! -e early/mlp-3/.last.safetensors.tmp-12345-0 ] || fail "a temporary file of a killed process is left"
[ -e early/mlp-3/.note.tmp-me ] || fail "a file of the user is gone"

# `last` is the run that was started or resumed last, whatever the times of its files.
expect 0 netrun $train --epochs 1
expect 0 netrun $train --epochs 1
touch -d 2030-01-01 runs/$last
expect 0 netrun $train --resume last --epochs 2
says out 'runs/mlp-2$'
touch -d 2030-01-01 runs/mlp-2/*
expect 0 netrun --resume mlp-1 --epochs 2
touch -d 2000-01-01 runs/$last
expect 0 netrun mlp.plan --test "$data" --weights last
says err 'weights of runs/mlp-1/last'
mkdir runs/mlp-3
cp runs/mlp-1/model.plan runs/mlp-3
sed 's/"turn": [0-9]*/"turn": 99/' runs/mlp-1/settings.json >runs/mlp-3/settings.json
expect 4 netrun --resume last
says err 'runs/mlp-3: the run ended before its first checkpoint'

# Data that changed under a run: the same number of images, one pixel of one is another.
cp -r "$data" other
flip() { printf '\377' | dd of="other/$1" bs=1 seek="$2" conv=notrunc status=none; }
ls other/train-images-idx3-ubyte >/dev/null || fail "the digits are packed"
expect 0 netrun $train --epochs 1 --runs changed
mv other train
expect 0 netrun --resume changed/mlp-1 --train train --epochs 2        # the same, elsewhere
mv train other
flip train-images-idx3-ubyte 500000
expect 4 netrun --resume changed/mlp-1 --train other --epochs 3
says err 'other: the training set is not the one that changed/mlp-1 was trained with'
expect 0 netrun --resume changed/mlp-1 --train other --epochs 3 --data-changed
expect 0 netrun --resume changed/mlp-1 --epochs 4
flip t10k-images-idx3-ubyte 100000
expect 4 netrun --resume changed/mlp-1 --epochs 5
says err 'the test set is not'
expect 2 netrun $train --data-changed

# Killed before it kept the best of an epoch, or out of room for the checkpoint: the best is that of the run as it was, and is made
# up for when the run goes on, with other settings too.
status=0
(ulimit -f 600 && exec "$NETRUN" --threads 1 $train --epochs 1 --runs cut) >out 2>err || status=$?
[ $status = 4 ] || fail "a file that may not grow gave $status"
[ ! -e cut/mlp-1/best.safetensors ] || fail "there is a best of an epoch that was not kept"
expect 0 netrun $train --epochs 1 --runs cut
cp cut/mlp-2/best.safetensors first
expect 0 netrun --resume cut/mlp-2 --epochs 2
cp cut/mlp-2/best.safetensors second
! cmp -s first second || fail "the second epoch is no better"
cp first cut/mlp-2/best.safetensors
expect 0 netrun --resume cut/mlp-2
cmp cut/mlp-2/best.safetensors second || fail "the best of the last epoch is lost"
rm cut/mlp-2/best.safetensors
expect 0 netrun --resume cut/mlp-2 --lr 0 --epochs 3
cmp cut/mlp-2/best.safetensors second || fail "the best is lost when the run goes on"

# A run is the last one that was taken up, also where it was called by its own folder; and no name names none.
netrun $train --epochs 1 --runs turns >/dev/null 2>&1 && netrun $train --epochs 1 --runs turns >/dev/null 2>&1
(cd turns/mlp-1 && expect 0 netrun --resume . --epochs 2)
expect 0 netrun --resume last --runs turns --epochs 3
says turns/mlp-1/metrics.jsonl '"event":"epoch",.*"epoch":3,'
expect 4 netrun --resume '' --runs turns
