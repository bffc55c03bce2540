# A budget bounds the whole process, its context and code included.
roomy mnist_cnn
for mib in $(pick '1024 3072' '400'); do
    rm -rf runs
    watched seen cuda mnist_cnn.plan "$(digits)" --memory "${mib}MiB" --epochs 100000 --steps "$(pick 40 2)"
    taken=$((BEFORE - $(sort -n seen | head -n 1)))
    [ $taken -le $((mib << 20)) ] || fail "$taken bytes are gone with a budget of $mib MiB"
    said=${said:+$said; }"of $mib MiB $(awk -v n=$taken 'BEGIN { printf "%.1f MiB (%.1f %%)", n / 1048576, 100 * n / ('$mib' * 1048576) }'), batch $(sed -n 's/.*"batch":\([0-9]*\).*/\1/p' out | head -n 1)"
done
echo "seen from outside: $said"
