# --inspect --json: data, weights, a plan, a difference: one JSON text, with the numbers that the tables have.
data=$(digits)
plan mlp
one() { # ARGUMENTS...: what --inspect says of them as JSON, in one line, in the file out
    expect 0 netrun --inspect "$@" --json
    tr -d '\n' <out | sed 's/ *\([]{}[,:"]\) */\1/g; s/,"/, "/g' >line
    [ "$("$B/tests/json_check" <line)" = 1 ] || fail "no JSON: $*"
}
# has REGEX...
has() { for wanted; do grep -Eq -- "$wanted" line || fail "no $wanted in $(head -c 2000 line)"; done; }

one "$data"
has '^\{"schema":1, "what":"data"' '"format":"IDX", "synthetic":true' \
    '"train":\{"samples":2000, "sample":\{"type":"u8", "shape":\[1,28,28\]\}, "target":\{"type":"u8", "shape":\[\]\}\}, "test":\{"samples":500'
expect 0 netrun --inspect "$data"
awk '/^class/ { on = 1; next } on && NF == 3 { printf "\"class\":%d, \"train\":%d, \"test\":%d\n", $1, $2, $3 } on && !NF { exit }' out >classes
[ "$(wc -l <classes)" = 10 ] || fail "not ten classes"
while read -r class; do has "\{$class\}"; done <classes
near <(sed -n 's/^  mean \([0-9.]*\)  std \([0-9.]*\)$/\1 \2/p' out) \
    <(sed -E 's/.*"channels":\[\{"mean":([^,]*), "deviation":([^}]*)\}.*/\1 \2/' line | awk '{ printf "%.4f %.4f\n", $1, $2 }') || fail "other channels"

# A table: the columns of each file, as they are shown.
mkdir rows
{ echo 'age,town,mixed,many,none'; for i in 1 2 3 4 5 6 7 8 9; do echo "$i.5,$([ $i = 1 ] || echo "t$((i % 2))"),$([ $i = 3 ] && echo x || echo $i),m$i,"; done; } >rows/train.csv
one rows
has '^\{"schema":1, "what":"table", "folder":"rows", "files":\[\{"file":"rows/train.csv", "rows":9, "columns":\[' \
    '"name":"age", "missing":0, "numbers":9, "texts":0, "min":1.5, "max":9.5, "mean":5.5\}' \
    '"name":"town", "missing":1, "numbers":0, "texts":8, "values":\["t0", "t1"\], "more":false\}' \
    '"name":"mixed", "missing":0, "numbers":8, "texts":1, "min":1.0, "max":9.0, "mean":5.25, "values":\["x"\], "more":false\}' \
    '"name":"many".*"m8"\], "more":true\}' '"name":"none", "missing":9, "numbers":0, "texts":0\}\]\}\]\}$'
echo 1 >>rows/train.csv
expect 4 netrun --inspect rows --json
says err 'rows/train.csv:11: 1 fields in a row; expected 5, as in the first$'
[ ! -s out ] || fail "half a JSON: $(cat out)"

expect 0 netrun mlp.plan --train "$data" --steps 5 --device cpu --no-report
expect 0 netrun mlp.plan --train "$data" --epochs 1 --device cpu --no-report
one mlp-1
has '"what":"weights", "file":"runs/mlp-1/last.safetensors"' '"metadata":\{.*"step":"5"'
# table LINE-FILE: the tensors of the JSON text as the table has them: name, values, mean, ...
table() { grep -oE '"name":"[^"]*"[^]]*\][^}]*\}' line | sed -E 's/"name":"([^"]*)".*"values":([0-9]*), "m[a-z]*":([^,]*), "[a-z]*":([^,]*), "[a-z]*":([^,]*), .*/\1 \2 \3 \4/' | awk '{ printf "%s %d %.2e %.2e\n", $1, $2, $3, $4 }'; }
shown() { awk '$1 != "all" && $2 ~ /^([0-9]+x)*[0-9]+$/ && $3 + 0 > 0 { printf "%s %d %.2e %.2e\n", $1, $3, $4, $5 }' out; }
table >json
expect 0 netrun --inspect mlp-1
shown >table
[ "$(wc -l <json)" = 4 ] && near json table || fail "other numbers: $(cat json table)"
one mlp.plan
has '"what":"plan", "net":"mlp", "params":101770, "seed":1' '"name":"fc1.weight", "shape":\[128,784\], "values":100352,.*"state":false'
one "$ROOT/models/resnet20.net"
has '"name":"bn0.running_var", "shape":\[16\], "values":16, "mean":1.0, "deviation":0.0, "min":1.0, "max":1.0, "not_finite":0, "state":true'
one mlp-1 mlp-2
has '"what":"difference", "first":"runs/mlp-1/last.safetensors", "second":"runs/mlp-2/best.safetensors"' '"all":\{"values":101770' \
    '"other_shape":\[\], "only_in_first":\[\], "only_in_second":\[\]'
table >json
expect 0 netrun --inspect mlp-1 mlp-2
shown >table
near json table || fail "other differences: $(cat json table)"
one runs/mlp-1/last.optimizer.safetensors mlp-2
has '"tensors":\[\]' '"only_in_second":\["fc1.bias",' '"relative":0.0'
head -c 3000 runs/mlp-1/last.safetensors >cut.safetensors
expect 4 netrun --inspect cut.safetensors --json
