# Losses of training on this GPU and on the simulated device.
[ -r "$B/cudasim/libcuda.so.1" ] || skip "the simulated device is not built: make sim"
for model in mlp mnist_cnn; do
    plan $model
    folder=$(digits)
    cuda $model.plan "$folder" --batch 32 --steps 5 --log-every 1 >gpu.$model
    status=0
    SIM_ASYNC=defer NETRUN_CUDA_LIBDIR=$B/cudasim cuda $model.plan "$folder" --batch 32 --steps 5 --log-every 1 \
        >sim.$model 2>err || status=$?
    [ $status != 132 ] || skip "the simulated device was built for another processor"
    [ $status = 0 ] || fail "on the simulated device: $(tail -n 1 err)"
    figures=$(differ gpu.$model sim.$model)
    within "${figures% *}" 2e-5 && within "${figures#* }" 0.01 || fail "$model: first and largest difference $figures"
    said=${said:+$said, }"$model $figures"
done
echo "relative difference of the loss, first step and largest of 5 steps: $said"
