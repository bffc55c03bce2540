# 200 steps of a small network on the simulated device: the loss falls, and with all its checks on the weights are the
# same. What they took is printed, seconds of one core.
sim=$ROOT/build/cudasim
"$NETRUN" --devices >devices 2>&1 || :
! grep -q '^libnvrtc *not found' devices || skip "libnvrtc is not installed"
[ -e "$sim/libcuda.so.1" ] || fail "the simulated device is not built: make sim"
if real mnist; then data=$DATA/mnist; else data=$(digits); fi

cat >small_cnn.net <<'END'
net small_cnn
input  image : f32[1, 28, 28]
target digit : class[10]
logits = image
    -> Conv(8, kernel = 3, pad = 1) -> ReLU -> MaxPool(2)
    -> Conv(16, kernel = 3, pad = 1) -> ReLU -> MaxPool(2)
    -> Flatten
    -> Linear(10)
output logits
data { transform = [Scale(1/255), Normalize(mean = 0.1307, std = 0.3081)] }
train {
    loss      = CrossEntropy(logits, digit)
    optimizer = Adam(lr = 1e-3)
    epochs    = 10
    batch     = 32
}
END
expect 0 netc small_cnn.net -o small_cnn.plan

# Seconds of the processor that children took so far. Not in a pipe: that is a shell of its own.
spent() {
    times >spent
    awk -F '[ms]' 'END { print 60 * $1 + $2 }' spent
}

# train SIM_CHECK
train() {
    spent >before
    expect 0 env NETRUN_CUDA_LIBDIR="$sim" SIM_THREADS=1 SIM_LEAK=77 SIM_CHECK="$1" timeout -s KILL 600 \
        "$NETRUN" small_cnn.plan --train "$data" --device cuda --steps 200 --json --log-every 1 --progress none --runs "runs$1"
    spent >after
    paste before after | awk -v check="$1" '{ printf "SIM_CHECK=%s: %.1f s of one core\n", check, $2 - $1 }'
}

# loss FROM TO: the mean over these steps.
loss() { sed -n 's/.*"event":"step".*"loss":\([0-9.eE+-]*\).*/\1/p' out | sed -n "$1,$2p" | awk '{ s += $1; n++ } END { print n ? s / n : "none" }'; }
below() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 < b && a != "none") }'; }

train 0
first=$(loss 1 10) last=$(loss 181 200)
echo "loss of the first ten steps $first, of the last twenty $last"
below "$last" 0.6 && below 1.5 "$first" || fail "the loss goes from $first to $last"
train 1
cmp runs0/small_cnn-1/last.safetensors runs1/small_cnn-1/last.safetensors || fail "other weights with SIM_CHECK=1"
