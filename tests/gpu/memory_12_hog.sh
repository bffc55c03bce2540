# Beside a process that holds nearly all memory, training begins with a smaller batch or is refused with numbers; it
# never breaks off later.
# seconds: 90
plan mnist_cnn
folder=$(digits)
for mib in $(pick '8192 4096 2048 512 64' '1024 256 160 64'); do
    if [ "$SIM" ]; then
        export SIM_VRAM=${mib}MiB
    else
        mkfifo hold.$mib
        "$TOOLS/hog" $((mib << 20)) <hold.$mib >hog.$mib 2>hog.err &
        hog=$!
        exec 9>hold.$mib
        until [ -s hog.$mib ]; do kill -0 $hog || fail "hog: $(cat hog.err)"; sleep 0.1; done
    fi
    status=0
    cuda mnist_cnn.plan "$folder" --batch auto --set train.batch.max=100000 --epochs 100000 --steps "$(pick 10 2)" --runs left$mib >out 2>err || status=$?
    [ "$SIM" ] || { exec 9>&-; wait $hog; }
    case $status in
    0) said=${said:+$said; }"$mib MiB: batch $(sed -n 's/.*"batch":\([0-9]*\).*/\1/p' out | head -n 1)" ;;
    3 | 5) grep -q '[0-9]' err || fail "$mib MiB: refused without a number: $(cat err)"
        said=${said:+$said; }"$mib MiB: exit $status, $(grep -v '^  =' err | tail -n 1)" ;;
    *) tail -n 5 err >&2; fail "$mib MiB: exit $status" ;;
    esac
done
echo "left free: $said"
