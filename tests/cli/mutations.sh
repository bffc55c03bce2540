# 10,000 changed plans with a right checksum: refused or harmless.
for model in xor mlp; do
    plan $model
    mkdir $model
    expect 0 timeout -s KILL 200 "$B/tests/mutate" $model.plan --count 5000 --keep $model 3
    for kept in $model/*; do
        [ -e "$kept" ] || continue
        status=0
        timeout -s KILL 60 "$NETRUN" "$kept" --test "$(digits)" >out 2>err || status=$?
        [ $status -lt 70 ] || fail "$kept ends with $status"
    done
done
