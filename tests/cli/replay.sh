# tests/replay.sh in a project whose compiler is a script: it sees plans that differ, and models that do not compile.
git init -q . 2>/dev/null || skip "there is no git"
mkdir tests models new
cp "$ROOT/tests/replay.sh" tests
echo one >models/a.net
echo two >models/b.net
printf 'build/netc: netc.sh\n\tmkdir -p build && cp netc.sh build/netc\n' >Makefile
printf '#!/bin/sh\ncp "$1" "$3"\n' >netc.sh
chmod +x netc.sh
git add . && git -c user.name=test -c user.email=test commit -qm "first"
replay() { B=new tests/replay.sh "$@"; }
compiler() { printf '#!/bin/sh\n%s\n' "$1" >new/netc && chmod +x new/netc; }

compiler 'cp "$1" "$3"'
expect 0 replay HEAD
says out '^2 plans are the same, 0 differ from those of HEAD$'
compiler 'sed s/two/three/ "$1" >"$3"'
expect 1 replay HEAD
says out '^1 plans are the same, 1 differ'
says out '^\+three'
compiler 'case $1 in *b.net) exit 1; esac; cp "$1" "$3"'
expect 1 replay HEAD
says out '^1 plans are the same, 1 differ'
cp new/netc netc.sh
git -c user.name=test -c user.email=test commit -qam "one model does not compile"
expect 1 replay HEAD
says out '^1 plans are the same, 1 differ'
expect 2 replay nonsense
says err 'no commit nonsense'
expect 2 replay
echo 'build/netc:; false' >Makefile
git -c user.name=test -c user.email=test commit -qam "does not build"
expect 4 replay HEAD
