#!/bin/bash
# Plans every model with the compiler of another commit and with this one: a refactoring is proven by equal plans.
#
#   tests/replay.sh COMMIT          exit status 0: all equal, 1: some differ, 2: usage, 4: COMMIT does not build
set -u
cd "$(dirname "$0")/.." || exit 4
[ $# = 1 ] || { echo "usage: make replay REF=commit" >&2; exit 2; }
commit=$(git rev-parse --verify --quiet "$1^{commit}") || { echo "make replay: there is no commit $1" >&2; exit 2; }

work=$(mktemp -d) || exit 4
trap 'rm -rf "$work"' EXIT
git archive "$commit" | tar -x -C "$work" || exit 4
make -s -C "$work" "-j$(nproc)" B=build build/netc >"$work/log" 2>&1 || { tail "$work/log" >&2; exit 4; }

# A model that one of the two does not compile differs: its plan would be that of the model before.
same=0 differ=0
for model in models/*.net; do
    rm -f "$work"/*.plan
    if "$work/build/netc" "$model" -o "$work/old.plan" && "${B:-build}/netc" "$model" -o "$work/new.plan" &&
        diff -u --label "$model, $1" --label "$model" "$work/old.plan" "$work/new.plan"; then
        same=$((same + 1))
    else
        echo "$model differs"
        differ=$((differ + 1))
    fi
done
echo "$same plans are the same, $differ differ from those of $1"
[ $differ = 0 ]
