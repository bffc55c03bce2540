# Which body writes a kernel: what is taken and the others with their prices, and a layer that is written by another.
model=$ROOT/models/mnist_cnn.net
expect 0 netc "$model" -d c
grep -A 2 '^train3_conv2_conv$' err >seen
diff - seen <<'END' || fail "-d c"
train3_conv2_conv
  * registers      2.82e+04 cycles   1.81e+06 flops   1.82e+06 bytes      144 error
    plain          2.26e+05 cycles   1.81e+06 flops   3.84e+06 bytes      144 error
END
expect 0 netc "$model" -d c --algorithm conv2=plain -o plain.plan
[ "$(grep -c '^  [*] plain' err)" = "$(grep -c ' by plain  #' plain.plan)" ] || fail "-d c and the plan differ"
grep -A 1 '^train3_conv2_conv$' err | grep -q '^    registers' || fail "conv2 is not overruled"
grep -A 1 '^train2_conv1_conv$' err | grep -q '^  [*] registers' || fail "conv1 is overruled too"

# The same numbers but for rounding, by other kernels.
expect 0 netc "$model" -o model.plan
for plan in model plain; do
    expect 0 netrun $plan.plan --train "$(digits)" --epochs 1 --json --runs $plan --emit-dir $plan-kernels
    sed -n 's/.*"event":"epoch".*"train":{"loss":\([0-9.]*\).*/\1/p' out >$plan.loss
done
! cmp -s model-kernels/*.c plain-kernels/*.c || fail "the kernels are the same"
awk 'NR == FNR { a = $1; next } { exit !(a > 0 && ($1 - a) ^ 2 < (0.01 * a) ^ 2) }' model.loss plain.loss ||
    fail "another loss: $(cat model.loss plain.loss)"

# What there is not.
expect 2 netc "$model" --algorithm conv9=plain
says err 'conv9=plain: no kernel begins with a layer of that name'
expect 2 netc "$model" --algorithm conv2=fft
says err 'conv2=fft: no kernel of the layer can be written so'
says err 'it can be written by plain, registers, tensor-cores$'
expect 2 netc "$model" --algorithm conv2
says err 'needs LAYER=BODY'

# A body that applies in another precision only is not silently another one.
expect 0 netc "$model" --algorithm fc1=tensor-cores -o tensor.plan
if [ -e "$ROOT/build/cudasim/libcuda.so.1" ] && ! "$NETRUN" --devices 2>&1 | grep -q '^libnvrtc *not found'; then
    for precision in fp32 tf32; do
        NETRUN_CUDA_LIBDIR=$ROOT/build/cudasim expect 0 netrun tensor.plan --train "$(digits)" --device cuda --precision $precision --steps 1 \
            --progress none
        grep -c 'was asked to be written by tensor-cores, which does not apply in fp32' err >$precision.warned || :
    done
    [ "$(cat fp32.warned tf32.warned | tr '\n' ' ')" = '1 0 ' ] || fail "warned: $(cat fp32.warned tf32.warned)"
fi
