# The same bits with 1, 2 and 7 threads.
data=$(digits)
for model in mlp mnist_cnn; do
    plan $model
    for threads in 1 2 7; do
        expect 0 netrun $model.plan --train "$data" --epochs 1 --threads $threads --runs threads$threads
    done
    cmp threads1/$model-1/last.safetensors threads2/$model-1/last.safetensors
    cmp threads1/$model-1/last.safetensors threads7/$model-1/last.safetensors
done
