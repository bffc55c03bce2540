# --predict of files, folders, indices and the test set, on every device that is here; --test with the newest run and with
# --weights.
data=$(digits)
plan mlp
expect 0 netrun mlp.plan --train "$data" --epochs 3
expect 0 netrun mlp.plan --test "$data"
cp out newest
expect 0 netrun mlp.plan --test "$data" --weights runs/mlp-1/best.safetensors
cmp out newest || fail "--weights of the same run tests otherwise"
expect 0 netrun mlp.plan --train "$data" --epochs 1 --lr 1e-9
expect 0 netrun mlp.plan --test "$data"
! cmp -s out newest || fail "--test does not take the newest run"
best="--weights runs/mlp-1/best.safetensors"

# The first image of the test set, as PGM and NPY, is recognised as by its index.
images=$data/t10k-images-idx3-ubyte
[ -e "$images" ] || { gunzip -c "$images.gz" >images; images=images; }
pixels() { tail -c +$((17 + 784 * $1)) "$images" | head -c 784; }
pgm() { printf 'P5\n28 28\n255\n'; pixels "$1"; }
npy() {
    printf '\223NUMPY\001\000\166\000'
    printf '%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': (28, 28), }"
}
mkdir images.d
pgm 0 >digit.pgm
pgm 1 >images.d/b.pgm
{ npy '|u1'; pixels 2; } >'images.d/a, "two".npy'
pgm 0 >images.d/c.pgm
echo text >images.d/notes.txt
mkdir images.d/folder
{ npy '|u1'; pixels 0; } >digit.npy
{ npy '<f4'; for ((i = 0; i < 784; i++)); do printf '\000\000\200\177'; done; } >infinite.npy

on() {
    local device=$1
    predict() {
        # shellcheck disable=SC2086
        expect "$1" netrun mlp.plan $best --device "$device" --data "$data" "${@:2}"
    }
    predict 0 --predict 0
    says out '^0: logits = class [0-9], [0-9.]+ % \(it is [0-9]\)( \(synthetic data\))?$'
    [ "$(wc -l <out)" = 11 ] || fail "not the class and ten probabilities"
    sed 1d out >by_index
    for file in digit.pgm digit.npy; do
        predict 0 --predict $file
        says out "^$file: logits = class [0-9], [0-9.]+ %( \(weights from synthetic data\))?\$"
        sed 1d out | cmp - by_index || fail "$file is recognised otherwise than by its index"
    done
    if command -v pnmtopng >/dev/null; then
        pnmtopng digit.pgm >digit.png
        predict 0 --predict digit.png
    fi
    printf 'P5\n28 28\n255\nshort' >short.pgm
    predict 4 --predict short.pgm
    says err 'short.pgm'
    predict 2 --predict 500
    says err 'the test set has 500 samples'
    predict 4 --predict no-such.png
    cp digit.pgm 7
    predict 0 --predict ./7
    says out '^\./7: '
    predict 0 --predict 7
    says out '^7.*it is'

    # All that is asked is answered, in its order.
    predict 0 --predict 1 --predict digit.pgm --predict 0 images.d 2
    cut -d : -f 1 out >names
    printf '%s\n' 1 digit.pgm 0 'images.d/a, "two".npy' images.d/b.pgm images.d/c.pgm 2 | diff - names || fail "other samples"
    says err '^netrun: images.d: passed over what is no image or sound: folder and others$'
    predict 4 --predict images.d/folder
    says err 'images.d/folder: no images or sounds there'

    # The whole set: what --test counts. Batches change nothing.
    predict 0 --predict test --output all.csv
    says out '^all.csv: 500 samples'
    head -n 1 all.csv >head
    says head '^sample,(synthetic,)?true,class,logits\.0,.*,logits\.9$'
    awk -F , 'NR > 1 { s = -1; for (i = NF - 9; i <= NF; i++) { s += $i; if ($i > $(NF - 9 + $(NF - 10)) + 0) exit 1 }
        if (s * s > 1e-9 || $1 != NR - 2) exit 1; right += $(NF - 11) == $(NF - 10) } END { printf "accuracy %.2f ", right / 5 }' all.csv >counted ||
        fail "a line is wrong: $(head -n 3 all.csv)"
    grep -qF "$(cat counted)" newest || fail "$(cat counted), but --test says $(cat newest)"
    for n in 1 17 499; do
        predict 0 --predict test --output - --set train.evaluation_batch=$n
        near all.csv out || fail "batches of $n give another table"
    done

    # Files in tables; names in quotes where they must be.
    predict 0 --predict images.d --predict 1 --output files.csv
    says files.csv '^"images.d/a, ""two"".npy",(data,)?,[0-9],'
    says files.csv '^1,(data,)?[0-9],[0-9],'
    predict 0 --predict images.d --output files.csv
    says files.csv '^sample,(synthetic,)?class,logits.0,'
    [ "$(wc -l <files.csv)" = 4 ] || fail "not three samples: $(cat files.csv)"
    rm files.csv
    predict 4 --predict images.d --predict short.pgm --output files.csv
    [ ! -e files.csv ] && ! ls -A | grep -q tmp || fail "a part of a table is left"
    predict 4 --predict test --output no/such/folder.csv
    says err 'no/such/folder.csv'
    ln -s target.csv link.csv
    predict 0 --predict 0 --output link.csv
    [ -h link.csv ] && says target.csv ^sample || fail "a link is not followed"
    predict 0 --predict 1 --output link.csv
    [ -h link.csv ] && says target.csv ^1, || fail "a link is not followed"
    rm link.csv target.csv
    [ ! -e /dev/full ] || predict 4 --predict test --output /dev/full
    predict 2 --predict 0 --json --output -

    # Values alone; and what is not finite has no class.
    predict 0 --predict 0 --raw
    says out '^0: logits =( -?[0-9][-0-9.e]*){10} \(it is class [0-9]\)( \(synthetic data\))?$'
    predict 0 --predict 0 --raw --output -
    says out '^sample,(synthetic,)?true,logits\.0,'
    predict 0 --predict infinite.npy digit.pgm
    says out '^infinite.npy: logits = no class, its values are not finite'
    says out '^digit.pgm: logits = class'
    predict 0 --predict infinite.npy --json
    says out '"outputs":\{"logits":\{"probabilities":\[null,'
    predict 0 --predict infinite.npy --output -
    says out '^infinite.npy,(weights,)?,nan,nan'
}
for device in cpu cuda; do
    if here $device; then on $device; fi
done

# A network that takes the pixels in another shape, as it does from the data set, takes them from files.
for shape in 784 1,784 28,28 1,1,28,28; do
    sed -e "s/^input .*/input image : f32[$shape]/" "$ROOT/models/mlp.net" >shaped.net
    expect 0 netc shaped.net -o shaped.plan
    for what in "images.d digit.pgm digit.npy" "0 --data $data"; do
        # shellcheck disable=SC2086
        expect 0 netrun mlp.plan $best --predict $what --output whole.csv
        # shellcheck disable=SC2086
        expect 0 netrun shaped.plan $best --predict $what --output shaped.csv
        near whole.csv shaped.csv || fail "f32[$shape] predicts otherwise"
    done
done

# Values in 0..1 where the plan scales bytes.
{ npy '<f4'; for ((i = 0; i < 392; i++)); do printf '\0\0\0\0\0\0\200\077'; done; } >scaled.npy
# shellcheck disable=SC2086
expect 0 netrun mlp.plan $best --predict scaled.npy
says err 'warning: samples lie in 0\.\.1'
# shellcheck disable=SC2086
expect 0 netrun mlp.plan $best --predict digit.pgm
! grep warning err || fail "bytes are warned of"

# Stopped in the middle (the pipe is full before all is told), it leaves no part of a table.
mkfifo slow
# shellcheck disable=SC2086
"$NETRUN" mlp.plan $best --threads 1 --data "$data" --predict test --json --quiet --output stopped.csv >slow 2>err &
exec 5<slow
read -r line <&5
kill -TERM $!
cat <&5 >/dev/null
status=0
wait $! || status=$?
[ $status = 143 ] && [ ! -e stopped.csv ] && ! ls -A | grep -q tmp || fail "status $status: $(ls -A)"
says err 'stopped.csv is not written'

# What is read is not written, by whatever name.
ln -sf digit.pgm alias.pgm
for path in mlp.plan digit.pgm alias.pgm runs/mlp-1/best.safetensors; do
    expect 2 netrun mlp.plan --predict digit.pgm $best --output $path
    says err 'would be lost'
done
echo 'fc1=fc1' >names
expect 2 netrun mlp.plan --predict digit.pgm --weights runs/mlp-1/best.safetensors --map names --output ./names
says err 'would be lost'
[ "$(cat names)" = 'fc1=fc1' ]
expect 0 netrun mlp.plan --predict digit.pgm $best
cp -r "$data" own
for path in own/t10k-images-idx3-ubyte ./own/train-labels-idx1-ubyte; do
    expect 2 netrun mlp.plan --predict test --data own $best --output $path
    says err 'would be lost'
done
cmp own/t10k-images-idx3-ubyte "$data/t10k-images-idx3-ubyte"
expect 0 netrun mlp.plan --predict 0 --data own $best --output own/table.csv

expect 2 netrun mlp.plan --test "$data" --raw
expect 2 netrun mlp.plan --predict test
says err 'name the data folder: .*--data DIR beside --predict'
mkfifo pipe
for what in "--weights pipe --predict digit.pgm" "$best --predict pipe"; do
    seconds=20 expect 4 netrun mlp.plan $what          # and waits for nobody
    says err 'pipe: is not a regular file'
done
head -c 3000 runs/mlp-1/best.safetensors >cut.safetensors
expect 4 netrun mlp.plan --test "$data" --weights cut.safetensors
plan mlp3
expect 4 netrun mlp3.plan --test "$data" $best
