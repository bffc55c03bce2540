# Losses of training on the GPU and on the CPU: the first step within rounding, later ones as rounding grows.
# seconds: 90
for model in $(pick 'mlp mlp3 mnist_cnn strided_cnn fashion_lenet resnet20' mlp); do
    plan $model
    folder=$(samples $model)
    steps=$(pick 20 3)
    batch=$(pick 128 32)
    cuda $model.plan "$folder" --batch "$batch" --steps "$steps" --log-every 1 >gpu.$model 2>err || fail "$model: $(tail -n 1 err)"
    netrun $model.plan --train "$folder" --device cpu --json --progress none --batch "$batch" --steps "$steps" \
        --log-every 1 >cpu.$model 2>err
    figures=$(differ gpu.$model cpu.$model) || fail "$model: other steps"
    within "${figures% *}" 2e-5 && within "${figures#* }" 0.05 || fail "$model: first and largest difference $figures"
    said=${said:+$said, }"$model ${figures/ / }"
done
echo "relative difference of the loss, first step and largest of $steps steps: $said"
