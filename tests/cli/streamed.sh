# Samples that stay in their files: the same bits as in memory, whatever brings them.
data=$(digits)
train="drop.plan --train $data"
drops
expect 0 netrun $train --runs whole
for how in '--loaders 1' '--loaders 3' '--loaders 16 --threads 2' '--memory 1MiB --loaders 1' '--loaders 2 --threads 3'; do
    rm -rf run
    expect 0 netrun $train --runs run $how --json
    says err '^the training set and test set stay in their files: [0-9]+ loaders? each, and [0-9.]+ [KM]iB of buffers beside'
    says err '^epoch 3/3 .* waiting +[0-9]+ %'
    same_bits run
done
grep '"event":"epoch"' out | head -n 1 | grep -q '"waiting":0\.[0-9]*,' || fail "nothing has ever waited: $(cat out)"
(
    here cuda || exit 0
    expect 0 netrun $train --runs cuda --device cuda
    expect 0 netrun $train --runs cudastreamed --device cuda --loaders 2
    says out 'stay in their files'
    same_bits cudastreamed cuda
    expect 0 netrun drop.plan --test $data --device cuda --loaders 2 --runs cuda
    says out '^the test set stays in its files'
)

# Batches in parts; a holdout; stopped, and killed.
expect 0 netrun $train --runs parts --memory 620KiB
says err 'batch 48 runs as 3 x 16'
expect 0 netrun $train --runs parts2 --memory 800KiB --loaders 2       # which the buffers are part of
says err 'batch 48 runs as 3 x 16'
same_bits parts2 parts
for how in '' '--loaders 2'; do
    expect 0 netrun $train --runs held"${how:+2}" --set data.holdout=0.2 $how
done
says out '^the training set, test set and holdout stay in their files'
same_bits held2 held
cmp <(grep -o '"holdout":{"loss":[^}]*' held/drop-1/metrics.jsonl) <(grep -o '"holdout":{"loss":[^}]*' held2/drop-1/metrics.jsonl) ||
    fail "the holdout is tested otherwise"
expect 0 netrun $train --runs stopped --loaders 2 --steps 17
expect 0 netrun --resume stopped/drop-1 --loaders 2 --steps 60
expect 0 netrun --resume stopped/drop-1
same_bits stopped
"$NETRUN" --threads 1 $train --runs killed --loaders 1 --checkpoint-every 5 --epochs 3000 >log 2>&1 &
for _ in $(seq 500); do
    [ ! -e killed/drop-1/best.safetensors ] || break
    sleep 0.02
done
kill -KILL $! && wait $! 2>>log || true
cp -r killed again
expect 0 netrun --resume killed/drop-1 --epochs 40 --loaders 2
expect 0 netrun --resume again/drop-1 --epochs 40
same_bits again killed

# CIFAR's records, in several files; floats, whose bytes are turned.
mkdir cifar floats
head -c $((200 * 3072)) "$NETRUN" >pixels
record() { printf "\\x0$(($1 * 7 % 10))"; dd if=pixels bs=3072 skip="$1" count=1 status=none; }
for i in $(seq 0 49); do record "$i"; done >cifar/data_batch_1.bin
for i in $(seq 50 83); do record "$i"; done >cifar/data_batch_2.bin
for i in $(seq 84 99); do record "$i"; done >cifar/test_batch.bin
{ printf '\0\0\15\2\0\0\0\100\0\0\0\4'
  for i in $(seq 64); do for k in 1 3 5 7; do printf "\\x3f\\x$((i * k % 8))0\\x$((k + i % 2))0\\0"; done; done; } >floats/train-samples-idx2
{ printf '\0\0\10\1\0\0\0\100'; for i in $(seq 64); do printf "\\x0$((i % 10))"; done; } >floats/train-labels-idx1
for set in cifar floats; do
    [ $set = cifar ] && shape='3, 32, 32' || shape=4
    sed "s/1, 28, 28/$shape/; s/^net drop/net $set/; s/-> Flatten ->/-> $([ $set = floats ] || echo 'Flatten ->')/; /augment/d" drop.net >$set.net
    expect 0 netc $set.net -o $set.plan
    for how in '' '--loaders 2'; do
        expect 0 netrun $set.plan --train $set --runs $set"${how:+2}" $how
    done
    says out 'stay in their files|training set stays in its files'
    cmp {$set,${set}2}/$set-1/last.safetensors || fail "$set: other bits than in memory"
done
cp -r floats nan && printf '\177\300\0\0' | dd of=nan/train-samples-idx2 bs=1 seek=$((12 + 16 * 9 + 4)) conv=notrunc status=none
expect 4 netrun floats.plan --train nan --loaders 1
says err 'nan/train-samples-idx2: (byte 160: )?value 1 of sample 9 is not a number'

# Pictures are decoded into a file that nobody sees; some are damaged.
"$B/make_shapes" shapes --train 40 --test 10
head -c 300 shapes/train/square/000007.jpg >short && mv short shapes/train/square/000007.jpg
expect 0 netc "$ROOT/examples/own_pictures/shapes.net" -o shapes.plan
for how in '' '--loaders 2' '--loaders 1 --threads 2'; do
    expect 0 netrun shapes.plan --train shapes --skip-damaged --epochs 2 --runs pictures"${how:+2}" $how
    [ -z "$how" ] || says out 'stay in their files'
    says err '1 damaged picture is left out'
done
for run in 1 2; do
    cmp pictures/shapes-1/last.safetensors pictures2/shapes-$run/last.safetensors || fail "pictures: other bits than in memory"
done
expect 0 env XDG_CACHE_HOME="$PWD/cache" "$NETRUN" --threads 1 shapes.plan --train shapes --skip-damaged --epochs 1 --loaders 1 --runs pictures3
[ -z "$(find cache -name 'build-*')" ] || fail "the file has a name"
expect 4 env -u XDG_CACHE_HOME HOME=/dev/null/home "$NETRUN" shapes.plan --train shapes --skip-damaged --loaders 1
says err 'no place on disk for [0-9]+ bytes of samples: /dev/null'

# Tests, answers, pictures of mistakes, a page and a sheet of epochs are those of a set in memory.
for how in '' '--loaders 2'; do
    to=seen${how:+2}
    mkdir $to
    expect 0 netrun drop.plan --test "$data" --runs whole $how --output $to/test.csv
    expect 0 netrun drop.plan --test "$data" --runs whole $how --worst 20 --output $to/worst.png
    [ -z "$how" ] || says out '^the test set stays in its files: 2 loaders, and'
    expect 0 netrun drop.plan --predict test 7 --data "$data" --runs whole $how --json
    grep '"sample"' out >$to/predicted
    sed -n '/id="worst"/,/<h2/p' held${how:+2}/drop-1/report.html >$to/worst.html
    grep -q '<img' $to/worst.html || fail "the page has no mistakes"
done
diff -r seen seen2 || fail "a test set that stays in its files has other answers"

# both NAME PLAN FOLDER: the same weights and tests, in memory and not.
both() {
    local how
    for how in '' '--loaders 2'; do
        expect 0 netrun "$2" --train "$3" --runs "$1${how:+2}" $how
    done
    says out 'stays? in (its|their) files: 2 loaders'
    cmp {"$1","${1}2"}/*-1/last.safetensors || fail "$1: other bits than in memory"
    cmp <(grep -o '"test":{[^}]*' "$1"/*/metrics.jsonl) <(grep -o '"test":{[^}]*' "${1}2"/*/metrics.jsonl) || fail "$1: tested otherwise"
}

# What is packed, turned, widened or resized goes into a file of its own first.
mkdir packed cifargz keras all
cp "$data"/* packed && gzip packed/*-images*
both packed drop.plan packed
same_bits packed2
cp cifar/*.bin cifargz && gzip cifargz/*
both cifargz cifar.plan cifargz
cmp cifar{,gz}/*-1/last.safetensors || fail "cifar: packed, it has other bits"
sed 's/Scale/Resize(14, 14), Scale/; s/28, 28/14, 14/' drop.net >small.net
expect 0 netc small.net -o small.plan
both small small.plan "$data"
arrays() { # NAME INPUT TARGET OUTPUTS TRAIN LOSS
    printf '%s\n' "net $1" "input x : f32[$2]" "target y : $3" "out = x -> Flatten -> Linear($4)" 'output out' "data { $5 }" \
        'train {' "loss = $6(out, y)" 'optimizer = SGD(lr = 0.001)' 'epochs = 2' '}' >"$1.net"
    expect 0 netc "$1.net" -o "$1.plan"
    both "$1" "$1.plan" "$7"
}
cp "$ROOT/tests/arrays/keras.npz" keras
cp "$ROOT/tests/arrays/types.npz" all
arrays keras '1, 2, 3' 'class[4]' 4 '' CrossEntropy keras
arrays wide 3 'class[3]' 3 'train = npz("types.npz", "x_f8_little", "y_u8_big")' CrossEntropy all
arrays turned '3, 4, 5' 'class[2]' 2 'train = npz("types.npz", "x_last", "y_b1")' CrossEntropy all
arrays big 3 'class[3]' 3 'train = npz("types.npz", "x_i2_big", "y_column")' CrossEntropy all

# Tables: values to estimate, classes by name, and what is missing.
"$B/make_tables" tables
for set in iris housing titanic; do
    expect 0 netc "$ROOT/examples/table/$set.net" -o $set.plan
    both $set $set.plan tables/$set
    [ $set != housing ] || continue # it has no test set
    expect 0 netrun $set.plan --predict test --data tables/$set --runs $set
    mv out predicted
    expect 0 netrun $set.plan --predict test --data tables/$set --runs $set --loaders 2
    cmp out predicted || fail "$set: other answers than in memory"
done

# A file that is cut off, lengthened or written to while it is trained on is named; nothing dies of it.
for what in 'truncate -s 1000000' 'truncate -s +7' 'touch'; do
    rm -rf moving changes
    mkdir moving && cp "$data"/* moving
    "$NETRUN" --threads 1 drop.plan --train moving --runs changes --loaders 1 --epochs 100000 >out 2>err &
    for _ in $(seq 500); do
        [ ! -e changes/drop-1/best.safetensors ] || break
        sleep 0.02
    done
    $what moving/train-images-idx3-ubyte
    status=0
    wait $! || status=$?
    [ $status = 4 ] || fail "$what: status $status"
    says err '^netrun: error: moving/train-images-idx3-ubyte: changed while it was read'
done
