# --predict of an image file and of an index; --test with the newest run and with --weights.
data=$(digits)
plan mlp
expect 0 netrun mlp.plan --train "$data" --epochs 3
expect 0 netrun mlp.plan --test "$data"
cp out newest
expect 0 netrun mlp.plan --test "$data" --weights runs/mlp-1/best.safetensors
cmp out newest || fail "--weights of the same run tests otherwise"
expect 0 netrun mlp.plan --train "$data" --epochs 1 --lr 1e-9
expect 0 netrun mlp.plan --test "$data"
! cmp -s out newest || fail "--test does not take the newest run"
best="--weights runs/mlp-1/best.safetensors"
expect 0 netrun mlp.plan --predict 3 --data "$data" $best
says out '[0-9]'

# The first image of the test set, as PGM and NPY, is recognised as by its index.
images=$data/t10k-images-idx3-ubyte
[ -e "$images" ] || { gunzip -c "$images.gz" >images; images=images; }
tail -c +17 "$images" | head -c 784 >pixels
{ printf 'P5\n28 28\n255\n'; cat pixels; } >digit.pgm
{ printf '\223NUMPY\001\000\166\000'
  printf '%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (28, 28), }"
  cat pixels; } >digit.npy
expect 0 netrun mlp.plan --predict 0 --data "$data" $best --json
cp out by_index
for file in digit.pgm digit.npy; do
    expect 0 netrun mlp.plan --predict $file $best
    says out '%|class|0\.'
done
if command -v pnmtopng >/dev/null; then
    pnmtopng digit.pgm >digit.png
    expect 0 netrun mlp.plan --predict digit.png $best
fi
printf 'P5\n28 28\n255\nshort' >short.pgm
expect 4 netrun mlp.plan --predict short.pgm $best
says err 'short.pgm'
expect 2 netrun mlp.plan --predict 100000 --data "$data" $best
expect 4 netrun mlp.plan --predict no-such.png $best
head -c 3000 runs/mlp-1/best.safetensors >cut.safetensors
expect 4 netrun mlp.plan --test "$data" --weights cut.safetensors
plan mlp3
expect 4 netrun mlp3.plan --test "$data" $best
