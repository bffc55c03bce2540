# The smallest network, on the samples in its own file.
plan xor
expect 0 netrun xor.plan --train --json
loss=$(sed -n 's/.*"train":{"loss":\([0-9.e-]*\).*/\1/p' out | tail -n 1)
awk "BEGIN { exit !($loss < 0.01) }" || fail "loss $loss"
