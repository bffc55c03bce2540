#!/bin/sh
# Two recipes for CIFAR-10: a residual network with crop and flip, and a smaller one that learns faster. Needs `make` and CIFAR-10's
# binary version in DATA/cifar10; a quarter of an hour, EPOCHS=1 makes it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
if [ -d "${DATA:-}/cifar10" ]; then
    link_to "$DATA/cifar10" data
else
    echo "No CIFAR-10 here: coloured digits drawn by make_digits stand in."
    make_digits "$B/examples/drawn_in_colour" --cifar --train 1000 --test 500
    link_to "$B/examples/drawn_in_colour" data      # which may be a link to the real ones, of a run before
fi
cp "$here/fast.net" "$root/models/resnet20.net" .

say netrun fast.net --inspect data --augment
say netrun fast.net --train data --epochs "${EPOCHS:-15}"
say netrun resnet20.net --train data -D "data.augment=[RandomCrop(pad = 4), RandomFlip]" --epochs "${EPOCHS:-30}"
