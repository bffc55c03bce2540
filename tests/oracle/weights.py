"""A Sequential's weights as F16, BF16 and F64, with what PyTorch makes of them as float32, into tests/expect/weights/."""

import os

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = os.path.join(os.path.dirname(__file__), "..", "expect", "weights")
TYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64}

torch.manual_seed(1)
net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
with torch.no_grad():
    net[0].weight[0, 0] = 3e-6      # subnormal as F16
x = torch.tensor([[0.5, -1.25, 2.0]])
os.makedirs(FOLDER, exist_ok=True)
np.save(f"{FOLDER}/x.npy", x[0].numpy())
with open(f"{FOLDER}/outputs.txt", "w") as file:
    for name, kind in TYPES.items():
        weights = {key: value.detach().to(kind) for key, value in net.state_dict().items()}
        save_file(weights, f"{FOLDER}/{name}.safetensors")
        other = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        other.load_state_dict({key: value.float() for key, value in weights.items()})
        file.write(f"{name} " + " ".join(f"{value:.9g}" for value in other(x)[0].tolist()) + "\n")
