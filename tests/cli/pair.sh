# A run's last checkpoint is two files, weights alone and what only a training needs. A process that is killed between the two, at
# whatever moment, leaves one that goes on to the same bits.
data=$(digits)
plan mlp
train="mlp.plan --train $data --batch 50 --device cpu"
expect 0 netrun $train --epochs 1 --runs first
expect 0 netrun $train --epochs 2 --runs second
expect 0 netrun $train --epochs 3 --runs whole
old=first/mlp-1/last new=second/mlp-1/last

# The first has what torch.nn.Module.load_state_dict takes; Adam's two slots of each parameter are in the second.
names() { dd if="$1" bs=1 skip=8 count="$(od -An -tu8 -N8 "$1" | tr -d ' ')" status=none | grep -o '"[a-z0-9_.]*":{"dtype"' | cut -d '"' -f 2 | sort | tr '\n' ' '; }
[ "$(names $new.safetensors)" = "fc1.bias fc1.weight fc2.bias fc2.weight " ] || fail "weights: $(names $new.safetensors)"
[ "$(names second/mlp-1/best.safetensors)" = "$(names $new.safetensors)" ] || fail "the best has others than the last"
[ "$(names $new.optimizer.safetensors | tr ' ' '\n' | grep -c '^optimizer\.')" = 8 ] || fail "slots: $(names $new.optimizer.safetensors)"
[ "$(names $new.optimizer.safetensors | wc -w)" = 8 ] || fail "more than slots"

# lies WEIGHTS OPTIMIZER [NEXT]: a run whose files are these.
lies() {
    rm -rf killed
    cp -r first killed
    cp "$1" killed/mlp-1/last.safetensors
    cp "$2" killed/mlp-1/last.optimizer.safetensors
    [ $# = 2 ] || cp "$3" killed/mlp-1/last.next.safetensors
}
goes_on() {
    expect 0 netrun --resume killed/mlp-1 --epochs 3
    for file in last last.optimizer; do
        cmp killed/mlp-1/$file.safetensors whole/mlp-1/$file.safetensors || fail "$1: other bits in $file"
    done
    [ ! -e killed/mlp-1/last.next.safetensors ] || fail "$1: a file is left"
}
lies $old.safetensors $old.optimizer.safetensors $new.safetensors
expect 0 netrun mlp.plan --test "$data" --device cpu --weights killed/mlp-1/last.safetensors
says err 'epoch 1'
goes_on "before the optimizer's file"
lies $old.safetensors $new.optimizer.safetensors $new.safetensors
expect 0 netrun --rerun killed/mlp-1 --runs reruns
goes_on "before the weights have their name"
says out '^epoch 3/3'
[ "$(grep -c '^epoch' out)" = 1 ] || fail "an epoch that was kept is trained again"
rm -r killed                                            # the same in the first epoch, when there is no older one
lies $old.safetensors $old.optimizer.safetensors $old.safetensors
rm killed/mlp-1/last.safetensors
goes_on "before the weights have a name"

# Files of two checkpoints are refused; and so are weights of another training under that name.
lies $old.safetensors $new.optimizer.safetensors
expect 4 netrun --resume killed/mlp-1
says err 'killed/mlp-1/last.optimizer.safetensors was not written together with killed/mlp-1/last.safetensors'
expect 4 netrun --rerun killed/mlp-1
lies $new.safetensors $old.optimizer.safetensors $old.optimizer.safetensors
expect 4 netrun --resume killed/mlp-1
expect 0 netrun mlp.plan --test "$data" --device cpu --weights killed/mlp-1/last.safetensors

# The disk is full, or the process is killed, when the weights are written and the optimizer's file, twice as large, is not.
lies $old.safetensors $old.optimizer.safetensors
size=$(stat -c %s $new.safetensors)
status=0
(ulimit -f $((size / 1024 + 1)) && exec "$NETRUN" --threads 1 --resume killed/mlp-1 --epochs 3 --no-tensorboard) >out 2>err || status=$?
[ $status = 4 ] || [ $status -gt 128 ] || fail "a file that may not grow gave $status"
cmp killed/mlp-1/last.optimizer.safetensors $old.optimizer.safetensors
cmp killed/mlp-1/last.safetensors $old.safetensors
[ -s killed/mlp-1/last.next.safetensors ] || fail "it ended before the weights were written"
goes_on "out of room"
