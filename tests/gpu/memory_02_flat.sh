# Memory does not creep: after each launch of 10,000 steps, in the process and seen from outside, with evaluations and
# checkpoints between.
# seconds: 90
plan mnist_cnn
plan mlp
figures=$("$TOOLS/armed" flat "$(pick mnist_cnn mlp).plan" 64 "$(pick 10000 130)") || fail "$figures"
watched seen cuda mlp.plan "$(digits)" --batch "$(pick 64 32)" --steps "$(pick 10000 40)" --epochs 100000
[ "$(sort -u seen | wc -l)" = 1 ] || fail "between $(sort -n seen | head -n 1) and $(sort -n seen | tail -n 1) bytes were free"
echo "$figures; netrun, $(grep -c '"event":"epoch"' out) epochs: $(head -n 1 seen) bytes free in each of $(wc -l <seen) looks"
