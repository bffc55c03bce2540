#!/bin/sh
# SmallCNN: curves, weights saved and loaded under PyTorch's names, one image, and the same on clothes. Needs `make`; two minutes on two
# cores, EPOCHS=1 makes it shorter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
digits
cp "$root/models/mnist_cnn.net" "$here/sequential.txt" "$here/../mnist_tutorial/seven.pgm" .
epochs=${EPOCHS:-5}

# What Python's save_file(net.state_dict(), "pytorch.safetensors") would have written: the tensors of FILE under the names of a
# Sequential. The header of a safetensors file is its length in 8 bytes, the lowest first, then JSON, blanks at its end.
sequential() {
    n=$(od -An -N8 -tu8 "$1" | tr -d ' ')
    head -c $((n + 8)) "$1" | tail -c "$n" |
        sed 's/"conv1\./"features.0./g; s/"conv2\./"features.3./g; s/"fc1\./"classifier.1./g; s/"fc2\./"classifier.4./g' >header
    while [ $(($(wc -c <header) % 8)) != 0 ]; do printf ' ' >>header; done
    length=$(wc -c <header)
    printf "\\$(printf %o $((length % 256)))\\$(printf %o $((length / 256)))\\0\\0\\0\\0\\0\\0"
    cat header
    tail -c +$((n + 9)) "$1"
}

say netc mnist_cnn.net -o mnist_cnn.plan --summary
say netrun mnist_cnn.plan --train data --epochs "$epochs"
say netrun mnist_cnn.plan --test data
say netrun mnist_cnn.plan --predict seven.pgm

sequential runs/mnist_cnn-1/best.safetensors >pytorch.safetensors
say netrun --inspect pytorch.safetensors
say netrun mnist_cnn.plan --test data --quiet --weights pytorch.safetensors --map sequential.txt

clothes
say netrun --inspect fashion --output classes.png
say netrun mnist_cnn.plan --train fashion --epochs "$epochs"
say netrun mnist_cnn.plan --test fashion
say netrun mnist_cnn.plan --predict 0 --data fashion
say netrun --plot mnist_cnn-1 mnist_cnn-2 --output both.svg
