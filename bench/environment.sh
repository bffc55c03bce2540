# Sees that the data are there, then makes build/venv with the packages of `sides` in it, once. What cannot be installed is
# left out, unless `needed` has it; `sets`: which data. Sourced by run and train, from the root of the repository.

for set in ${sets-mnist fashion cifar10}; do
    case " $*" in *" --models"* | *" --cases"*) [ $set = mnist ] || continue ;; esac
    if [ ! -d "${DATA:-}/$set" ]; then
        echo "bench: DATA names no folder with mnist/, fashion/ and cifar10/ in it${DATA:+ ($DATA has no $set/)}" >&2
        exit 4
    fi
    if [ -e "$DATA/$set/SYNTHETIC" ]; then
        echo "bench: $DATA/$set holds drawn digits, not $set: figures for them would bear a wrong name" >&2
        exit 4
    fi
done
venv=build/venv
export PYTHONDONTWRITEBYTECODE=1
# Both work with numpy.
for side in $sides; do
    if "$venv/bin/python" -c "import numpy, $side" 2>/dev/null; then
        continue
    fi
    why=
    free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
    if [ $side = torch ] && [ "$free" -lt 12 ]; then
        why="PyTorch takes up to 12 GiB while it is installed; $free GiB are free here"
    else
        echo "bench: installing $side into $venv" >&2
        { [ -x "$venv/bin/pip" ] || python3 -m venv "$venv"; } && "$venv/bin/pip" install --quiet $side numpy ||
            why="$side cannot be installed; needed are python3 with venv, and a network"
    fi
    [ -z "$why" ] || echo "bench: $why" >&2
    case "${why:+$needed}" in *$side*) exit 4 ;; esac
done
python=$venv/bin/python
[ -x "$python" ] || python=python3
