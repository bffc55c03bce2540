# --profile: every kernel of a phase once, with its line; what they take, and what is between them, is the step; flops and bytes by hand.
cat >two.net <<'END'
net two
input  x : f32[20]
target t : class[7]
logits = x
    -> a: Linear(30, bias = false)
    -> b: Linear(7, bias = false)
output logits
data {
    samples = [END
    ]
}
train {
    loss      = CrossEntropy(logits, t)
    optimizer = SGD(lr = 0.01)
    epochs    = 1
    batch     = 48
}
END
# 96 samples in the plan.
awk '/samples = \[END/ { print "    samples = ["
    for (i = 0; i < 96; i++) { printf "        ["; for (k = 0; k < 20; k++) printf "%s%.2f", k ? ", " : "", (i * 7 + k * 3) % 11 / 11; print ", " i % 7 "]" (i < 95 ? "," : "") }
    next } { print }' two.net >own.net
mv own.net two.net
expect 0 netrun two.net --profile --steps 3 --device cpu --json --output two.csv
cp out two.json
cp err text
"$B/tests/json_check" <two.json >count || fail "no JSON"
[ ! -e runs ] || fail "--profile has kept something"
awk 'length > 80 { print; bad = 1 } END { exit bad }' text || fail "wider than 80 columns"
says text 'training step of 48 samples'

# of PHASE COLUMN KERNEL: a cell of the table; KERNEL is the end of a name.
of() {
    awk -F, -v phase="$1" -v column="$2" -v end="$3" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $1 == phase && $3 ~ end "$" { print $at[column] }' two.csv
}
# Multiply-adds are two flops. Operands are read or written once, 4 bytes each.
[ "$(of train flops _a_conv)" = $((2 * 48 * 20 * 30)) ] || fail "a forward: $(of train flops _a_conv) flops"
[ "$(of train flops _a_linear_dw)" = $((2 * 48 * 20 * 30)) ] || fail "a by its weight: $(of train flops _a_linear_dw) flops"
[ "$(of train flops _b_conv)" = $((2 * 48 * 30 * 7)) ] || fail "b forward: $(of train flops _b_conv) flops"
[ "$(of train flops _b_conv_dx)" = $((2 * 48 * 30 * 7)) ] || fail "b by what comes in: $(of train flops _b_conv_dx) flops"
[ "$(of train bytes _a_conv)" = $((4 * (48 * (20 + 30) + 20 * 30))) ] || fail "a forward: $(of train bytes _a_conv) bytes"
# Read from the data set, written in two orders; and the control block.
[ "$(of train bytes _gather)" = $((48 * 3 * 20 * 4 + 256)) ] || fail "the gather: $(of train bytes _gather) bytes"
# p - lr * (g + decay * p), of parameters that begin at multiples of 16.
[ "$(of train flops sgd)" = $((4 * (608 + 224))) ] || fail "the update: $(of train flops sgd) flops"
# All of them: what netc counts for a sample.
expect 0 netc two.net --emit=json
step=$(sed -n 's/.*"step": \([0-9]*\).*/\1/p' out | awk '{ sum += $1 } END { print sum }')
awk -F, -v step="$step" '$1 == "train" && $3 ~ /_(conv|conv_dx|linear_dw)$/ { sum += $10 } END { exit sum != 48 * step }' two.csv ||
    fail "Linear layers have other flops than --flops=step"

# Every kernel of the phase that runs, once, in its order; each with the line of its layer.
for phase in train evaluate; do
    tr -d '\n' <out | sed 's/"phase": "/\n&/g' | sed -n "/^\"phase\": \"$phase\", \"target\": \"cpu\"/s/.*\"kernels\": \[\([^]]*\)\].*/\1/p" |
        tr -d '" ' | tr , '\n' | grep -v accumulate >should
    awk -F, -v phase=$phase '$1 == phase && $3 != "" { print $3 }' two.csv >is
    cmp should is || fail "other kernels in $phase: $(diff should is)"
done
for layer in a b; do
    line=$(grep -n " $layer: Linear" two.net | cut -d: -f1)
    awk -F, -v layer=$layer -v line="$line" '$4 == layer { n++; bad += $6 != line } END { exit bad || n < 3 }' two.csv || fail "layer $layer is in line $line"
done
says two.csv '^train,[0-9]+,train[0-9]+_a_conv,a,forward,[0-9]+,conv,'
says two.csv '_b_linear_dw,b,backward,'
says two.csv '_sgd,optimizer,update,'

# The sum is the step: kernels, layers, and the rest.
awk -F '[:,]' '
    / "phase":/ { phase++; level = "phase" } /"kernels":/ { level = "kernel" } /"layers":/ { level = "layer" }
    / "seconds":/ { sum[level, phase] += $2 } / "kernel_seconds":/ { kernels[phase] = $2 } / "between_seconds":/ { between[phase] = $2 }
    function far(x, y) { return x - y > 1e-6 * (x + y) || y - x > 1e-6 * (x + y) }
    END {
        for (i = 1; i <= 2; i++)
            if (far(sum["kernel", i], kernels[i]) || far(sum["layer", i], kernels[i]) || far(kernels[i] + between[i], sum["phase", i]) || !(kernels[i] > 0))
                exit 1
        exit phase != 2
    }' two.json || fail "sums differ: $(grep seconds two.json)"
awk -F, 'NR > 1 { sum[$1] += $9 } END { exit !(sum["train"] > 0.999 && sum["train"] < 1.001 && sum["evaluate"] > 0.999 && sum["evaluate"] < 1.001) }' two.csv ||
    fail "shares do not sum to 1"
# Peaks were measured, and every kernel with flops compared with them.
says two.json '"flops_per_second": [1-9]'
[ "$(grep -c '"bytes_per_second": [1-9]' two.json)" -gt 7 ] || fail "no triads"
awk '/"seconds":/ { took = $2 + 0 } /"of_peak": null/ && took > 0 { exit 1 }' two.json || fail "a kernel was not compared"

# A batch in parts: as many runs, and gradients are summed.
data=$(digits)
plan mlp
expect 0 netrun mlp.plan --profile "$data" --steps 2 --device cpu --batch 512 --memory 3MiB --json
says out '"runs": [2-9]'
says out '"op": "accumulate"'
says err 'others|between kernels'

# Behind a training, in its folder; the weights are as without.
expect 0 netrun mlp.plan --train "$data" --steps 5 --device cpu
expect 0 netrun mlp.plan --train "$data" --steps 5 --device cpu --profile
for file in last last.optimizer; do
    cmp runs/mlp-1/$file.safetensors runs/mlp-2/$file.safetensors || fail "--profile changes the training: $file"
done
says out 'training step of 64 samples'
"$B/tests/json_check" <runs/mlp-2/profile.json >count || fail "no JSON"
[ ! -e runs/mlp-1/profile.json ] || fail "a profile that nobody asked for"

# On a GPU by events: the same flops of the same layers.
if here cuda; then
    expect 0 netrun two.net --profile --steps 1 --device cuda --json --output cuda.csv
    for kernel in _a_conv _a_linear_dw _b_conv_dx; do
        awk -F, -v end="$kernel" '$1 == "train" && $3 ~ end "$" { print $4, $6, $10 }' two.csv >cpu
        awk -F, -v end="$kernel" '$1 == "train" && $3 ~ end "$" { print $4, $6, $10 }' cuda.csv | cmp - cpu || fail "$kernel is another on a GPU"
    done
    awk -F, 'NR > 1 { sum[$1] += $9 } END { exit !(sum["train"] > 0.999 && sum["train"] < 1.001) }' cuda.csv || fail "shares do not sum to 1"
    says out '"device": "cuda:0"'
    says out '"flops_per_second": [1-9]'
    ! grep -q '"of_peak": null' out || fail "a kernel was not compared"
    expect 0 netrun two.net --profile --steps 1 --device cuda --precision tf32
    says out '^- GFLOP/s of multiply-adds'
fi

expect 2 netrun mlp.plan --test "$data" --profile
says err 'profile goes alone, or with --train'
expect 2 netrun mlp.plan --profile "$data" --dry-run
expect 2 netrun mlp.plan --profile "$data" --steps 1001
says err 'takes up to 1000'
expect 2 netrun mlp.plan --train "$data" --profile --output x.csv
expect 4 netrun mlp.plan --profile "$data" --steps 1 --device cpu --output no/such/file.json
expect 2 netrun mlp.plan --profile "$data" --steps 1 --device cpu --output mlp.plan
