"""Learning rates and momenta of PyTorch's schedulers: tests/expect/schedules.json, a list of cases in double precision.

`steps` is the number of steps of an epoch; schedulers that count epochs are stepped behind the last of them, the others behind each.
"""

import warnings

import torch
from torch.optim import lr_scheduler as S

from store import write_json

LR, MOMENTUM = 0.1, 0.9
PARAMETERS = f"SGD(lr = {LR}, momentum = {MOMENTUM})"


def cycle(total, **more):
    return lambda o: S.OneCycleLR(o, LR, total_steps=total, **more)


# our text, epochs, steps of an epoch, the scheduler, how it is stepped
CASES = [
    ("Step(2, gamma = 0.3)", 7, 3, lambda o: S.StepLR(o, 2, 0.3), "epoch"),
    ("MultiStep([2, 3, 6], gamma = 0.5)", 8, 3, lambda o: S.MultiStepLR(o, [2, 3, 6], 0.5), "epoch"),
    ("MultiStep(3)", 5, 2, lambda o: S.MultiStepLR(o, [3]), "epoch"),
    ("Exponential(0.8)", 6, 3, lambda o: S.ExponentialLR(o, 0.8), "epoch"),
    ("Polynomial", 5, 4, lambda o: S.PolynomialLR(o, 20), "step"),
    ("Polynomial(power = 2, epochs = 3)", 5, 4, lambda o: S.PolynomialLR(o, 12, 2.0), "step"),
    ("Linear", 5, 4, lambda o: S.LinearLR(o, total_iters=20), "step"),
    ("Linear(0.1, 0.5, epochs = 2)", 5, 4, lambda o: S.LinearLR(o, 0.1, 0.5, total_iters=8), "step"),
    ("Constant(0.25)", 2, 4, lambda o: S.ConstantLR(o, 0.25, 100), "step"),
    ("Cosine", 5, 4, lambda o: S.CosineAnnealingLR(o, 20), "step"),
    ("Cosine(final = 0.01, epochs = 5)", 5, 4, lambda o: S.CosineAnnealingLR(o, 20, 0.01), "step"),
    ("CosineRestarts(2)", 7, 4, lambda o: S.CosineAnnealingWarmRestarts(o, 2), "part"),
    ("CosineRestarts(1, factor = 2, final = 0.01)", 9, 4, lambda o: S.CosineAnnealingWarmRestarts(o, 1, 2, 0.01), "part"),
    ("OneCycle", 5, 8, cycle(40), "step"),
    ("OneCycle(rise = 40%, div = 10, final_div = 100, linear = true)", 5, 8,
     cycle(40, pct_start=0.4, div_factor=10, final_div_factor=100, anneal_strategy="linear"), "step"),
    ("OneCycle(three_phase = true, base_momentum = 0.7, max_momentum = 0.8)", 5, 8,
     cycle(40, three_phase=True, base_momentum=0.7, max_momentum=0.8), "step"),
    ("OneCycle(cycle_momentum = false)", 3, 8, cycle(24, cycle_momentum=False), "step"),
    ("[Linear(0.1, epochs = 2), Cosine]", 6, 4,
     lambda o: S.SequentialLR(o, [S.LinearLR(o, 0.1, total_iters=8), S.CosineAnnealingLR(o, 16)], [8]), "step"),
    ("[Constant(0.1, epochs = 1), Polynomial(epochs = 2), Constant(0.01)]", 5, 4,
     lambda o: S.SequentialLR(o, [S.ConstantLR(o, 0.1, 100), S.PolynomialLR(o, 8), S.ConstantLR(o, 0.01, 100)], [4, 12]), "step"),
]


# our text, the scheduler's arguments; each sees these numbers, as a loss and as a metric
WATCHED = [
    ("Plateau(patience = 1)", {"patience": 1}),
    ("Plateau(factor = 0.5, patience = 0, cooldown = 2)", {"factor": 0.5, "patience": 0, "cooldown": 2}),
    ("Plateau(factor = 0.3, patience = 0, threshold = 5%, final = 0.001)",
     {"factor": 0.3, "patience": 0, "threshold": 0.05, "min_lr": 0.001}),
    ("Plateau(patience = 1, threshold = 0.02, relative = false)", {"patience": 1, "threshold": 0.02, "threshold_mode": "abs"}),
    ("Plateau(factor = 0.01, patience = 0)", {"factor": 0.01, "patience": 0}),
]
VALUES = [0.9, 0.8, 0.79, 0.795, 0.81, 0.7, 0.69, 0.69, 0.69, float("nan"), 0.5, 0.49, 0.485, 0.4849, 0.6, 0.7, 0.71, 0.72, 0.9, 0.95]


def watch(text, mode, arguments):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler, rates = S.ReduceLROnPlateau(optimizer, mode, **arguments), []
    for value in VALUES:
        scheduler.step(value)
        rates.append(optimizer.param_groups[0]["lr"])
    return {"schedule": text, "falls": mode == "min", "lr": rates}


def run(text, epochs, steps, make, stepped):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR, momentum=MOMENTUM)
    scheduler = make(optimizer)
    group, rates, momenta = optimizer.param_groups[0], [], []
    for step in range(epochs * steps):
        rates.append(group["lr"])
        momenta.append(group["momentum"])
        optimizer.step()
        if stepped == "part":
            scheduler.step((step + 1) / steps)
        elif step + 1 < epochs * steps and (stepped == "step" or (step + 1) % steps == 0):
            scheduler.step()
    return {"schedule": text, "optimizer": PARAMETERS, "epochs": epochs, "steps": steps, "lr": rates, "momentum": momenta}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write_json("schedules.json", {"cases": [run(*case) for case in CASES], "values": [str(v) for v in VALUES],
                                  "watched": [watch(text, mode, arguments) for text, arguments in WATCHED
                                              for mode in ("min", "max")]})
