# optimizer.groups: what is frozen keeps its bits, has no gradient and no slot, and costs neither memory nor kernels; the rest learns,
# to the same bits after an interruption.
data=$(digits)
sed 's/optimizer .*/&\n    optimizer.groups = [group("*.bias", decay = 0.1), group("fc1.*", lr = 0), group("fc2.weight", lr = 0.02)]/; s/^net mlp/net frozen/' \
    "$ROOT/models/mlp.net" >frozen.net
expect 0 netc frozen.net -o frozen.plan --summary
says out '^ +trained +1,290$'
says out '^ +frozen +100,480$'
cp out frozen.txt
expect 0 netc "$ROOT/models/mlp.net" --summary
! grep -q frozen out || fail "mlp has nothing frozen"
fixed() { awk '$1 == "train" { print $2 }' "$1"; }
[ "$(fixed frozen.txt)" != "$(fixed out)" ] || fail "as many bytes as without: $(fixed out)"
expect 0 netc frozen.net --emit=plan
says out 'grad\.fc2\.weight'
! grep -Eq 'grad\.fc1|exp_avg\.fc1' out || fail "fc1 has a gradient or a slot"
[ "$(grep -c '^kernel .* train.*_adam ' out)" = 2 ] || fail "not one update a group"
! grep -q 'train[0-9]*_fc1_linear_dw' out || fail "the gradient of fc1 is made"

# Its weights stay as they were. TensorBoard and the report do without its gradients.
expect 0 netrun "$ROOT/models/mlp.net" --train "$data" --epochs 1 --runs first
on() {
    expect 0 netrun frozen.plan --device "$1" --train "$data" --epochs 2 --weights first/mlp-1 --runs "$1"
    expect 0 netrun --inspect first/mlp-1/best.safetensors
    grep "^fc[12]" out >before
    expect 0 netrun --inspect "$1/frozen-1/last.safetensors"
    grep "^fc[12]" out >after
    [ "$(grep '^fc1' before)" = "$(grep '^fc1' after)" ] || fail "$1: fc1 has changed: $(diff before after)"
    [ "$(grep '^fc2' before)" != "$(grep '^fc2' after)" ] || fail "$1: fc2 has not changed"
}
for device in cpu cuda; do
    if here $device; then on $device; fi
done
expect 0 netrun frozen.plan --device cpu --train "$data" --epochs 2 --weights first/mlp-1 --runs stopped --steps 45
expect 0 netrun --resume last --device cpu --runs stopped
cmp {cpu,stopped}/frozen-1/last.safetensors || fail "resumed: other weights"
expect 0 netrun frozen.plan --device cpu --train "$data" --epochs 1 --batch 640 --memory 2MiB --runs parts
says err 'batch 640'

# A sweep over what is frozen, by a param.
sed 's/lr = 0)/lr = rate)/; s/^param .*/&\nparam rate = 0/' frozen.net >swept.net
expect 0 netrun swept.net --train "$data" --epochs 1 --runs sweep --device cpu --sweep 'rate=0,0.001'
says out '^sorted by accuracy'
[ -e sweep/frozen-sweep-1/frozen-2/best.safetensors ] || fail "no two runs"
