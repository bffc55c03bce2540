# netrun compiles a model itself: the plan is netc's, byte for byte, and so is what is said of mistakes.
data=$(digits)
cp "$ROOT/models/mlp.net" .
netc mlp.net -o mlp.plan
netc mlp.net -D hidden=32 -o small.plan
expect 0 netrun mlp.plan --train "$data" --device cpu --steps 3
expect 0 netrun mlp.net --train "$data" --device cpu --steps 3
expect 0 netrun mlp.net -D hidden=32 --train "$data" --device cpu --steps 3
says out 'mlp: 25450 parameters'
cmp runs/mlp-1/model.plan runs/mlp-2/model.plan
cmp runs/mlp-1/last.safetensors runs/mlp-2/last.safetensors
expect 0 netrun small.plan --train "$data" --device cpu --steps 3
cmp runs/mlp-4/model.plan runs/mlp-3/model.plan
expect 0 netrun mlp.net --resume mlp-1 --steps 5
cp mlp.net model                                      # by its content
expect 0 netrun model --test "$data" --device cpu --weights runs/mlp-1

# Errors as netc prints them, with its status.
for wrong in "$ROOT"/tests/errors/{several,shape_mse_order,text_utf8}.net; do
    expect 1 netc "$wrong"
    cp err expected
    expect 1 netrun "$wrong" --train "$data"
    cmp expected err
done
expect 1 netc mlp.net -D hiden=3
cp err expected
expect 1 netrun mlp.net -D hiden=3 --train "$data"
cmp expected err
expect 0 netc "$ROOT/tests/errors/unused.net" -o unused.plan
cp err expected
expect 4 netrun "$ROOT/tests/errors/unused.net" --train no-such-folder
cmp expected <(head -n "$(wc -l <expected)" err)
printf '\n# by its content\n\nnet xor\n' >any.txt
expect 1 netrun any.txt --train
says err 'any.txt:4'
{ printf 'net large\n#'; head -c 17000000 /dev/zero | tr '\0' ' '; } >large.net
expect 4 netrun large.net --train "$data"
says err 'large.net: more than 16 MiB'

expect 2 netrun mlp.plan -D hidden=32 --train "$data"
says err 'mlp.plan is a plan, whose params are numbers already'
expect 2 netrun mlp.net -D hidden --train "$data"
expect 2 netrun -D hidden=3 --resume mlp-1
says err 'keeps its network'
