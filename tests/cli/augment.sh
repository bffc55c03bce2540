# Augmented training: the same bits on any number of threads, in parts, killed and resumed; epochs differ, evaluation is as it was.
data=$(digits)
for words in 'RandomCrop(pad = 2), RandomFlip, RandomShift, Erase, Cutout(6)' 'ColorJitter(0.4, 0.4), RandomRotate(10), CutMix(p = 0.8)'; do
    sed "s/^data {/data {\n    augment = [$words]/" "$ROOT/models/mnist_cnn.net" >cnn.net
    grep -q 'augment =' cnn.net || fail "the model has no data section"
    expect 0 netc cnn.net -o cnn.plan
    train="cnn.plan --train $data --batch 100 --steps 25"
    last=mnist_cnn-1/last.safetensors
    rm -rf one three stopped whole parts

    expect 0 netrun $train --runs one
    expect 0 netrun $train --runs three --threads 3
    cmp one/$last three/$last || fail "three threads augment otherwise"
    expect 0 netrun $train --steps 11 --runs stopped
    expect 0 netrun --resume stopped/mnist_cnn-1 --steps 25
    cmp one/$last stopped/$last || fail "a resumed run augments otherwise"

    # A batch in parts sees the same pictures: the losses differ by rounding alone.
    expect 0 netrun $train --steps 6 --runs whole --json --log-every 1
    losses >whole.txt
    expect 0 netrun $train --steps 6 --runs parts --json --log-every 1 --memory 6MiB
    says err 'batch 100 runs as'
    losses >parts.txt
    [ "$(wc -l <parts.txt)" = 6 ] || fail "6 steps, not $(wc -l <parts.txt)"
    near whole.txt parts.txt 1e-5 || fail "in parts: other losses"
done

# Each epoch sees other pictures, and each seed: without learning the losses of two epochs are those of two sets.
each() { expect 0 netrun cnn.plan --train "$data" --batch 100 --steps 40 --lr 0 --json --runs still "$@"; sed -n 's/.*"event":"epoch".*"train":{"loss":\([0-9.]*\).*/\1/p' out; }
[ "$(each --set train.seed=3 | sort -u | wc -l)" = 2 ] || fail "both epochs see the same pictures"
p=--set; none="$p data.augment.0.pad=0 $p data.augment.1.p=0 $p data.augment.2.height=0 $p data.augment.2.width=0 $p data.augment.3.p=0"
sed 's/^data {/data {\n    augment = [RandomCrop(pad = 2), RandomFlip, RandomShift, Erase]/' "$ROOT/models/mnist_cnn.net" >least.net
expect 0 netc least.net -o cnn.plan
each $none >none.txt
plan mnist_cnn
cp mnist_cnn.plan cnn.plan
each >plain.txt
cmp none.txt plain.txt || fail "augmentations of nothing do something"

# What does not suit the pictures is refused wherever it comes from.
expect 0 netc least.net -o cnn.plan
expect 2 netrun cnn.plan --train "$data" --dry-run --set data.augment.0.pad=28
says err 'data.augment.0.pad=28.: RandomCrop pads by a whole side'
expect 2 netrun cnn.plan --train "$data" --dry-run --set data.augment.1.p=2
says err 'a number from 0 to 1'

# A sheet of the same pictures: as they are read, and in eight epochs of this seed.
sheet() { expect 0 netrun cnn.plan --inspect "$data" --augment "$@"; }
sheet
says out '^augmented.png: 8 pictures as they are read, and as training with seed 1 sees them in its first 8 epochs$'
sheet --output again.png
cmp augmented.png again.png || fail "the same sheet is another"
sheet --output other.png --seed 2
! cmp -s augmented.png other.png || fail "another seed draws the same"
# It replaces nothing that it is made from.
expect 2 netrun cnn.plan --inspect "$data" --augment --output cnn.plan
says err '^netrun: error: --output cnn.plan: this file is read here, and would be lost$'
mkdir pictures && cp "$data"/* pictures
for file in pictures/train-images*; do ln -sf "$file" augmented.png; done
expect 2 netrun cnn.plan --inspect pictures --augment
says err 'augmented.png: this file is read here, and would be lost$'
rm augmented.png
expect 2 netrun --inspect "$data" --augment
says err 'needs a plan or model'
expect 2 netrun "$ROOT/models/mnist_cnn.net" --inspect "$data" --augment
says err 'mnist_cnn.net augments nothing'
expect 2 netrun cnn.plan --train "$data" --augment
