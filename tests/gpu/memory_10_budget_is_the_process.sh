# A budget bounds the whole process, its context and code included.
roomy mnist_cnn
for mib in $(pick '1024 3072' '400'); do
    rm -rf runs
    watched seen cuda mnist_cnn.plan "$(digits)" --memory "${mib}MiB" --epochs 100000 --steps "$(pick 40 2)"
    taken=$((BEFORE - $(sort -n seen | head -n 1)))
    [ $taken -le $((mib << 20)) ] || fail "$taken bytes are gone with a budget of $mib MiB"
    [ "$SIM" ] || [ $taken -gt 0 ] || fail "nothing is gone"      # each process has a simulated device of its own
    said=${said:+$said; }"of $mib MiB $taken bytes, $((100 * taken / (mib << 20))) %, batch $(field batch out)"
done
echo "seen from outside: $said"
