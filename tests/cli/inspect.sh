# --inspect: of data counts, shapes, classes, mean, deviation, images; of weights the same in numbers.
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
seq 10 | sed 's/^/number /' >own/classes.txt
expect 0 netrun --inspect own
says out '^    9 +[0-9]+ +[0-9]+  number 10$'
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

# Weights: of a file, of a run by its name, before training (those of a plan, a model, and --weights none are the same), beside others.
plan mlp
expect 0 netrun mlp.plan --train "$data" --steps 5 --device cpu
expect 0 netrun --inspect mlp-1
cp out run
says out '^runs/mlp-1/last.safetensors: 4 tensors, '
says out '^net mlp, epoch 0, step 5, seed 1'
says out '^fc1.weight +128x784 +100352 +-?[0-9.e-]+ +0\.0[0-9]+ +-0\.[0-9]+ +0\.[0-9]+$'
for what in runs/mlp-1 runs/mlp-1/ runs/mlp-1/last.safetensors; do
    expect 0 netrun --inspect $what
    cmp out run || fail "$what is another run"
done
expect 0 netrun --inspect runs/mlp-1/last.optimizer.safetensors
says out '^runs/mlp-1/last.optimizer.safetensors: 8 tensors, '
says out '^optimizer.exp_avg_sq.fc1.weight +128x784 '
expect 0 netrun --inspect mlp.plan
cp out plan
says out '^net mlp: 101770 parameters; as they are before training, of seed 1$'
expect 0 netrun --inspect "$ROOT/models/mlp.net"
cmp out plan || fail "the model is another than its plan"
expect 0 netrun --inspect mlp.plan --seed 2
! cmp -s out plan || fail "the seed has no effect"
expect 0 netrun mlp.plan --train "$data" --epochs 1 --lr 1e-30 --device cpu
expect 0 netrun --inspect mlp-2
for name in fc1.weight fc1.bias fc2.weight fc2.bias; do
    [ "$(grep "^$name " out)" = "$(grep "^$name " plan)" ] || fail "$name does not begin as the plan says"
done
expect 0 netrun --inspect "$ROOT/models/resnet20.net"
says out '^bn0.running_var +16 +16 +1 +0 +1 +1   state$'
expect 0 netrun --inspect runs/mlp-1/last.safetensors mlp-2
says out '^all +101770 +[0-9.e-]+ +[0-9.e-]+ +[0-9.e-]+$'
! grep 'only in' out || fail "weights have different names"
expect 0 netrun --inspect runs/mlp-1/last.optimizer.safetensors mlp-2
says out '^only in runs/mlp-1/last.optimizer.safetensors: optimizer\.'
expect 0 netrun --inspect mlp-2 mlp-2
says out '^all +101770 +0 +0 +0$'
expect 2 netrun --inspect mlp-1 mlp.plan
says err 'compares weights; what is .mlp.plan.'
expect 4 netrun --inspect "$data" mlp-1
says err 'neither a file of weights nor a run'
expect 2 netrun --inspect mlp-1 --output x.png
says err 'output is for pictures of data'
expect 2 netrun --inspect mlp.plan --output x.png
head -c 3000 runs/mlp-1/last.safetensors >cut.safetensors
expect 4 netrun --inspect cut.safetensors
says err 'cut.safetensors: tensor'
echo text >text
expect 4 netrun --inspect text
says err 'text: no plan'
expect 4 netrun --inspect nothing
says err 'nothing: No such file'
if real mnist; then
    expect 0 netrun --inspect "$DATA/mnist"
    says out 'train +60000 samples +u8\[1, 28, 28\]'
    says out 'mean 0.1307 +std 0.3081'
fi
if real cifar10; then
    expect 0 netrun --inspect "$DATA/cifar10"
    says out '3, 32, 32'
fi
