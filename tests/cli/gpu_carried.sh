# The checks for a card run from a build folder that was made elsewhere: without flex, bison and headers, results in a folder
# of one's own, each line as soon as it is known.
[ -e "$B/gpu/free" ] || skip "make gpu-tools"

mkdir bin
for program in bash sh make awk cat find uname; do
    ln -s "$(command -v $program)" bin/
done
expect 0 env PATH="$PWD/bin" make -n -C "$ROOT" B="$(realpath --relative-to="$ROOT" "$B")" DATA= check-gpu
says out 'tests/gpu/run'
! grep -Eq 'bison|flex|-c -o' out || fail "check-gpu builds"
expect 0 make -n -C "$ROOT" B="$(realpath --relative-to="$ROOT" "$B")" DATA= check-gpu

mkdir empty
expect 4 env B="$PWD/empty" "$ROOT/tests/gpu/run" --sim
says err 'empty/netc is not there: make gpu-tools'
"$NETRUN" --devices >devices 2>&1 || :
! grep -q '^libnvrtc *not found' devices || skip "libnvrtc is not installed"
expect 0 "$ROOT/tests/gpu/run" --sim --out results memory_22
says results/*-check-gpu.txt '^PASS memory_22'
