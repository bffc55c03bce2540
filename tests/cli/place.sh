# What a network answers for a sample does not tell where the sample stands among others, also where GCC's tuning
# for a processor dislikes chains of multiply-adds.
"$B/make_digits" digits --train 40 --test 37 >/dev/null
cat >place.net <<'NET'
net place
input  x : f32[1, 28, 28]
target y : class[10]
logits = x -> Flatten -> Linear(64) -> ReLU -> Linear(3) -> Linear(10)
output logits
train {
    loss = CrossEntropy(logits, y)
    optimizer = Adam(lr = 1e-3)
    batch = 16
}
NET
expect 0 netc place.net -o place.plan
expect 0 netrun place.plan --train digits --epochs 1
flags=("" -O1)
cc --param=avoid-fma-max-bits=512 -Werror -c -x c /dev/null -o null.o 2>/dev/null && flags+=(--param=avoid-fma-max-bits=512)
for f in "${flags[@]}"; do
    export NETRUN_CFLAGS=$f
    expect 0 netrun place.plan --data digits --predict test --json
    grep -o '"sample":.*' out >among
    [ "$(wc -l <among)" = 37 ] || fail "37 samples have answers"
    for i in 0 15 20 32 36; do
        expect 0 netrun place.plan --data digits --predict $i --json
        grep -qxF "$(grep -o '"sample":.*' out)" among || fail "sample $i is answered otherwise alone, with flags \`$f\`"
    done
done
