"""A network, its training run, its data and a device, brought together.

Responsible for what an iteration computes and for where the run stands; knows nothing of when
iterations are made, and of nobody who watches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import attrs
import numpy as np

from workbench.core.errors import SpecError
from workbench.data.dataset import Dataset
from workbench.data.order import permutation
from workbench.engine.backends.base import Counters, Device
from workbench.engine.function import Function, function
from workbench.engine.graph.grad import grad
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import HostStorage, SharedVariable, Variable, shared
from workbench.nn.metrics import accuracy
from workbench.nn.model import Model
from workbench.nn.objectives import Objective
from workbench.nn.shapes import check
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS, OBJECTIVES
from workbench.spec.training import TrainingSpec, check_rate
from workbench.training.evaluator import Evaluation, Evaluator
from workbench.training.feed import Feed
from workbench.training.history import Iterations
from workbench.training.position import Position
from workbench.training.predictor import Predictor

#: Most iterations between two collections of their figures.
SLOTS = 256


@attrs.frozen(eq=False)
class Kept:
    """Parameters in host memory, and the position that belongs to them.

    Parameters
    ----------
    parameters
        By name; nobody writes into them.
    position
        Where the run stood.
    """

    parameters: Mapping[str, np.ndarray]
    position: Position


class Session:
    """One network with its data on one device: trains, evaluates and predicts.

    Only one thread may use it.

    Parameters
    ----------
    network, training, dataset, device
        What is trained, how, on what, and where it is computed.
    pixel_scale
        What the bytes of images are multiplied by.
    parameters, position
        What a saved model goes on from; None for a fresh start from the training spec's seed.

    Attributes
    ----------
    kept
        The last parameters that were copied from the device and known to be good: what is left if
        the device goes. Any thread may read it.

    Raises
    ------
    SpecError
        The network does not work out, does not fit the data, the batch is larger than the data, or
        the rate is more than the precision holds.
    """

    def __init__(
        self,
        network: NetworkSpec,
        training: TrainingSpec,
        dataset: Dataset,
        device: Device,
        pixel_scale: float = 1 / 256,
        parameters: Mapping[str, np.ndarray] | None = None,
        position: Position | None = None,
    ) -> None:
        _check_fit(network, training, dataset)
        self.network = network
        self.training = training
        self.dataset = dataset
        self.device = device
        self.model = Model.from_spec(network, training.seed, training.precision, parameters)
        self.examples = len(dataset.train)
        self.batch = self.examples if training.batch == "full" else training.batch
        self.iterations_per_epoch = math.ceil(self.examples / self.batch)
        self.position = (position or Position()).after(0, self.iterations_per_epoch)
        check_rate(self.rate, training.precision)
        self.kept = Kept(self.parameters(), self.position)
        self._feed = Feed(network.input, training.precision, pixel_scale)
        self._predictor = Predictor(self.model, self._feed, device)
        self._evaluators: dict[str, Evaluator] = {}
        self._resident: dict[str, tuple[SharedVariable, SharedVariable]] = {}
        self._order = shared(np.arange(self.examples, dtype=np.int32), "order")
        self._ordered_epoch = -1
        self._step: Function | None = None

    @property
    def counters(self) -> Counters:
        """What the device has done so far."""
        return self.device.counters

    @property
    def left_in_epoch(self) -> int:
        """Iterations that the present epoch still has."""
        return self.iterations_per_epoch - self.position.step_in_epoch

    @property
    def steps(self) -> int:
        """Iterations of the whole run, as it looks from the present position."""
        at, epochs = self.position, self.training.epochs
        left = max(epochs - at.epoch, 0) * self.iterations_per_epoch
        return at.step - at.step_in_epoch + left

    @property
    def rate(self) -> float:
        """The learning rate from which the schedule starts out."""
        set_rate = self.position.rate
        return float(self.training.optimizer.rate if set_rate is None else set_rate)

    @rate.setter
    def rate(self, rate: float) -> None:
        check_rate(rate, self.training.precision)
        self.position = attrs.evolve(self.position, rate=float(rate))

    def advance(self, count: int) -> Iterations:
        """Make iterations of the present epoch and wait for them.

        Parameters
        ----------
        count
            How many: at most `SLOTS` and at most `left_in_epoch`.
        """
        if self._step is None:
            self._step = self._make_step()
        run, at, steps = self._step, self.position, self.steps
        schedule, base = self.training.schedule, self.rate
        rates = [schedule.rate(base, step, steps) for step in range(at.step, at.step + count)]
        if self.training.batch == "full":
            for rate in rates:
                run.enqueue(rate)
        else:
            self._shuffle()
            for k, rate in enumerate(rates, at.step_in_epoch):
                start = k * self.batch
                # What the mini-batches leave over has a plan of its own.
                run.enqueue(start, min(self.batch, self.examples - start), rate)
        score, *shares = run.collect()
        self.position = at.after(count, self.iterations_per_epoch)
        return Iterations(score, shares[0] if shares else np.full(count, np.nan), rates)

    def evaluate(self, split: str) -> Evaluation:
        """Return the figures of a whole split: ``train``, ``validation`` or ``test``.

        The same parameters on the same device give the same bits, in another process too.
        """
        if split not in self._evaluators:
            self._evaluators[split] = Evaluator(
                self.model,
                self._feed,
                self.device,
                OBJECTIVES[self.training.objective],
                self._on_device(split),
                self.dataset.splits()[split].targets,
                self.dataset.classes,
            )
        return self._evaluators[split].evaluate()

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the outputs for rows like the dataset's; probabilities behind a softmax.

        Shapes
        ------
        rows : (n, height, width) uint8, or floating-point rows, which are not scaled
        returned : (n, classes)

        Raises
        ------
        DataError
            The rows do not fit the network.
        """
        return self._predictor.predict(rows)

    def parameters(self) -> dict[str, np.ndarray]:
        """Return a copy of the present parameters by name: ``<layer>.<name>``."""
        return {name: value.get_value() for name, value in self.model.parameters.items()}

    def probe(self, layer: int) -> dict[str, np.ndarray]:
        """Return a read-only copy of the parameters of layer number `layer`, from 0, by name.

        Raises
        ------
        SpecError
            The network has no such layer.
        """
        if not 0 <= layer < len(self.network.layers):
            raise SpecError(
                f"There is no layer {layer + 1}.", f"The network has {len(self.network.layers)}."
            )
        found = {}
        for name, value in self.model.parameters.items():
            owner, _, own_name = name.partition(".")
            if int(owner) == layer:
                found[own_name] = value.get_value()
                found[own_name].setflags(write=False)
        return found

    def latest(self) -> Kept:
        """Return a copy of the present parameters; what was kept, where the device is lost."""
        return self.kept if self.device.lost else Kept(self.parameters(), self.position)

    def keep(self) -> Kept:
        """Keep the present parameters, which are known to be good, and return them."""
        self.kept = self.latest()
        return self.kept

    def restore(self) -> None:
        """Go back to what was kept."""
        for name, value in self.model.parameters.items():
            value.set_value(self.kept.parameters[name])
        self.position = self.kept.position

    def withdraw(self) -> None:
        """Go back to what was kept, as `restore` does, without asking the device.

        What it holds is given up; it is used again when something is computed.
        """
        for name, value in self.model.parameters.items():
            value.storage = HostStorage(np.array(self.kept.parameters[name]))
        self.position = self.kept.position

    def close(self) -> None:
        """Give the device's memory back at once; the session is of no use any more.

        Expressions refer to each other in circles, and the collector of those comes when there are
        many objects, not when they are large.
        """
        splits = (variable for pair in self._resident.values() for variable in pair)
        for variable in (*self.model.parameters.values(), self._order, *splits):
            variable.storage = HostStorage(np.empty((0,) * variable.ndim, variable.dtype))

    def _on_device(self, split: str) -> tuple[SharedVariable, SharedVariable]:
        """Return inputs and targets of a split as they lie on the device, once each."""
        if split not in self._resident:
            rows = self.dataset.splits()[split]
            dtype = np.int32 if self.dataset.classes else np.dtype(self.training.precision)
            self._resident[split] = (
                shared(self._feed.arrange(rows.inputs), f"{split} inputs"),
                shared(rows.targets.astype(dtype), f"{split} targets"),
            )
        return self._resident[split]

    def _shuffle(self) -> None:
        """Give the device the order of the present epoch, unless it has it."""
        epoch = self.position.epoch
        if self._ordered_epoch != epoch:
            self._order.set_value(permutation(self.training.seed, epoch, self.examples))
            self._ordered_epoch = epoch

    def _make_step(self) -> Function:
        """Return one iteration: inputs are [start and count of the mini-batch,] the rate."""
        rate = Variable(TensorType(self.training.precision), name="rate")
        inputs, targets = self._on_device("train")
        given: list[Variable] = [rate]
        x: Variable = inputs
        y: Variable = targets
        if self.training.batch != "full":
            start, count = (Variable(TensorType("int64"), name=name) for name in ("start", "count"))
            chosen = self._order[start : start + count]
            x, y = inputs[chosen], targets[chosen]
            given = [start, count, rate]
        outputs = self.model.output(self._feed.expression(x))
        score = OBJECTIVES[self.training.objective](outputs, y)
        figures = [score]
        if self.dataset.classes:
            figures.append(accuracy(outputs, y))
        trained = list(self.model.parameters.values())
        updates = self.training.optimizer.updates(trained, grad(score, trained), rate)
        return function(
            given, figures, updates=updates, device=self.device, slots=SLOTS, name="train"
        )


def _check_fit(network: NetworkSpec, training: TrainingSpec, dataset: Dataset) -> None:
    """Raise SpecError where network, training run and data do not go together."""
    steps = check(network)
    out_shape = steps[-1].out_shape or () if steps else network.input
    if math.prod(network.input) != math.prod(dataset.input_shape):
        raise SpecError(
            f"The network takes inputs of shape {network.input}, "
            f"but those of {dataset.name!r} have {dataset.input_shape}.",
            "Give the network the input shape of the data, or choose other data.",
        )
    objective: Objective = OBJECTIVES[training.objective]
    if (objective.targets == "labels") != bool(dataset.classes):
        kind = "class labels" if dataset.classes else "values"
        raise SpecError(
            f"The objective {training.objective!r} does not go with the {kind} "
            f"of {dataset.name!r}.",
            "Use log_likelihood for class labels, squared_error for values.",
        )
    width = dataset.classes or math.prod(dataset.train.targets.shape[1:])
    last = len(network.layers) - 1 if network.layers else None
    try:
        objective.check(out_shape, width)
        if last is not None:
            objective.check_end(LAYERS.name_of(network.layers[last]))
    except SpecError as error:
        raise SpecError(error.message, error.hint, layer=last) from None
    if training.batch != "full" and training.batch > len(dataset.train):
        raise SpecError(
            f"A batch of {training.batch} is larger than the {len(dataset.train)} rows "
            f"of the training split of {dataset.name!r}.",
            "Use a smaller batch, or full.",
        )
