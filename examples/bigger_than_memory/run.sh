#!/bin/sh
# Trains on a set four times as large as the memory that the process may have, and to the same bits as in memory. Half a minute, and
# 180 MB of disk. Needs `make`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
rm -rf digits large
limit=44000     # KiB of address space, for program, network, buffers and all

# 232,000 digits: 2,000 drawn ones, 116 times.
make_digits digits --train 2000 --test 500
mkdir large
cp digits/t10k-* digits/SYNTHETIC large
copies() { for i in $(seq 116); do tail -c +"$2" "digits/$1"; done; }
{ printf '\0\0\010\003\0\003\212\100\0\0\0\034\0\0\0\034'; copies train-images-idx3-ubyte 17; } >large/train-images-idx3-ubyte
{ printf '\0\0\010\001\0\003\212\100'; copies train-labels-idx1-ubyte 9; } >large/train-labels-idx1-ubyte

# limited COMMAND...: with so much memory, if the program starts with that: what is built with a sanitizer takes more.
limited() {
    printf '\n$ ulimit -v %s; %s\n' $limit "$*"
    (ulimit -v $limit && netrun --version >/dev/null 2>&1) || { echo "No limit: this netrun takes more by itself."; limit=unlimited; }
    (ulimit -v $limit && "$@")
}

cp "$root/models/mlp.net" .
say netc mlp.net -o mlp.plan
say wc -c large/train-images-idx3-ubyte
say netrun mlp.plan --train large --epochs 1 --batch 256 --device cpu --threads 1
limited netrun mlp.plan --train large --epochs 1 --batch 256 --device cpu --threads 1
say cmp runs/mlp-1/last.safetensors runs/mlp-2/last.safetensors
echo "the same bits"
