#!/bin/sh
# Trains on a folder of pictures for each class: drawn shapes, PNG and JPEG of many sizes. Half a minute. Needs `make`; EPOCHS=1 makes
# it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
B=$(cd "${B:-$here/../../build}" && pwd)
PATH=$B:$PATH

mkdir -p "$B/examples/own_pictures"
cd "$B/examples/own_pictures"
rm -rf runs shapes
cp "$here/shapes.net" .

say() {
    printf '\n$ %s\n' "$*"
    "$@"
}

epochs=${EPOCHS:-8}
say make_shapes shapes
printf '\n$ ls shapes/train shapes/train/circle | head -n 9\n'
ls shapes/train shapes/train/circle | head -n 9
printf '\n$ netrun --inspect shapes --output sheet.png | head -n 12\n'
netrun --inspect shapes --output sheet.png | head -n 12
say netc shapes.net -o shapes.plan
say netrun shapes.plan --train shapes --epochs "$epochs"
say netrun shapes.plan --test shapes --worst 25 --output worst.png
say netrun shapes.plan --predict shapes/test/square/000001.jpg
