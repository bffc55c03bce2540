#!/bin/bash
# Runs the commands of a page exactly as they stand there, in one shell, in their order, in the folder this is called in.
#
#   tests/page.sh PAGE RESULT
#
# Commands stand in fenced blocks:
#   ```sh                    a script; a command that fails ends the page
#   ```console               those behind `$ `; what they print is what the page shows, so they may fail
#   ```console shown         those behind `$ `; what they print differs from run to run, or is cut: not compared
# and behind either word:
#   skip: REASON             not run: needs root, a GPU, a network or gigabytes, or runs the suite itself
#   needs: PROGRAM           run where it is installed (libnvrtc: where netrun finds it)
#
# ROOT is the folder of PAGE. RESULT becomes the page with what the commands print now. stdout: `RUN N`, the number of lines
# that run, and `SKIP LINE: COMMAND (REASON)` for each that does not. stderr: what is printed; behind a failure, PAGE:LINE.
set -u
page=$1 result=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

for program in $(sed -n 's/^ *```.* needs: //p' "$ROOT/$page" | sort -u); do
    case $program in
    libnvrtc) build/netrun --devices 2>&1 | grep -q '^libnvrtc *not found' || continue ;;
    *) command -v "$program" >/dev/null && continue ;;
    esac
    lacks+=" $program "
done

# Line N of the script is line N of the page, so that bash's line numbers are the page's.
LC_ALL=C awk -v page="$page" -v lacks="${lacks:-}" -v counts="$work/counts" '
function is_command(line) {
    sub(/^\$ /, "", line)
    while (line ~ /^[A-Z_]+=[^ ]* /) sub(/^[^ ]* /, "", line)
    sub(/[ ;].*/, "", line)
    return line ~ /^(netc|netrun|make|make_digits|make_shapes|make_tones|make_tables|sh|cp|cd|mkdir|cmp|git|export|python3?|pip|apt-get|sudo|(\.\/)?(build|tests|tools|bench|\.ci)\/.+)$/
}
/^ *```/ {
    if (kind == "") {
        info = $0; sub(/^ *```/, "", info)
        kind = info ~ /^sh( |$)/ ? "sh" : info ~ /^console( |$)/ ? "console" : "other"
        skip = ""
        if (info ~ / skip: /) { skip = info; sub(/.* skip: /, "", skip) }
        if (info ~ / needs: /) {
            need = info; sub(/.* needs: /, "", need)
            if (index(lacks, " " need " ")) skip = "needs " need
        }
        compared = info ~ /^console( needs: .*)?$/ && skip == ""
        print ""
    } else {
        print compared ? "show; set -e" : ""
        kind = ""; compared = 0
    }
    next
}
(kind == "" && /^    [^ ]/ && is_command(substr($0, 5))) || (kind == "other" && /^\$ / && is_command($0)) {
    print page ":" NR ": a command outside of a sh or console block" >"/dev/stderr"
    bad = 1
}
kind == "sh" || (kind == "console" && /^\$ /) {
    line = $0
    if (kind == "console") sub(/^\$ /, "", line)
    if (line ~ /^ *(#.*)?$/) line = ""
    else if (skip == "") n++
    else { sub(/ +#.*/, "", line); print "SKIP " NR ": " line " (" skip ")" >counts; line = "" }
    print (compared && line != "" ? "show " NR "; set +e; " : "") line
    next
}
{ print "" }
END { print "RUN " n + 0 >counts; exit bad }' "$ROOT/$page" >"$work/script" || exit 1
cat "$work/counts"

# As a user has it: nothing of the test suite, no network, no data.
(
    unset B NETC NETRUN DATA PLACEMENT WORK TEST_CACHE NETRUN_CFLAGS NETRUN_POISON ROOT
    export MIRRORS=-
    exec bash -eE -o pipefail -c '
        page=$1 work=$2
        exec 7>&1
        # show [LINE]: what is printed from here on belongs to that line of the page.
        show() { if [ $# = 1 ]; then exec >"$work/$1" 2>&1; else exec >&7 2>&7; fi; }
        trap '\''case $- in *e*) echo "$page:$LINENO: exit status $?" >&7 ;; esac'\'' ERR
        . "$work/script"' page "$page" "$work" >&2 </dev/null
) || exit 1

line=0
while IFS= read -r text; do
    line=$((line + 1))
    case ${inside:-}$text in
    '```console' | '```console needs: '*) inside=@; printf '%s\n' "$text" ;;
    '@```') inside=; printf '%s\n' "$text" ;;
    '@$ '*) printf '%s\n' "$text"; [ -e "$work/$line" ] && cat "$work/$line" || skipped=1 ;;
    @*) [ -z "${skipped:-}" ] || printf '%s\n' "$text" ;;
    *) skipped=; printf '%s\n' "$text" ;;
    esac
done <"$ROOT/$page" >"$result"
