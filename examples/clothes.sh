# Sourced by examples on Fashion-MNIST: goes to a folder of build/ that has the data as `fashion`. They are those in DATA/fashion if DATA
# is set, else those of `make data SET=fashion`. Exit status 4: there are none.
root=$(cd "$here/../.." && pwd)
B=$(cd "${B:-$root/build}" && pwd)
PATH=$B:$PATH

data=${DATA:-$root/data}/fashion
if [ ! -d "$data" ] || [ -e "$data/SYNTHETIC" ]; then
    what="is not there"
    [ ! -d "$data" ] || what="holds digits that make_digits drew; a result on them would not be one on clothes"
    echo "run.sh: $data $what" >&2
    echo "run.sh: make data SET=fashion fetches Fashion-MNIST where there is a network; DATA= names a folder with fashion/" >&2
    exit 4
fi
data=$(cd "$data" && pwd)

mkdir -p "$B/examples/${here##*/}"
cd "$B/examples/${here##*/}"
rm -rf runs fashion
ln -s "$data" fashion

say() {
    printf '\n$'
    for word in "$@"; do
        case $word in *[\ \;]*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
    "$@"
}
