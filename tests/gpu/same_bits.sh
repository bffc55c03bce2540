# Two runs, and one without graphs, end with the same bits.
for model in $(pick 'mlp mnist_cnn resnet20' mlp); do
    plan $model
    folder=$(samples $model)
    set -- $model.plan "$folder" --batch "$(pick 128 32)" --steps "$(pick 300 4)"
    cuda "$@" --runs once >/dev/null
    cuda "$@" --runs again >/dev/null
    NETRUN_CUDA_GRAPH=0 cuda "$@" --runs plain >/dev/null
    for other in again plain; do
        cmp once/$model-1/last.safetensors $other/$model-1/last.safetensors >&2 || fail "$model: other bits ($other)"
    done
    said=${said:+$said, }"$model $(sha256sum <once/$model-1/last.safetensors | cut -c1-16)"
done
echo "two runs and one without graphs, last.safetensors after $(pick 300 4) steps: $said"
