#!/bin/sh
# The assignment: two networks, 10 epochs and 10 more, losses, times, parameters, FLOPs, CPU beside GPU. Needs `make`; ten minutes on
# two cores, EPOCHS=1 makes it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
digits
cp "$root/models/mlp3.net" "$root/models/strided_cnn.net" .
epochs=${EPOCHS:-10}

for net in mlp3 strided_cnn; do
    say netc $net.net -o $net.plan --summary --flops=thop
    say netrun $net.plan --train data --epochs "$epochs" --log-every 100
    say netrun --resume last --epochs $((2 * epochs)) --log-every 100
done
say netrun --plot mlp3-1 strided_cnn-1 --output losses.svg
for net in mlp3 strided_cnn; do
    say netrun $net.net --train data --epochs 1 --sweep "device=cpu,cuda"
done
say netrun --runs --sort accuracy
say netrun strided_cnn.plan --predict 7 --data data
