# Beside a process that holds nearly all memory, training begins with a smaller batch or is refused with numbers; it
# never breaks off later.
# seconds: 90
roomy mnist_cnn
folder=$(digits)
for mib in $(pick '8192 4096 2048 512 64' '1024 256 160 64'); do
    hold $((mib << 20))
    status=0
    cuda mnist_cnn.plan "$folder" --epochs 100000 --steps "$(pick 10 2)" --runs left$mib >out 2>err || status=$?
    release
    case $status in
    0) said=${said:+$said; }"$mib MiB: batch $(field batch out)" ;;
    3 | 5) grep -q '[0-9]' err || fail "$mib MiB: refused without a number: $(cat err)"
        said=${said:+$said; }"$mib MiB: exit $status, $(grep 'error' err | tail -n 1)" ;;
    *) tail -n 5 err >&2; fail "$mib MiB: exit $status" ;;
    esac
done
echo "left free: $said"
