# The event file of TensorBoard: records whose lengths lead from one to the next, with the numbers of metrics.jsonl.
# (That TensorBoard reads it: make check-interop. The bytes: tests/unit/test_tfevents.c.)
data=$(digits)
plan mlp
expect 0 netrun mlp.plan --train "$data" --epochs 2 --log-every 10
file=$(echo runs/mlp-1/events.out.tfevents.*)
[ -s "$file" ] || fail "no event file"

# length (8 bytes), checksum (4), event, checksum (4)
size=$(stat -c %s "$file") at=0 records=0
while [ $at -lt "$size" ]; do
    at=$((at + 16 + $(od -An -tu8 -j $at -N 8 "$file")))
    records=$((records + 1))
done
[ $at = "$size" ] || fail "the last record ends at $at of $size"
# version, two of the settings, graph, images, steps, two epochs, the end, confusion
steps=$(grep -c '"event":"step"' runs/mlp-1/metrics.jsonl)
[ $records = $((3 + 2 + steps + 2 + 1 + 1)) ] || fail "$records records, $steps steps"
for word in loss/train loss/test accuracy/train accuracy/test loss/step train.optimizer _hparams_/session_end_info \
    weights/fc1.weight gradients/fc2.bias updates/fc1.bias; do
    grep -aq "$word" "$file" || fail "no $word"
done

# The graph is of layers: each reads the one before it (3: input), and has the shape of its result: any number of 128. (Dim is field
# 2 of a shape, its size field 1.)
for word in _output_shapes "kernel + ReLU" data/train confusion; do
    grep -aq "$word" "$file" || fail "no $word"
done
LC_ALL=C grep -aPq 'relu_2\x12\x04ReLU\x1a\x03fc1' "$file" || fail "relu_2 does not read fc1"
LC_ALL=C grep -aPq 'logits\x12\x06output\x1a\x03fc2' "$file" || fail "no output"
LC_ALL=C grep -aPq '\x12\x0b\x08\xff{9}\x01\x12\x03\x08\x80\x01' "$file" || fail "no shape of fc1"
[ "$(grep -ao IHDR "$file" | wc -l)" = 2 ] || fail "not two pictures"

# A resumed run goes on in a file of its own, which says from which step on (2), in a session (7) that starts (8: 1); nothing is
# written where that is asked.
step=$(($(sed -n '/"event":"epoch"/s/.*"steps":\([0-9]*\).*/\1/p' runs/mlp-1/metrics.jsonl | tail -n 1) + 1))
[ $step -lt 128 ] || fail "two bytes of step are not looked for"
expect 0 netrun --resume mlp-1 --epochs 3
[ "$(cat runs/mlp-1/events.out.tfevents.* | grep -ao data/train | wc -l)" = 1 ] || fail "images once more"
[ "$(find runs/mlp-1 -name 'events.out.tfevents.*' | wc -l)" = 2 ] || fail "the resumed run has no file of its own"
start="\\x10\\x$(printf %02x $step)\\x3a\\x02\\x08\\x01"
! LC_ALL=C grep -aPq "$start" "$file" || fail "a new run says that it goes on"
cat runs/mlp-1/events.out.tfevents.* | LC_ALL=C grep -aPq "$start" || fail "the resumed run does not say from where"
expect 0 netrun mlp.plan --train "$data" --epochs 1 --no-tensorboard
[ -z "$(find runs/mlp-2 -name 'events.out.tfevents.*')" ] || fail "--no-tensorboard wrote one"
expect 2 netrun mlp.plan --test "$data" --no-tensorboard
