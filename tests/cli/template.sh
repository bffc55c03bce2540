# A layer that was added by a file: checked, differentiated, fused, trained. Without the file nobody knows it.
sed 's/-> ReLU$/-> Clip(0, high = 2.5)/' "$ROOT/models/mlp.net" >clip.net
[ -e "$ROOT/compiler/ops/clip.c" ] || expect 1 netc clip.net
export NETC=$B/template/netc NETRUN=$B/template/netrun
expect 0 netc clip.net -o clip.plan --summary
says out 'kernel \+ Clip'
sed 's/high = 2.5/high = -1/' clip.net >wrong.net
expect 1 netc wrong.net
says err 'error\[N0404\].*low <= high'
expect 0 netrun clip.plan --train "$(digits)" --epochs 3 --json
[ "$(accuracy)" -gt 8500 ] || fail "learns nothing"

# A row of a table without behaviour is refused by netc, or by netrun whose rule is missing; it is never another word.
for row in 's/-> ReLU$/-> Fold/' 's/CrossEntropy(logits, digit)/Hinge/' 's/Adam(lr = 1e-3)/Shampoo/' 's/Scale(1\/255)/Invert/' 's/Accuracy/Recall/'; do
    sed "$row" "$ROOT/models/mlp.net" >row.net
    expect 70 netc row.net
    says err 'internal error: [a-z]* (Fold|Hinge|Shampoo|Invert|Recall) has no rule'
done
sed 's/^train {/train {\n    schedule = Poly/' "$ROOT/models/mlp.net" >row.net
expect 70 netc row.net
says err 'internal error: schedule Poly has no rule'
for row in 'save = average' 'stop = never' 'clip = hard'; do
    sed "s/^train {/train {\n    $row/" "$ROOT/models/mlp.net" >row.net
    expect 70 netc row.net
    says err 'internal error: way to (save average|stop never|clip hard) has no rule'
done
sed 's/^data {/data {\n    train = cloud/' "$ROOT/models/mlp.net" >row.net
expect 70 netc row.net
says err 'internal error: source of data cloud has no rule'
sed 's/^data {/data {\n    sampling = rare/' "$ROOT/models/mlp.net" >row.net
expect 70 netc row.net
says err 'internal error: sampling rare has no rule'

# A kernel that cannot be written: netc prints none of the others, netrun compiles none.
for row in CpuOnly,cuda Codeless,cuda Codeless,c; do
    layer=${row%,*} language=${row#*,}
    sed "s/-> Flatten/-> $layer -> Flatten/" "$ROOT/models/mlp.net" >row.net
    expect 0 netc row.net -o row.plan
    expect 70 netc row.net --emit="$language"
    says err '^internal error: op (codeless|cpu_only) has no code for (cpu|cuda)$'
    says err "^netc: error: --emit=$language cannot be written$"
    [ ! -s out ] || fail "some of the kernels are written"
done
expect 70 netrun row.plan --train "$(digits)" --emit-dir kept
says err 'the kernels cannot be emitted'
[ ! -e kept ] || fail "some of the kernels are kept"

# So is a target: with its own schedules in every plan, which netrun reads, and kernels that a compiler takes.
expect 0 netc --targets
says out '^toy +machine of toys'
expect 0 netc "$ROOT/models/mnist_cnn.net" --emit=plan
says out '^ +[0-9]+ toy train fixed'
expect 0 netc "$ROOT/models/mnist_cnn.net" --emit=kernels --target toy
says out 'plain loops over float'
says out '^// toy_train'
mv out toy.c
"${CC:-cc}" -std=gnu11 -Wall -Werror -Wno-unused -fsyntax-only toy.c 2>err || fail "its kernels do not compile"
expect 0 netc "$ROOT/models/mlp.net" --summary --target toy

# And so is a layout, with a file of ops, whose rows lie padded and two by two: every target reads and writes it, and what is learned stays the same.
sed 's/hidden = 128/hidden = 125/' "$ROOT/models/mlp.net" >without.net
sed 's/-> ReLU$/-> ReLU -> Pairs/' without.net >pairs.net
expect 0 netc pairs.net -d b
says err 'pair@[0-9]+ : f32\[125\] rows/2 = pair'
for net in without pairs; do
    expect 0 netc $net.net -o $net.plan
    expect 0 netrun $net.plan --train "$(digits)" --epochs 1 --json
    grep -oE '"(loss|accuracy)": ?[0-9.]+' out >$net.results
done
grep -qE ' value +f32 +pairs +Nx125 ' pairs.plan || fail "no tensor lies in pairs"
[ -s without.results ] && cmp without.results pairs.results || fail "Pairs changes what is learned"
expect 0 netc pairs.net --emit=cuda
says out '\* 2 \+ m % 2\]'

export NETC=$B/netc
expect 2 netc "$ROOT/models/mlp.net" --emit=kernels --target toy
says err '--target knows those of --targets, not toy'
