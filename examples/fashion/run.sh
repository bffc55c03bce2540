#!/bin/sh
# The network of ../mnist_tutorial on other data. Needs `make`; under a minute, EPOCHS=1 makes it shorter.
# The clothes are those in DATA/fashion if DATA is set, else those of `make data SET=fashion`, else drawn digits.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
B=$(cd "${B:-$root/build}" && pwd)
PATH=$B:$PATH

if [ -d "${DATA:-}/fashion" ]; then
    data=$(cd "$DATA/fashion" && pwd)
elif [ -d "$root/data/fashion" ]; then
    data=$root/data/fashion
else
    data=$B/examples/drawn_2
    echo "No Fashion-MNIST here (make data SET=fashion): digits drawn by make_digits stand in."
    [ -d "$data" ] || make_digits "$data" --seed 2
fi

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
