# --rerun: a run made once more from its folder has the same bits, or it is said what is different here.
data=$(digits)
plan mlp
expect 0 netrun mlp.plan --train "$data" --epochs 2 --lr 0.002 --seed 7 --batch 50
expect 0 netrun --rerun mlp-1
says out '^runs/mlp-2 has the bits of runs/mlp-1: weights and optimizer$'
cmp runs/mlp-1/best.safetensors runs/mlp-2/best.safetensors

# One that was stopped within an epoch, with weights of another.
netrun mlp.plan --train "$data" --steps 15 --weights runs/mlp-1/best.safetensors >out 2>err || fail "no run"
expect 0 netrun --rerun last
says out '^runs/mlp-4 has the bits of runs/mlp-3'
cmp runs/mlp-3/last.safetensors runs/mlp-4/last.safetensors
cmp runs/mlp-3/last.optimizer.safetensors runs/mlp-4/last.optimizer.safetensors

# The last byte of its last tensor, another CPU, other data.
truncate -s -1 runs/mlp-3/last.optimizer.safetensors
printf '\001' >>runs/mlp-3/last.optimizer.safetensors
sed -i -E 's/("cpu": ")[^"]*/\1Abacus 1/' runs/mlp-3/settings.json
expect 4 netrun --rerun mlp-3
says err 'error: runs/mlp-5 has not the bits of runs/mlp-3: 1 tensors? differs?, the first is '
says err 'different: the CPU: "Abacus 1", now "'
"$B/make_digits" other --train 2000 --test 500 --seed 2 >/dev/null
expect 4 netrun --rerun mlp-1 --data other
says err 'different: the training set: '
! grep -q 'GPU' err || fail "a GPU that neither has"

# From another folder, and weights whose names were changed: paths in settings.json are absolute.
sed 's/fc1/first/' "$ROOT/models/mlp.net" >mapped.net
netc mapped.net -o mapped.plan
expect 0 netrun mapped.plan --train "$data" --steps 5 --weights runs/mlp-1/best.safetensors --map fc1=first --runs mapped
says mapped/mlp-1/settings.json '"weights": "/.*/runs/mlp-1/best.safetensors"'
mkdir away
cd away
expect 0 netrun --rerun ../mapped/mlp-1
says out '^runs/mlp-1 has the bits of ../mapped/mlp-1'
expect 0 netrun --resume ../mapped/mlp-1 --steps 9
says ../mapped/mlp-1/settings.json '"weights": "/.*/runs/mlp-1/best.safetensors"'
expect 0 netrun --rerun ../mapped/mlp-1
cd ..
expect 4 netrun --rerun mlp-99
says err 'no run of that name'
expect 2 netrun --rerun mlp-1 --train "$data"
says err 'takes all from the run'
mkdir -p runs/none
expect 4 netrun --rerun none

# The data may have moved.
cp -rL "$data" moving
expect 0 netrun mlp.plan --train moving --epochs 1 --runs away
mv moving moved
expect 4 netrun --rerun away/mlp-1
says err 'data of the run lay; --data DIR says where they lie now'
expect 4 netrun --resume away/mlp-1 --epochs 2
says err 'data DIR'
expect 0 netrun --rerun away/mlp-1 --data moved
