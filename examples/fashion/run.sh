#!/bin/sh
# The network of ../mnist_tutorial on other data. Needs `make`; under a minute, EPOCHS=1 makes it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../clothes.sh"
cp "$here/../mnist_tutorial/digits.net" .

say netrun --inspect fashion
say netc digits.net -o fashion.plan
say netrun fashion.plan --train fashion --epochs "${EPOCHS:-3}"
say netrun fashion.plan --test fashion
say netrun fashion.plan --predict 0 --data fashion
