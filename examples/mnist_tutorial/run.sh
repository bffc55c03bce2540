#!/bin/sh
# The tutorial of README.md, all its commands. Needs `make`; under a minute, EPOCHS=1 makes it shorter.
# The digits are those in DATA/mnist if DATA is set, else those of `make data`, else drawn ones.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
B=$(cd "${B:-$root/build}" && pwd)
PATH=$B:$PATH

if [ -d "${DATA:-}/mnist" ]; then
    data=$(cd "$DATA/mnist" && pwd)
elif [ -e "$root/data/t10k-labels-idx1-ubyte" ] || [ -e "$root/data/t10k-labels-idx1-ubyte.gz" ]; then
    data=$root/data
else
    data=$B/examples/drawn
    echo "No MNIST here (make data): digits drawn by make_digits stand in."
    [ -e "$data/t10k-labels-idx1-ubyte" ] || make_digits "$data"     # the last that it writes
fi

mkdir -p "$B/examples/mnist_tutorial"
cd "$B/examples/mnist_tutorial"
rm -rf runs data
cp "$here/digits.net" "$here/seven.pgm" .
ln -s "$data" data

say() {
    printf '\n$ %s\n' "$*"
    "$@"
}

say netc digits.net -o digits.plan --summary
say netrun digits.plan --train data --epochs "${EPOCHS:-2}"
say netrun digits.plan --test data
say netrun digits.plan --predict seven.pgm
say netrun digits.plan --predict 7 --data data
say netrun digits.plan --train data --weights runs/digits-1/best.safetensors --epochs 1 --lr 1e-4
say netrun digits.plan --test data --weights runs/digits-2/best.safetensors
