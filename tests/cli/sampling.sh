# Samples that are drawn by their classes: the same ones from memory and files, on any number of threads, in parts and resumed.
data=$(digits)
train="drop.plan --train $data"
drops 'sampling = weighted([0, 1, 1, 1, 1, 1, 1, 1, 4, 20])' 'weights = [1, 1, 1, 1, 1, 2, 2, 2, 2, 0.5]'
expect 0 netrun $train --runs whole --threads 1
says out '^sampling weighted: classes of [0-9]+ to [0-9]+ samples are 0 % to [0-9.]+ % of what is drawn'
for how in '--threads 3' '--loaders 1' '--loaders 3' '--memory 1MiB --loaders 1'; do
    rm -rf run
    expect 0 netrun $train --runs run $how
    same_bits run
done
for how in '' '--loaders 2'; do
    expect 0 netrun $train --runs held"${how:+2}" --set data.holdout=0.2 $how
done
same_bits held2 held
expect 0 netrun $train --runs stopped --steps 17
expect 0 netrun --resume stopped/drop-1 --loaders 2 --steps 60
expect 0 netrun --resume stopped/drop-1
same_bits stopped
(
    here cuda || exit 0
    expect 0 netrun $train --runs cuda --device cuda
    expect 0 netrun $train --runs cudastreamed --device cuda --loaders 2
    same_bits cudastreamed cuda
)

# What never comes is not learnt: no answer is 0. Another seed, other weights, other classes: other bits.
expect 0 netrun $train --runs whole --epochs 8 --set data.sampling.weights=[0,1,1,1,1,1,1,1,1,1]
expect 0 netrun drop.plan --test "$data" --weights whole/drop-2/last.safetensors
says out '^0 +- +0.00 %'
says out '^1 +[0-9.]+ %'
! cmp -s whole/drop-1/last.safetensors whole/drop-2/last.safetensors || fail "--set changes nothing"

# One sample of a class among many, as often as the others; and a loss that is weighted instead.
{
    echo x,y,kind
    awk 'BEGIN { for (i = 0; i < 400; i++) print (i % 20) / 20 "," int(i / 20) / 20 "," (i % 20 < 19 ? "most" : "few") }'
} >train.csv
cat >few.net <<'END'
net few
input  point : f32[2]
target kind  : class[2] from "kind"
logits = point -> fc1: Linear(8) -> Tanh -> fc2: Linear(2)
output logits
data  { train = "train.csv"
        sampling = balanced }
train { loss = CrossEntropy(logits, kind)
        optimizer = Adam(lr = 0.01)
        epochs = 2
        batch = 20
        metrics = [BalancedAccuracy] }
sweep { data.sampling = [balanced, weighted([1, 19])]
        train.loss.weights = [1, [1, 2]] }
END
expect 0 netrun few.net --train .
says out '^sampling balanced: classes of 20 to 380 samples are 50 % to 50 % of what is drawn'
expect 0 netrun few.net --train . --sweep -o few.csv
[ "$(wc -l <few.csv)" = 5 ] || fail "$(cat few.csv)"
expect 0 netrun few.net --train . --sweep 'data.sampling = weighted([1, 1]), balanced; train.loss.weights = [1, 1], [2, 1]' -o more.csv
[ "$(wc -l <more.csv)" = 5 ] || fail "$(cat more.csv)"
expect 2 netrun few.net --train . --set data.shuffle=false
says err 'data.sampling = balanced draws samples: data.shuffle = false has no effect'
expect 2 netrun few.net --train . --set train.loss.weights=[1,2,3]
says err '`train.loss.weights` is a list of 2 numbers \(one for each class\), each 0 or from 1e-06 to 1000000, and not all 0, not `\[1,2,3\]`'
for zeros in train.loss.weights=[0,0] train.loss.weights=2 train.loss.weights=[1,1e-9]; do
    expect 2 netrun few.net --train . --set $zeros
    says err 'and not all 0'
done

# By these weights nothing can be drawn: no sample has a class that weighs anything.
sed -e 's/sampling = balanced }/sampling = weighted([0, 1]) }/' -e '/^sweep/,$d' few.net >none.net
printf 'x,y,kind\n0,1,few\n1,0,most\n0,0,few\n' >train.csv
sed 's/\[0, 1\]/[1, 0]/' none.net >one.net
expect 0 netrun one.net --train .
says out '^sampling weighted: classes of 1 to 2 samples are 0 % to 100 % of what is drawn'
for zeros in '[0,0]' 1; do
    expect 2 netrun one.net --train . --set data.sampling.weights=$zeros
    says err 'and not all 0'
done
sed -i '/most/d' train.csv
for i in $(seq 2); do echo "$i,1,few" >>train.csv; done
expect 4 netrun none.net --train .
