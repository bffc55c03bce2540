#!/bin/sh
# ResNet-18 learns five classes of CIFAR-10; then its last layer alone learns the five others from 50 pictures of each, and a new network
# learns all of its layers from these. Needs `make` and, in DATA/cifar10, data_batch_1 and test_batch of CIFAR-10's binary version, packed
# or not. Minutes, half an hour on a busy core; EPOCHS=1 PICTURES=50 makes it shorter, and what follows goes to netrun: -D width=16, --threads 1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
rm -rf old few rest drawn
pictures=${PICTURES:-500}
mkdir old few rest
from=${DATA:-}/cifar10
if [ ! -d "$from" ]; then
    echo "No CIFAR-10 here: coloured digits drawn by make_digits stand in."
    from=drawn
    make_digits $from --cifar --train $((15 * pictures + 1000)) --test 3000
    for folder in old few rest; do cp $from/SYNTHETIC $folder; done
fi
cp "$here/resnet18.net" .

# records FILE FIRST N: the first N pictures of each of the classes FIRST to FIRST + 4, which become 0 to 4.
records() {
    if [ -e "$from/$1.gz" ]; then gzip -dc "$from/$1.gz"; else cat "$from/$1"; fi >batch.bin
    od -An -v -tu1 -w3073 batch.bin | cut -c 2-4 | awk -v first="$2" -v n="$3" '
        $1 >= first && $1 < first + 5 && ++seen[$1] <= n { print $1 - first, (NR - 1) * 3073 + 2 }' |
        while read -r class at; do
            printf "%b" "\\0$class"
            tail -c +"$at" batch.bin | head -c 3072
        done
    rm batch.bin
}
records data_batch_1.bin 0 "$pictures" >old/data_batch_1.bin
records test_batch.bin 0 100 >old/test_batch.bin
records data_batch_1.bin 5 50 >few/data_batch_1.bin
records test_batch.bin 5 200 >rest/test_batch.bin

say netrun resnet18.net -D classes=5 --train old --epochs "${EPOCHS:-2}" "$@"
printf '\n$ sed s/fc/last/ resnet18.net >last.net\n'
sed s/fc/last/ resnet18.net >last.net
say netrun last.net -D classes=5 -D rate=0 --train few --epochs "${EPOCHS:-20}" --weights resnet18-1 --partial "$@"
say netrun last.net -D classes=5 -D rate=0 --test rest --quiet --weights resnet18-2 "$@"
say netrun last.net -D classes=5 --train few --epochs "${EPOCHS:-20}" "$@"
say netrun last.net -D classes=5 --test rest --quiet --weights resnet18-3 "$@"
