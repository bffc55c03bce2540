"""Twenty steps of every optimizer and schedule: tests/expect/optimizers/<case>.net and <case>.safetensors.

The data set is one batch of eight samples, so an epoch is a step. The learning rates come from the formulas in
README.md, and PyTorch's own schedulers are asked whether they agree.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

from language import Network, net_text
from store import float32, write_safetensors, write_text

STEPS = 20
BODY = "y = x -> fc1: Linear(5) -> Tanh -> fc2: Linear(3)"

SGD, ADAM, ADAMW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW

# name, PyTorch's optimizer, its arguments, our arguments
OPTIMIZERS = [
    ("sgd", SGD, {"lr": 0.1}, "SGD(lr = 0.1)"),
    ("sgd_momentum", SGD, {"lr": 0.1, "momentum": 0.9}, "SGD(lr = 0.1, momentum = 0.9)"),
    ("sgd_nesterov", SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True},
     "SGD(lr = 0.1, momentum = 0.9, nesterov = true)"),
    ("sgd_decay", SGD, {"lr": 0.1, "weight_decay": 1e-2}, "SGD(lr = 0.1, decay = 1e-2)"),
    ("sgd_momentum_decay", SGD, {"lr": 0.1, "momentum": 0.5, "weight_decay": 1e-2},
     "SGD(lr = 0.1, momentum = 0.5, decay = 1e-2)"),
    ("sgd_nesterov_decay", SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3},
     "SGD(lr = 0.1, momentum = 0.9, nesterov = true, decay = 1e-3)"),
    ("adam", ADAM, {"lr": 1e-2}, "Adam(lr = 1e-2)"),
    ("adam_default", ADAM, {"lr": 1e-3}, "Adam"),
    ("adam_decay_betas_eps", ADAM, {"lr": 1e-2, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 1e-2},
     "Adam(lr = 1e-2, betas = [0.8, 0.95], eps = 1e-4, decay = 1e-2)"),
    ("adamw", ADAMW, {"lr": 1e-2}, "AdamW(lr = 1e-2)"),
    ("adamw_decay_betas", ADAMW, {"lr": 1e-2, "betas": (0.8, 0.95), "weight_decay": 0.1},
     "AdamW(lr = 1e-2, betas = [0.8, 0.95], decay = 0.1)"),
]

# name, optimizer of the table above, our schedule, its parts
SCHEDULES = [
    ("step", "sgd", "Step(every = 5, gamma = 0.5)", {"every": 5, "gamma": 0.5}),
    ("step_momentum", "sgd_momentum", "Step(every = 4, gamma = 0.1)", {"every": 4, "gamma": 0.1}),
    ("step_warmup", "sgd", "Step(every = 5, gamma = 0.5, warmup = 3)", {"every": 5, "gamma": 0.5, "warmup": 3}),
    ("step_warmup_long", "adam", "Step(every = 5, gamma = 0.5, warmup = 7)", {"every": 5, "gamma": 0.5, "warmup": 7}),
    ("cosine", "sgd", "Cosine", {}),
    ("cosine_final", "adam", "Cosine(final = 1e-3)", {"final": 1e-3}),
    ("cosine_warmup", "sgd_momentum", "Cosine(warmup = 5)", {"warmup": 5}),
    ("cosine_warmup_final", "adamw", "Cosine(warmup = 5, final = 1e-3)", {"warmup": 5, "final": 1e-3}),
]


def rate(step, lr, schedule):
    """Learning rate of step 0, 1, ..., which is also the epoch here; `schedule` is None for a constant one."""
    if schedule is None:
        return lr
    warmup = schedule.get("warmup", 0)
    if step < warmup:
        return lr * (step + 1) / warmup
    if "every" in schedule:
        return lr * schedule["gamma"] ** (step // schedule["every"])
    final = schedule.get("final", 0.0)
    return final + (lr - final) * (1 + math.cos(math.pi * (step - warmup) / (STEPS - warmup))) / 2


def check_against_schedulers():
    """Our formulas without warm-up are StepLR and CosineAnnealingLR, stepped once per step here."""
    for _, _, _, schedule in SCHEDULES:
        if "warmup" in schedule:
            continue
        optimizer = SGD([torch.zeros(1, dtype=torch.float64, requires_grad=True)], lr=0.1)
        scheduler = (torch.optim.lr_scheduler.StepLR(optimizer, schedule["every"], schedule["gamma"])
                     if "every" in schedule else
                     torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS, schedule.get("final", 0.0)))
        for step in range(STEPS):
            expected = optimizer.param_groups[0]["lr"]
            assert abs(rate(step, 0.1, schedule) - expected) < 1e-12, (schedule, step)
            optimizer.step()
            scheduler.step()


def run(name, make, arguments, schedule):
    """Trains the small network, stores what it starts from and every step, returns the number of bytes."""
    random = np.random.RandomState(7)

    def new(shape, kind, fan_in):
        values = random.uniform(-fan_in ** -0.5, fan_in ** -0.5, shape)
        return torch.from_numpy(values.astype(np.float32).astype(np.float64))

    x, target = new([8, 6], "input", 0.25), new([8, 3], "target", 1)
    network = Network(BODY, new)
    network.run(x)
    stored = {"input": float32(x), "target": float32(target)}
    stored.update({key: float32(value) for key, value in network.params.items()})

    optimizer = make(network.params.values(), **arguments)
    losses, rates = [], []
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = rate(step, arguments["lr"], schedule)
        loss = F.mse_loss(network.run(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        rates.append(optimizer.param_groups[0]["lr"])
        stored.update({f"step{step + 1}.{key}": float32(value) for key, value in network.params.items()})
    stored["loss"], stored["lr"] = np.array(losses, np.float32), np.array(rates, np.float32)
    return write_safetensors(f"optimizers/{name}.safetensors", stored)


def main():
    check_against_schedulers()
    by_name = {name: rest for name, *rest in OPTIMIZERS}
    cases = [(name, name, None, None) for name in by_name] + SCHEDULES
    total = 0
    for name, optimizer, schedule_text, schedule in cases:
        make, arguments, text = by_name[optimizer]
        train = [("loss", "MSE(y, t)"), ("optimizer", text)]
        train += [("schedule", schedule_text)] if schedule_text else []
        train += [("epochs", STEPS), ("batch", 8)]
        note = "Twenty steps on one batch, compared with PyTorch step by step."
        write_text(f"optimizers/{name}.net", net_text(name, note, [6], ("t", "f32[3]"), BODY, train))
        total += run(name, make, arguments, schedule)
    print(f"{len(cases)} cases, {total} bytes")


if __name__ == "__main__":
    main()
