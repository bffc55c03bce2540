#!/bin/sh
# The table of runs of the deeplizard course: learning rate 0.01, batches of 1000, 10000, 20000, each device. Needs `make`; minutes,
# EPOCHS=1 makes it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
clothes
cp "$root/models/fashion_lenet.net" .

say netrun fashion_lenet.net --train fashion --epochs "${EPOCHS:-3}" --output table.csv \
    --sweep "train.optimizer.lr=0.01; train.batch=1000,10000,20000; device=cpu,cuda"
say netrun fashion_lenet.net --test fashion --quiet --weights runs/fashion_lenet-sweep-1/fashion_lenet-1
say netrun fashion_lenet.net --predict 0 --data fashion --weights runs/fashion_lenet-sweep-1/fashion_lenet-1
