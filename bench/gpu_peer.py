"""PyTorch's side on a GPU, as worker of gpu.py: `gpu_peer.py NET MODE`.

All data are on the device. The program prints "first" once the first step is done and "ready" after some more; then,
for every line "WINDOWS STEPS" on stdin, the seconds of so many times so many steps, or whole epochs if STEPS is 0.
"""

import sys
import time

import torch

from peer import Trainer
from torch_nets import RECIPES

GPU_MODES = {
    "eager": "PyTorch eager",
    "graph": "PyTorch, one CUDA graph for a whole step, fused optimizer",
    "compile": "PyTorch compile, fused optimizer",
}
WARM_UP = 3     # steps before a graph is captured


class GpuTrainer(Trainer):
    def __init__(self, net, mode):
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        options = {"capturable": True} if mode == "graph" and RECIPES[net].optimizer is torch.optim.Adam else {}
        super().__init__(net, mode, device="cuda", **options)
        self.graphs = {} if mode == "graph" else None       # by number of rows: rows, graph

    def capture(self, rows):
        """A graph of one step on as many rows: PyTorch's recipe, docs.pytorch.org/docs/stable/notes/cuda.html."""
        place = rows.clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                self.train_on(place)
        torch.cuda.current_stream().wait_stream(side)
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.train_on(place)
        return place, graph

    def step(self):
        rows = self.order[self.at:self.at + self.batch]
        if self.graphs is None:
            # A compiled network is compiled for whole batches; the last one of an epoch is another size.
            compiled = self.forward
            self.forward = compiled if len(rows) == self.batch else self.module
            self.train_on(rows)
            self.forward = compiled
        else:
            if len(rows) not in self.graphs:
                self.graphs[len(rows)] = self.capture(rows)
            place, graph = self.graphs[len(rows)]
            place.copy_(rows)
            graph.replay()
        self.at += len(rows)

    def seconds(self, steps):
        torch.cuda.synchronize()
        start = time.perf_counter()
        if steps == 0:
            self.epoch()
        else:
            self.full_steps(steps)
        torch.cuda.synchronize()
        return time.perf_counter() - start


def main():
    net, mode = sys.argv[1:3]
    trainer = GpuTrainer(net, mode)
    trainer.step()
    torch.cuda.synchronize()
    print("first", flush=True)
    torch.backends.cudnn.benchmark = True           # the fastest algorithms from here on
    if trainer.graphs:
        trainer.graphs.clear()
    trainer.seconds(20)
    trainer.at = len(trainer.x) // trainer.batch * trainer.batch
    if trainer.at < len(trainer.x):
        trainer.step()                              # the last batch of an epoch
    torch.cuda.synchronize()
    print("ready", flush=True)
    for line in sys.stdin:
        windows, steps = map(int, line.split())
        print(*[trainer.seconds(steps) for _ in range(windows)], flush=True)


if __name__ == "__main__":
    main()
