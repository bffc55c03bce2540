# Networks at the edges of the emitted kernels: the CPU's losses on the simulated device, dead memory being NaN.
sim=$ROOT/build/cudasim
"$NETRUN" --devices >devices 2>&1 || :
! grep -q '^libnvrtc *not found' devices || skip "libnvrtc is not installed"
[ -e "$sim/libcuda.so.1" ] || fail "the simulated device is not built: make sim"
if real mnist; then data=$DATA/mnist; else data=$(digits); fi

# same NAME BATCH: the network on stdin between its input and Linear(10).
same() {
    { echo "net $1"; echo 'input x : f32[1, 28, 28]'; echo 'target t : class[10]'; echo 'y = x'; cat; echo '    -> Flatten -> f: Linear(10)'
      echo 'output y'; echo 'data { transform = [Scale(1/255)] }'
      echo 'train { loss = CrossEntropy(y, t)'; echo '    optimizer = SGD(lr = 0.05)'; echo "    batch = $2 }"; } >"$1.net"
    expect 0 netc "$1.net" -o "$1.plan"
    for device in cpu cuda; do
        NETRUN_CUDA_LIBDIR=$sim NETRUN_POISON=1 SIM_CHECK=1 expect 0 netrun "$1.plan" --train "$data" --device $device --steps 4 --log-every 1 \
            --progress none --json --runs "$device"
        losses >"$1.$device"
    done
    [ "$(wc -l <"$1.cuda")" = 4 ] || fail "$1: 4 steps, not $(wc -l <"$1.cuda")"
    near "$1.cpu" "$1.cuda" 2e-5 || fail "$1: losses differ: $(paste "$1.cpu" "$1.cuda" | tr '\n\t' '; ')"
}

# Too many taps for a tile, and a width that windows do not cover.
same plain 1 <<'END'
    -> a: Conv(3, kernel = [12, 12], pad = [5, 6]) -> GELU -> AvgPool([3, 2]) -> b: Conv(4, kernel = 1)
END
same wide_stride 17 <<'END'
    -> a: Conv(5, kernel = [7, 5], stride = 3, pad = 2) -> ReLU -> b: Conv(6, kernel = [1, 2], dilation = [1, 5], stride = [1, 4], pad = [0, 3])
END
same grouped 33 <<'END'
    -> a: Conv(12, kernel = 3, stride = 2) -> Tanh -> b: Conv(6, kernel = 3, groups = 3, pad = 1) -> MaxPool(3, stride = 2, pad = 1) -> BatchNorm
END
same global 16 <<'END'
    -> a: Conv(9, kernel = 4, stride = 4) -> ReLU -> GlobalMaxPool
END
