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
kept=$(find cache/netrun -type f | sort | xargs ls -l)
expect 0 env CC=/bin/false "$NETRUN" --version
expect 0 netrun mlp.plan --train "$data" --steps 3
[ "$(find cache/netrun -type f | sort | xargs ls -l)" = "$kept" ] || fail "the cache was not used"
expect 0 netrun mlp.plan --train "$data" --steps 3 --emit-dir kernels
[ -n "$(find kernels -name '*.c')" ] || fail "--emit-dir keeps no source"

# What a killed process was making is removed when the cache is next used, but not while its compiler still works at it.
export XDG_CACHE_HOME=$PWD/killed
cat >slow <<'END'
#!/bin/sh
case $* in *-shared*) echo $$ >compiling; exec sleep 300 ;; esac
exec cc "$@"
END
chmod +x slow
CC=$PWD/slow "$NETRUN" mlp.plan --train "$data" --steps 3 >log 2>&1 &
child=$!
for _ in $(seq 300); do
    [ ! -s compiling ] || break
    sleep 0.02
done
kill -KILL $child
wait $child 2>log || true
expect 0 netrun mlp.plan --train "$data" --steps 3
[ -n "$(find killed -name 'build-*')" ] || fail "the folder of a compiler that is at work is gone"
kill -KILL "$(cat compiling)"
mkdir -p killed/netrun/builds
touch killed/netrun/build-aFile
for _ in $(seq 100); do
    expect 0 netrun mlp.plan --train "$data" --steps 3
    [ -n "$(find killed -name 'build-*')" ] || break         # the compiler takes a moment to die
    sleep 0.02
done
[ -z "$(find killed -name 'build-*')" ] || fail "$(find killed -name 'build-*') is left of a killed process"
[ -d killed/netrun/builds ] || fail "more than that is gone"

# Where nothing can be kept, that is said, with the cause and what helps; it works all the same.
for home in /dev/null/home /proc; do
    expect 0 env -u XDG_CACHE_HOME HOME=$home "$NETRUN" mlp.plan --train "$data" --steps 1
    says err "compiled anew at every start, .*: $home/.cache: [A-Z]"
    says err '= help: .*XDG_CACHE_HOME=DIR'
done
expect 0 env -u XDG_CACHE_HOME -u HOME "$NETRUN" mlp.plan --train "$data" --steps 1
says err 'cannot be kept: neither XDG_CACHE_HOME nor HOME names a folder'
expect 0 env -u XDG_CACHE_HOME -u HOME "$NETRUN" mlp.plan --test "$data" --quiet
[ ! -s err ] || fail "--quiet says it too"
expect 5 env -u XDG_CACHE_HOME -u HOME TMPDIR=/dev/null/x "$NETRUN" mlp.plan --test "$data"
says err 'cannot be written below /dev/null/x to be compiled: Not a directory'
says err '= help: set TMPDIR'
