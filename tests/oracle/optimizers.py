"""20 or 100 steps of every optimizer, 20 of every schedule: tests/expect/optimizers/<case>.net and <case>.safetensors.

The data set is one batch of eight samples, so an epoch is a step. The learning rates come from the formulas in
README.md, and PyTorch's own schedulers are asked whether they agree.
"""

import math
import sys

import numpy as np
import torch
import torch.nn.functional as F

from language import Network, net_text
from muon import Muon
from store import float32, write_safetensors, write_text

STEPS = 20
DEEP = "y = x" + "".join(f" -> fc{i}: Linear(4) -> Tanh" for i in range(1, 12)) + " -> fc12: Linear(3)"
CONV = "y = x -> c1: Conv(4, kernel = 3) -> Tanh -> c2: Conv(20, kernel = 2) -> Tanh -> Flatten -> fc: Linear(3)"
WIDE = "y = x -> fc1: Linear(18) -> Tanh -> fc2: Linear(17) -> Tanh -> fc3: Linear(3)"  # weights begin just below 1/4: small ulps
BODY = "y = x -> fc1: Linear(5) -> Tanh -> fc2: Linear(3)"

SGD, ADAM, ADAMW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
RMSPROP = torch.optim.RMSprop


class Lion(torch.optim.Optimizer):
    """Chen et al., Symbolic discovery of optimization algorithms, arXiv 2302.06675, program 1, in the precision of the
    parameters; defaults of the authors' lion_pytorch.py. PyTorch has none."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(group["lr"] * torch.sign(beta1 * m + (1 - beta1) * p.grad))
                m.copy_(beta2 * m + (1 - beta2) * p.grad)


class LAMB(torch.optim.Optimizer):
    """You et al., Large batch optimization for deep learning, arXiv 1904.00962, algorithm 2 with phi(x) = x, in the precision of
    the parameters. A norm of zero makes the ratio 1, as in the authors' code. PyTorch has none."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "t": 0})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            group["t"] += 1
            for p in group["params"]:
                state = self.state[p]
                m = state.setdefault("exp_avg", torch.zeros_like(p))
                v = state.setdefault("exp_avg_sq", torch.zeros_like(p))
                m.copy_(beta1 * m + (1 - beta1) * p.grad)
                v.copy_(beta2 * v + (1 - beta2) * p.grad ** 2)
                r = m / (1 - beta1 ** group["t"]) / ((v / (1 - beta2 ** group["t"])).sqrt() + group["eps"])
                r += group["weight_decay"] * p
                weight, update = p.norm().item(), r.norm().item()
                p.sub_(group["lr"] * (weight / update if weight > 0 and update > 0 else 1) * r)


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

# The same over LONG steps, of which every KEEP-th is stored.
LONG, KEEP = 100, 10
LONG_OPTIMIZERS = [
    ("adam_amsgrad", ADAM, {"lr": 1e-2, "amsgrad": True}, "Adam(lr = 1e-2, amsgrad = true)"),
    ("adam_amsgrad_decay", ADAM, {"lr": 2e-2, "betas": (0.8, 0.9), "weight_decay": 1e-2, "amsgrad": True},
     "Adam(lr = 2e-2, betas = [0.8, 0.9], decay = 1e-2, amsgrad = true)"),
    ("adamw_amsgrad", ADAMW, {"lr": 2e-2, "betas": (0.8, 0.9), "amsgrad": True},
     "AdamW(lr = 2e-2, betas = [0.8, 0.9], amsgrad = true)"),
    ("adamax", torch.optim.Adamax, {}, "Adamax"),
    ("adamax_decay", torch.optim.Adamax, {"lr": 5e-3, "betas": (0.8, 0.99), "eps": 1e-4, "weight_decay": 1e-2},
     "Adamax(lr = 5e-3, betas = [0.8, 0.99], eps = 1e-4, decay = 1e-2)"),
    ("nadam", torch.optim.NAdam, {}, "NAdam"),
    ("nadam_decay", torch.optim.NAdam,
     {"lr": 1e-2, "betas": (0.95, 0.9), "eps": 1e-4, "weight_decay": 1e-2, "momentum_decay": 0.5},
     "NAdam(lr = 1e-2, betas = [0.95, 0.9], eps = 1e-4, decay = 1e-2, momentum_decay = 0.5)"),
    ("radam", torch.optim.RAdam, {}, "RAdam"),
    ("radam_decay", torch.optim.RAdam, {"lr": 1e-2, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 1e-2},
     "RAdam(lr = 1e-2, betas = [0.8, 0.95], eps = 1e-4, decay = 1e-2)"),
    ("rmsprop", RMSPROP, {}, "RMSprop"),
    ("rmsprop_decay", RMSPROP, {"lr": 1e-3, "alpha": 0.9, "eps": 1e-4, "weight_decay": 1e-2},
     "RMSprop(lr = 1e-3, alpha = 0.9, eps = 1e-4, decay = 1e-2)"),
    ("rmsprop_momentum", RMSPROP, {"lr": 1e-3, "momentum": 0.9}, "RMSprop(lr = 1e-3, momentum = 0.9)"),
    ("rmsprop_centered", RMSPROP, {"lr": 1e-3, "eps": 1e-3, "centered": True},
     "RMSprop(lr = 1e-3, eps = 1e-3, centered = true)"),
    ("rmsprop_centered_momentum", RMSPROP,
     {"lr": 1e-3, "eps": 1e-3, "weight_decay": 1e-2, "momentum": 0.5, "centered": True},
     "RMSprop(lr = 1e-3, eps = 1e-3, decay = 1e-2, momentum = 0.5, centered = true)"),
    ("adagrad", torch.optim.Adagrad, {}, "Adagrad"),
    ("adagrad_decay", torch.optim.Adagrad,
     {"lr": 0.1, "lr_decay": 0.05, "weight_decay": 1e-2, "initial_accumulator_value": 0.1, "eps": 1e-4},
     "Adagrad(lr = 0.1, lr_decay = 0.05, decay = 1e-2, initial = 0.1, eps = 1e-4)"),
    ("adadelta", torch.optim.Adadelta, {}, "Adadelta"),
    ("adadelta_decay", torch.optim.Adadelta, {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 1e-2},
     "Adadelta(lr = 0.5, rho = 0.8, eps = 1e-4, decay = 1e-2)"),
    ("lion", Lion, {}, "Lion"),
    ("lion_decay", Lion, {"lr": 1e-3, "betas": (0.8, 0.95), "weight_decay": 0.1},
     "Lion(lr = 1e-3, betas = [0.8, 0.95], decay = 0.1)"),
    ("lamb", LAMB, {}, "LAMB"),
    ("lamb_decay", LAMB, {"lr": 1e-2, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.1},
     "LAMB(lr = 1e-2, betas = [0.8, 0.95], eps = 1e-4, decay = 0.1)"),
    ("muon", Muon, {}, "Muon"),
    ("muon_adjust", Muon, {"lr": 0.00048828125, "weight_decay": 0.0078125, "momentum": 0.8, "nesterov": False, "ns_steps": 3, "eps": 0.01,
                           "adjust_lr_fn": "match_rms_adamw",
                           "adam": {"lr": 0.00048828125, "betas": (0.8, 0.99), "eps": 1e-4, "weight_decay": 0.015625}},
     "Muon(lr = 0.00048828125, decay = 0.0078125, momentum = 0.8, nesterov = false, ns_steps = 3, eps = 0.01, adjust = \"match_rms_adamw\", "
     "adam_lr = 0.00048828125, adam_betas = [0.8, 0.99], adam_eps = 1e-4, adam_decay = 0.015625)"),
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


# name, optimizer of the table above, our lines, what is done to gradients, decay of the mean
BESIDES = [
    ("clip_norm", "sgd_momentum", [("clip", "norm(0.05)")], ("norm", 0.05), None),
    ("clip_norm_idle", "adam", [("clip", "norm(1000)")], ("norm", 1000), None),
    ("clip_value", "sgd_nesterov_decay", [("clip", "value(0.01)")], ("value", 0.01), None),
    ("ema", "adam", [("ema", "0.9")], None, 0.9),
    ("clip_norm_deep", "sgd_momentum", [("clip", "norm(0.05)")], ("norm", 0.05), None, DEEP),
    ("clip_ema", "sgd_nesterov_decay", [("clip", "norm(0.02)"), ("ema", "0.75")], ("norm", 0.02), 0.75),
    ("muon_clip_ema", "muon", [("clip", "norm(0.02)"), ("ema", "0.75")], ("norm", 0.02), 0.75, CONV, [2, 5, 5]),
    ("muon_wide", "muon_adjust", [("clip", "value(0.01)")], ("value", 0.01), None, WIDE),
    ("lamb_clip_ema_deep", "lamb_decay", [("clip", "norm(0.02)"), ("ema", "0.75")], ("norm", 0.02), 0.75, DEEP),
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


def run(name, make, arguments, schedule, steps=STEPS, keep=1, clip=None, ema=None, body=BODY, shape=(6,)):
    """Trains the small network, stores what it starts from and every keep-th step, returns the number of bytes."""
    random = np.random.RandomState(7)

    def new(shape, kind, fan_in):
        values = random.uniform(-fan_in ** -0.5, fan_in ** -0.5, shape)
        return torch.from_numpy(values.astype(np.float32).astype(np.float64))

    x, target = new([8, *shape], "input", 0.25), new([8, 3], "target", 1)
    network = Network(body, new)
    network.run(x)
    stored = {"input": float32(x), "target": float32(target)}
    stored.update({key: float32(value) for key, value in network.params.items()})

    optimizer = make(network.params.values(), **arguments)
    lr = optimizer.param_groups[0]["lr"]
    losses, rates = [], []
    mean = ema and torch.optim.swa_utils.AveragedModel(torch.nn.ParameterList(network.params.values()),
                                                       multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(ema))
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate(step, lr, schedule)
        loss = F.mse_loss(network.run(x), target)
        optimizer.zero_grad()
        loss.backward()
        if clip:
            {"norm": torch.nn.utils.clip_grad_norm_, "value": torch.nn.utils.clip_grad_value_}[clip[0]](
                network.params.values(), clip[1])
        optimizer.step()
        if ema:
            mean.update_parameters(torch.nn.ParameterList(network.params.values()))
            stored.update({f"step{step + 1}.ema.{key}": float32(value)
                           for key, value in zip(network.params, mean.module)})
        losses.append(loss.item())
        rates.append(optimizer.param_groups[0]["lr"])
        if (step + 1) % keep == 0:
            stored.update({f"step{step + 1}.{key}": float32(value) for key, value in network.params.items()})
    stored["loss"], stored["lr"] = np.array(losses, np.float32), np.array(rates, np.float32)
    return write_safetensors(f"optimizers/{name}.safetensors", stored)


def main():
    check_against_schedulers()
    by_name = {name: rest for name, *rest in OPTIMIZERS + LONG_OPTIMIZERS}
    cases = [(name, *by_name[name], [], None, STEPS, 1) for name, *_ in OPTIMIZERS]
    cases += [(name, *by_name[optimizer], [("schedule", text)], schedule, STEPS, 1)
              for name, optimizer, text, schedule in SCHEDULES]
    cases += [(*case, [], None, LONG, KEEP) for case in LONG_OPTIMIZERS]
    cases += [(name, *by_name[optimizer], lines, None, STEPS, 1, *besides)
              for name, optimizer, lines, *besides in BESIDES]
    cases = [case for case in cases if case[0] in sys.argv[1:]] or cases
    total = 0
    for name, make, arguments, text, lines, schedule, steps, keep, *besides in cases:
        train = [("loss", "MSE(y, t)"), ("optimizer", text), *lines]
        train += [("epochs", steps), ("batch", 8)]
        note = f"{'Twenty' if steps == STEPS else 'A hundred'} steps on one batch, compared with PyTorch step by step."
        write_text(f"optimizers/{name}.net", net_text(name, note, besides[3] if len(besides) > 3 else [6], ("t", "f32[3]"),
                                                   besides[2] if len(besides) > 2 else BODY, train))
        total += run(name, make, arguments, schedule, steps, keep, *besides)
    print(f"{len(cases)} cases, {total} bytes")


if __name__ == "__main__":
    main()
