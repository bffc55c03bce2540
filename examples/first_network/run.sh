#!/bin/sh
# Trains the smallest network and asks it for its four answers: a second. Needs `make`; EPOCHS=50 makes it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
cp "$here/xor.net" .

say netc xor.net -o xor.plan --summary
epochs=${EPOCHS:-200}
printf '\n$ netrun xor.plan --train --epochs %s | tail -n 4\n' "$epochs"
netrun xor.plan --train --epochs "$epochs" | tail -n 4
say netrun xor.plan --test
for sample in 0 1 2 3; do
    say netrun xor.plan --predict $sample
done
