# What CONTRIBUTING.md says of the house: the runtime sees these headers of the compiler, and the compiler none of the runtime's.
cat "$ROOT"/runtime/*.[ch] | grep -o '^#include "[a-z_]*\.h"' | cut -d'"' -f2 | sort -u | while read -r header; do
    [ ! -e "$ROOT/compiler/$header" ] || echo "$header"
done >seen
sed -n '/^Data flow one way/,/of the compiler\./p' "$ROOT/CONTRIBUTING.md" | grep -o '`[a-z_]*\.h`' | tr -d '`' | sort -u >said
diff said seen >&2 || fail "CONTRIBUTING.md lists other headers than the runtime includes"
cat "$ROOT"/compiler/*.[ch] "$ROOT"/compiler/ops/*.c | grep -o '^#include "[a-z_]*\.h"' | cut -d'"' -f2 | sort -u | while read -r header; do
    [ -e "$ROOT/compiler/$header" ] || [ ! -e "$ROOT/runtime/$header" ] || fail "the compiler includes runtime/$header"
done
