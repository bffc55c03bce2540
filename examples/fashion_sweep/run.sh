#!/bin/sh
# The table of runs of the deeplizard course: learning rate 0.01, batches of 1000, 10000, 20000, each device. Needs `make`; minutes,
# EPOCHS=1 makes it shorter. The clothes are those in DATA/fashion if DATA is set, else those of `make data SET=fashion`. Exit status 4:
# there are none.
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

mkdir -p "$B/examples/fashion_sweep"
cd "$B/examples/fashion_sweep"
rm -rf runs fashion
cp "$root/models/fashion_lenet.net" .
ln -s "$data" fashion

say() {
    printf '\n$'
    for word in "$@"; do
        case $word in *[\ \;]*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
    "$@"
}

say netrun fashion_lenet.net --train fashion --epochs "${EPOCHS:-3}" --output table.csv \
    --sweep "train.optimizer.lr=0.01; train.batch=1000,10000,20000; device=cpu,cuda"
say netrun fashion_lenet.net --test fashion --quiet --weights runs/fashion_lenet-sweep-1/fashion_lenet-1
say netrun fashion_lenet.net --predict 0 --data fashion --weights runs/fashion_lenet-sweep-1/fashion_lenet-1
