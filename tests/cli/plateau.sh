# A schedule that goes by what is measured: the rate falls, and a run that is resumed ends with the same bits.
sed '/schedule/d; s/^    optimizer.*/    optimizer = Adam(lr = 0.05)\n    schedule = Plateau(factor = 0.5, patience = 0, threshold = 20%, cooldown = 1)/' "$ROOT/models/xor.net" >x.net
sed 's/threshold = 20%, cooldown = 1/threshold = 0/' x.net >y.net
expect 0 netrun x.net --train --epochs 40 --json --runs whole
rates() { sed -n 's/.*"event":"epoch".*"lr":\([^,}]*\).*/\1/p' "$1"; }
rates out | uniq >rates.txt
[ "$(head -1 rates.txt)" = 0.05 ] || fail "the first rate is $(head -1 rates.txt)"
[ "$(sed -n 2p rates.txt)" = 0.025 ] || fail "the second rate is $(sed -n 2p rates.txt)"
expect 0 netrun x.net --train --epochs 40 --steps 17 --runs parts
for steps in 18 30; do
    expect 0 netrun --resume parts/xor-1 --steps $steps
done
expect 0 netrun --resume parts/xor-1
for file in last best; do
    cmp whole/xor-1/$file.safetensors parts/xor-1/$file.safetensors || fail "resumed: other bits"
done
