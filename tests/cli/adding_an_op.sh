# docs/adding-an-op.md to the letter: the file is copied, and the tests that walk the tables of ops and words pass.
for program in flex bison make; do
    command -v $program >/dev/null || skip "no $program"
done
mkdir tree
(cd "$ROOT" && tar cf - --exclude='./build*' --exclude=./.git --exclude=./runs --exclude=./data .) | tar xf - -C tree
cp -a "$B" tree/
cd tree
says docs/adding-an-op.md 'cp tests/template/clip.c compiler/ops/clip.c'
cp tests/template/clip.c compiler/ops/clip.c
unset TEST_CACHE
expect 0 make B="$(basename "$B")" check ONLY="unit/test_ops unit/test_words cli/template docs/language -pages/"
says out '^PASS tests/unit/test_ops'
says out '^[0-9]+ passed, 0 failed, 0 skipped'
"$(basename "$B")/netc" --ops | grep -q '^clip ' || fail "netc does not know the op"
