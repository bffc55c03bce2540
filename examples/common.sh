# Sourced by the scripts of the examples, which have set `here` to their folder: goes to a folder of build/ of the same name, with
# netc and netrun on PATH.
root=$(cd "$here/../.." && pwd)
B=$(cd "${B:-$root/build}" && pwd)
PATH=$B:$PATH
mkdir -p "$B/examples/${here##*/}"
cd "$B/examples/${here##*/}"
rm -rf runs

# Prints a command as it would be typed, and runs it.
say() {
    printf '\n$'
    for word in "$@"; do
        case $word in *[\ \;]*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
    "$@"
}

# link_to FOLDER NAME
link_to() {
    rm -rf "$2"
    ln -s "$(cd "$1" && pwd)" "$2"
}

# Handwritten digits as `data`: those in DATA/mnist if DATA is set, else those of `make data`, else drawn ones.
digits() {
    if [ -d "${DATA:-}/mnist" ]; then
        link_to "$DATA/mnist" data
    elif [ -e "$root/data/t10k-labels-idx1-ubyte" ] || [ -e "$root/data/t10k-labels-idx1-ubyte.gz" ]; then
        link_to "$root/data" data
    else
        echo "No MNIST here (make data): digits drawn by make_digits stand in."
        [ -e "$B/examples/drawn/t10k-labels-idx1-ubyte" ] || make_digits "$B/examples/drawn"     # the last that it writes
        link_to "$B/examples/drawn" data
    fi
}

# Fashion-MNIST as `fashion`: that in DATA/fashion if DATA is set, else that of `make data SET=fashion`. Exit status 4: there is none.
clothes() {
    data=${DATA:-$root/data}/fashion
    if [ ! -d "$data" ] || [ -e "$data/SYNTHETIC" ]; then
        what="is not there"
        [ ! -d "$data" ] || what="holds digits that make_digits drew; a result on them would not be one on clothes"
        echo "run.sh: $data $what" >&2
        echo "run.sh: make data SET=fashion fetches Fashion-MNIST where there is a network; DATA= names a folder with fashion/" >&2
        exit 4
    fi
    link_to "$data" fashion
}
