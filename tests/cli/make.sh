# The Makefile: what it says where something is missing, what a deleted file leaves, what ONLY= selects.
unset DATA PLACEMENT                                   # make exports them again
small() { env -u CC -u CFLAGS make -C "$ROOT" B="$PWD/b" "$@"; }

# Without flex.
mkdir tools shadow
ln -s /usr/bin/* /bin/* tools 2>/dev/null || :
ln -sf "$(command -v bison)" "$(command -v make)" tools
rm -f tools/flex
PATH=$PWD/tools expect 2 small "$PWD/b/net.lex.c"
says err '^make: missing: flex; `make deps` installs what the build needs$'

# Without a library's header.
echo '#error "no such file"' >shadow/png.h
reader=$(cd "$ROOT" && grep -l '<png.h>' runtime/*/*.c | head -n 1)
object=$PWD/b/${reader%.c}.o
expect 2 small "$object" CFLAGS="-I$PWD/shadow"
says err '^make: missing: png\.h; `make deps`'

# A compiler that is none; and a mistake of one's own is not blamed on what is installed.
expect 2 small "$object" CC=false
says err '^make: CC=false does not compile: `make deps` installs a compiler, CC= takes another one$'
expect 2 small "$object" CFLAGS=-Dfclose=%
! grep -q 'make deps' err || fail "make deps is named, but nothing is missing"

# Nothing is built before `make deps` has found all that is needed.
mkdir stub whole
ln -s "$ROOT"/{Makefile,bench,compiler,grammar,runtime,tests} whole
cp -r "$ROOT/tools" whole
printf '#!/bin/sh\nexit 1\n' >whole/tools/deps.sh
for tool in cc flex bison; do
    printf '#!/bin/sh\necho %s "$@" >>"%s"\nexit 1\n' $tool "$PWD/called" >stub/$tool
done
chmod +x stub/*
PATH=$PWD/stub:$PATH expect 2 make -k -C whole CC=cc CFLAGS= deps check
[ ! -e called ] || fail "built before deps: $(cat called)"

# A source file that comes and goes.
mkdir -p tree/runtime/cpu tree/compiler/ops tree/tests/cudasim tree/tests/gpu
cp "$ROOT/Makefile" tree
cp "$ROOT"/tests/cudasim/sim.mk tree/tests/cudasim
cp "$ROOT"/tests/gpu/gpu.mk tree/tests/gpu
echo 'int kept;' >tree/runtime/cpu/kept.c
echo 'int gone;' >tree/runtime/cpu/gone.c
touch tree/compiler/ops/kept.c tree/compiler/ops/gone.c
library() { make -s -C tree build/libnetrun.a build/oplist.h >/dev/null && ar t tree/build/libnetrun.a | sort | paste -sd' '; }
[ "$(library)" = "gone.o kept.o" ] || fail "the library has $(library)"
rm tree/runtime/cpu/gone.c tree/compiler/ops/gone.c
[ "$(library)" = "kept.o" ] || fail "the library keeps a deleted file: $(library)"
[ "$(cat tree/build/oplist.h)" = "MODULE(kept)" ] || fail "oplist.h keeps a deleted file"

# One test, not all; and words that name none are a mistake.
expect 0 make -n -C "$ROOT" unit ONLY=test_words
says out "tests/run --unit test_words"
expect 0 "$ROOT/tests/run" --unit test_words
says out '^1 passed, 0 failed, 0 skipped$|^0 passed, 0 failed, 1 skipped$'
expect 1 "$ROOT/tests/run" no_such_test
says out 'no test is called: no_such_test'

# An empty DATA is no DATA, and other variables of the user's do not reach the tests; what data would add is named.
expect 0 env DATA= PLACEMENT= NETRUN_CUDA_LIBDIR=/none NETRUN_CUBLAS=x SIM_VRAM=x FORCE_COLOR=1 "$ROOT/tests/run" --unit test_get_data test_pack
if [ -x "$B/tests/test_pack" ] && [ -x "$B/tests/test_get_data" ]; then
    says out '^PASS tests/unit/test_get_data .*\(more with DATA/fashion, DATA/mnist\)$'
    says out '^PASS tests/unit/test_pack .*\(more with PLACEMENT\)$'
    says out '^2 tests need real data'
fi

# Benches look for their data before they download anything.
for bench in run train; do
    expect 4 env DATA= "$ROOT/bench/$bench"
    says err '^bench: DATA names no folder'
    mkdir -p data/mnist data/fashion data/cifar10
    touch data/mnist/SYNTHETIC
    expect 4 env DATA="$PWD/data" "$ROOT/bench/$bench"
    says err 'holds drawn digits, not mnist'
done
expect 0 make -C "$ROOT" help
says out 'DATA=folder'
