"""Forward values and gradients of every layer and loss: tests/expect/ops/<case>.net and <case>.safetensors.

Everything is computed in float64 from values that float32 holds exactly, and rounded to float32 once, at the end.
Layers without parameters stand behind a small convolution `pre` or Linear `pre`, whose gradients then show theirs.
"""

import re
import zlib

import numpy as np
import torch
import torch.nn.functional as F

from language import Network, net_text
from store import float32, write_safetensors, write_text

MARGIN = 2e-5       # no ReLU or maximum is nearer to its kink than this, so float32 takes the same branches

CASES = []


def case(name, batch, shape, body, loss="MSE", integers=False, normalize=None):
    CASES.append((name, batch, shape, body, loss, integers, normalize))


def conv(name, batch, shape, arguments, pre=True):
    """A convolution behind a 1x1 one (its input's gradient matters), or on the input itself."""
    lead = f"pre: Conv({shape[0]}, kernel = 1) -> " if pre else ""
    case("conv_" + name, batch, shape, f"y = x -> {lead}conv1: Conv({arguments})")


conv("1x1", 16, (3, 7, 5), "5, kernel = 1", pre=False)
conv("1x1_no_bias", 3, (17, 5, 3), "12, kernel = 1, bias = false")
conv("1x1_stride_2", 17, (6, 7, 5), "5, kernel = 1, stride = 2, bias = false")
conv("1x1_stride_2_1", 3, (5, 8, 5), "3, kernel = 1, stride = [2, 1]")
conv("1x1_pad_1", 1, (3, 5, 4), "6, kernel = 1, pad = 1")
conv("1x1_groups_2", 3, (6, 5, 7), "16, kernel = 1, groups = 2")
conv("3x3", 3, (1, 9, 7), "6, kernel = 3", pre=False)
conv("3x3_pad_1", 16, (3, 7, 7), "5, kernel = 3, pad = 1")
conv("3x3_pad_1_first", 33, (1, 9, 9), "3, kernel = 3, pad = 1", pre=False)
conv("3x3_pad_1_16_to_17", 1, (16, 9, 7), "17, kernel = 3, pad = 1")
conv("3x3_pad_1_17_to_16", 3, (17, 6, 5), "16, kernel = 3, pad = 1, bias = false")
conv("3x3_pad_2", 3, (5, 5, 6), "3, kernel = 3, pad = 2")
conv("3x3_pad_1_0", 17, (3, 6, 5), "6, kernel = 3, pad = [1, 0]")
conv("3x3_stride_2", 3, (6, 9, 11), "5, kernel = 3, stride = 2")
conv("3x3_stride_2_pad_1", 16, (3, 9, 7), "6, kernel = 3, stride = 2, pad = 1")
conv("3x3_stride_2_pad_1_even", 3, (12, 8, 8), "16, kernel = 3, stride = 2, pad = 1, bias = false")
conv("3x3_stride_2_1_pad_1_0", 3, (5, 9, 6), "6, kernel = 3, stride = [2, 1], pad = [1, 0]")
conv("3x3_stride_3", 3, (3, 11, 10), "5, kernel = 3, stride = 3, pad = 1")
conv("3x3_dilation_2", 3, (3, 9, 7), "5, kernel = 3, dilation = 2")
conv("3x3_dilation_2_pad_2", 3, (6, 7, 5), "5, kernel = 3, dilation = 2, pad = 2")
conv("3x3_dilation_2_stride_2_pad_1", 3, (5, 9, 9), "3, kernel = 3, dilation = 2, stride = 2, pad = 1")
conv("3x3_dilation_2_1", 1, (3, 8, 6), "6, kernel = 3, dilation = [2, 1], pad = [2, 1]")
conv("3x3_groups_2", 3, (6, 7, 5), "12, kernel = 3, pad = 1, groups = 2")
conv("3x3_groups_3_stride_2", 3, (12, 7, 7), "6, kernel = 3, stride = 2, pad = 1, groups = 3, bias = false")
conv("3x3_depthwise", 3, (17, 7, 5), "17, kernel = 3, pad = 1, groups = 17, bias = false")
conv("3x3_depthwise_stride_2", 16, (5, 7, 9), "5, kernel = 3, stride = 2, pad = 1, groups = 5")
conv("3x3_depthwise_twice", 3, (6, 6, 5), "12, kernel = 3, pad = 1, groups = 6")
conv("5x5", 3, (3, 9, 11), "5, kernel = 5")
conv("5x5_first", 16, (1, 12, 12), "6, kernel = 5", pre=False)
conv("5x5_pad_2", 3, (5, 7, 5), "6, kernel = 5, pad = 2")
conv("5x5_stride_2_pad_2", 3, (3, 11, 9), "6, kernel = 5, stride = 2, pad = 2, bias = false")
conv("5x5_pad_1_groups_2", 1, (6, 9, 7), "6, kernel = 5, pad = 1, groups = 2")
conv("3x2", 3, (3, 7, 6), "5, kernel = [3, 2]")
conv("3x2_stride_2_1_pad_1_0", 17, (3, 7, 5), "5, kernel = [3, 2], stride = [2, 1], pad = [1, 0]")
conv("3x2_dilation_2_groups_2", 3, (6, 8, 6), "16, kernel = [3, 2], dilation = 2, pad = 1, groups = 2")
conv("65x1_pad_32", 2, (2, 7, 5), "3, kernel = [65, 1], pad = [32, 0]")
conv("1x3", 3, (5, 5, 7), "5, kernel = [1, 3], pad = [0, 1]")
conv("kernel_is_image", 17, (5, 4, 3), "12, kernel = [4, 3]")
conv("one_pixel", 33, (6, 1, 1), "5, kernel = 3, pad = 1")
conv("rows_left_over", 3, (3, 10, 8), "5, kernel = 3, stride = 2")

case("linear", 16, (17,), "y = x -> fc1: Linear(10)")
case("linear_no_bias", 3, (7,), "y = x -> fc1: Linear(5, bias = false)")
case("linear_from_one", 17, (1,), "y = x -> fc1: Linear(7)")
case("linear_to_one", 33, (60,), "y = x -> fc1: Linear(1)")
case("linear_batch_1", 1, (60,), "y = x -> fc1: Linear(17)")
case("linear_from_map", 3, (3, 5, 7), "y = x -> Flatten -> fc1: Linear(10)")
case("linear_twice", 17, (10,), "y = x -> fc1: Linear(60) -> fc2: Linear(7)")
case("linear_twice_no_bias", 33, (7,), "y = x -> fc1: Linear(17, bias = false) -> fc2: Linear(10, bias = false)")

for title, layer in [("relu", "ReLU"), ("leaky_relu", "LeakyReLU(slope = 0.2)"), ("leaky_relu_default", "LeakyReLU"),
                     ("sigmoid", "Sigmoid"), ("tanh", "Tanh"), ("gelu", "GELU")]:
    case(title, 3, (3, 7, 5), f"y = x -> pre: Conv(5, kernel = 3, pad = 1) -> {layer}")
    case(title + "_flat", 17, (10,), f"y = x -> pre: Linear(17) -> {layer} -> fc1: Linear(7)")
case("relu_first", 16, (2, 5, 3), "y = x -> ReLU -> Flatten -> fc1: Linear(6)")
case("relu_zeros", 16, (2, 5, 3), "y = x -> pre: Conv(3, kernel = 3) -> ReLU", integers=True)
case("softmax", 16, (10,), "y = x -> pre: Linear(10) -> Softmax")
case("softmax_then_linear", 33, (7,), "y = x -> pre: Linear(17) -> Softmax -> fc1: Linear(3)")
case("activations_chain", 3, (3, 5, 5), "y = x -> pre: Conv(6, kernel = 1) -> Tanh -> Sigmoid -> GELU")

WINDOWS = [("2", (3, 8, 6), "2"), ("2_odd", (3, 9, 7), "2"), ("3_stride_2", (5, 9, 7), "3, stride = 2"),
           ("3_stride_2_pad_1", (3, 9, 7), "3, stride = 2, pad = 1"), ("2x1", (5, 7, 5), "[2, 1]"),
           ("3x2_stride_1_2_pad_1_0", (3, 7, 6), "[3, 2], stride = [1, 2], pad = [1, 0]"),
           ("3_stride_1_pad_1", (3, 5, 6), "3, stride = 1, pad = 1")]
for title, shape, arguments in WINDOWS:
    lead = f"y = x -> pre: Conv({shape[0]}, kernel = 3, pad = 1) -> "
    case("max_pool_" + title, 3, shape, lead + f"MaxPool({arguments})")
    case("avg_pool_" + title, 3, shape, lead + f"AvgPool({arguments})")
case("max_pool_ties", 16, (2, 6, 6), "y = x -> pre: Conv(3, kernel = 3, pad = 1) -> MaxPool(2)", integers=True)
case("max_pool_ties_overlap", 3, (2, 9, 7),
     "y = x -> pre: Conv(3, kernel = 3, pad = 1) -> MaxPool(3, stride = 2, pad = 1)", integers=True)
case("max_pool_first", 17, (3, 6, 5), "y = x -> MaxPool(2) -> conv1: Conv(5, kernel = 1)")
case("global_max_pool", 16, (3, 7, 5), "y = x -> pre: Conv(6, kernel = 3) -> GlobalMaxPool")
case("global_max_pool_ties", 3, (2, 5, 5), "y = x -> pre: Conv(5, kernel = 3) -> GlobalMaxPool", integers=True)
case("global_avg_pool", 3, (5, 7, 5), "y = x -> pre: Conv(6, kernel = 3) -> GlobalAvgPool")
case("global_avg_pool_linear", 17, (3, 5, 5),
     "y = x -> pre: Conv(12, kernel = 3) -> GlobalAvgPool -> Flatten -> fc1: Linear(7)")

case("batch_norm", 16, (3, 5, 7), "y = x -> bn1: BatchNorm")
case("batch_norm_flat", 17, (10,), "y = x -> bn1: BatchNorm -> fc1: Linear(3)")
case("batch_norm_after_linear", 33, (7,), "y = x -> fc1: Linear(12) -> bn1: BatchNorm -> Tanh")
case("batch_norm_after_conv", 3, (3, 7, 5),
     "y = x -> conv1: Conv(17, kernel = 3, pad = 1, bias = false) -> bn1: BatchNorm")
case("batch_norm_batch_1", 1, (3, 5, 5), "y = x -> conv1: Conv(5, kernel = 3) -> bn1: BatchNorm")
case("batch_norm_options", 16, (5, 3, 5),
     "y = x -> pre: Conv(6, kernel = 1) -> bn1: BatchNorm(momentum = 0.3, eps = 1e-3)")

case("add_residual", 3, (5, 7, 5), "a = x -> conv1: Conv(5, kernel = 3, pad = 1)\ny = a + x")
case("add_residual_relu", 16, (3, 5, 7),
     "a = x -> conv1: Conv(6, kernel = 1)\nb = a -> conv2: Conv(6, kernel = 3, pad = 1)\ny = a + b -> ReLU")
case("add_two_branches", 17, (7,), "a = x -> fc1: Linear(5)\nb = x -> fc2: Linear(5) -> Tanh\ny = a + b")
case("add_three", 3, (3, 5, 5), "a = x -> conv1: Conv(3, kernel = 3, pad = 1)\n"
     "b = a -> conv2: Conv(3, kernel = 3, pad = 1)\ny = a + b + x")
case("add_to_itself", 3, (7,), "a = x -> fc1: Linear(5)\ny = a + a")
case("used_twice", 16, (10,),
     "a = x -> fc1: Linear(7) -> Tanh\nb = a -> fc2: Linear(5)\nc = a -> fc3: Linear(5)\ny = b + c")
case("used_thrice", 3, (3, 6, 5), "a = x -> conv1: Conv(5, kernel = 3, pad = 1) -> ReLU\n"
     "b = a -> conv2: Conv(5, kernel = 1)\nc = a -> MaxPool(3, stride = 1, pad = 1)\ny = a + b + c")
case("concat_two", 3, (3, 5, 7), "a = x -> conv1: Conv(5, kernel = 1)\nb = x -> conv2: Conv(3, kernel = 3, pad = 1)\n"
     "y = Concat(a, b)")
case("concat_three", 17, (3, 5, 3), "a = x -> conv1: Conv(6, kernel = 1) -> ReLU\n"
     "b = a -> conv2: Conv(1, kernel = 3, pad = 1)\ny = Concat(a, x, b) -> conv3: Conv(5, kernel = 1)")
case("concat_flat", 16, (7,), "a = x -> fc1: Linear(10) -> Tanh\nb = x -> fc2: Linear(1)\n"
     "y = Concat(a, b, x) -> fc3: Linear(3)")
case("concat_with_itself", 3, (3, 5, 4),
     "a = x -> conv1: Conv(5, kernel = 3)\ny = Concat(a, a) -> conv2: Conv(3, kernel = 1)")

case("chain_conv_relu_max_pool", 16, (3, 8, 8), "y = x -> conv1: Conv(6, kernel = 3, pad = 1) -> ReLU -> MaxPool(2)")
case("chain_conv_relu_max_pool_deep", 3, (1, 12, 12),
     "y = x -> conv1: Conv(6, kernel = 3, pad = 1) -> ReLU -> MaxPool(2) -> conv2: Conv(12, kernel = 3, pad = 1)"
     " -> ReLU -> MaxPool(2) -> Flatten -> fc1: Linear(17) -> ReLU -> fc2: Linear(10)")
case("chain_conv_batch_norm_relu", 16, (3, 5, 7), "y = x -> conv1: Conv(6, kernel = 3, pad = 1, bias = false)"
     " -> bn1: BatchNorm -> ReLU")
case("chain_linear_relu_linear", 33, (17,), "y = x -> fc1: Linear(60) -> ReLU -> fc2: Linear(7)")
case("chain_conv_relu_conv_stride_2", 3, (3, 9, 7),
     "y = x -> conv1: Conv(6, kernel = 3, pad = 1) -> ReLU -> conv2: Conv(12, kernel = 3, stride = 2, pad = 1)")
case("chain_conv_sigmoid_avg_pool", 17, (3, 6, 6), "y = x -> conv1: Conv(5, kernel = 3) -> Sigmoid -> AvgPool(2)")
case("chain_max_pool_relu", 3, (3, 8, 7), "y = x -> conv1: Conv(5, kernel = 3, pad = 1) -> MaxPool(2) -> ReLU")
case("chain_residual_block", 16, (6, 7, 5),
     "a = x -> conv1: Conv(6, kernel = 3, pad = 1, bias = false) -> bn1: BatchNorm -> ReLU"
     " -> conv2: Conv(6, kernel = 3, pad = 1, bias = false) -> bn2: BatchNorm\ny = x + a -> ReLU")

case("cross_entropy", 17, (12,), "y = x -> fc1: Linear(10)", loss="CrossEntropy")
case("cross_entropy_batch_1", 1, (7,), "y = x -> fc1: Linear(3)", loss="CrossEntropy")
case("cross_entropy_batch_33", 33, (5,), "y = x -> fc1: Linear(17)", loss="CrossEntropy")
case("cross_entropy_smoothing", 16, (7,), "y = x -> fc1: Linear(10)", loss="CrossEntropy, smoothing = 0.1")
case("cross_entropy_smoothing_network", 3, (1, 7, 7), "y = x -> conv1: Conv(5, kernel = 3) -> ReLU -> Flatten"
     " -> fc1: Linear(6)", loss="CrossEntropy, smoothing = 0.3")
case("cross_entropy_weights", 17, (7,), "y = x -> fc1: Linear(5)", loss="CrossEntropy, weights = [1, 2, 0.5, 0, 3.25]")
case("cross_entropy_weights_smoothing", 33, (1, 5, 5), "y = x -> conv1: Conv(3, kernel = 3) -> ReLU -> Flatten -> fc1: Linear(4)",
     loss="CrossEntropy, smoothing = 0.2, weights = [0.25, 4, 1, 0.75]")
case("cross_entropy_soft", 16, (7,), "y = x -> fc1: Linear(6)", loss="CrossEntropy, soft")
case("cross_entropy_soft_smoothing", 3, (7,), "y = x -> fc1: Linear(6)", loss="CrossEntropy, soft, smoothing = 0.3")
case("cross_entropy_soft_weights", 17, (9,), "y = x -> fc1: Linear(4)",
     loss="CrossEntropy, soft, smoothing = 0.1, weights = [1, 0.5, 0, 2]")
case("mask_cross_entropy_weights", 3, (2, 5, 4), "y = x -> conv1: Conv(4, kernel = 3, pad = 1)",
     loss="CrossEntropy, weights = [1, 0.5, 3, 0]")
case("mask_cross_entropy_ignored_weights", 5, (1, 6, 7), "y = x -> conv1: Conv(4, kernel = 3)",
     loss="CrossEntropy, smoothing = 0.2, weights = [2, 0.5, 1, 0.125]")
case("mask_cross_entropy", 3, (2, 5, 4), "y = x -> conv1: Conv(4, kernel = 3, pad = 1)", loss="CrossEntropy")
case("mask_cross_entropy_large", 2, (1, 23, 17), "y = x -> conv1: Conv(3, kernel = 1)", loss="CrossEntropy")
case("mask_cross_entropy_smoothing", 17, (3, 3, 5), "y = x -> conv1: Conv(6, kernel = 3, pad = 1)",
     loss="CrossEntropy, smoothing = 0.2")
case("mask_cross_entropy_ignored", 5, (1, 6, 7), "y = x -> conv1: Conv(5, kernel = 3) -> ReLU -> conv2: Conv(4, kernel = 1)",
     loss="CrossEntropy")
case("mse_map", 33, (1, 5, 4), "y = x -> conv1: Conv(3, kernel = 3, pad = 1)")


def normalized(name, batch, shape, body, mean=True, std=True):
    """Normalize with a list, one number for each index of the first dimension, or with one number for all."""
    means = [(i * 5 % 7 - 3) / 8 for i in range(shape[0])] if mean else 0.25
    stds = [0.5 + i * 3 % 5 / 4 for i in range(shape[0])] if std else 0.75
    case(name, batch, shape, body, normalize=(means, stds))


normalized("normalize_flat", 17, (20,), "y = x -> fc1: Linear(3)")
normalized("normalize_flat_first_layer_elsewhere", 3, (5,), "y = x -> Tanh -> fc1: Linear(3)", std=False)
normalized("normalize_rows", 16, (3, 5), "y = x -> Flatten -> fc1: Linear(3)")
normalized("normalize_long_rows", 3, (2, 37), "y = x -> Flatten -> fc1: Linear(3)", mean=False)
normalized("normalize_channels", 17, (3, 7, 5), "y = x -> conv1: Conv(5, kernel = 3)")
normalized("normalize_small_channels", 3, (20, 2, 3), "y = x -> conv1: Conv(2, kernel = 2)")
normalized("normalize_number", 16, (2, 5, 4), "y = x -> conv1: Conv(3, kernel = 3)", mean=False, std=False)


def normalize(x, mean, std):
    """As torchvision's Normalize, whose lists have one number a channel."""
    shape = (-1,) + (1,) * (x.dim() - 2)
    mean, std = (torch.tensor(v, dtype=torch.float64).reshape(shape) for v in (mean, std))
    return ((x - mean) / std).detach()


def transform_text(normalize):
    return "[Normalize(mean = {}, std = {})]".format(*normalize) if normalize else None


def generator(name, attempt, integers):
    """Random float64 tensors that float32 holds exactly; `integers` makes ties and zeros likely."""
    random = np.random.RandomState(zlib.crc32(f"{name} {attempt}".encode()))
    ranges = {"scale": (0.5, 1.5), "shift": (-0.5, 0.5)}

    def new(shape, kind, fan_in=1):
        if integers and kind != "target":
            values = random.randint(-1, 2, shape)
        elif kind in ("input", "target"):
            values = random.standard_normal(shape)
        else:
            low, high = ranges.get(kind, (-fan_in ** -0.5, fan_in ** -0.5))
            values = random.uniform(low, high, shape)
        return torch.from_numpy(np.asarray(values, np.float32).astype(np.float64))

    return random, new


def compute(name, batch, shape, body, loss, integers, transform, attempt):
    """One step of a case. Returns the network and the tensors to store."""
    random, new = generator(name, attempt, integers)
    network = Network(body, new)
    given = new((batch,) + shape, "input")
    x = (normalize(given, *transform) if transform else given).requires_grad_(True)
    evaluated = network.run(x, training=False)                 # makes the parameters, leaves the running statistics
    before = {key: value.clone() for key, value in network.buffers.items()}
    stored = {"eval_output": float32(evaluated)} if before else {}

    y = network.run(x)
    if loss == "MSE":
        target = new(tuple(y.shape), "target")
        value = F.mse_loss(y, target)
        stored["target"] = float32(target)
    else:
        target = torch.from_numpy(random.randint(0, y.shape[1], (batch,) + tuple(y.shape[2:])))
        options = dict(pair.split(" = ") for pair in re.split(r", (?=[a-z])", loss)[1:] if "=" in pair)
        smoothing = float(options.get("smoothing", 0))
        weights = torch.tensor(eval(options["weights"]), dtype=torch.float64) if "weights" in options else None
        if "ignored" in name:                                  # more in each sample than in the one before; in the last all
            target[torch.from_numpy(random.rand(*target.shape)) * batch < torch.arange(1, batch + 1).reshape(-1, 1, 1)] = 255
        if ", soft" in loss:
            target = torch.softmax(2 * new(tuple(y.shape), "target"), 1).float().double()
        value = F.cross_entropy(y, target, weight=weights, label_smoothing=smoothing, ignore_index=255 if ", soft" not in loss else -100)
        stored["target"] = float32(target) if ", soft" in loss else target.numpy()
    value.backward()

    stored.update({"input": float32(given), "output": float32(y), "loss": float32(value), "grad.input": float32(x.grad)})
    for key, param in network.params.items():
        stored[key], stored["grad." + key] = float32(param), float32(param.grad)
    for key, buffer in network.buffers.items():
        stored[key], stored["after." + key] = float32(before[key]), float32(buffer)
    return network, stored


def main():
    total = 0
    for name, batch, shape, body, loss, integers, transform in CASES:
        attempt = 0
        network, stored = compute(name, batch, shape, body, loss, integers, transform, attempt)
        while network.margin < MARGIN:
            attempt += 1
            network, stored = compute(name, batch, shape, body, loss, integers, transform, attempt)
        outputs = ", ".join(map(str, stored["output"].shape[1:]))
        kind, _, options = loss.partition(",")
        soft = options.startswith(" soft")
        options = options.removeprefix(" soft").removeprefix(",")
        target = ("label", f"class[{outputs}]") if kind == "CrossEntropy" and not soft else ("t", f"f32[{outputs}]")
        call = f"{kind}(y, {target[0]}{',' + options if options else ''})"
        train = [("loss", call), ("optimizer", "SGD(lr = 0.1)"), ("epochs", 1), ("batch", batch)]
        text = net_text(name, "One layer or a short chain, compared with PyTorch.", shape, target, body, train,
                        transform_text(transform))
        write_text(f"ops/{name}.net", text)
        total += write_safetensors(f"ops/{name}.safetensors", stored)
    print(f"{len(CASES)} cases, {total} bytes")


if __name__ == "__main__":
    main()
