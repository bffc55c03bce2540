# Predictions of models, and of every kind of data and output are the same on every device that is here.
data=$(digits)
devices=cpu
! here cuda || devices="cpu cuda"

byte() { printf "\\$(printf %o "$1")"; }

# Six samples of 3 x 32 x 32 as CIFAR-10 keeps them: label, pixels.
mkdir colours
for ((i = 0; i < 6; i++)); do
    byte $i
    tail -c +$((1 + 999 * i)) "$ROOT/models/resnet20.net" "$ROOT/README.md" | head -c 3072
done >colours/test_batch.bin
cp colours/test_batch.bin colours/data_batch_1.bin

# table PLAN WHAT [OPTION...]: predicted on every device; the first device's table is in the file cpu.csv.
table() {
    for device in $devices; do
        expect 0 netrun "$@" --device "$device" --output "$device.csv"
    done
    [ "$devices" = cpu ] || near cpu.csv cuda.csv || fail "$*: $(head -n 3 cpu.csv cuda.csv)"
}

for file in "$ROOT"/models/{mlp,strided_cnn,resnet20,xor}.net; do
    name=$(basename "$file" .net)
    plan "$name"
    set=$data
    grep -q '^input.*\[3, 32, 32\]' "$file" && set=colours
    grep -q '^ *samples *=' "$file" && set=
    # shellcheck disable=SC2086
    expect 0 netrun "$name.plan" --train $set --steps 1 --batch 4 --device cpu
    table "$name.plan" --predict 0 2 ${set:+--data "$set"}
    [ "$(wc -l <cpu.csv)" = 3 ] || fail "$name: $(cat cpu.csv)"
done

# Values as targets, and outputs of which the loss reads one: 8 values must not be compared with a target of 1.
# floats COLUMNS COUNT: an IDX file of numbers in (0.5, 1).
floats() {
    { printf '\0\0\15\2\0\0\0'; byte $(($2 / $1)); printf '\0\0\0'; byte "$1"; }
    for ((i = 0; i < $2; i++)); do printf '\077'; byte $((i * 37 % 64 + 64)); printf '\0\0'; done
}
mkdir values
for split in train t10k; do
    floats 4 40 >values/$split-samples
    floats 1 10 >values/$split-targets
done
cat >values.net <<'END'
net values
input x : f32[4]
target t : f32[1]
wide = x -> Linear(8) -> ReLU
y = wide -> Linear(1)
output wide, y
train { loss = MSE(y, t)
    optimizer = SGD(lr = 0.01) }
END
sed -e 's/net values/net classes/; s/f32\[1\]/class[3]/; s/Linear(1)/Linear(3)/; s/MSE/CrossEntropy/; s/^output.*/p = y -> Softmax\nalias = y\noutput wide, p, y, alias/' \
    -e '$a data { samples = [[1, 2, 3, 4, 0], [0.5, 0, 0, 1, 2], [-1, 1, -1, 1, 1]] }' values.net >classes.net
for name in values classes; do netc $name.net -o $name.plan || fail "$name does not compile"; done
expect 0 netrun values.plan --train values --steps 2 --device cpu
expect 0 netrun classes.plan --train --steps 2 --device cpu
table values.plan --predict test --data values
says cpu.csv '^sample,true,wide\.0,.*,wide\.7,y$'
[ "$(wc -l <cpu.csv)" = 11 ] || fail "not ten samples"
for what in "test --set train.evaluation_batch=3" 7; do
    # shellcheck disable=SC2086
    table values.plan --data values --predict $what
done
table classes.plan --predict test
# The softmax that the network has itself is that of the table: 3 columns, 1 apart by 3.
awk -F , 'NR > 1 { if ($3 == "" || NF != 20) exit 1
    for (i = 12; i < 15; i++) if (($i - $(i + 3)) ^ 2 > 1e-10 || $(i + 3) != $(i + 6)) exit 1 }' cpu.csv || fail "$(cat cpu.csv)"

for device in $devices; do
    expect 0 netrun values.plan --predict 3 --data values --device "$device"
    says out '^3: wide =( [0-9][-0-9.e]*){8}$'
    says out '^3: y = [-0-9.e]+ \(it is 0\.[0-9]+\)$'
    expect 0 netrun values.plan --predict 3 --data values --device "$device" --json
    "$B/tests/json_check" <out >count
    says out '"sample":"3",.*"true":\[0\.[0-9]*\],"outputs":\{"wide":\{"values":\[[^]]*\]\},"y":\{"values":\[[^]]*\]\}\}\}'
    expect 0 netrun classes.plan --predict 1 --device "$device"
    says out '^1: wide =( [0-9][-0-9.e]*){8}$'
    says out '^1: p =( 0\.[0-9]+){3}$'
    says out '^1: y = class [0-2], [0-9.]+ % \(it is 2\)$'
    says out '^1: alias = class [0-2], [0-9.]+ % \(it is 2\)$'
    expect 0 netrun classes.plan --predict 1 --device "$device" --json
    "$B/tests/json_check" <out >count
    says out '"true":2,"outputs":\{"wide":\{"values":.*"p":\{"values":.*"y":\{"class":[0-2],"probabilities":.*"alias":\{"class"'
    expect 0 netrun classes.plan --predict 1 --device "$device" --json --raw
    ! grep -q 'probabilities\|class"' out || fail "--raw tells probabilities"
done
