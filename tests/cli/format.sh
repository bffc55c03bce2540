# .clang-format is how the code is written. Versions differ in what they make of it: it is checked by one.
command -v clang-format >/dev/null || skip "needs clang-format 14"
clang-format --version | grep -q 'version 14\.' || skip "needs clang-format 14"
cd "$ROOT"
find . -path './build*' -prune -o -name '*.[ch]' -print0 | xargs -0 -n 40 -P "$(nproc)" clang-format --dry-run -Werror 2>"$OLDPWD/log" ||
    fail "clang-format -i $(sed -nE 's/^([^:]*):.*/\1/p' "$OLDPWD/log" | sort -u | paste -sd' ')"
