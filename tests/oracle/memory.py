"""Peak bytes of the tensors of one training step in PyTorch on the CPU: tests/expect/memory.json.

The profiler reports every allocation and release of PyTorch's CPU allocator with the bytes then allocated. It runs
from before the first parameter is made, so the running total counts parameters, gradients, optimizer slots, the
input batch, activations and PyTorch's own workspaces. What oneDNN allocates for itself it does not see. The peak is
that of the third step, when the optimizer's slots exist. `peak` frees the gradients before each step
(zero_grad(set_to_none=True), today's default), `peak_kept` keeps their buffers.
"""

import torch

from networks import INPUT_SHAPES, RECIPES, loss_function
from store import write_json

STEP = "measured step"


def peak_after(events, mark):
    """Largest running total of bytes after the event named `mark` began; events are in the order of time."""
    total, peak = 0, None
    for event in events:
        if event.name() == mark:
            peak = total
        elif event.name() == "[memory]":
            total += event.nbytes()
            peak = peak if peak is None else max(peak, total)
    return peak


def measure(recipe, free_gradients):
    """Peak bytes of a recipe's third step."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        module = recipe.module()
        optimizer = recipe.optimizer(module.parameters(), **recipe.arguments)
        for step in range(3):
            with torch.profiler.record_function(STEP if step == 2 else "step"):
                x = torch.zeros([recipe.batch] + INPUT_SHAPES[recipe.data])
                target = torch.zeros([recipe.batch, 1]) if recipe.data == "xor" else torch.zeros(
                    recipe.batch, dtype=torch.int64)
                optimizer.zero_grad(set_to_none=free_gradients)
                loss = loss_function(recipe)(module(x), target)
                loss.backward()
                optimizer.step()
                del x, target, loss
    return peak_after(profile.profiler.kineto_results.events(), STEP)


def main():
    torch.set_num_threads(1)
    measured = {}
    for name, recipe in RECIPES.items():
        params = sum(4 * param.numel() for param in recipe.module().parameters())
        slots = 2 if recipe.optimizer is torch.optim.Adam else int("momentum" in recipe.arguments)
        inputs = 4 * recipe.batch * torch.Size(INPUT_SHAPES[recipe.data]).numel()
        measured[name] = {"batch": recipe.batch, "peak": measure(recipe, True), "peak_kept": measure(recipe, False),
                          "params": params, "gradients": params, "optimizer": slots * params, "input": inputs}
        print(name, measured[name])
    write_json("memory.json", {"torch": torch.__version__, "onednn": torch.backends.mkldnn.is_available(),
                               "models": measured})


if __name__ == "__main__":
    main()
