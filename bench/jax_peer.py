"""The networks of nets.py trained by JAX alone, as worker of speed.py: peers.py. Of those beyond models/ it has the ones of Linears.

Without convolutions many steps are one compiled scan; with them a jitted step is called for each. Convolutions have their
channels last, which XLA does fastest on a CPU. Initial weights are drawn as PyTorch draws them.
"""

import functools
import os
import sys
import time
from collections import namedtuple

import numpy as np

if __name__ == "__main__":
    os.environ["NPROC"] = sys.argv[3]           # XLA makes as many threads
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from jax import lax, nn  # noqa: E402

from nets import Case  # noqa: E402
from peers import answer  # noqa: E402
from samples import read_set  # noqa: E402


# ---- layers: `v` has the values of a step by name, and makes weights that are not there yet ----

class Values:
    def __init__(self, weights, statistics, key, draw=None):
        self.weights, self.statistics, self.key, self.draw = weights, statistics, key, draw

    def weight(self, name, shape, inputs):
        """`inputs` of an output: weights are drawn up to 1 / sqrt(inputs)."""
        if self.draw:
            self.weights[name] = jnp.asarray(self.draw.uniform(-inputs**-0.5, inputs**-0.5, shape), jnp.float32)
        return self.weights[name]

    def constant(self, name, values):
        """A weight that begins with these."""
        if self.draw:
            self.weights[name] = values
        return self.weights[name]

    def follow(self, name, start, now):
        """A running mean, as BatchNorm's."""
        self.statistics[name] = start if self.draw else 0.9 * self.statistics[name] + 0.1 * now


def linear(v, name, x, width):
    inputs = x.shape[1]
    return x @ v.weight(name + ".weight", (inputs, width), inputs) + v.weight(name + ".bias", (width,), inputs)


def conv(v, name, x, channels, kernel=3, stride=1, pad=1, bias=True):
    inputs = kernel * kernel * x.shape[3]
    weight = v.weight(name + ".weight", (kernel, kernel, x.shape[3], channels), inputs)
    x = lax.conv_general_dilated(x, weight, (stride, stride), [(pad, pad)] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return x + v.weight(name + ".bias", (channels,), inputs) if bias else x


def max_pool(x):
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def batch_norm(v, name, x):
    channels, count = x.shape[3], x.size // x.shape[3]
    mean = x.mean((0, 1, 2))
    variance = jnp.square(x - mean).mean((0, 1, 2))
    v.follow(name + ".mean", jnp.zeros(channels), mean)
    v.follow(name + ".variance", jnp.ones(channels), variance * (count / (count - 1)))
    scale = v.constant(name + ".weight", jnp.ones(channels)) * lax.rsqrt(variance + 1e-5)
    return (x - mean) * scale + v.constant(name + ".bias", jnp.zeros(channels))


def dropout(v, x, share):
    return jnp.where(jax.random.bernoulli(v.key, 1 - share, x.shape), x / (1 - share), 0)


def flatten(x):
    return x.reshape(len(x), -1)


# ---- networks ----

def mlp(v, x):
    return linear(v, "fc2", nn.relu(linear(v, "fc1", flatten(x), 128)), 10)


def mlp_of_width(v, x, width=128, depth=2):
    x = flatten(x)
    for i in range(depth):
        x = nn.relu(linear(v, f"fc{i}", x, width))
    return linear(v, "out", x, 10)


def autoencoder(v, x):
    x = flatten(x)
    for i, width in enumerate((256, 32, 256)):
        x = nn.relu(linear(v, f"fc{i}", x, width))
    return linear(v, "out", x, 784)


def mlp3(v, x):
    x = nn.relu(linear(v, "fc1", flatten(x), 128))
    return linear(v, "fc3", nn.relu(linear(v, "fc2", x, 64)), 10)


def mnist_cnn(v, x):
    x = max_pool(nn.relu(conv(v, "conv1", x, 16)))
    x = max_pool(nn.relu(conv(v, "conv2", x, 32)))
    return linear(v, "fc2", dropout(v, nn.relu(linear(v, "fc1", flatten(x), 128)), 0.3), 10)


def strided_cnn(v, x):
    x = nn.relu(conv(v, "conv1", x, 32))
    x = nn.relu(conv(v, "conv2", x, 64, stride=2))
    x = nn.relu(conv(v, "conv3", x, 128, stride=2)).max((1, 2))
    return linear(v, "fc2", nn.relu(linear(v, "fc1", x, 64)), 10)


def fashion_lenet(v, x):
    x = max_pool(nn.relu(conv(v, "conv1", x, 6, 5, pad=0)))
    x = max_pool(nn.relu(conv(v, "conv2", x, 12, 5, pad=0)))
    x = nn.relu(linear(v, "fc1", flatten(x), 120))
    return linear(v, "out", nn.relu(linear(v, "fc2", x, 60)), 10)


def residual(v, name, x, channels):
    wider = x.shape[3] != channels
    y = nn.relu(batch_norm(v, name + ".bn1", conv(v, name + ".conv1", x, channels, stride=1 + wider, bias=False)))
    y = batch_norm(v, name + ".bn2", conv(v, name + ".conv2", y, channels, bias=False))
    if wider:
        x = batch_norm(v, name + ".bn3", conv(v, name + ".proj", x, channels, 1, stride=2, pad=0, bias=False))
    return nn.relu(x + y)


def resnet20(v, x):
    x = nn.relu(batch_norm(v, "bn0", conv(v, "conv0", x, 16, bias=False)))
    for block in range(9):
        x = residual(v, f"block{block}", x, 16 << block // 3)
    return linear(v, "fc", x.mean((1, 2)), 10)


# ---- optimizers: (state of a weight, step) -> new state and weight ----

def sgd(lr, momentum, decay=0.0):
    def update(p, g, state, step):
        velocity = momentum * state[0] + g + decay * p
        return p - lr * velocity, (velocity,)
    return 1, update


def adam(lr, beta1=0.9, beta2=0.999, epsilon=1e-8):
    def update(p, g, state, step):
        m, v = beta1 * state[0] + (1 - beta1) * g, beta2 * state[1] + (1 - beta2) * g * g
        root = jnp.sqrt(v) / jnp.sqrt(1 - beta2**step) + epsilon
        return p - lr / (1 - beta1**step) * m / root, (m, v)
    return 2, update


def cross_entropy(logits, y):
    right = jnp.take_along_axis(logits, y[:, None], 1)[:, 0]
    return (nn.logsumexp(logits, 1) - right).mean()


def mse(out, y):
    return jnp.square(out - y).mean()


Net = namedtuple("Net", "logits data mean std batch optimizer scan loss", defaults=[cross_entropy])
MNIST = {"data": "mnist", "mean": [0.1307], "std": [0.3081]}
FASHION = {"data": "fashion", "mean": [0.0], "std": [1.0]}
CIFAR = {"data": "cifar10", "mean": [0.4914, 0.4822, 0.4465], "std": [0.2470, 0.2435, 0.2616]}
NETS = {
    "mlp": Net(mlp, **MNIST, batch=64, optimizer=adam(1e-3), scan=True),
    "mlp3": Net(mlp3, **MNIST, batch=64, optimizer=sgd(0.01, 0.5), scan=True),
    "mnist_cnn": Net(mnist_cnn, **MNIST, batch=128, optimizer=adam(1e-3), scan=False),
    "strided_cnn": Net(strided_cnn, **MNIST, batch=64, optimizer=sgd(0.01, 0.5), scan=False),
    "fashion_lenet": Net(fashion_lenet, **FASHION, batch=1000, optimizer=adam(0.01), scan=False),
    "resnet20": Net(resnet20, **CIFAR, batch=128, optimizer=sgd(0.1, 0.9, 5e-4), scan=False),
}


def net_of(text):
    """Of a case."""
    if text in NETS:
        return NETS[text]
    this = Case(text)
    net = {"mlp_of_width": functools.partial(mlp_of_width, **this.params), "autoencoder": autoencoder}.get(this.name)
    if not net:
        sys.exit(f"no {this.name} in JAX here")
    return Net(net, this.data(os.environ["NOISE"]), [0.0], [1.0], this.batch, sgd(0.01, 0.5) if this.net.classes else adam(1e-3), True,
               cross_entropy if this.net.classes else mse)


def step_of(net):
    """One training step: (all that changes, samples, classes, rows of the batch) -> what has changed."""
    update = net.optimizer[1]

    def loss_of(weights, statistics, key, x, y):
        v = Values(weights, dict(statistics), key)
        return net.loss(net.logits(v, x), y), v.statistics

    def step(changing, x, y, rows):
        weights, states, statistics, key, count, loss_sum = changing
        key, drop = jax.random.split(key)
        count = count + 1
        batch = x.at[rows].get(mode="promise_in_bounds"), y.at[rows].get(mode="promise_in_bounds")
        (loss, statistics), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights, statistics, drop, *batch)
        new = {name: update(p, gradients[name], states[name], count) for name, p in weights.items()}
        weights, states = ({name: pair[i] for name, pair in new.items()} for i in (0, 1))
        return weights, states, statistics, key, count, loss_sum + loss
    return step


class Trainer:
    """Steps over a shuffled training set; a new order each epoch. Whole batches only."""

    def __init__(self, name, seed=1):
        self.net, self.random = net_of(name), np.random.default_rng(seed)
        x, y = read_set(self.net.data, True)
        x = (x.transpose(0, 2, 3, 1) - np.float32(self.net.mean)) / np.float32(self.net.std)
        self.x, self.y = jnp.asarray(x), jnp.asarray(y if y.dtype == np.float32 else y.astype(np.int32))
        key = jax.random.key(seed)
        v = Values({}, {}, key, self.random)
        self.net.logits(v, self.x[:2])
        states = {name: tuple(jnp.zeros_like(p) for _ in range(self.net.optimizer[0])) for name, p in v.weights.items()}
        self.changing = v.weights, states, v.statistics, key, jnp.zeros(()), jnp.zeros(())
        step = step_of(self.net)
        self.step = jax.jit(step, donate_argnums=0)

        def steps(changing, x, y, rows):
            return lax.scan(lambda carried, some: (step(carried, x, y, some), None), changing, rows)[0]
        self.steps = functools.cache(lambda count: jax.jit(steps, donate_argnums=0).lower(
            self.changing, self.x, self.y, np.zeros((count, self.net.batch), np.int32)).compile())
        self.new_epoch()

    def new_epoch(self):
        order = self.random.permutation(len(self.x)).astype(np.int32)
        self.batches, self.at = order[:len(order) // self.net.batch * self.net.batch].reshape(-1, self.net.batch), 0

    def take(self, count):
        """The rows of so many batches."""
        parts = []
        while count:
            if self.at == len(self.batches):
                self.new_epoch()
            parts.append(self.batches[self.at:self.at + count])
            self.at += len(parts[-1])
            count -= len(parts[-1])
        return np.concatenate(parts)

    def full_steps(self, count):
        """Takes steps of whole batches; returns the seconds."""
        run = self.steps(count) if self.net.scan else None      # is compiled before
        start = time.perf_counter()
        if run:
            self.changing = run(self.changing, self.x, self.y, self.take(count))
        else:
            for rows in self.take(count):
                self.changing = self.step(self.changing, self.x, self.y, rows)
        jax.block_until_ready(self.changing)
        return time.perf_counter() - start


def mean_loss(trainer, steps):
    """Of the first steps."""
    steps = min(steps, len(trainer.batches))
    trainer.full_steps(steps)
    return float(trainer.changing[-1]) / steps


def main():
    name = sys.argv[1]
    trainer = Trainer(name)
    trainer.full_steps(3)
    answer(sys.stdin, trainer.full_steps, lambda steps: mean_loss(Trainer(name), steps))


if __name__ == "__main__":
    main()
