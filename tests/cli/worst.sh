# --test --worst N: the surest mistakes, those that the table shows, as a picture and in the event.
data=$(digits)
plan mlp
expect 0 netrun mlp.plan --train "$data" --steps 4
on() {
    expect 0 netrun mlp.plan --device "$1" --test "$data" --output all.csv
    awk -F , 'NR == 1 { for (i = 1; i <= NF; i++) { if ($i == "true") t = i; if ($i == "class") c = i }; next }
        $t != $c { print $(c + 1 + $c), $1, $t, $c }' all.csv | sort -k1,1gr -k2,2n | head -n 7 | cut -d ' ' -f 2- >expected
    expect 0 netrun mlp.plan --device "$1" --test "$data" --worst 7
    says out '^worst.png: the surest 7 mistakes$'
    [ "$(head -c 8 worst.png | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] || fail "no PNG"
    mv worst.png first.png
    expect 0 netrun mlp.plan --device "$1" --test "$data" --worst 7 --output w.png --json
    [ ! -e worst.png ] && cmp w.png first.png || fail "--output is another picture"
    "$B/tests/json_check" <out >count
    says out '"worst":\{"file":"w.png","samples":\['
    grep -o '"sample":[0-9]*,"true":[0-9]*,"predicted":[0-9]*' out | sed 's/[^0-9,]//g; s/,/ /g' | diff - expected || fail "other mistakes"
}
for device in cpu cuda; do
    if here $device; then on $device; fi
done

# Nothing is wrong: no picture.
expect 0 netrun mlp.plan --train "$data" --epochs 1 --device cpu
expect 0 netrun mlp.plan --predict 0 --data "$data" --device cpu --json
class=$(sed -E 's/.*"class":([0-9]).*/\1/' out)
mkdir one
printf '\0\0\010\003\0\0\0\001\0\0\0\034\0\0\0\034' >one/t10k-images-idx3-ubyte
images=$data/t10k-images-idx3-ubyte
[ -e "$images" ] || { gunzip -c "$images.gz" >images; images=images; }
tail -c +17 "$images" | head -c 784 >>one/t10k-images-idx3-ubyte
# shellcheck disable=SC2059
printf "\0\0\010\001\0\0\0\001\00$class" >one/t10k-labels-idx1-ubyte
expect 0 netrun mlp.plan --test one --worst 3 --output none.png --device cpu
says out '^no mistake, so none.png is not written$'
[ ! -e none.png ] || fail "a picture of nothing"

# What it is not for.
expect 2 netrun mlp.plan --test "$data" --worst 3 --output all.csv --device cpu
says err 'beside --worst it names the picture, a .png'
expect 2 netrun mlp.plan --train "$data" --worst 3
says err 'worst has no effect without --test'
expect 2 netrun mlp.plan --test "$data" --worst 0
cp mlp.plan mlp.png
expect 2 netrun mlp.png --test "$data" --worst 3 --output mlp.png --device cpu
says err 'would be lost'
cmp mlp.plan mlp.png
expect 4 netrun mlp.plan --test "$data" --worst 3 --output no/such.png --device cpu
plan xor
expect 2 netrun xor.plan --test --weights none --worst 3 --device cpu
says err 'net xor tells no classes apart'
