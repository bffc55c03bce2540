# Predicted bytes are the allocated ones, and nothing else is gone.
# seconds: 60
for case in $(pick 'mlp:64 mlp3:64 mnist_cnn:128 strided_cnn:4096 fashion_lenet:1000 resnet20:1024' 'mlp:64 mnist_cnn:16'); do
    plan "${case%:*}"
    figures=$("$TOOLS/armed" bytes "${case%:*}.plan" "${case#*:}") || fail "$case: $figures"
    said=${said:+$said; }"$case: $figures"
done
echo "$said"
