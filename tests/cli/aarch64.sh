# The cpu device on an ARM processor that is emulated: compiled for it, with kernels that the cross compiler makes, it trains as it
# does here, but for rounding (lanes.sh says why), and on any number of threads to the same bits.
cc=aarch64-linux-gnu-gcc
{ echo '#include <stdlib.h>' | $cc -E - >cpp && qemu-aarch64 -version >version; } 2>err ||
    skip "needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user"

# Of all libraries it takes xxhash alone, whose header is enough.
mkdir include
ln -s /usr/include/xxhash.h include
sources=("$ROOT"/compiler/*/*.c "$ROOT"/runtime/{cpu,device}/*.c "$ROOT"/runtime/run/{init,recipe,tensors}.c
    "$ROOT"/runtime/tell/say.c "$ROOT"/tests/lanes.c "$B"/net.{tab,lex}.c)
for i in "${!sources[@]}"; do [ "${sources[i]}" != "$ROOT/compiler/netc/main.c" ] || unset "sources[i]"; done
expect 0 $cc -std=gnu11 -D_GNU_SOURCE -DXXH_INLINE_ALL -I"$ROOT"/{compiler,runtime,grammar} -I"$B" -Iinclude \
    -Wl,--wrap=jit_lanes -o lanes "${sources[@]}" -lm

unset NETRUN_CFLAGS
emulated() { env CC=$cc timeout -s KILL "$seconds" qemu-aarch64 -L /usr/aarch64-linux-gnu ./lanes "$@"; }
sed 's/MaxPool/AvgPool/' "$ROOT/models/mnist_cnn.net" >averaged.net # its second convolution is winograd's, both ways
for net in "$ROOT"/{models/mlp,models/mnist_cnn,tests/mutants}.net averaged.net; do
    expect 0 netc "$net" -D train.batch=40 -D train.optimizer='SGD(lr = 0.05, momentum = 0.9)' -o net.plan
    expect 0 "$B/tests/lanes" net.plan
    mv out here
    expect 0 emulated net.plan
    says err '^4 lanes$'
    mv out there
    near here there 2e-5 2>err || fail "$net: other numbers"
    expect 0 emulated net.plan 3
    cmp there out || fail "$net: other bits by three threads"
done
