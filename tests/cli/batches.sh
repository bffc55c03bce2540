# Batch 1, a data set smaller than a batch, tails of every length: all in the same plan.
"$B/make_digits" tiny --train 37 --test 5 >/dev/null
plan mlp
for batch in 1 2 16 36 37 38 1000; do
    expect 0 netrun mlp.plan --train tiny --batch $batch --epochs 2 --set train.evaluation_batch=3 --json
    [ "$(grep -c '"event":"epoch"' out)" = 2 ] || fail "batch $batch: not two epochs"
    ! grep -Eq 'nan|inf' out || fail "batch $batch: not finite"
done
plan resnet20
"$B/make_digits" colour --cifar --train 33 --test 7 >/dev/null
expect 0 netrun resnet20.plan --train colour --batch 32 --epochs 1 --json
says out '"event":"epoch"'
expect 0 netrun mlp.plan --train tiny --set train.batch=auto --epochs 1
