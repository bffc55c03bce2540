# Each folder of examples/: its script does in its shortest form what its README promises.
folder=$WORK/examples
mkdir -p "$folder/data"
data=$(digits)
ln -s "$data" "$folder/data/mnist"
mkdir "$folder/data/fashion"
ln -s "$data"/*-ubyte "$folder/data/fashion"           # all but the mark of drawn digits

# Asks again, on the simulated device.
again() {
    (
        here cuda || exit 0
        cd "$B/examples/$1"
        { grep '^\$ netrun .*--predict' || fail "$1 predicts nothing"; } <"$WORK/examples.out" | sed 's/^\$ netrun//' | while read -r command; do
            for device in cpu cuda; do
                # shellcheck disable=SC2086
                netrun $command --device $device --json >$device.json 2>err || fail "$command: on $device"
            done
            near cpu.json cuda.json || fail "$command: $(cat cpu.json cuda.json)"
        done
    )
}

# example NAME EPOCHS: runs it on drawn digits; its output goes to the file out.
example() {
    expect 0 env DATA="$folder/data" EPOCHS="$2" timeout -s KILL 120 sh "$ROOT/examples/$1/run.sh"
    [ -s "$ROOT/examples/$1/README.md" ] || fail "$1 has no README.md"
    # What a reader should see has the same commands in the same order.
    diff <(grep '^\$ ' "$ROOT/examples/$1/output.txt" | sed 's/--epochs [0-9]*/--epochs N/') \
        <(grep '^\$ ' out | sed 's/--epochs [0-9]*/--epochs N/') >&2 || fail "$1: output.txt shows other commands"
    cp out "$WORK/examples.out"
    again "$1"
}

example first_network 200
says out '^0: y = -?([0-9.]+e-|0\.0)'
says out '^1: y = (0\.9|1\.0)'
says out '^2: y = (0\.9|1\.0)'
says out '^3: y = -?([0-9.]+e-|0\.0)'

example mnist_tutorial 1
says out 'total +206,922 +1,218,048'
says out '^epoch 1/1 .* accuracy [0-9.]+ '
says out '^seven\.pgm: logits = class [0-9]'
says out '^7: logits = class [0-9].*\(it is [0-9]\)'
says out 'runs/digits-2/best\.safetensors'
[ "$(grep -c '^test loss' out)" = 2 ] || fail "not tested twice"

example devices 1
says out '^cpu: [0-9]+ cores?$'
says out '^no GPU: .*[a-z]$'
says out 'total +101,770 +101,632'
says out '^epoch 1/1 .* accuracy [0-9.]+ '
says out '^\* +1 +1/1 .* cpu$'
says out '^ +2 +- .* cuda  [a-z]'                            # with its reason

example assignment 1
says out 'MACs by the rule of thop'
says out 'total +109,386 +109,184'
says out 'total +101,578 +7,459,968'
[ "$(grep -c '^resumed in epoch 2' out)" = 2 ] || fail "the two are not resumed"
[ "$(grep -c '^epoch 2/2 .* accuracy' out)" = 2 ] || fail "the two have no epoch 2"
says out '^ +2 +- .* cuda  [a-z]'
says out '^strided_cnn-1 +2 .* %'
says "$B/examples/assignment/losses.gp" 'strided_cnn-1, test'

# Results on drawn digits do not pass for results on clothes.
for name in fashion_sweep small_cnn; do
    ln -s "$data/SYNTHETIC" "$folder/data/fashion"
    expect 4 env DATA="$folder/data" EPOCHS=1 sh "$ROOT/examples/$name/run.sh"
    says err 'fashion holds digits that make_digits drew'
    rm "$folder/data/fashion/SYNTHETIC"
done
expect 4 env DATA="$folder" sh "$ROOT/examples/fashion_sweep/run.sh"
says err 'fashion is not there'

example small_cnn 1
says out '^features\.0\.weight +.*16x1x3x3'
says out '^train +[0-9]+ samples +u8\[1, 28, 28\]'
says out '^seven\.pgm: logits = class [0-9]'
says out '^0: logits = class [0-9]'
# Under the names of a Sequential they are the same weights.
[ "$(grep -c '^test loss' out)" = 3 ] || fail "not tested three times"
[ "$(grep '^test loss' out | sed -n 1p)" = "$(grep '^test loss' out | sed -n 2p)" ] || fail "renamed weights give another result"
says "$B/examples/small_cnn/both.gp" 'mnist_cnn-2, test'

example fashion_sweep 1
says out '^fashion_lenet: 6 runs, runs/fashion_lenet-sweep-1$'
says out '^\*? *[1-6] +1/1 .* 0\.01 +(1000|10000|20000) +cpu$'
says out '^\* the best; its weights: runs/fashion_lenet-sweep-1/fashion_lenet-[1-6]/best.safetensors$'
says out '^0: logits = class [0-9]'
[ "$(wc -l <"$B/examples/fashion_sweep/table.csv")" = 7 ] || fail "table.csv has other lines than 7"

# docs/from-pytorch.md: the Python that it shows is that of the examples, and the counts of lines are right.
page=$ROOT/docs/from-pytorch.md
awk '/^## / { on = /^## Four jobs/ } /^```python$/ && on { code = 1; next } /^```/ { code = 0 } code && NF' "$page" | sed 's/^ *//' | sort -u >shown
sed 's/^ *//' "$ROOT"/examples/*/pytorch.py | sort -u | comm -13 - shown >wrong
[ -s shown ] && [ ! -s wrong ] || fail "from-pytorch.md shows Python that no example has: $(cat wrong)"
lines() { cat "$@" | grep -cvE '^[[:space:]]*(#|"""|$)'; }
count() { # NAME MODEL...: the numbers of its row are those of pytorch.py, of the models, of the commands
    local name=$1 got
    shift
    got=$(sed -nE "s/^\| $name: [^|]*\| ([0-9]+) \| ([0-9]+)[^|]*\| ([0-9]+) \|$/\1 \2 \3/p" "$page")
    set -- "$(lines "$ROOT/examples/$name/pytorch.py") $(lines "${@/#/$ROOT/models/}") $(grep -c '^\$ ' "$ROOT/examples/$name/output.txt")"
    [ "$got" = "$1" ] || fail "$name: from-pytorch.md says $got, it is $1"
}
count devices mlp.net
count small_cnn mnist_cnn.net
count fashion_sweep fashion_lenet.net
count assignment mlp3.net strided_cnn.net
example bigger_than_memory 1
says out '^(the training set stays in its files: 2 loaders, and [0-9.]+ MiB of buffers beside|No limit: )'
says out '^the same bits$'
(
    cd "$B/examples/bigger_than_memory"
    expect 0 netrun mlp.plan --train large --device cpu --memory 150MiB --dry-run
    says out 'stays in its files'
    expect 0 netrun mlp.plan --train large --device cpu --memory 190MiB --dry-run
    ! grep -q 'stays in its files' out || fail "a set within the budget stays in its file"
    rm -r large
)

example own_pictures 1
says out '^pictures 1500 in colour, 0 grey'
says out '^epoch 1/1 .* accuracy'
says out '^0 circle '
says out '^shapes/test/square/000001.jpg: logits = class [0-2]'

example keyword_spotting 1
says out '^sounds +1000 of 1 channel, 8000 values a second, '
says out '^epoch 1/1 .* accuracy'
says out '^3 up '
says out '^tones/test/up/000001.flac: logits = class [0-3] (down|flat|twice|up)'

example table 1
says out '^0 setosa '
says out '^new.csv:2: logits = class [0-2] '
says out '^some.csv:3: estimate = -?[0-9.e-]+ \(it is [0-9.]+\)'
example transfer 1
says out '^ +trained +195$'
says out '^ +frozen +47,168$'
[ "$(grep '^  train ' out | sort -u | wc -l)" = 2 ] || fail "what is frozen takes as much memory"
says out '^few/test/triangle/000001.jpg: logits = class [0-2]'

# The pictures of CIFAR-10 that cifar.sh takes are the first of their classes.
expect 0 env DATA= EPOCHS=1 PICTURES=20 timeout -s KILL 120 sh "$ROOT/examples/transfer/cifar.sh" -D width=4 --device cpu
[ "$(grep -c '^epoch 1/1 ' out)" = 3 ] || fail "not three trainings"
[ "$(grep -c '^test loss .* 1000 samples' out)" = 2 ] || fail "not two tests"
says err '^  ~ fc.weight  5x32  last.weight  5x32$'
(
    cd "$B/examples/transfer"
    bytes() { od -An -v -tx1 -w3073 "$1"; }
    bytes old/data_batch_1.bin | cut -c 2-3 | sort | uniq -c | tr -s ' \n' ' ' >classes
    [ "$(cat classes)" = " 20 00 20 01 20 02 20 03 20 04 " ] || fail "not 20 pictures of each of five classes: $(cat classes)"
    for class in 0 4; do
        bytes drawn/data_batch_1.bin | sed -n "s/^ 0$((class + 5))//p" | head -n 50 >first
        bytes few/data_batch_1.bin | sed -n "s/^ 0$class//p" | cmp - first || fail "other pictures of class $class"
    done
    rm -r old few rest drawn
)

example segmentation 1
says out '^train +400 samples +u8\[3, 64, 64\] +mask u8\[64, 64\]'
says out '^epoch 1/1 .* test 0'
says out '^test loss 0'

example mnist_accuracy 1
says out '^epoch 1/1 .* accuracy [0-9.]+ '
says out '^augmented.png: 8 pictures'
[ -s "$B/examples/mnist_accuracy/augmented.png" ] && [ -s "$B/examples/mnist_accuracy/worst.png" ] || fail "no pictures"

example cifar10_accuracy 1
[ "$(grep -cE '^epoch 1/1 .* accuracy +[0-9.]+ ' out)" = 2 ] || fail "not two recipes"
