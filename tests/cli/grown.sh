# A run that goes on beyond its epochs has the bits of one that had them from the start, or says why not; another network is refused.
data=$(digits)
small() { sed "s/^param hidden = 128/param hidden = 32/; s/^train {/train {\n    schedule = $1/" "$ROOT/models/mlp.net" >"$2.net" && expect 0 netc "$2.net" -o "$2.plan"; }
small 'Step(every = 1, gamma = 0.5)' step
small 'Cosine(final = 1e-4)' cosine
for schedule in step cosine; do
    train="$schedule.plan --train $data --batch 50"
    expect 0 netrun $train --epochs 4 --runs four
    expect 0 netrun $train --epochs 2 --runs two
    expect 0 netrun --resume two/mlp-1 --epochs 3 --steps 90
    cp err first
    expect 0 netrun --resume two/mlp-1 --epochs 4
    if [ $schedule = step ]; then
        ! grep -q spans first err || fail "a schedule of epochs is said to span the training"
        for file in last best; do
            cmp {two,four}/mlp-1/$file.safetensors || fail "$file: 2 epochs and 2 more are not 4"
        done
    else
        says first 'warning: schedule Cosine spans the whole training: with 3 epochs instead of 2 the next learning rate is 0\.000325, and was to be 0\.0001;'
        says err 'with 4 epochs instead of 3 .* weights will not be those of 4 epochs from the start'
        expect 0 netrun --resume two/mlp-1 --epochs 4
        ! grep -q spans err || fail "a run that has its epochs is warned of them"
    fi
    rm -r two four
done

# What became of the network: its parameters, its optimizer, or a line of its text; -D alone is another network too.
expect 0 netrun step.plan --train "$data" --epochs 1
refused() {
    expect 2 netrun "$1.plan" --resume last
    says err "runs/mlp-1: the run was made from another network than $1.plan"
    says err '`netrun --resume runs/mlp-1` goes on with the network of the run'
}
expect 0 netc step.net -D hidden=48 -o wide.plan
refused wide
says err '^ +in the run  now$'
says err '^  fc1\.weight  32x784      48x784$'
says err '^  fc2\.weight  10x32       10x48$'
! grep -q 'fc2.bias\|optimizer' err || fail "what is the same is shown"
sed 's/-> ReLU/-> ReLU -> norm: BatchNorm/; s/fc2/last/' step.net >deep.net && netc deep.net -o deep.plan
refused deep
says err '^  fc2\.bias +10 +-$'
says err '^  norm\.weight +- +32$'
sed 's/Adam(lr = 1e-3)/SGD(lr = 0.1, momentum = 0.9)/' step.net >sgd.net && netc sgd.net -o sgd.plan
refused sgd
says err '^  optimizer\.exp_avg\.fc1\.weight +32x784 +-$'
says err 'weights runs/mlp-1 begins a new one with what it learnt'
sed 's/-> ReLU/-> Tanh/' step.net >tanh.net && netc tanh.net -o tanh.plan
refused tanh
says err '^  the parameters are the same; the texts part in line 12$'
says err '^  in the run: -> ReLU$'
says err '^  now       : -> Tanh$'
expect 0 netrun step.plan --resume last --epochs 2
{ echo 'net many'; echo 'input x : f32[2]'; echo 'target t : f32[1]'; echo 'y = x'
  for i in $(seq 40); do echo "    -> l$i: Linear(2)"; done; echo '    -> Linear(1)'; echo 'output y'
  echo 'train { loss = MSE(y, t)'; echo 'optimizer = Adam }'; echo 'data { samples = [[0, 0, 0]] }'; } >many.net
sed 's/Linear(2)/Linear(3)/' many.net >more.net
netc many.net -o many.plan && netc more.net -o more.plan
expect 0 netrun many.plan --train --runs many
expect 2 netrun more.plan --resume last --runs many
says err '^  and [0-9]+ more$'
