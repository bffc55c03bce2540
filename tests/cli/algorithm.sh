# Which body writes a kernel: what is taken and the others with their prices, and a layer that is written by another.
model=$ROOT/models/mnist_cnn.net
expect 0 netc "$model" -d c
grep -A 3 '^train3_conv2_conv$' err >seen
diff - seen <<'END' || fail "-d c"
train3_conv2_conv
    registers      2.56e+04 cycles   1.64e+06 flops   1.65e+06 bytes      144 error
  * winograd       1.51e+04 cycles   8.66e+05 flops   8.76e+05 bytes      288 error
    plain          2.05e+05 cycles   1.66e+06 flops   3.49e+06 bytes      144 error
END
# Every kernel has a price by its plain body, which is what writes it, might, or cannot here; an update costs once.
[ "$(grep -c '^[a-z]' err)" = "$(grep -c '^  [-* ] plain  .* cycles .* flops .* bytes .* error' err)" ] || fail "a kernel without price"
grep -A 2 '^train0_image_gather$' err | grep -q '^  - plain' || fail "the plain gather bears no vectors"
grep -A 1 '_optimizer_adam$' err | grep -q '^  [*] plain  *0 cycles  *0 flops  *0 bytes  *0 error [+] [1-9].* flops [1-9].* bytes$' ||
    fail "the update"
expect 0 netc "$model" -d c --algorithm conv2=plain -o plain.plan
awk '/^[a-z]/ { own = /_conv2_conv/ } own && /^  [*] plain/' err >plain.taken
[ "$(wc -l <plain.taken)" = "$(grep -c ' by plain  #' plain.plan)" ] || fail "-d c and the plan differ"
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

# One that only CUDA can write so is in the plan, and the plan is read.
expect 0 netc "$model" --algorithm digit=plain -o target.plan
grep -q '^  gather_target .* by plain  #' target.plan || fail "digit is not overruled"
expect 0 netrun target.plan --train "$(digits)" --steps 1 --progress none

# What there is not.
expect 2 netc "$model" --algorithm conv9=plain
says err 'conv9=plain: no kernel begins with a layer of that name'
says err 'see -d f$'
expect 2 netc "$model" --algorithm loss=plain
says err 'loss=plain: its kernels can be written in one way only$'
expect 2 netc "$model" --algorithm conv2=fft
says err 'conv2=fft: no kernel of the layer can be written so'
says err 'it can be written by plain, registers, winograd, winners, tensor-cores$'
expect 2 netc "$model" --algorithm conv2
says err 'needs LAYER=BODY'

# A body that applies in another precision only is not silently another one.
expect 0 netc "$model" --algorithm fc1=tensor-cores -o tensor.plan
for precision in fp32 tf32; do
    expect 0 netc "$model" --algorithm fc1=tensor-cores --emit=cuda --precision $precision
    grep -c 'warning: cuda_train.*_fc1_conv was asked to be written by tensor-cores, which does not apply in fp32' err >$precision.warned || :
done
[ "$(cat fp32.warned tf32.warned | tr '\n' ' ')" = '1 0 ' ] || fail "netc warned: $(cat fp32.warned tf32.warned)"
if [ -e "$ROOT/build/cudasim/libcuda.so.1" ] && ! "$NETRUN" --devices 2>&1 | grep -q '^libnvrtc *not found'; then
    for precision in fp32 tf32; do
        NETRUN_CUDA_LIBDIR=$ROOT/build/cudasim expect 0 netrun tensor.plan --train "$(digits)" --device cuda --precision $precision --steps 1 \
            --progress none
        grep -c 'was asked to be written by tensor-cores, which does not apply in fp32' err >$precision.warned || :
    done
    [ "$(cat fp32.warned tf32.warned | tr '\n' ' ')" = '1 0 ' ] || fail "warned: $(cat fp32.warned tf32.warned)"
fi

# A copy computes what plain does, in vectors, and touches each value once: 2 x 784 flops, 4 x 784 bytes at 128 a cycle.
expect 0 netc "$model" -d c
grep -A 1 '^train0_image_gather$' err | grep -qE '\* blocks +24.5 cycles +1.57e\+03 flops +3.14e\+03 bytes' || fail "the copy's price"
# Every body has a price, the losers too.
for model in "$ROOT"/models/*.net; do
    netc "$model" -d c -o /dev/null 2>choices || fail "$model: no choices"
    grep -q '^  \* ' choices || fail "$model: nothing is chosen"
    ! grep -E '^  [*-]? ' choices | grep -v ' cycles .* flops .* bytes .* error' || fail "$model: a body without a price"
done
