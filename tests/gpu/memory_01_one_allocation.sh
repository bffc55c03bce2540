# A run allocates once and frees once, builds each graph once, and makes the same calls whatever the number of steps: so
# every buffer has the same address in every step.
plan mlp
folder=$(digits)
counted few cuda mlp.plan "$folder" --batch 32 --steps 2 >/dev/null
counted many cuda mlp.plan "$folder" --batch 32 --steps "$(pick 2000 20)" >/dev/null
[ "$(grep -c '^alloc .*: 0$' many)" = 1 ] || fail "$(grep -c '^alloc' many) allocations"
[ "$(grep -c '^free$' many)" = 1 ] || fail "freed $(grep -c '^free$' many) times"
diff <(grep -v launches few) <(grep -v launches many) >&2 || fail "other calls with more steps"
[ "$(tail -n 1 few)" != "$(tail -n 1 many)" ] || fail "launches were not counted"
echo "$(grep '^alloc' many | cut -d: -f1), once; $(grep -c '^graph [0-9]' many) graphs;" \
    "the same $(grep -vc launches many) calls after 2 and $(pick 2000 20) steps ($(tail -n 1 many))"
