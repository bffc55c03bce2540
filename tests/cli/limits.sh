# What netc accepts, netrun reads, arms and runs, on every device that is here; what is beyond, netc refuses with the line to
# blame: tests/limits.c makes a network at each limit and one behind it.
devices=cpu
export NETRUN_CUDA_LIBDIR=$ROOT/build/cudasim SIM_THREADS=1 NETRUN_CFLAGS=-O0
"$NETRUN" --devices >out 2>&1 || :
! [ -e "$NETRUN_CUDA_LIBDIR/libcuda.so.1" ] || grep -q '^libnvrtc *not found' out || devices="cpu cuda"
mkdir nets
"$B/tests/limits" nets

# trains NET DEVICES STATUS...: netrun's status is one of them.
trains() {
    local net=$1 on=$2 device status
    shift 2
    for device in $on; do
        status=0
        netrun "$net.plan" --train --device "$device" --memory 256MiB --steps 2 --quiet --runs "$device" >out 2>err || status=$?
        case " $* " in *" $status "*) ;; *) fail "$net: netrun on $device gave $status" ;; esac
        [ $status = 0 ] || break                       # what does not fit is refused alike
    done
}

for file in nets/*.net; do
    net=${file%.net}
    read -r _ expected says <"$file"
    status=0
    netc "$file" -o "$net.plan" >out 2>err || status=$?
    case $expected,$status in
    runs,0) trains "$net" "$devices" 0 ;;
    reads,0) trains "$net" "$devices" 0 2 3 ;;
    either,0) trains "$net" cpu 0 3 6 ;;
    either,1) says err "^$file:[0-9]+:[0-9]+: error" ;;
    refused,1 | refused,4)
        grep -qF -- "$says" err || fail "$net: netc does not say: $says"
        at=$(sed -n "s/^[^ ]*net:\([0-9]*\):[0-9]*: error.*/\1/p" err | head -n 1)
        ! grep -q '# here$' "$file" || sed -n "${at:-1}p" "$file" | grep -q '# here$' || fail "$net: line $at is blamed" ;;
    *) fail "$net: netc gave $status, and it should be: $expected" ;;
    esac
    rm -f "$net.plan"
done
