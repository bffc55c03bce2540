# make install into a folder, and out of it again.
cd "$ROOT"
make -s -o all install B="${B#"$ROOT"/}" DESTDIR="$OLDPWD/root" PREFIX=/opt >/dev/null
cd "$OLDPWD"
expect 0 root/opt/bin/netc root/opt/share/netc/models/mlp.net -o mlp.plan
for program in netc netrun; do
    [ -s root/opt/share/man/man1/$program.1 ]
    [ -s root/opt/share/bash-completion/completions/$program ]
done
make -s -C "$ROOT" uninstall B="${B#"$ROOT"/}" DESTDIR="$PWD/root" PREFIX=/opt >/dev/null
[ -z "$(find root -type f)" ] || fail "make uninstall leaves $(find root -type f)"
