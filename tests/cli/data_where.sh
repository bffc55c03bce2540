# `train` and `test` of data { } name folders and files within the folder that --train names.
"$B/make_shapes" shapes --train 20 --test 5
"$B/make_digits" digits --train 60 --test 20 >/dev/null
said() { # NAME MODEL LINES: the model with lines more in its data
    sed "s#^data {#data {\n$3#" "$ROOT/$2" >$1.net
    expect 0 netc $1.net -o $1.plan
}
own=examples/own_pictures/shapes.net
losses() { grep -oE '"(loss|accuracy)":[^,}]*' "$1"/*/metrics.jsonl; }

# Two folders by other names are what train/ and test/ would be.
mkdir all
cp -r shapes/train all/mine
cp -r shapes/test all/yours
said folders $own 'train = "mine"\n test = "yours"'
said plain $own ''
expect 0 netrun folders.plan --train all --epochs 2 --runs folders
expect 0 netrun plain.plan --train shapes --epochs 2 --runs plain
cmp <(losses folders | cut -d: -f2-) <(losses plain | cut -d: -f2-) || fail "the same pictures elsewhere are trained otherwise"

# What is said stays with the run, and can be said again.
mv all/yours all/theirs
expect 4 netrun --resume folders/shapes-1 --epochs 3
says err 'all/yours: No such file or directory; the network has test = files\("yours"\)'
expect 0 netrun --resume folders/shapes-1 --epochs 3 --set data.test.samples=theirs
expect 2 netrun folders.plan --train all --set data.train.samples=../all/mine
says err '`data.train.samples` is a path within the folder of data, without `..`, in quotes, not `../all/mine`'

# Classes are the training set's; a folder that has both sets gives the one that is asked for.
mv all/theirs/circle all/theirs/disc
expect 4 netrun folders.plan --train all --set data.test.samples=theirs
says err 'all/theirs/disc: a class that the training set does not have'
said both $own 'train = "shapes"\n test = "shapes"'
expect 0 netrun both.plan --train . --epochs 2 --runs both
cmp <(losses both | cut -d: -f2-) <(losses plain | cut -d: -f2-) || fail "the same folder by its name is trained otherwise"
said mixed $own 'train = "shapes"\n test = "digits"'
expect 4 netrun mixed.plan --train .
says err 'digits: IDX, but the training set is pictures; expected one format'

# Samples and labels in files of any names; no test set unless it is said.
mkdir idx
cp digits/train-images-idx3-ubyte idx/a
cp digits/train-labels-idx1-ubyte idx/b
cp digits/t10k-images-idx3-ubyte idx/c
cp digits/t10k-labels-idx1-ubyte idx/d
mlp=models/mlp.net
said files $mlp 'train = files("a", "b")\n test = files("c", "d")'
said plain $mlp ''
expect 0 netrun files.plan --train idx --epochs 1 --runs files
expect 0 netrun plain.plan --train digits --epochs 1 --runs digits_runs
cmp <(losses files | cut -d: -f2-) <(losses digits_runs | cut -d: -f2-) || fail "the same files by other names are trained otherwise"
said alone $mlp 'train = files("idx/a", labels = "idx/b")'
expect 0 netrun alone.plan --train . --epochs 1 --json
! grep -q '"test":' out || fail "a test set that nobody named"
expect 4 netrun alone.plan --test .
says err '\.: no test set there'
expect 2 netrun files.plan --predict test --data idx --output idx/d
says err 'idx/d: this file is read here, and would be lost'

# What is no data, or half of them.
said half $mlp 'train = "idx/a"'
expect 4 netrun half.plan --train .
says err 'idx/a: IDX without labels; `files\("idx/a", "FILE"\)` says where they are'
said none $mlp 'train = "half.net"'
expect 4 netrun none.plan --train .
says err 'half.net: of no format of data that is known here'
said twice $mlp 'train = files("digits", "idx/b")'
expect 4 netrun twice.plan --train .
says err 'digits: a folder, which has labels in it; expected none in idx/b'

# A holdout of its own.
said held $own 'train = "shapes/train"\n holdout = "shapes/test"'
expect 0 netrun held.plan --train . --epochs 1 --json
says out '"event":"start",.*"samples":60,"holdout":15,'
! grep -q '"test":' out || fail "a holdout is called a test"
said held $mlp 'train = files("a", "b")\n holdout = files("c", "d")'
expect 0 netrun held.plan --train idx --epochs 1 --json
says out '"event":"start",.*"samples":60,"holdout":20,'

# Each choice of folders has its pictures in the cache. A file that was written less than three seconds ago is read again.
sleep 3.2
said one $own 'train = "shapes/train"'
said other $own 'train = "all/mine"'
for net in one other one; do
    expect 0 netrun $net.plan --train . --epochs 1 -v
done
says err '60 pictures, of which 0 were read and 0 decoded'
