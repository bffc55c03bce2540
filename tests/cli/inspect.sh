# --inspect: counts, shapes, classes, mean, deviation, images.
data=$(digits)
expect 0 netrun --inspect "$data"
says out 'train +2000 samples'
says out 'test +500 samples'
says out 'class\[10\]'
says out 'mean 0\.[0-9]+ +std 0\.[0-9]+'
says out '[@#]'
# A sheet: a row for each class. What is read is not written; vectors are no images.
expect 0 netrun --inspect "$data" --output sheet.png
says out '^sheet.png: 10 images of each class$'
[ "$(head -c 8 sheet.png | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] || fail "no PNG"
# 10 images of 28 x 28 twice as large in a row, gaps of 8, a digit at the left: 28 x 64 + 20 wide, 648 high.
[ "$(tail -c +17 sheet.png | head -c 8 | od -An -tx1 | tr -d ' ')" = "$(printf '%08x%08x' $((8 + 12 + 8 + 10 * 64)) $((8 + 10 * 64)))" ] ||
    fail "another size: $(file sheet.png)"
cp -r "$data" own
expect 2 netrun --inspect own --output own/train-labels-idx1-ubyte
says err 'would be lost'
expect 4 netrun --inspect "$data" --output no/such/sheet.png
says err 'no/such/sheet.png'
mkdir vectors
printf '\0\0\010\002\0\0\0\003\0\0\0\002abcdef' >vectors/test-samples-idx2
printf '\0\0\010\001\0\0\0\003\0\1\1' >vectors/test-labels-idx1
expect 0 netrun --inspect vectors
expect 4 netrun --inspect vectors --output vectors.png
says err 'vectors/test-samples-idx2: these samples are no images'
if real mnist; then
    expect 0 netrun --inspect "$DATA/mnist"
    says out 'train +60000 samples +u8\[1, 28, 28\]'
    says out 'mean 0.1307 +std 0.3081'
fi
if real cifar10; then
    expect 0 netrun --inspect "$DATA/cifar10"
    says out '3, 32, 32'
fi
