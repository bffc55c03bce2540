#!/bin/sh
# The network of ../mnist_tutorial on other data. Needs `make`; under a minute, EPOCHS=1 makes it shorter.
# The clothes are those in DATA/fashion if DATA is set, else those of `make data SET=fashion`. Exit status 4: there are none.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
B=$(cd "${B:-$root/build}" && pwd)
PATH=$B:$PATH

data=${DATA:-$root/data}/fashion
if [ ! -d "$data" ] || [ -e "$data/SYNTHETIC" ]; then
    what="is not there"
    [ ! -d "$data" ] || what="holds digits that make_digits drew; a result on them would not be one on clothes"
    echo "run.sh: $data $what" >&2
    echo "run.sh: make data SET=fashion fetches Fashion-MNIST where there is a network; DATA= names a folder with fashion/" >&2
    exit 4
fi
data=$(cd "$data" && pwd)

mkdir -p "$B/examples/fashion"
cd "$B/examples/fashion"
rm -rf runs fashion
cp "$here/../mnist_tutorial/digits.net" .
ln -s "$data" fashion

say() {
    printf '\n$ %s\n' "$*"
    "$@"
}

say netrun --inspect fashion
say netc digits.net -o fashion.plan
say netrun fashion.plan --train fashion --epochs "${EPOCHS:-3}"
say netrun fashion.plan --test fashion
say netrun fashion.plan --predict 0 --data fashion
