# A row of options without effect, or with a member that holds something else, does not compile.
warnings=$(make -s -C "$ROOT" --eval='warnings: ; @echo $(WARNINGS)' warnings)

# row EFFECT: compiles a table of one option.
row() {
    {
        printf '#include "base/options.h"\nstruct asked { bool plain; const char *name; int64_t n; enum colour colour; };\n#define OPTIONS struct asked\n'
        printf 'const struct option_row rows[] = { { "x", 0, NULL, "", "", false%s }, { 0 } };\n' "$1"
    } >row.c
    # shellcheck disable=SC2086
    "${CC:-cc}" -std=gnu11 $warnings -I"$ROOT/compiler" -fsyntax-only row.c
}

for good in 'OPTION_FLAG(plain)' 'OPTION_TEXT(name)' 'OPTION_WHOLE(n, 0, 9, NULL)' 'OPTION_BYTES(n, "a size")' 'OPTION_CHOICE(enum colour, colour)'; do
    row ", $good" || fail "does not compile: $good"
done
for bad in '' ', OPTION_FLAG(name)' ', OPTION_TEXT(plain)' ', OPTION_WHOLE(plain, 0, 9, NULL)' ', OPTION_BYTES(name, "a size")' ', OPTION_FLAG(plan)' \
    ', OPTION_CHOICE(enum colour, name)'; do
    ! row "$bad" 2>/dev/null || fail "compiles: a row with '$bad'"
done
