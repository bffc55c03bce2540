# Memory grows with the layers, by 35 KB each: 2,000 of them are compiled, and their plan written, in less than 90,000 KiB.
(ulimit -v 90000 && "$NETC" --version >out 2>&1) || skip "netc alone takes more: it is built with a sanitizer"
{
    printf 'net deep\ninput x : f32[8]\ntarget y : class[8]\nz = x\n'
    for i in $(seq 2000); do echo '    -> Linear(8)'; done
    printf 'output z\ntrain {\nloss = CrossEntropy(z, y)\noptimizer = SGD(lr = 0.1)\n}\n'
} >deep.net
(ulimit -v 90000; "$NETC" deep.net -o deep.plan >out 2>err) || fail "netc takes more than 90,000 KiB for 2,000 layers: $(cat err)"
[ "$(tail -n 1 deep.plan)" = end ]

# Nor do empty lines take more than the text that they are: 16 MiB of them less than 60,000 KiB.
{ cat "$ROOT/models/xor.net"; head -c 16700000 /dev/zero | tr '\0' '\n'; } >empty.net
expect 0 "$B/tests/peak" kib "$NETC" empty.net
[ "$(cat kib)" -lt 60000 ] || fail "netc takes $(cat kib) KiB for 16 MiB of empty lines"
