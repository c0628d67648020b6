"""Whether a device computes what one network needs: its own kernels, at its own sizes.

Responsible for what is computed twice, on the device and in NumPy, and for how far the two may be
apart; knows nothing of what follows.

This takes hardly any time beside the building of kernels, all of which the network needs anyway.
The data are noise: images have edges that are never anything but black, where an error would not
show.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import attrs
import numpy as np

from workbench.data.dataset import Dataset, Split
from workbench.engine.backends.base import Device
from workbench.engine.backends.reference import ReferenceDevice
from workbench.engine.backends.verdicts import Finding
from workbench.nn.model import Model
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import OBJECTIVES
from workbench.spec.training import TrainingSpec
from workbench.training.evaluator import CHUNK
from workbench.training.feed import Feed
from workbench.training.position import Position
from workbench.training.predictor import Predictor
from workbench.training.session import Session
from workbench.training.trust import allowed, error_of

#: A rate so large that hardly anything but the gradient is left of an updated parameter.
_RATE = 2.0**20
#: The longest chain of additions that is taken into account. Sums of more numbers are made of
#: sums, and what is missing of them shows.
_TERMS = 500
#: Numbers are drawn anew where the first do not agree: a unit of relu so near to 0 that rounding
#: decides on which side it is would be no fault.
_DRAWS = 2
#: By how much more than NumPy's own a device's rounding may be off.
_MARGIN = 16
#: Digits of the name of what is computed.
_DIGITS = 12

Parameters = Mapping[str, np.ndarray]
#: Yields what a device computes from such parameters, by name; noise comes from the generator.
Numbers = Callable[[Device, Parameters, np.random.Generator], Iterator[tuple[str, np.ndarray]]]


@attrs.frozen(eq=False)
class Trial:
    """Something to compute, on a device and in NumPy.

    Parameters
    ----------
    family
        What it is called: the same name for the same kernels.
    precision
        In which it is computed.
    parameters
        What the network begins with.
    numbers
        Computes.
    """

    family: str
    precision: str
    parameters: Callable[[], Parameters]
    numbers: Numbers

    def compare(self, device: Device) -> Finding:
        """Return how far the device is from NumPy."""
        for draw in range(_DRAWS):
            errors, wrong = self._errors(device, draw)
            if not wrong:
                break
        worst = max(errors, key=lambda name: errors[name])
        return Finding(self.family, self.precision, errors[worst], worst, wrong)

    def _errors(self, device: Device, draw: int) -> tuple[dict[str, float], tuple[str, ...]]:
        """Return the errors by name, and the names of what is wrong."""

        def numbers(on: Device, parameters: Parameters) -> dict[str, np.ndarray]:
            return dict(self.numbers(on, parameters, np.random.default_rng([draw, 1])))

        random = np.random.default_rng(draw)
        parameters = {name: _moved(p, random) for name, p in self.parameters().items()}
        wanted = numbers(ReferenceDevice(), parameters)
        errors = _compared(numbers(device, parameters), wanted)
        limit = allowed(_TERMS, self.precision)
        if not all(error <= limit for error in errors.values()):
            # Whether rounding alone does as much to this network, in NumPy.
            shaken = {name: _shaken(p, random, self.precision) for name, p in parameters.items()}
            own = _compared(numbers(ReferenceDevice(), shaken), wanted)
            limits = {name: max(limit, _MARGIN * own[name]) for name in errors}
        else:
            limits = dict.fromkeys(errors, limit)
        return errors, tuple(name for name in errors if not errors[name] <= limits[name])


def training_trial(
    network: NetworkSpec,
    training: TrainingSpec,
    data: Callable[[], Dataset],
    pixel_scale: float,
    trains: bool = True,
) -> Trial:
    """Return what a session computes.

    Parameters
    ----------
    trains
        Whether that is an iteration on a mini-batch and one on what mini-batches leave over, beside
        an evaluation.

    Raises
    ------
    SpecError
        The network, the training run and the data do not go together.
    """
    few = _few(data(), training)

    def numbers(
        device: Device, parameters: Parameters, random: np.random.Generator
    ) -> Iterator[tuple[str, np.ndarray]]:
        train, validation = _noise(few.train, random), _noise(few.validation, random)
        noisy = attrs.evolve(few, train=train, validation=validation)
        session = Session(network, training, noisy, device, pixel_scale, parameters)
        with closing(session):
            for number in range(session.iterations_per_epoch if trains else 0):
                session.restore()
                session.position = Position(step_in_epoch=number, rate=_RATE)
                yield f"score of iteration {number + 1}", session.advance(1).log_likelihood
                for name, value in session.parameters().items():
                    yield f"{name} after iteration {number + 1}", value
            session.restore()
            evaluation = session.evaluate("validation")
            yield "score of an evaluation", np.array(evaluation.log_likelihood)
            yield "predictions", evaluation.predictions

    objective = OBJECTIVES[training.objective].score
    optimizer = attrs.evolve(training.optimizer, rate=1.0)
    splits = (few.train, few.validation)
    rows = [(a.dtype.str, a.shape) for s in splits for a in (s.inputs, s.targets)]
    about = (training.objective, pixel_scale, rows, (optimizer, training.batch) if trains else ())
    family = _name_of(network, (*network.layers, optimizer, objective), about)
    return Trial(family, training.precision, partial(_first, network, training), numbers)


def reading_trial(network: NetworkSpec, training: TrainingSpec, pixel_scale: float) -> Trial:
    """Return what a network makes of one image."""

    def numbers(
        device: Device, parameters: Parameters, random: np.random.Generator
    ) -> Iterator[tuple[str, np.ndarray]]:
        model = Model.from_spec(network, 0, training.precision, parameters)
        predictor = Predictor(model, Feed(network.input, training.precision, pixel_scale), device)
        yield "outputs", predictor.predict(_bytes((1, *network.input), random))

    family = _name_of(network, network.layers, ("reading", pixel_scale))
    return Trial(family, training.precision, partial(_first, network, training), numbers)


def _name_of(network: NetworkSpec, made_of: Iterable[object], more: object) -> str:
    """Return a name for what is computed: another one for other kernels."""
    hashed = hashlib.sha256(repr((network, more)).encode())
    for thing in made_of:
        # The class of an activation is made for it; whose it is, its function tells.
        module = str(getattr(thing, "function", thing).__module__)
        if not module.startswith("workbench."):
            # Verdicts are about our own sources; somebody may edit these.
            with suppress(OSError, TypeError):
                hashed.update(Path(inspect.getfile(sys.modules[module])).read_bytes())
    return f"network {hashed.hexdigest()[:_DIGITS]}"


def _first(network: NetworkSpec, training: TrainingSpec) -> Parameters:
    model = Model.from_spec(network, training.seed, training.precision)
    return {name: value.get_value() for name, value in model.parameters.items()}


def _few(dataset: Dataset, training: TrainingSpec) -> Dataset:
    """Return as few rows as it takes to have the same kernels as with all of them."""
    train, validation = dataset.train, dataset.validation
    if training.batch != "full":
        train = train[: _rows(len(train), training.batch)]
    validation = validation[: _rows(len(validation), CHUNK)]
    return attrs.evolve(dataset, train=train, validation=validation, test=dataset.test[:1])


def _rows(count: int, part: int) -> int:
    """Return how many rows have parts of every size that `count` has; a part of all is none."""
    whole, left = divmod(count, part)
    return min(whole, 1 if left else 2) * part + left


def _noise(split: Split, random: np.random.Generator) -> Split:
    """Return the split with other images; rows of numbers stay, as nobody knows their range."""
    if split.inputs.dtype != np.uint8:
        return split
    return Split(_bytes(split.inputs.shape, random), split.targets)


def _bytes(shape: Sequence[int], random: np.random.Generator) -> np.ndarray:
    """Return noise, half of it black, with pixels that are black in most of the images."""
    images = random.integers(0, 256, shape, np.uint8)
    images[images < 128] = 0
    images[np.arange(len(images)) % 13 > 0] *= random.random(shape[1:]) < 0.75
    return images


def _moved(value: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return a parameter that is not all zero, which would hide what it is multiplied by."""
    return value if value.any() else random.uniform(-0.05, 0.05, value.shape)


def _shaken(value: np.ndarray, random: np.random.Generator, precision: str) -> np.ndarray:
    """Return a parameter with each number moved by its last digit."""
    eps = float(np.finfo(precision).eps)
    shaken: np.ndarray = value * (1 + eps * random.choice((-1.0, 1.0), value.shape))
    return shaken


def _compared(found: Parameters, wanted: Parameters) -> dict[str, float]:
    return {name: error_of(found[name], truth, whole=True) for name, truth in wanted.items()}
