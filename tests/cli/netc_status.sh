# Exit statuses of netc.
expect 0 netc "$ROOT/models/xor.net" -o xor.plan
[ ! -s err ] || fail "says something"
expect 0 netc "$ROOT/models/xor.net" --check
expect 0 netc "$ROOT/models/xor.net" -o -
cmp out xor.plan
expect 1 netc "$ROOT/tests/errors/layer_unknown.net"
says err 'error\[N0102\]'
expect 2 netc
expect 2 netc --no-such-option
expect 2 netc "$ROOT/models/xor.net" --emit=pascal
expect 2 netc "$ROOT/models/xor.net" -d '?'
expect 2 netc "$ROOT/models/xor.net" "$ROOT/models/mlp.net"
expect 2 netc "$ROOT/models/xor.net" --memory much
expect 3 netc "$ROOT/models/mnist_cnn.net" --memory 64KiB
says err 'error\[N0501\]'
says err 'largest batch|does not fit|needs'
expect 0 netc "$ROOT/models/mnist_cnn.net" --memory 1GiB
expect 4 netc no-such-file.net
says err 'No such file'
expect 4 netc "$ROOT/models/xor.net" -o no-such-folder/xor.plan
[ ! -e no-such-folder ]
if [ -e /dev/full ]; then
    status=0
    netc "$ROOT/models/xor.net" -o - >/dev/full 2>err || status=$?
    [ $status = 4 ] || fail "a full disk gave $status, not 4"
fi
# Options that would change nothing.
for option in --batch=4 --flops=thop --precision=tf32 --target=cuda --capacity=100; do
    expect 2 netc "$ROOT/models/xor.net" $option
    says err "${option%%=*} has no effect without --"
done
expect 0 netc "$ROOT/models/xor.net" --target=cuda --memory=1GiB --batch=4
expect 2 netc "$ROOT/models/xor.net" --emit=cuda --plain
says err '--plain goes with --emit=c alone'
expect 2 netc "$ROOT/models/xor.net" --emit=c --target=cuda
says err 'its kernels are --emit=kernels --target cuda'
expect 2 netc "$ROOT/models/xor.net" --summary --flops=flops
says err 'one of macs|thop|thop-old|fvcore|ptflops|torchinfo|torch|step, not `flops`'
