# A folder of pictures for each class: PNG and JPEG of any sizes, brought to the network's by transforms.
"$B/make_shapes" shapes --train 40 --test 10
plan() { sed "s/Resize(32, 32), /$2/; s/f32\[3, /f32[${3:-3}, /" "$ROOT/examples/own_pictures/shapes.net" >$1.net; expect 0 netc $1.net -o $1.plan; }
plan shapes 'Resize(32, 32), '

# Classes are numbered by their names; the test set's are those of the training set.
echo note >shapes/train/square/notes.txt
expect 0 netrun shapes.plan --train shapes --epochs 2 --runs runs --json --threads 2
says out '"event":"start",.*"samples":120,'
says out '"event":"epoch".*"test":.*"n":30'
says err '^netrun: shapes: 1 file beside the samples is none and passed over$'
expect 0 netrun shapes.plan --test shapes
says out '^2 triangle '
cp out whole

# One picture is answered as it was in the test set.
expect 0 netrun shapes.plan --predict shapes/test/circle/000001.jpg shapes/test/triangle/000000.png --json
grep -o '"probabilities":[^]]*' out >alone
expect 0 netrun shapes.plan --data shapes --predict test --json
grep -o '"probabilities":[^]]*' out | sed -n '2p;21p' >among
[ -s alone ] && cmp alone among || fail "a picture alone is answered otherwise"

# The weights know the classes by name; data whose folders have other names are not these.
expect 0 netrun shapes.plan --predict shapes/test/circle/000001.jpg
says out '^ +[0-2] +[0-9.]+ %  (circle|square|triangle)$'
says out ': logits = class [0-2] (circle|square|triangle), '
expect 0 netrun shapes.plan --data shapes --predict 29 --json
says out '"true":2,"outputs":\{"logits":\{"class":[0-2],"name":"(circle|square|triangle)",'
cp -r shapes other
mv other/train/circle other/train/round && mv other/test/circle other/test/round
expect 0 netrun shapes.plan --test other --weights runs/shapes-1
says err 'warning: class 0 of the data is `round`, but of the weights runs/shapes-1/best.safetensors it is `circle`'
rm -r other

# The same samples in one folder, with a holdout; in folders within a class; as links.
mkdir one nested linked
cp -r shapes/train/* one
expect 0 netrun shapes.plan --train one --epochs 1 --set data.holdout=0.25 --json
says out '"event":"start",.*"samples":90,"holdout":30,'
for class in circle square triangle; do
    mkdir -p nested/train/$class/a/b
    cp shapes/train/$class/*0.png nested/train/$class/a/b
    cp shapes/train/$class/*1.jpg nested/train/$class
    mkdir -p linked/train/$class
    ln -s "$PWD/shapes/train/$class/"*0.png "$PWD/shapes/train/$class/"*1.jpg linked/train/$class
done
expect 0 netrun --inspect nested
expect 0 netrun shapes.plan --train nested --epochs 1 --json
says out '"event":"start",.*"samples":24,'
expect 0 netrun shapes.plan --train linked --epochs 1 --json
says out '"event":"start",.*"samples":24,'

# What does not go together says what to write.
plan asis ''
expect 4 netrun asis.plan --train shapes
says err 'shapes/train/circle/000000.png: its samples are 3x[0-9]+x[0-9]+, but input `picture` of the network is 3x32x32; `data \{ transform = \[Resize\(32, 32\), ...\] \}` makes pictures so'
plan short 'Resize(32), '
expect 4 netrun short.plan --train shapes
says err 'shapes/train/circle/0000[0-9]*\...g: .*Resize\(32, 32\)'
plan cropped 'CenterCrop(64), Resize(32, 32), '
expect 4 netrun cropped.plan --train shapes
says err 'shapes/train/circle/000001.jpg: the picture is [0-9]+ wide and [0-9]+ high, and is smaller than CenterCrop leaves: put Resize before it'
plan both 'Resize(40), CenterCrop(32), '
expect 0 netrun both.plan --train shapes --epochs 1
cp -r shapes mixed
"$B/make_digits" digits --train 30 --test 10 >/dev/null
cp "$ROOT/tests/pictures/grey.jpg" mixed/train/square
expect 4 netrun shapes.plan --train mixed
says err 'mixed/train/square/grey.jpg: the picture is grey, but mixed/train/circle/000000.png is in colour; `Gray` or `Color` makes them alike'
plan grey 'Gray, Resize(32, 32), ' 1
expect 0 netrun grey.plan --train mixed --epochs 1
plan colour 'Resize(32, 32), Color, '
expect 0 netrun colour.plan --train mixed --epochs 1

# MNIST's pictures too, at another size and in colour.
sed 's/class\[3\]/class[10]/; s/Linear(3)/Linear(10)/' colour.net >digits.net
expect 0 netc digits.net -o digits.plan
expect 0 netrun digits.plan --train digits --epochs 1
sed 's/Resize(32, 32), Color, /Resize(28, 28), /; s/f32\[3, 32, 32\]/f32[1, 28, 28]/' digits.net >same.net
sed 's/Resize(28, 28), //' same.net >plain.net
for net in same plain; do
    expect 0 netc $net.net -o $net.plan
    expect 0 netrun $net.plan --train digits --epochs 1 --runs $net
done
cmp <(grep -o '"loss":[^,]*' same/shapes-1/metrics.jsonl) <(grep -o '"loss":[^,]*' plain/shapes-1/metrics.jsonl) || fail "a size that they have already changes them"

# What is called a picture and begins like none is a damaged one; letters of its ending may be of either case.
for name in empty.jpg wrong.PNG; do
    cp -r shapes called
    [ $name = empty.jpg ] && : >called/train/circle/$name || echo RIFF >called/train/circle/$name
    expect 4 netrun shapes.plan --train called
    says err "^netrun: error: called/train/circle/$name: "
    expect 0 netrun shapes.plan --train called --epochs 1 --skip-damaged --runs called-runs
    says err "1 damaged picture is left out; the first: called/train/circle/$name: "
    rm -r called
done

# A picture that is damaged is named; so is what is no set.
rm -r mixed
cp -r shapes mixed
truncate -s 300 mixed/train/square/000007.jpg mixed/train/triangle/000003.jpg
expect 4 netrun shapes.plan --train mixed
says err 'mixed/train/square/000007.jpg: damaged JPEG: '
cp shapes/test/circle/000001.jpg mixed/train/circle/000000.png    # named otherwise
head -c 100 shapes/test/circle/000000.png >mixed/train/circle/000000.png
expect 0 netrun shapes.plan --train mixed --epochs 1 --skip-damaged --runs skipped --json
says err '^netrun: mixed: 3 damaged pictures are left out; the first: mixed/train/circle/000000.png: damaged PNG: '
says out '"event":"start",.*"samples":117,'
rm mixed/train/circle/000000.png mixed/train/square/000007.jpg mixed/train/triangle/000003.jpg
expect 0 netrun shapes.plan --train mixed --epochs 1 --runs skipped
cmp skipped/shapes-1/best.safetensors skipped/shapes-2/best.safetensors || fail "what is left is not trained alike"
head -c 100 shapes/test/circle/000000.png >mixed/train/circle/000000.png
expect 4 netrun --rerun skipped/shapes-2
expect 0 netrun --resume skipped/shapes-1 --epochs 2
says err '1 damaged picture is left out'
mkdir mixed/testing
expect 4 netrun shapes.plan --train mixed
says err 'mixed: both test and testing are there; expected one of them'
rmdir mixed/testing
mkdir mixed/test/star
expect 4 netrun shapes.plan --train mixed
says err 'mixed/test/star: a class that the training set does not have'
mv mixed/test/star mixed/train
expect 4 netrun shapes.plan --train mixed
says err 'mixed/train/star: nothing of a class is there; expected pictures'
mkdir -p bare/a bare/b
expect 4 netrun shapes.plan --train bare
says err 'bare: no data recognised; expected .*, or a folder of pictures or sounds for each class; its subfolders are a, b'

# No output may take a picture's place.
cp shapes/test/circle/000000.png kept.png
expect 2 netrun shapes.plan --test shapes --weights runs/shapes-1 --output shapes/test/circle/000000.png
cmp kept.png shapes/test/circle/000000.png || fail "a picture was written over"
