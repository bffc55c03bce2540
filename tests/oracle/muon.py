"""torch.optim.Muon for matrices and torch.optim.AdamW for all other parameters, in the precision of the parameters.

PyTorch (2.9 or later) goes through the Newton-Schulz iteration in bfloat16, whose steps differ by per cents. Here its own code runs
with a `torch` whose bfloat16 is float64. It takes two sizes only: a convolution's kernels are handed to it as outputs by all else.
"""

import types

import torch

try:
    import torch.optim._muon as code

    code.torch = types.SimpleNamespace(**{**vars(torch), "bfloat16": torch.float64})
except ImportError:
    code = None

ADAM = {"lr": 3e-4, "betas": (0.9, 0.95), "eps": 1e-10, "weight_decay": 0}  # of MuonWithAuxAdam by Muon's authors


class Muon:
    """`params` are parameters, or groups with `params`, and `lr`, `weight_decay` and `muon` of their own."""

    def __init__(self, params, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True, ns_steps=5, eps=1e-7, adjust_lr_fn="original",
                 adam=None):
        if not code:
            raise SystemExit("Muon needs PyTorch 2.9")
        self.arguments = {"momentum": momentum, "nesterov": nesterov, "ns_steps": ns_steps, "eps": eps, "adjust_lr_fn": adjust_lr_fn}
        self.adam = {**ADAM, **(adam or {})}
        self.param_groups, self.buffer, self.beside = [], {}, {}
        for given in params:
            group = given if isinstance(given, dict) else {"params": [given]}
            for p in group["params"]:
                matrix = p.ndim >= 2 and group.get("muon", True)
                default = {"lr": lr, "weight_decay": weight_decay} if matrix else self.adam
                self.param_groups.append({"params": [p], "matrix": matrix, "lr": group.get("lr", default["lr"]),
                                          "weight_decay": group.get("weight_decay", default["weight_decay"])})

    def zero_grad(self):
        for group in self.param_groups:
            group["params"][0].grad = None

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            p, = group["params"]
            if group["matrix"]:
                flat, buffer = p.view(len(p), -1), self.buffer.setdefault(id(p), torch.zeros_like(p.view(len(p), -1)))
                code._single_tensor_muon([flat], [p.grad.reshape(len(p), -1)], [buffer], lr=group["lr"], weight_decay=group["weight_decay"],
                                         ns_coefficients=(code.DEFAULT_A, code.DEFAULT_B, code.DEFAULT_C), has_complex=False,
                                         **self.arguments)
            else:
                adam = self.beside.setdefault(id(p), torch.optim.AdamW([p], **self.adam))
                adam.param_groups[0].update(lr=group["lr"], weight_decay=group["weight_decay"])
                adam.step()
