# Sees that the data are there, then makes build/venv with PyTorch in it, once. Sourced by run and train, from the root of
# the repository.

for set in mnist fashion cifar10; do
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
if ! "$venv/bin/python" -c 'import numpy, torch' 2>/dev/null; then
    free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
    if [ "$free" -lt 12 ]; then
        echo "bench: PyTorch takes up to 12 GiB while it is installed; $free GiB are free here" >&2
        exit 4
    fi
    echo "bench: installing PyTorch into $venv" >&2
    python3 -m venv "$venv" && "$venv/bin/pip" install --quiet torch numpy || {
        echo "bench: PyTorch cannot be installed; needed are python3 with venv, and a network" >&2
        exit 4
    }
fi
