#!/bin/sh
# Trains a network that says of each pixel what it is: drawn shapes with masks. Half a minute. Needs `make`; EPOCHS=1 makes it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
rm -rf shapes
cp "$here/masks.net" .

epochs=${EPOCHS:-8}
say make_shapes --masks shapes
printf '\n$ ls shapes/train/* | head -n 3\n'
ls shapes/train/* | head -n 3
printf '\n$ netrun --inspect shapes --output sheet.png | head -n 11\n'
netrun --inspect shapes --output sheet.png | head -n 11
say netc masks.net -o masks.plan
say netrun masks.plan --train shapes --epochs "$epochs"
say netrun masks.plan --test shapes
say netrun masks.plan --predict shapes/test/images/000001.jpg --output answer.csv
