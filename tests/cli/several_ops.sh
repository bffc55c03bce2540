# Optimizers whose step is several ops: what they make lives for a while, gradients stay what they are, and a run that was stopped
# ends with the same bits, on either device.
data=$(digits)
with() { sed "s/optimizer .*/optimizer = $2/; s/^net mlp/net $1/" "$ROOT/models/mlp.net" >$1.net; }
with adam 'Adam'
with lamb 'LAMB(lr = 1e-2)'
with muon 'Muon(lr = 1e-2)\n    optimizer.groups = [group("fc2.weight", muon = false), group("fc1.bias", lr = 1e-3)]\n    ema = 0.9'
with none 'Muon(lr = 1e-2)\n    optimizer.groups = [group("*", muon = false)]'
on() {
    expect 0 netrun $2.plan --device $1 --train "$data" --epochs 2 --runs $1
    expect 0 netrun $2.plan --device $1 --train "$data" --epochs 2 --runs $1-stopped --steps 19
    expect 0 netrun --resume last --device $1 --runs $1-stopped
    cmp {$1,$1-stopped}/$2-1/last.safetensors || fail "$1: $2: resumed: other weights"
}
for optimizer in lamb muon none; do
    expect 0 netc $optimizer.net -o $optimizer.plan
    for device in cpu cuda; do
        if here $device; then on $device $optimizer; fi
    done
done

# A group that is left to AdamW has its slots, and the others have Muon's alone.
expect 0 netc muon.net --emit=plan
says out '^ *[0-9]+ optimizer\.momentum_buffer\.fc1\.weight '
says out '^ *[0-9]+ optimizer\.exp_avg\.fc2\.weight '
! grep -Eq 'exp_avg\.fc1\.weight|momentum_buffer\.(fc2|fc1\.bias)' out || fail "slots of the other rule"
expect 0 netc none.net --emit=plan
! grep -Eq 'momentum_buffer|matmul' out || fail "Muon without matrices"
sed -i 's/^train {/&\n    schedule = OneCycle/' none.net    # moves a momentum that nobody has
expect 0 netc none.net --schedule=10
! grep -q momentum out || fail "AdamW's first mean is no momentum of Muon"

# What the step makes costs two matrices of the largest and the square of its shorter side (fc1: 128 x 784).
fixed() { netc $1.net --emit=plan | awk '$3 == "train" { print $5; exit }'; }
more=$(($(fixed muon) - $(fixed adam)))
[ $more = $((4 * (2 * 128 * 784 + 128 * 128))) ] || fail "muon: $more bytes more"
more=$(($(fixed lamb) - $(fixed adam)))
[ $more -gt 0 ] && [ $more -lt $((5 * 128 * 784)) ] || fail "lamb: $more bytes more"

# What netrun may change, and what is graph.
expect 0 netrun muon.plan --device cpu --train "$data" --steps 2 --set train.optimizer.adam_lr=1e-2 --set train.optimizer.momentum=0.9
expect 2 netrun muon.plan --device cpu --train "$data" --steps 2 --set train.optimizer.ns_steps=3
sed 's/muon = false/muon = 1/' muon.net >wrong.net
expect 1 netc wrong.net
says err "\`muon\` of \`group\` is"
sed 's/lr = 1e-3/muon = true/; s/= Muon.*/= Adam/' muon.net >wrong.net
expect 1 netc wrong.net
says err "a group has no \`muon\` of its own"
says err 'it may have `lr` and `decay`; `lr = 0` freezes it'
sed 's/lr = 1e-3/mue = true/' muon.net >wrong.net
expect 1 netc wrong.net
says err 'it may have `lr`, `decay` and `muon`; `lr = 0` freezes it|did you mean `muon`'
sed 's/Muon(lr/Muon(adjust = "spectral", lr/' muon.net >wrong.net
expect 1 netc wrong.net
says err 'match_rms_adamw'
