#!/bin/sh
# Which devices are there, and a first network on the one that is taken. Needs `make`; seconds, EPOCHS=1 makes it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
digits
cp "$root/models/mlp.net" .

say netrun --devices
say netc mlp.net -o mlp.plan --summary
say netrun mlp.plan --train data --epochs "${EPOCHS:-5}"
say netrun mlp.plan --test data --quiet
say netrun mlp.plan --predict 7 --data data
say netrun mlp.net --train data --epochs 1 --sweep "device=cpu,cuda"
