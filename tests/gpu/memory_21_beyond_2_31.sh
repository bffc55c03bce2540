# A tensor of more than 2^31 elements: one batch of it and the same batch in parts give the same losses.
# seconds: 120
width=$(pick 65536 64)
batch=$(pick 36000 320)
need=$((batch * width * 4 * 5 / 2 + (4 << 30)))
[ "$SIM" ] || [ "$(free_bytes)" -gt $need ] || skip "$need bytes would have to be free"
plan mlp -D hidden="$width"
"$B/make_digits" many --train $((2 * batch)) --test 64 >&2
set -- mlp.plan many --batch "$batch" --lr 1e-4 --steps 2 --log-every 1
cuda "$@" --runs whole >whole.out
whole=$(field arena whole.out)
cuda "$@" --runs parts --memory "$(pick $((whole / 4 / 1048576 + 1500)) 132)MiB" >parts.out
parts=$(field micro_batch parts.out)
[ "$parts" ] || fail "the batch was not taken in parts"
figures=$(differ whole.out parts.out)
within "${figures#* }" 1e-4 || fail "first and largest difference of the loss $figures"
echo "$batch x $width = $((batch * width)) elements, arena $whole bytes;" \
    "in parts of $parts the losses differ by $figures (first step, largest of 2)"
