# Compiled kernels are kept; several processes at once may fill the cache.
export XDG_CACHE_HOME=$PWD/cache
data=$(digits)
plan mlp
for i in 1 2 3; do
    netrun mlp.plan --train "$data" --steps 3 --runs runs$i >out$i 2>err$i &
done
for job in $(jobs -p); do
    wait "$job" || fail "one of three processes failed: $(cat err?)"
done
cmp runs1/mlp-1/last.safetensors runs3/mlp-1/last.safetensors
kept=$(find cache -type f | sort | xargs ls -l)
expect 0 env CC=/bin/false "$NETRUN" --version
expect 0 netrun mlp.plan --train "$data" --steps 3
[ "$(find cache -type f | sort | xargs ls -l)" = "$kept" ] || fail "the cache was not used"
expect 0 netrun mlp.plan --train "$data" --steps 3 --emit-dir kernels
[ -n "$(find kernels -name '*.c')" ] || fail "--emit-dir keeps no source"
