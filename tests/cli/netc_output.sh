# Where netc writes: the model itself is refused, links and devices stay what they are, and what is lost gives exit 4.
model=$ROOT/models/xor.net
expect 0 netc "$model" -o plain.plan

# The model would be lost, by whatever path it is named.
cp "$model" m.net
ln -s m.net link.net
ln m.net hard.net
for path in m.net ./m.net "$PWD/m.net" link.net hard.net; do
    expect 2 netc m.net -o "$path"
    says err 'the model itself'
    cmp m.net "$model" || fail "-o $path: the model is gone"
done
expect 2 netc link.net -o m.net
expect 2 netc - -o m.net <m.net
cmp m.net "$model" || fail "the model is gone"

# A symbolic link stays one, and what it leads to is written, be it there or not.
mkdir elsewhere
echo old >elsewhere/a.plan
chmod 640 elsewhere/a.plan
ln -s elsewhere/a.plan a.plan
ln -s a.plan twice.plan
ln -s elsewhere/new.plan new.plan
for path in a.plan twice.plan new.plan; do
    expect 0 netc "$model" -o $path
    [ -L $path ] || fail "$path is no link any more"
    cmp $path plain.plan || fail "-o $path: other bytes"
done
[ "$(stat -c %a elsewhere/a.plan)" = 640 ] || fail "other rights than the old file's"
[ -z "$(find . -name '*tmp*')" ] || fail "a temporary file is left"
ln -s round round
expect 4 netc "$model" -o round
says err 'round: .*symbolic links'

# FIFOs, pipes and open files get the bytes.
mkfifo fifo
cat fifo >through &
expect 0 netc "$model" -o fifo
wait $!
[ -p fifo ] || fail "the FIFO was replaced"
cmp through plain.plan || fail "other bytes through the FIFO"
ln -s /proc/self/fd/1 stdout                  # as /dev/stdout, which no test may replace
"$NETC" "$model" -o stdout | cmp - plain.plan || fail "-o stdout in a pipe"
echo line >log
"$NETC" "$model" -o stdout >>log
[ "$(head -n 1 log)" = line ] || fail "-o stdout has replaced what it should follow"
tail -n +2 log | cmp - plain.plan || fail "-o stdout in a file"
expect 4 netc "$model" -o elsewhere
says err 'elsewhere: .*[Dd]irectory'
if [ "$(id -u)" != 0 ]; then
    chmod 400 plain.plan
    expect 4 netc "$model" -o plain.plan
    says err 'plain.plan: cannot be written: Permission denied'
fi

# A model that is only checked is said to be right, and how the plan is written; a plan is told from a model.
expect 0 netc "$model"
says err "^ok: $model, 33 parameters; write the plan with -o xor.plan$"
expect 0 netc "$model" --memory 1GiB
says err '^ok: '
expect 0 netc - <"$model"
says err '^ok: -, 33 parameters; write the plan with -o xor.plan$'
expect 0 netc "$model" --check
says err "^ok: $model, 33 parameters$"
for option in "-o x.plan" --summary --emit=c --memory-map --memory-map=x.svg; do
    # shellcheck disable=SC2086
    expect 0 netc "$model" $option
    [ ! -s err ] || fail "$option: says more than it was asked"
    # shellcheck disable=SC2086
    expect 2 netc "$model" --check $option
done
expect 4 netc plain.plan
says err 'a plan already; .*netrun plain.plan'
[ "$(wc -l <err)" = 1 ] || fail "a plan is read as a model"

# A limit of the shell's for files is told as a full disk is, and leaves nothing behind.
mkdir small
status=0
(ulimit -f 1 && exec "$NETC" "$model" -o small/x.plan) >out 2>err || status=$?
[ $status = 4 ] || fail "a file that may not grow gave $status"
says err 'small/x.plan: cannot be written: File too large'
[ -z "$(ls -A small)" ] || fail "left behind: $(ls -A small)"

# Pictures go where plans go, by the same rules.
cp "$model" m.svg
expect 2 netc m.svg --memory-map=m.svg
says err 'the model itself'
cmp m.svg "$model" || fail "--memory-map: the model is gone"
expect 2 netc "$model" --memory-map=m.png
says err 'draws SVG, into FILE.svg or - .stdout., not m.png'
[ ! -e m.png ]
expect 4 netc "$model" --memory-map=no-such-folder/m.svg
says err 'no-such-folder/m.svg: .*No such file'
