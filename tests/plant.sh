#!/bin/bash
# Plants each fault of tests/faults.tsv in a copy of the tree and runs the tests that should notice: by hand, since each means
# a build. One line a fault: caught, SURVIVED, or not planted (the pattern fits no line any more, or it does not build).
#
#   tests/plant.sh [WORD...]      rows that contain one of the words
#
# A row: file, sed expression, words of tests/run that choose the tests. These have to pass before anything is planted. Exit
# status 0 if all were caught, 1 if not, 2 if a test fails anyway.
set -u
cd "$(dirname "$0")/.." || exit 1
B=$(basename "${B:-build}")
tree=$(mktemp -d "${TMPDIR:-/tmp}/netc-plant-XXXXXX") || exit 1
trap 'rm -rf "$tree"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -a -t "$tree"
[ ! -d "$B" ] || cp -a "$B" "$tree/"
export TEST_CACHE=${TEST_CACHE:-$tree/kernels}
mkdir -p "$TEST_CACHE"
caught=0 survived=0 failed=0

build() { # TESTS...: the programs, the simulated device, and the unit tests among the words
    local word targets=(all sim)
    for word; do
        case $word in
        unit/*) word=${word%.c} targets+=("$B/tests/${word#unit/}") ;;
        cli/*) targets+=("$B"/template/net{c,run} "$B"/tests/{json_check,lanes,limits,mutate,peak}) ;;
        esac
    done
    (cd "$tree" && make -s -j"$(nproc)" B="$B" "${targets[@]}") >"$tree/log" 2>&1
}

run() { # TESTS...
    (cd "$tree" && B=$B tests/run "$@") >"$tree/log" 2>&1
}

plant() {
    local file=$1 change=$2 tests=() test verdict
    read -r -a tests <<<"$3"
    cp -a "$tree/$file" "$tree/kept"
    sed -i "$change" "$tree/$file"
    if cmp -s "$tree/$file" "$tree/kept"; then
        verdict="not planted: nothing fits"
    elif ! build "${tests[@]}"; then
        verdict="not planted: does not build"
    else
        verdict=SURVIVED
        for test in "${tests[@]}"; do
            run "$test" || { verdict=caught && break; }
        done
    fi
    case $verdict in caught) caught=$((caught + 1)) ;; SURVIVED) survived=$((survived + 1)) ;; *) failed=$((failed + 1)) ;; esac
    printf '%-10s %s  %s\n' "$verdict" "$file" "$change"
    cp "$tree/kept" "$tree/$file"       # newer than the object
}

rows=() all=()
while IFS= read -r row; do
    wanted=$([ $# = 0 ] && echo 1)
    for word; do
        case $row in *"$word"*) wanted=1 ;; esac
    done
    case $row in '' | '#'*) continue ;; esac
    [ "$wanted" ] || continue
    rows+=("$row")
    read -r -a tests <<<"${row##*$'\t'}"
    all+=("${tests[@]}")
done <tests/faults.tsv
mapfile -t all < <(printf '%s\n' "${all[@]}" | sort -u)
if ! build "${all[@]}" || ! run "${all[@]}"; then
    grep -v '^PASS\|^SKIP' "$tree/log"
    echo "nothing planted: this fails already"
    exit 2
fi
sed -n 's/^SKIP/sees nothing here:/p' "$tree/log"
for row in "${rows[@]}"; do
    IFS=$'\t' read -r file change tests <<<"$row"
    plant "$file" "$change" "$tests"
done
echo "$caught caught, $survived survived, $failed not planted"
[ $survived = 0 ] && [ $failed = 0 ]
