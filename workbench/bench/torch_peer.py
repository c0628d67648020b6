"""PyTorch in eager mode as a contender: the loop as its users write it.

Responsible for modules with the same start and its own optimizer; knows no other contender. It
computes the loss, as its derivative needs it, and does not read it; accuracy it does not compute.
"""

from __future__ import annotations

import numpy as np
import torch

from workbench.bench.material import SCALE, Batches, floats, start
from workbench.bench.work import (
    LENET_FILTERS,
    LENET_SIDE,
    RATE,
    Multiplication,
    Prediction,
    Training,
)
from workbench.data.dataset import Split
from workbench.spec.network import NetworkSpec


class PyTorch:
    """PyTorch on the processor, or on a GPU.

    Parameters
    ----------
    threads
        On the processor.
    on_gpu
        Whether a GPU is used where PyTorch has one.
    """

    def __init__(self, threads: int, on_gpu: bool) -> None:
        torch.set_num_threads(threads)
        # Nothing is rounded to shorter floats on the way.
        torch.set_float32_matmul_precision("highest")
        where = "cuda" if on_gpu and torch.cuda.is_available() else "cpu"
        self._where = torch.device(where)
        self.about = f"PyTorch {torch.__version__}, eager, on {where}"

    def train(self, work: Training, split: Split) -> _Training:
        """Prepare training with `torch.optim.SGD`."""
        return _Training(work, split, self._where)

    def predict(self, work: Prediction, split: Split) -> _Predictions:
        """Prepare a forward pass for one image."""
        return _Predictions(work, split, self._where)

    def multiply(self, work: Multiplication, a: np.ndarray, b: np.ndarray) -> _Product:
        """Prepare a product into a tensor that is there."""
        left, right = (torch.from_numpy(x).to(self._where) for x in (a, b))
        return _Product(left.T if work.transposed else left, right)


class _Training:
    def __init__(self, work: Training, split: Split, where: torch.device) -> None:
        self._work, self._where = work, where
        self._images = torch.from_numpy(floats(split.inputs)).to(where)
        if work.network is None:
            self._images = self._images.reshape(-1, 1, 28, 28)
        self._labels = torch.from_numpy(split.targets.astype(np.int64)).to(where)
        self._batches = Batches(work)
        self._network = _network(work.network, work.hidden).to(where)
        self._optimizer = torch.optim.SGD(self._network.parameters(), lr=RATE, fused=False)

    def run(self, units: int) -> None:
        work = self._work
        whole = work.batch == work.images
        per_unit = -(-work.images // work.batch) if work.unit == "epoch" else 1
        for _ in range(units * per_unit):
            images, labels = self._images, self._labels
            if not whole:
                rows = torch.from_numpy(self._batches()).to(self._where)
                images, labels = images[rows], labels[rows]
            self._optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(self._network(images), labels)
            loss.backward()
            self._optimizer.step()
        _wait(self._where)

    def result(self) -> dict[str, np.ndarray]:
        names = start(self._work.network)
        found = {}
        for name, value in zip(names, self._network.parameters(), strict=True):
            array = value.detach().cpu().numpy()
            found[name] = array.T if array.ndim == 2 else array
        return found


def _network(spec: NetworkSpec | None, hidden: str = "relu") -> torch.nn.Sequential:
    """Return the network without its softmax, which the loss has, with everyone's first numbers."""
    first = start(spec)
    if spec is None:
        one, two = LENET_FILTERS
        modules: list[torch.nn.Module] = [
            torch.nn.Conv2d(1, one, LENET_SIDE),
            torch.nn.MaxPool2d(2),
            torch.nn.Tanh(),
            torch.nn.Conv2d(one, two, LENET_SIDE),
            torch.nn.MaxPool2d(2),
            torch.nn.Tanh(),
            torch.nn.Flatten(),
        ]
        dense, activation = ["2.weight", "3.weight"], torch.nn.Tanh
    else:
        modules, dense = [], [name for name in first if name.endswith("weight")]
        activation = torch.nn.Tanh if hidden == "tanh" else torch.nn.ReLU
    for name in dense:
        modules += [torch.nn.Linear(*first[name].shape), activation()]
    network = torch.nn.Sequential(*modules[:-1])
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), first.values(), strict=True):
            parameter.copy_(torch.from_numpy(value.T if value.ndim == 2 else value))
    return network


class _Predictions:
    def __init__(self, work: Prediction, split: Split, where: torch.device) -> None:
        self._network = torch.nn.Sequential(_network(work.network), torch.nn.Softmax(1)).to(where)
        self._network.eval()
        self._where = where
        self._images = np.array(split.inputs[:1000])
        self._last = np.empty(0)

    def run(self, units: int) -> None:
        with torch.inference_mode():
            for unit in range(units):
                at = unit % len(self._images)
                image = torch.from_numpy(self._images[at : at + 1]).to(self._where)
                x = image.reshape(1, -1).to(torch.float32) * SCALE
                self._last = self._network(x).cpu().numpy()

    def result(self) -> dict[str, np.ndarray]:
        return {"probabilities": self._last}


class _Product:
    def __init__(self, a: torch.Tensor, b: torch.Tensor) -> None:
        self._a, self._b = a, b
        self._room = torch.empty((a.shape[0], b.shape[1]), device=a.device)

    def run(self, units: int) -> None:
        for _ in range(units):
            torch.mm(self._a, self._b, out=self._room)
        _wait(self._a.device)

    def result(self) -> dict[str, np.ndarray]:
        return {"product": self._room.cpu().numpy()}


def _wait(where: torch.device) -> None:
    if where.type == "cuda":
        torch.cuda.synchronize(where)
