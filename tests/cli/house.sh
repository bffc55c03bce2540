# The rooms that CONTRIBUTING.md lists, from the top: a file includes headers of its own room and of rooms above it, and no files
# include each other in a circle.
cd "$ROOT"
rooms=$(sed -nE 's#^    ((compiler|runtime|grammar)[a-z/]*)/ .*#\1#p' CONTRIBUTING.md)
[ "$(echo "$rooms" | sort)" = "$(find compiler runtime grammar -name '*.[chly]' -printf '%h\n' | sort -u)" ] ||
    fail "CONTRIBUTING.md lists other rooms than there are"
cd - >/dev/null

# Nothing else lies at the top: what a test or a program leaves there is not taken for a part of the project.
if git -C "$ROOT" ls-files >tracked 2>/dev/null && [ -s tracked ]; then
    {
        printf '%s\n' .ci .clang-format .editorconfig .git-blame-ignore-revs .gitignore CONTRIBUTING.md LICENSE Makefile README.md
        sed -n '/^## Where things are/,/^What comes/p' "$ROOT/CONTRIBUTING.md" | grep -oE '( {4,})[a-z]+/' | tr -d ' /'
    } | sort -u >known
    cut -d/ -f1 tracked | sort -u | comm -23 - known >more
    [ ! -s more ] || fail "tracked, and no part of the list in CONTRIBUTING.md: $(echo $(cat more))"
fi

# A table of a page begins with its head: rows behind an empty line would be text.
(cd "$ROOT" && awk 'FNR == 1 { before = ""; head = 0 } /^```/ { code = !code }
    head && !/^\|[-:| ]*\|$/ { print FILENAME ":" FNR - 1 ": rows without a head" }
    { head = !code && /^\|/ && before !~ /^\|/; before = $0 }' README.md CONTRIBUTING.md docs/*.md bench/*.md) >wrong
[ ! -s wrong ] || fail "$(cat wrong)"

# No function has more than 60 lines.
(cd "$ROOT" && awk '/^{$/ || /^[a-z].*\) \{$/ { start = FNR } /^}$/ && start { if (FNR - start > 61) print FILENAME ":" start ": " FNR - start - 1 " lines"; start = 0 }' \
    compiler/*/*.[ch] runtime/*/*.[ch]) >long
[ ! -s long ] || fail "$(cat long)"

# No file has more than 400 lines.
(cd "$ROOT" && wc -l compiler/*/*.[chly] runtime/*/*.[ch] | awk '$1 > 400 && $2 != "total"') >long
[ ! -s long ] || fail "$(cat long)"

# What differs between targets is in their rows and those of bodies: nobody asks which one it is. (sweep.c has names of devices.)
cd "$ROOT"
! grep -nE '[!=]= *&(target|language)_|strcmp\(.*"(cpu|cuda|c-scalar)"' -r compiler --include='*.[ch]' --exclude=sweep.c ||
    fail "this belongs into a row of the target or of the op's bodies"
# How many samples a block has stands in layout.h alone.
! grep -nE '([*/%<]|[+]=) 16\b|\b16 [*]' compiler/emit/*.c compiler/ops/*.c || fail "a block has ROW_BLOCK samples, which is \$ in text"
cd - >/dev/null

# An include of a file of ours is written in one way, its room's name first, so that none is overlooked; what ends in .inc is made
# by the build.
! (cd "$ROOT" && grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' $(printf '%s/*.[chly] ' $rooms)) |
    grep -vE ':#include "([a-z_]+/)?[a-z0-9_.]+\.(h|inc)"$' >wrong || fail "$(cat wrong)"

# file room-of-file header room-of-header, for each include of a header of ours
(cd "$ROOT" && grep -HoE '^#include "[a-z0-9_/.]+\.h"' $(printf '%s/*.[chly] ' $rooms)) | tr -d '"' | sed 's/:#include / /' | while read -r file header; do
    room=${file%/*}
    case $header in
        */*) base=runtime/; [ ! -e "$ROOT/compiler/$header" ] || base=compiler/ ;;
        *) base=$room/ ;;
    esac
    [ ! -e "$ROOT/$base$header" ] || echo "$file $room $base$header $(dirname "$base$header")"     # else it is made by the build
done >includes
[ "$(wc -l <includes)" -gt 100 ] || fail "the includes were not found"
awk -v rooms="$(echo $rooms)" '
    BEGIN { for (n = split(rooms, room, " "); n; n--) at[room[n]] = n }
    !($4 in at) { print $1 ": " $3 " is in no room"; next }
    at[$4] > at[$2] { print $1 ": " $3 " is below it" }' includes >wrong
[ ! -s wrong ] || fail "$(cat wrong)"
awk '{ print $1, $3 }' includes | tsort >/dev/null 2>circle || fail "$(cat circle)"

# Each fault of tests/faults.tsv has a line that it changes.
(cd "$ROOT" && while IFS=$'\t' read -r file change tests; do
    case $file in '' | '#'*) continue ;; esac
    [ -n "$tests" ] && [ -e "$file" ] && ! sed "$change" "$file" | cmp -s - "$file" || echo "$file $change: fits no line"
done <tests/faults.tsv) >wrong
[ ! -s wrong ] || fail "$(cat wrong)"
