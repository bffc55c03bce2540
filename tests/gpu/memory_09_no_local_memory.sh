# No kernel has local memory, which the driver would reserve for every resident thread.
# seconds: 90
for model in $(pick 'xor mlp mlp3 mnist_cnn strided_cnn fashion_lenet resnet20' 'mlp mnist_cnn'); do
    plan "$model"
done
figures=$("$TOOLS/armed" local ./*.plan) || fail "$figures"
echo "$figures"
