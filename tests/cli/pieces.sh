# Kernels are compiled by as many processes as there are cores, and are the same then.
data=$(digits)
plan mnist_cnn
cat >cc <<END
#!/bin/sh
echo "\$*" >>calls
case "\$*" in *"\${REFUSED:-nothing}"*) echo "no room for it" && exit 3 ;; esac
exec ${CC:-cc} "\$@"
END
chmod +x cc
trained() { # STATUS RUNS [COMMAND...]
    rm -f calls
    mkdir -p tmp
    expect "$1" env CC="$PWD/cc" TMPDIR="$PWD/tmp" XDG_CACHE_HOME="$PWD/$2" "${@:3}" "$NETRUN" mnist_cnn.plan --train "$data" --steps 2 --runs "$2"
}
trained 0 one taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')"
! grep -q FIRST_PIECE calls || fail "one core, and several processes: $(cat calls)"
trained 0 several
! grep -q 'cpu with 1 thread,' out || exit 0    # by its affinity or its quota this machine has one core
[ "$(grep -c -- '-c -DFIRST_PIECE=' calls)" -gt 1 ] || fail "several cores, and one process: $(cat calls)"
cmp one/mnist_cnn-1/last.safetensors several/mnist_cnn-1/last.safetensors || fail "other bits"
[ -z "$(find several -name '*.o')" ] || fail "objects of pieces are left: $(find several -name '*.o')"

# One that fails: the compiler's words, and nothing but the source is left.
trained 5 refused REFUSED=-DFIRST_PIECE=0
says err 'failed with status 3 on the emitted kernels in .*: *$'
says err '^no room for it'
[ "$(find refused tmp -type f -name '*.[co]' | sed 's/.*\.//')" = c ] || fail "not the source alone is left: $(find refused tmp -type f)"
