#!/bin/sh
# Trains mnist_cnn on the data in a folder, tests it and recognises five digits.
#
#   tools/demo.sh DIR
set -eu

data=$1
bin=${B:-build}
plan=$bin/mnist_cnn.plan

say() {
    printf '\n$ %s\n' "$*"
    "$@"
}

say "$bin/netc" models/mnist_cnn.net --summary -o "$plan"
say "$bin/netrun" "$plan" --train "$data" --epochs 3
say "$bin/netrun" "$plan" --test "$data"
for index in 0 1 2; do
    say "$bin/netrun" "$plan" --predict "$index" --data "$data"
done
printf '\nTo go on as in README.md:  export PATH="%s:$PATH"\n' "$(cd "$bin" && pwd)"
