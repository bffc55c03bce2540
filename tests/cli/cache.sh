# Compiled kernels are kept; several processes at once may fill the cache.
export XDG_CACHE_HOME=$PWD/cache
data=$(digits)
plan mlp
for i in 1 2 3; do
    netrun mlp.plan --train "$data" --epochs 1 --runs runs$i >out$i 2>err$i &
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

# Where nothing can be kept, that is said, with the cause and what helps; it works all the same.
for home in /dev/null/home /proc; do
    expect 0 env -u XDG_CACHE_HOME HOME=$home "$NETRUN" mlp.plan --train "$data" --steps 1
    says err "compiled anew at every start, .*: $home/.cache/netrun: [A-Z]"
    says err '= help: .*XDG_CACHE_HOME=DIR'
done
expect 0 env -u XDG_CACHE_HOME -u HOME "$NETRUN" mlp.plan --train "$data" --steps 1
says err 'cannot be kept: neither XDG_CACHE_HOME nor HOME names a folder'
expect 0 env -u XDG_CACHE_HOME -u HOME "$NETRUN" mlp.plan --test "$data" --quiet
[ ! -s err ] || fail "--quiet says it too"
expect 5 env -u XDG_CACHE_HOME -u HOME TMPDIR=/dev/null/x "$NETRUN" mlp.plan --test "$data"
says err 'cannot be written below /dev/null/x to be compiled: Not a directory'
says err '= help: set TMPDIR'
