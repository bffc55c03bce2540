"""Whom netrun is measured beside on a CPU: a row of PEERS each. Nothing is imported here that may not be installed.

A peer is a process `SCRIPT NET PEER THREADS`. It prints "ready" once it is warm; then it answers lines on stdin:
  STEPS         the seconds of WINDOWS times so many steps
  loss STEPS    the mean loss of the first so many steps of a training, of one epoch at most
"""

import os
from collections import namedtuple

WINDOWS = 5     # measurements of a round

# package   what has to be installed
# precision only what computes in netrun's, fp32, takes part in ratios to the best peer
# images    is another peer than those above only where the network has convolutions
# options   what the script does
Peer = namedtuple("Peer", "name words script package precision images options")


def torch_peer(name, words, precision="fp32", **options):
    return Peer(name, f"PyTorch {words}", "peer.py", "torch", precision, bool(options.get("channels_last")) and precision == "fp32",
                options)


PEERS = {peer.name: peer for peer in [
    torch_peer("eager", "eager"),
    torch_peer("fused", "eager, fused optimizer", mode="fused"),
    torch_peer("compile", "compile, fused optimizer", mode="compile"),
    torch_peer("eager_cl", "eager, channels_last", channels_last=True),
    torch_peer("fused_cl", "eager, fused optimizer, channels_last", mode="fused", channels_last=True),
    torch_peer("compile_cl", "compile, fused optimizer, channels_last", mode="compile", channels_last=True),
    torch_peer("bf16", "eager, fused optimizer, channels_last, autocast to bf16", "bf16", mode="fused", channels_last=True, bf16=True),
    Peer("jax", "JAX, a jitted step, or one scan over all steps of a measurement (networks without convolutions)",
         "jax_peer.py", "jax", "fp32", False, {}),
]}


def script_path(peer):
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), peer.script)


def answer(lines, seconds, mean_loss):
    """The loop of a worker: what is asked in `lines`, by functions of a number of steps."""
    print("ready", flush=True)
    for line in lines:
        word, steps = line.split()[0], int(line.split()[-1])
        print(*[mean_loss(steps)] if word == "loss" else [seconds(steps) for _ in range(WINDOWS)], flush=True)
