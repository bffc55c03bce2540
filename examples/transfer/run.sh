#!/bin/sh
# Transfer learning: a network that tells circles from squares learns three shapes from 30 pictures of each, by its last layer alone.
# Half a minute. Needs `make`; EPOCHS=1 makes it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
rm -rf many few
cp "$here/two.net" "$here/three.net" .
epochs=${EPOCHS:-8}

say make_shapes many
say rm -r many/train/triangle many/test/triangle
say make_shapes few --train 30 --seed 2
say netc two.net -o two.plan
say netrun two.plan --train many --epochs "$epochs"
say netc three.net -o three.plan --summary
say netrun three.plan --train few --epochs "$epochs" --weights two-1 --partial
say netrun three.plan --test few --weights three-1 --quiet
say netc three.net -D rate=5e-3 -o whole.plan --summary
say netrun whole.plan --train few --epochs "$epochs"
say netrun three.plan --predict few/test/triangle/000001.jpg --weights three-1
