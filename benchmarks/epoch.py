"""Time an epoch of 784-256-128-10: the workbench beside NumPy and PyTorch.

All do the same arithmetic. Contenders run in turn, each in its own process; a round's first epoch
is a warm-up and is not counted.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

SIZES = (784, 256, 128, 10)
IMAGES = 50_000
RATE = 0.2

Epoch = Callable[[], None]


def random_data() -> tuple[np.ndarray, np.ndarray]:
    """Bytes as sparse as handwriting, and labels; speed does not depend on what they show."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (IMAGES, SIZES[0]), dtype=np.uint8)
    images[rng.random(images.shape) < 0.8] = 0
    return images, rng.integers(0, 10, IMAGES).astype(np.int32)


def start() -> list[tuple[np.ndarray, np.ndarray]]:
    """He's start for every layer."""
    rng = np.random.default_rng(1)
    pairs = itertools.pairwise(SIZES)
    return [
        ((rng.standard_normal((m, n)) * np.sqrt(2 / m)).astype(np.float32), np.zeros(n, np.float32))
        for m, n in pairs
    ]


def batches(count: int, batch: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Indices of shuffled mini-batches."""
    order = rng.permutation(count).astype(np.int64)
    for first in range(0, count, batch):
        yield order[first : first + batch]


def numpy_epoch(batch: int) -> Epoch:
    """NumPy on float images, written by hand."""
    images, labels = random_data()
    floats = images.astype(np.float32) / np.float32(256)
    layers = start()
    rng = np.random.default_rng(2)

    def epoch() -> None:
        for index in batches(IMAGES, batch, rng):
            inputs = [floats[index]]
            for weight, bias in layers[:-1]:
                inputs.append(np.maximum(inputs[-1] @ weight + bias, 0))
            logits = inputs[-1] @ layers[-1][0] + layers[-1][1]
            odds = np.exp(logits - logits.max(1, keepdims=True))
            delta = -odds / odds.sum(1, keepdims=True)
            delta[np.arange(len(index)), labels[index]] += 1
            delta /= len(index)
            for number in reversed(range(len(layers))):
                weight, bias = layers[number]
                below = (delta @ weight.T) * (inputs[number] > 0) if number else delta
                weight += RATE * (inputs[number].T @ delta)
                bias += RATE * delta.sum(0)
                delta = below

    return epoch


def torch_epoch(batch: int) -> Epoch:
    """PyTorch in eager mode with its own optimizer."""
    import torch  # optional, installed by hand

    torch.set_num_threads(os.cpu_count() or 1)
    images, labels = random_data()
    floats = torch.from_numpy(images.astype(np.float32) / np.float32(256))
    targets = torch.from_numpy(labels.astype(np.int64))
    modules: list[torch.nn.Module] = []
    for weight, _ in start():
        linear = torch.nn.Linear(*weight.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight.T))
            linear.bias.zero_()
        modules += [linear, torch.nn.ReLU()]
    network = torch.nn.Sequential(*modules[:-1])
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    rng = np.random.default_rng(2)

    def epoch() -> None:
        for index in batches(IMAGES, batch, rng):
            rows = torch.from_numpy(index)
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(network(floats[rows]), targets[rows])
            loss.backward()
            optimizer.step()

    return epoch


def workbench_epoch(batch: int) -> Epoch:
    """The workbench's own session and trainer, LL and accuracy of every iteration included."""
    from workbench_session import make_epoch

    return make_epoch(*random_data(), batch, RATE)


CONTENDERS = {"workbench": workbench_epoch, "numpy": numpy_epoch, "torch": torch_epoch}


def time_one(contender: str, batch: int, epochs: int) -> None:
    """Print the seconds of `epochs` epochs after a warm-up, as JSON."""
    epoch = CONTENDERS[contender](batch)
    epoch()
    seconds = []
    for _ in range(epochs):
        begun = time.perf_counter()
        epoch()
        seconds.append(time.perf_counter() - begun)
    print(json.dumps(seconds))


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=1, help="counted epochs a round")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        time_one(options.one, options.batch, options.epochs)
        return 0
    names = [
        name
        for name in options.contenders
        if name != "torch" or importlib.util.find_spec("torch") is not None
    ]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    print(f"{platform.machine()}, {os.cpu_count()} cores, batch {options.batch}, {IMAGES:,} images")
    for number in range(options.rounds):
        for name in names:
            command = [sys.executable, __file__, "--one", name, "--batch", str(options.batch)]
            command += ["--epochs", str(options.epochs)]
            run = subprocess.run(
                command, check=True, capture_output=True, text=True, cwd=Path(__file__).parent
            )
            found = json.loads(run.stdout.splitlines()[-1])
            seconds[name] += found
            print(f"round {number + 1}  {name:10}", *(f"{s:.3f} s" for s in found), flush=True)
    fastest = min(statistics.median(s) for s in seconds.values())
    for name, found in seconds.items():
        median = statistics.median(found)
        print(
            f"{name:10} median {median:.3f} s  ({min(found):.3f} to {max(found):.3f})"
            f"  {median / fastest:.2f} x the fastest"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
