"""First steps of every network of models/ on real data: tests/expect/models/<model>.json and <model>.safetensors.

    DATA=folder tests/oracle/models.py [model...]

Samples come in file order and dropout is off. The truth is float64; float32 is what PyTorch itself gives.
"""

import math
import sys

import numpy as np
import torch

from networks import RECIPES, SMALL_RESNET20, loss_function, training_data, transform_text
from philox import check_known_answers, uniform_weights
from store import float32, write_json, write_safetensors

WHOLE = 2048        # gradients of at most so many elements are stored whole
SAMPLED = 256       # of larger ones, so many elements


def initialise(module, variant):
    """Gives every parameter its weights by the formula of README.md; returns a description of each, in order."""
    fans = {}
    for path, child in module.named_modules():
        if isinstance(child, (torch.nn.Conv2d, torch.nn.Linear)):
            fans[path] = child.weight[0].numel()
    described = []
    for index, (name, param) in enumerate(module.named_parameters()):
        path, kind = name.rsplit(".", 1)
        if path in fans:
            bound = np.float32(1 / math.sqrt(fans[path]))
            values = uniform_weights(param.numel(), index, variant, bound)
        else:
            bound, values = np.float32(0), np.full(param.numel(), kind == "weight", np.float32)
        param.data = torch.from_numpy(values.copy()).view(param.shape).to(param.dtype)
        described.append({
            "name": name, "shape": list(param.shape), "index": index,
            "init": "uniform" if path in fans else "one" if kind == "weight" else "zero",
            "fan_in": fans.get(path, 0), "bound": float(bound),
            "first": [float(v) for v in values[:8]], "last": float(values[-1]),
            "sum": float(np.sum(values.astype(np.float64)))})
    return described


def train(recipe, dtype):
    """Runs the recipe's steps. Returns the losses, what step 1 left, and the description of the parameters."""
    module = recipe.module().to(dtype)
    described = initialise(module, recipe.variant)
    optimizer = recipe.optimizer(module.parameters(), **recipe.arguments)
    x, target = training_data(recipe, recipe.batch * recipe.steps, dtype)
    losses, first = [], {}
    for step in range(recipe.steps):
        if step < recipe.warmup:
            optimizer.param_groups[0]["lr"] = recipe.arguments["lr"] * (step + 1) / recipe.warmup
        rows = slice(step * recipe.batch, (step + 1) * recipe.batch)
        output = module(x[rows])
        loss = loss_function(recipe)(output, target[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if step == 0:
            first = {"output": output.detach(),
                     "grad": {name: param.grad.clone() for name, param in module.named_parameters()},
                     "after": {name: buffer.clone() for name, buffer in module.named_buffers()
                               if buffer.dtype == dtype}}
        optimizer.step()
        losses.append(loss.item())
    return losses, first, described


def sampled_positions(index, gradient):
    """Fixed positions in a large gradient, ascending, the largest value's among them."""
    chosen = np.random.RandomState(index).permutation(gradient.numel())[:SAMPLED - 1]
    return np.unique(np.append(chosen, gradient.abs().flatten().argmax().item())).astype(np.int64)


def store(name, recipe):
    losses, first, described = train(recipe, torch.float64)
    losses32, first32, _ = train(recipe, torch.float32)

    stored = {"output": float32(first["output"])}
    stored.update({"after." + key: float32(value) for key, value in first["after"].items()})
    for param in described:
        key, gradient = param["name"], first["grad"][param["name"]]
        largest = gradient.abs().max().item()
        error = (first32["grad"][key].double() - gradient).abs().max().item() / largest if largest else 0.0
        param["grad"] = {"max_abs": largest, "sum": gradient.sum().item(), "l2": gradient.norm().item(),
                         "float32_error": float(f"{error:.2g}")}
        if gradient.numel() <= WHOLE:
            stored["grad." + key] = float32(gradient)
        else:
            positions = sampled_positions(param["index"], gradient)
            stored["grad_index." + key] = positions
            stored["grad_value." + key] = float32(gradient.flatten()[torch.from_numpy(positions)])

    drift = max(abs(b - a) / a for a, b in zip(losses, losses32))
    write_json(f"models/{name}.json", {
        "net": recipe.net, "data": recipe.data, "transform": transform_text(recipe),
        "loss": "MSE" if recipe.data == "xor" else "CrossEntropy", "optimizer": recipe.text, "warmup": recipe.warmup,
        "batch": recipe.batch, "variant": recipe.variant, "steps": recipe.steps,
        "loss64": [float(f"{v:.13g}") for v in losses],
        "loss32": losses32, "float32_drift": float(f"{drift:.2g}"), "params": described})
    size = write_safetensors(f"models/{name}.safetensors", stored)
    worst = max(described, key=lambda param: param["grad"]["float32_error"])
    print(f"{name}: {size} bytes, loss {losses[0]:.6f} to {losses[-1]:.6f}; PyTorch in float32: loss 1 off by "
          f"{abs(losses32[0] - losses[0]):.1e}, losses by {drift:.1e} relative, gradients by up to "
          f"{worst['grad']['float32_error']:.1e} ({worst['name']})", flush=True)


def main():
    check_known_answers()
    torch.set_num_threads(1)            # so that the same machine gives the same digits every time
    recipes = {**RECIPES, "resnet20_batch4": SMALL_RESNET20}
    for name in sys.argv[1:] or recipes:
        store(name, recipes[name])


if __name__ == "__main__":
    main()
