# NaN and infinities: named where they come in, told in words, and seen whatever the compilers are asked for.

# floats FILE N COLUMNS HEX...: an IDX file of N rows of big-endian floats.
floats() {
    local file=$1 hex
    hex=$(printf '00000d02%08x%08x' "$2" "$3")
    shift 3
    hex+=$(printf '%s' "$@")
    # shellcheck disable=SC2059,SC2001
    printf "$(sed 's/../\\x&/g' <<<"$hex")" >"$file"
}
one=3f800000 nan=7fc00000 minus_nan=ffc00000 infinite=7f800000
cat >m.net <<'END'
net m
input x : f32[2]
target t : f32[2]
y = x -> fc: Linear(2)
output y
train {
    loss = MSE(y, t)
    optimizer = SGD(lr = 0.01)
    epochs = 1
    batch = 3
}
END
netc m.net -o m.plan || fail "m.net does not compile"

# In data: file, byte, sample and value; nothing is trained.
for set in train t10k; do
    for part in samples:value targets:'target value'; do
        for value in $nan:'not a number' $minus_nan:'not a number' $infinite:infinite; do
            mkdir -p data
            for file in train-samples train-targets t10k-samples t10k-targets; do
                floats data/$file 3 2 $one $one $one $one $one $one
            done
            floats "data/$set-${part%:*}" 3 2 $one $one $one $one $one "${value%:*}"
            expect 4 netrun m.plan --train data
            says err "data/$set-${part%:*}: byte 32: ${part#*:} 1 of sample 2 is ${value#*:}"
            ! grep -q 'learning rate' err || fail "the learning rate is blamed"
        done
    done
done
expect 0 netrun --inspect data
says out 'target value 1 of sample 2 is infinite'
floats data/t10k-targets 3 2 $one $one $one $one $one $one
expect 0 netrun m.plan --train data

# In data that become infinite on the way: no update was made, so no learning rate is to blame.
sed 's/^train {/data {\n    transform = [Scale(1e30)]\n}\ntrain {/' m.net >scaled.net
netc scaled.net -o scaled.plan || fail "scaled.net does not compile"
expect 6 netrun scaled.plan --train data
says err 'the loss of the first batch is (infinite|NaN), before any update'

# Finite data whose loss is infinite; that is another word than NaN, on both devices.
huge=7149f2ca
mkdir huge
cp data/* huge/
floats huge/train-targets 3 2 $huge $one $one $one $one $one
for device in cpu cuda; do
    here $device || continue
    expect 6 netrun m.plan --train huge --device $device
    says err 'the loss of the first batch is infinite, before any update'
done

# In weights: tensor and place.
weights=runs/m-1/last.safetensors
size=$(stat -c %s "$weights")
cp "$weights" good.safetensors
for value in '\0\0\300\177' '\0\0\300\377'; do
    # shellcheck disable=SC2059
    printf "$value" | dd of="$weights" bs=1 seek=$((size - 4)) conv=notrunc status=none
    expect 4 netrun m.plan --test data --weights "$weights"
    says err "last.safetensors: fc\.weight\[1, 1\] is not a number"
    expect 4 netrun m.plan --train data --weights "$weights"
    says err "fc\.weight\[1, 1\] is not a number"
done
cp good.safetensors "$weights"
printf '\0\0\200\177' | dd of="$weights" bs=1 seek=$((size - 4)) conv=notrunc status=none
expect 0 netrun m.plan --test data --weights "$weights"
says err 'fc\.weight\[1, 1\] is infinite'
says out 'test loss infinite'
! grep -Eiq 'nan|inf ' out err || fail "a number that is none"

# Whatever the user's compiler is told, a loss that is not finite stops the training.
for fast in '' -ffast-math -Ofast '-O1 -ffinite-math-only'; do
    expect 6 env CC="${CC:-cc} $fast" "$NETRUN" m.plan --train data --lr 1e6 --epochs 40
    says err 'diverged: the loss is (infinite|NaN)'
    expect 6 env NETRUN_CFLAGS="$fast" "$NETRUN" m.plan --train data --lr 1e6 --epochs 40
    says err 'diverged: the loss is (infinite|NaN)'
done

# The programs themselves too.
make -s -C "$ROOT" B="$PWD/b" CC="${CC:-cc} -ffast-math" CFLAGS=-Ofast "$PWD/b/runtime/tell/metrics.o" >out 2>err || fail "metrics.c does not compile"
cat >main.c <<'END'
long long largest(const float *value, long long n);
/* What else is in that file calls these, and is not called here. */
int metric_is_share(const char *shown) { return !shown; }
const char *loss_text(double loss, char *text, unsigned long size) { return loss > (double)size ? "" : text; }
int main(int argc, char **argv)
{
    (void)argv;
    union { unsigned u; float f; } nan = { 0x7fc00000u + (unsigned)(argc - 1) };
    float v[3] = { 1, nan.f, 2 };
    return largest(v, 3) == 1 ? 0 : 1;
}
END
${CC:-cc} -o main main.c b/runtime/tell/metrics.o -lm
./main || fail "a NaN is not seen in a program built with -ffast-math"
