#!/bin/sh
# The tutorial of README.md, all its commands. Needs `make`; under a minute, EPOCHS=1 makes it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
digits
cp "$here/digits.net" "$here/seven.pgm" .

say netc digits.net -o digits.plan --summary
say netrun digits.plan --train data --epochs "${EPOCHS:-2}"
say netrun digits.plan --test data
say netrun digits.plan --predict seven.pgm
say netrun digits.plan --predict 7 --data data
say netrun digits.plan --train data --weights runs/digits-1/best.safetensors --epochs 1 --lr 1e-4
say netrun digits.plan --test data --weights runs/digits-2/best.safetensors
