#!/bin/sh
# Puts MNIST or Fashion-MNIST into a folder: from a mirror where there is a network, drawn by make_digits otherwise.
# Every file is checked by the SHA-256 of its unpacked bytes before it gets its name; a folder that already holds the
# right files is left alone.
#
#   tools/get_data.sh DIR [mnist|fashion]
#
# Environment:
#   MAKE_DIGITS  the generator (build/make_digits)
#   MIRRORS      base URLs to try instead of the built-in ones, separated by spaces; file:// works; - for none
#   TIMEOUT      seconds to wait for a mirror to answer (8); a file may take ten times as long
#
# Exit status: 0 the folder holds a data set (real, or synthetic, which is said), 2 usage, 4 neither could be had.
set -u

name=get_data.sh

usage() {
    echo "usage: $name DIR [mnist|fashion]" >&2
    exit 2
}

case $# in 1 | 2) ;; *) usage ;; esac
dir=$1
set_name=${2:-mnist}
make_digits=${MAKE_DIGITS:-build/make_digits}
timeout=${TIMEOUT:-8}
synthetic_note=$dir/SYNTHETIC

classes=
case $set_name in
mnist)
    mirrors="https://ossci-datasets.s3.amazonaws.com/mnist
             https://storage.googleapis.com/cvdf-datasets/mnist"
    sums="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db train-images-idx3-ubyte
          65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5 train-labels-idx1-ubyte
          0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7 t10k-images-idx3-ubyte
          ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2 t10k-labels-idx1-ubyte"
    ;;
fashion)
    mirrors="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com
             https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion"
    sums="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888 train-images-idx3-ubyte
          bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9 train-labels-idx1-ubyte
          5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b t10k-images-idx3-ubyte
          0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34 t10k-labels-idx1-ubyte"
    classes="T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
    ;;
*) usage ;;
esac
[ "${MIRRORS:-}" = "" ] || mirrors=$MIRRORS
[ "$mirrors" != "-" ] || mirrors=""

sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum | cut -d' ' -f1
    else
        shasum -a 256 | cut -d' ' -f1
    fi
}

# has_file SUM FILE: DIR holds it, plain or packed, as netrun would read it.
has_file() {
    if [ -f "$dir/$2" ]; then
        [ "$(sha256 <"$dir/$2")" = "$1" ]
    else
        [ -f "$dir/$2.gz" ] && [ "$(gzip -dc "$dir/$2.gz" 2>/dev/null | sha256)" = "$1" ]
    fi
}

has_all() {
    while read -r sum file; do
        has_file "$sum" "$file" || return 1
    done <<EOF
$sums
EOF
}

# A file of that name, or of CIFAR-10, that is not what the sums say: somebody's data, which must not be lost.
has_other() {
    ls "$dir"/*_batch* >/dev/null 2>&1 && return 0
    while read -r sum file; do
        { [ -f "$dir/$file" ] || [ -f "$dir/$file.gz" ]; } && ! has_file "$sum" "$file" && return 0
    done <<EOF
$sums
EOF
    return 1
}

has_names() {
    while read -r sum file; do
        [ -f "$dir/$file" ] || [ -f "$dir/$file.gz" ] || return 1
    done <<EOF
$sums
EOF
}

fetch() {
    if [ "${1#file://}" != "$1" ]; then
        cp "${1#file://}" "$2" 2>/dev/null
    elif command -v curl >/dev/null; then
        curl -fsSL --connect-timeout "$timeout" --max-time $((10 * timeout)) -o "$2" "$1" 2>/dev/null
    elif command -v wget >/dev/null; then
        wget -q --tries=1 --timeout="$timeout" -O "$2" "$1"
    else
        return 1
    fi
}

# get_file SUM FILE: from the first mirror that serves the right bytes, to the work folder.
get_file() {
    for mirror in $mirrors; do
        if fetch "$mirror/$2.gz" "$work/$2.gz" && gzip -dc "$work/$2.gz" >"$work/$2" 2>/dev/null; then
            if [ "$(sha256 <"$work/$2")" = "$1" ]; then
                echo "$name: $2.gz from $mirror" >&2
                rm "$work/$2"
                return 0
            fi
            echo "$name: $mirror/$2.gz has the wrong SHA-256; passed over" >&2
        fi
        rm -f "$work/$2" "$work/$2.gz"
    done
    return 1
}

get_all() {
    while read -r sum file; do
        get_file "$sum" "$file" </dev/null || return 1
    done <<EOF
$sums
EOF
}

# Renames within one file system, so that a file is there whole or not at all.
install_all() {
    while read -r sum file; do
        rm -f "$dir/$file" "$dir/$file.gz"
        mv "$work/$file.gz" "$dir/$file.gz" || return 1
    done <<EOF
$sums
EOF
}

# What the classes are called, for netrun. Somebody's own names stay.
name_classes() {
    [ -z "$classes" ] || [ -e "$dir/classes.txt" ] || echo "$classes" | tr , '\n' >"$dir/classes.txt"
}

if has_all; then
    rm -f "$synthetic_note"
    name_classes || exit 4
    echo "$name: $dir holds $set_name already" >&2
    exit 0
fi
if [ ! -f "$synthetic_note" ] && has_other; then
    echo "$name: $dir holds other or damaged data; empty it first" >&2
    exit 4
fi

mkdir -p "$dir" || exit 4
work=$(mktemp -d "$dir/.get_data.XXXXXX") || exit 4
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if get_all; then
    install_all && name_classes || exit 4
    rm -f "$synthetic_note"
    echo "$name: $dir holds $set_name (real)" >&2
    exit 0
fi

if [ -f "$synthetic_note" ] && has_names; then
    echo "$name: no mirror could be reached; $dir keeps its SYNTHETIC digits, not $set_name" >&2
    exit 0
fi
echo "$name: no mirror could be reached, so $set_name is replaced by SYNTHETIC digits, drawn by $make_digits" >&2
if ! "$make_digits" --gzip "$work"; then
    echo "$name: $make_digits failed; no data" >&2
    exit 4
fi
echo "Digits drawn by make_digits, not $set_name: do not compare accuracies." >"$synthetic_note" && install_all || exit 4
