"""Time one training step of a LeNet: the workbench beside PyTorch.

Two convolutions of 5 x 5 (20 and 50 filters) with tanh, each followed by a max pool of 2 x 2; 500
hidden units; ten classes; plain gradient ascent in float32. Both do the same arithmetic. Contenders
run in turn, each in its own process; a round's first steps are a warm-up and are not counted.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

FILTERS = (20, 50)
HIDDEN = 500
RATE = 0.05

Steps = Callable[[int], None]


def start() -> dict[str, np.ndarray]:
    """Return the first numbers of every parameter; biases start at 0."""
    rng = np.random.default_rng(1)
    shapes = {
        "w0": (FILTERS[0], 1, 5, 5),
        "w1": (FILTERS[1], FILTERS[0], 5, 5),
        "w2": (FILTERS[1] * 16, HIDDEN),
        "w3": (HIDDEN, 10),
    }
    return {
        name: (rng.standard_normal(shape) * 0.05).astype(np.float32)
        for name, shape in shapes.items()
    }


def data(batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random images and labels; speed does not depend on what they show."""
    rng = np.random.default_rng(0)
    images = rng.random((batch, 1, 28, 28), dtype=np.float32)
    return images, rng.integers(0, 10, batch).astype(np.int32)


def workbench_steps(batch: int) -> Steps:
    """The language's own functions, as a user of it writes them."""
    from workbench import theano
    from workbench.theano import tensor
    from workbench.theano.tensor.nnet import conv2d
    from workbench.theano.tensor.signal.pool import pool_2d

    theano.config.floatX = "float32"
    images, labels = data(batch)
    x, y = theano.shared(images), theano.shared(labels)
    weights = [theano.shared(value, name=name) for name, value in start().items()]
    sizes = (*FILTERS, HIDDEN, 10)
    biases = [theano.shared(np.zeros(n, np.float32), name=f"b{i}") for i, n in enumerate(sizes)]
    h = x
    for w, b in zip(weights[:2], biases[:2], strict=True):
        h = tensor.tanh(pool_2d(conv2d(h, w), (2, 2)) + b.dimshuffle("x", 0, "x", "x"))
    h = tensor.tanh(tensor.dot(h.flatten(2), weights[2]) + biases[2])
    p = tensor.nnet.softmax(tensor.dot(h, weights[3]) + biases[3])
    score = tensor.mean(tensor.log(p)[tensor.arange(y.shape[0]), y])
    parameters = [*weights, *biases]
    slopes = tensor.grad(score, parameters)
    step = theano.function(
        [], score, updates=[(v, v + RATE * g) for v, g in zip(parameters, slopes, strict=True)]
    )

    def steps(count: int) -> None:
        for _ in range(count):
            step()

    return steps


def torch_steps(batch: int) -> Steps:
    """PyTorch in eager mode with its own optimizer."""
    import torch  # optional, installed by hand

    torch.set_num_threads(os.cpu_count() or 1)
    images, labels = data(batch)
    x, y = torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64))
    first = start()
    modules: list[torch.nn.Module] = [
        torch.nn.Conv2d(1, FILTERS[0], 5),
        torch.nn.MaxPool2d(2),
        torch.nn.Tanh(),
        torch.nn.Conv2d(FILTERS[0], FILTERS[1], 5),
        torch.nn.MaxPool2d(2),
        torch.nn.Tanh(),
        torch.nn.Flatten(),
        torch.nn.Linear(FILTERS[1] * 16, HIDDEN),
        torch.nn.Tanh(),
        torch.nn.Linear(HIDDEN, 10),
    ]
    with torch.no_grad():
        for place, name in ((0, "w0"), (3, "w1"), (7, "w2"), (9, "w3")):
            value = torch.from_numpy(first[name])
            modules[place].weight.copy_(value.T if value.ndim == 2 else value)
            modules[place].bias.zero_()
    network = torch.nn.Sequential(*modules)
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)

    def steps(count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(x), y).backward()
            optimizer.step()

    return steps


CONTENDERS = {"workbench": workbench_steps, "torch": torch_steps}


def time_one(contender: str, batch: int, count: int) -> None:
    """Print the seconds of a step, measured over `count` steps after a warm-up, as JSON."""
    steps = CONTENDERS[contender](batch)
    steps(max(2, count // 5))
    begun = time.perf_counter()
    steps(count)
    print(json.dumps((time.perf_counter() - begun) / count))


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=50, help="counted steps a round")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        time_one(options.one, options.batch, options.steps)
        return 0
    names = [
        name
        for name in options.contenders
        if name != "torch" or importlib.util.find_spec("torch") is not None
    ]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    print(f"{platform.machine()}, {os.cpu_count()} cores, batch {options.batch}")
    for number in range(options.rounds):
        for name in names:
            command = [sys.executable, __file__, "--one", name, "--batch", str(options.batch)]
            command += ["--steps", str(options.steps)]
            run = subprocess.run(
                command, check=True, capture_output=True, text=True, cwd=Path(__file__).parent
            )
            seconds[name].append(json.loads(run.stdout.splitlines()[-1]))
            print(f"round {number + 1}  {name:10} {seconds[name][-1] * 1e3:.1f} ms", flush=True)
    for name, found in seconds.items():
        median = statistics.median(found)
        spread = f"{min(found) * 1e3:.1f} to {max(found) * 1e3:.1f}"
        print(f"{name:10} median {median * 1e3:.1f} ms a step  ({spread})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
