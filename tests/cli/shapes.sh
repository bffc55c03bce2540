# Inputs of every rank, and data that differ from the input only by leading ones: the same losses as those of the shape
# that the data have, on every device that is here.
devices=cpu
! here cuda || devices="cpu cuda"

# losses NAME DATA: of the network on stdin, in the file NAME.
losses() {
    cat >"$1.net"
    expect 0 netc "$1.net" -o "$1.plan"
    : >"$1"
    for device in $devices; do
        # shellcheck disable=SC2086
        expect 0 netrun "$1.plan" --train $2 --device "$device" --steps 3 --log-every 1 --progress none --json --runs "$device"
        sed -n 's/.*"event":"step".*"loss":\([0-9.]*\).*/\1/p' out >>"$1"
    done
    [ "$(wc -l <"$1")" = $(($(wc -w <<<"$devices") * 3)) ] || fail "$1: $(wc -l <"$1") losses"
}

# image SHAPE
image() {
    echo "net image
input x : f32[$1]
target t : class[10]
y = x -> Flatten -> fc: Linear(10)
output y
data { transform = Scale(1/255) }
train { loss = CrossEntropy(y, t)
    optimizer = SGD(lr = 0.1)
    batch = 16 }"
}
data=$(digits)
image 1,28,28 | losses whole "$data"
for shape in 28,28 1,1,28,28 784 1,784; do
    image "$shape" | losses other "$data"
    cmp whole other || fail "an input f32[$shape] has other losses"
done
for shape in 28,28,1 2,14,28 14,56; do
    image "$shape" >wrong.net
    expect 0 netc wrong.net -o wrong.plan
    expect 4 netrun wrong.plan --train "$data" --device cpu --progress none
    says err "samples are 1x28x28, but input .x. of the network is ${shape//,/x}"
done

# The other way round: images of 1x2x2 for a network of 2x2 (IDX: 0, 0, type u8, number of sizes; sizes big-endian).
size() { printf "\0\0\0\\$1"; }
mkdir ones
for split in train t10k; do
    { printf '\0\0\10\4'; size 2; size 1; size 2; size 2; printf 'abcdefgh'; } >ones/$split-images-idx4-ubyte
    { printf '\0\0\10\1'; size 2; printf '\0\1'; } >ones/$split-labels-idx1-ubyte
done
for shape in 1,2,2 2,2; do
    image $shape | sed 's/\[10\]/[2]/; s/Linear(10)/Linear(2)/; s/batch = 16/batch = 2\n    epochs = 3/' | losses "ones$shape" ones
done
cmp ones1,2,2 ones2,2 || fail "an input f32[2,2] has other losses"

# Four sizes, through all that takes them, against the same values in one.
four() {
    echo "net four
input x : f32[$1]
target t : class[4]
a = x -> ReLU -> Dropout(0.25) -> Tanh
z = Concat(a + x, x) -> GELU
y = z -> Flatten -> fc: Linear(4)
output y, z, x
data { samples = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1], [-1, 2, -3, 4, -5, 6, -7, 8, -9, 10, -11, 12, 3]]
    transform = Scale(0.1) }
train { loss = CrossEntropy(y, t)
    optimizer = Adam(lr = 0.01)
    epochs = 3
    batch = 2 }"
}
four 12 | losses one ""
for shape in 2,1,2,3 1,1,1,12 12,1,1,1; do
    four $shape | losses many ""
    cmp one many || fail "an input f32[$shape] has other losses"
done
expect 0 netrun many.plan --test --device cpu --weights "cpu/four-1/last.safetensors"
