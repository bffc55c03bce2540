# Two processes with half of the card each train at once.
# seconds: 90
model=$(pick resnet20 mlp)
roomy $model
folder=$(samples $model)
if [ -z "$SIM" ]; then      # so many that half a card limits the batch, not they
    mkdir many
    for copy in $(seq 1 180); do cat "$folder/data_batch_1.bin"; done >many/data_batch_1.bin
    cp "$folder/test_batch.bin" many
    folder=many
fi
for half in 1 2; do
    cuda $model.plan "$folder" --memory 48% --epochs 100000 \
        --steps "$(pick 3 4)" --runs half$half >out$half 2>err$half &
done
for job in $(jobs -p); do
    wait "$job" || fail "$(tail -n 2 err1 err2)"
done
for half in 1 2; do
    said=${said:+$said and }"batch $(field batch out$half) in $(field arena out$half) bytes"
done
echo "$model with 48 % each: $said"
