# Beside context, code and arena at most 2 MiB are gone: no library has memory of its own. cuBLAS makes the products of so many weights.
plan mlp -D hidden=4096
figures=$("$TOOLS/armed" bytes mlp.plan "$(pick 1024 16)") || fail "$figures"
besides=$(sed 's/.*besides \([0-9]*\);.*/\1/' <<<"$figures")
[ "$besides" -le $((2 << 20)) ] || fail "$besides bytes are gone beside the arena"
"$NETRUN" mlp.plan --train "$(digits)" --device cuda --json --progress none --batch 32 --epochs 1000000 >out 2>err &
netrun=$!
until grep -q '"event":"start"' out; do kill -0 $netrun || fail "$(tail -n 1 err)"; sleep 0.1; done
library=$(grep -c libcublas /proc/$netrun/maps) || true
kill -TERM $netrun
wait $netrun || true
echo "$besides bytes beside context, code and arena; $([ "$library" = 0 ] && echo 'cuBLAS is not opened' || echo 'cuBLAS is open')"
