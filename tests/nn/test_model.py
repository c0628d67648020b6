"""Models: keys, streams, given parameters, and where each variable came from."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from workbench.core.errors import SpecError
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.grad import grad
from workbench.engine.graph.traversal import topological
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable
from workbench.nn.initializers import Constant, He, Normal
from workbench.nn.layers.dense import Dense
from workbench.nn.metrics import accuracy
from workbench.nn.model import Model
from workbench.nn.objectives import log_likelihood, squared_error
from workbench.spec.library import find_experiment
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS

_SMALL = NetworkSpec((2, 3), (Dense(4, init=He()), LAYERS["tanh"](), Dense(3), LAYERS["softmax"]()))


def _values(model: Model) -> dict[str, np.ndarray]:
    return {key: parameter.get_value() for key, parameter in model.parameters.items()}


def _input(ndim: int, dtype: str = "float64") -> Variable:
    return Variable(TensorType(dtype, (False,) * ndim), name="x")


def test_the_same_seed_gives_the_same_numbers() -> None:
    """Another seed gives others; single precision is double precision rounded."""
    one, two = (_values(Model.from_spec(_SMALL, 5, "float64")) for _ in range(2))
    other = _values(Model.from_spec(_SMALL, 6, "float64"))
    single = _values(Model.from_spec(_SMALL, 5, "float32"))
    assert list(one) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    for key, value in one.items():
        assert np.array_equal(value, two[key])
        assert np.array_equal(value.astype(np.float32), single[key])
        assert single[key].dtype == np.float32
    assert not np.array_equal(one["0.weight"], other["0.weight"])


def test_another_layer_changes_nobodys_numbers() -> None:
    """Each parameter has a stream of its own."""
    longer = attrs.evolve(_SMALL, layers=(*_SMALL.layers, Dense(7)))
    wider = attrs.evolve(_SMALL, layers=(Dense(9, init=Normal(1)), *_SMALL.layers[1:]))
    one = _values(Model.from_spec(_SMALL, 5, "float64"))
    for key, value in _values(Model.from_spec(longer, 5, "float64")).items():
        assert key == "4.weight" or key == "4.bias" or np.array_equal(value, one[key])
    alike = NetworkSpec((6,), (Dense(6, init=Normal(1)), Dense(6, init=Normal(1))))
    values = _values(Model.from_spec(alike, 5, "float64"))
    assert not np.array_equal(values["0.weight"], values["1.weight"])
    assert np.array_equal(
        _values(Model.from_spec(wider, 5, "float64"))["0.weight"].ravel()[:6],
        values["0.weight"].ravel()[:6],
    )


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_every_seed_of_a_spec_will_do(seed: int) -> None:
    """Up to the largest."""
    values = _values(Model.from_spec(_SMALL, seed, "float64"))
    assert np.isfinite(values["0.weight"]).all()


def test_given_parameters_are_taken_bit_for_bit() -> None:
    """Whatever order they come in."""
    given = _values(Model.from_spec(_SMALL, 9, "float64"))
    taken = Model.from_spec(_SMALL, 0, "float64", dict(reversed(given.items())))
    assert list(taken.parameters) == list(given)
    for key, value in _values(taken).items():
        assert np.array_equal(value, given[key])


def test_parameters_that_do_not_fit_are_refused_by_name() -> None:
    """Missing, unknown, or of another shape."""
    given = _values(Model.from_spec(_SMALL, 9, "float64"))
    with pytest.raises(SpecError, match=r"missing \['2\.bias'\], unknown \['x'\]"):
        Model.from_spec(
            _SMALL, 0, "float64", {k: v for k, v in given.items() if k != "2.bias"} | {"x": given}
        )
    with pytest.raises(SpecError, match=r"'2\.weight' has shape \(3, 4\).* needs \(4, 3\)") as bad:
        Model.from_spec(_SMALL, 0, "float64", given | {"2.weight": given["2.weight"].T})
    assert bad.value.layer == 2


def test_a_network_that_does_not_fit_is_refused() -> None:
    """With the layer's index."""
    network = NetworkSpec((4,), (Dense(2), Dense(3, init=Constant((1.0,)))))
    with pytest.raises(SpecError, match=r"^layer 2 \(dense\)") as caught:
        Model.from_spec(network, 0, "float64")
    assert caught.value.layer == 1


@pytest.mark.parametrize("shape", [(5, 2, 3), (5, 6), (5, 1, 2, 3), (5, 3, 2)])
def test_any_axes_with_as_many_elements_will_do(shape: tuple[int, ...]) -> None:
    """They are read in C order."""
    model = Model.from_spec(_SMALL, 1, "float64")
    at = np.random.default_rng(0).normal(size=(5, 2, 3))
    x, plain = _input(len(shape)), _input(3)
    (value,) = evaluate([model.output(x)], {x: at.reshape(shape)})
    (wanted,) = evaluate([model.output(plain)], {plain: at})
    assert np.array_equal(value, wanted)


def test_every_variable_knows_its_layer() -> None:
    """Parameters and everything that a layer computes: profiles and errors name them."""
    model = Model.from_spec(_SMALL, 1, "float64")
    x = _input(3)
    outputs = model.layer_outputs(x)
    assert [str(v.origin) for v in outputs] == [
        "layer 1 (dense)",
        "layer 2 (tanh)",
        "layer 3 (dense)",
        "layer 4 (softmax)",
    ]
    assert [str(p.origin) for p in model.parameters.values()] == ["layer 1 (dense)"] * 2 + [
        "layer 3 (dense)"
    ] * 2
    assert model.parameters["2.bias"].name == "bias of layer 3"
    assert all(v.origin.layer is not None for v in topological(outputs) if v is not x)


def test_the_gradient_of_a_whole_network_is_right() -> None:
    """Log-likelihood by every parameter, against central differences of every element."""
    model = Model.from_spec(_SMALL, 1, "float64")
    rng = np.random.default_rng(4)
    x, y = _input(3), Variable(TensorType("int32", (False,)), name="y")
    values = {x: rng.normal(size=(7, 2, 3)), y: rng.integers(0, 3, 7).astype(np.int32)}
    score = log_likelihood(model.output(x), y)
    trained = list(model.parameters.values())
    for parameter, gradient in zip(trained, evaluate(grad(score, trained), values), strict=True):
        at = parameter.get_value()
        for place in np.ndindex(at.shape):
            step = np.zeros(at.shape)
            step[place] = 1e-6
            ahead, behind = (
                evaluate([score], values | {parameter: at + s})[0] for s in (step, -step)
            )
            assert gradient[place] == pytest.approx((ahead - behind) / 2e-6, rel=1e-5, abs=1e-9)


def test_the_objectives_and_the_metric_are_their_formulas() -> None:
    """In NumPy, on probabilities and on values."""
    rng = np.random.default_rng(6)
    scores = rng.normal(size=(9, 4))
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = rng.integers(0, 4, 9).astype(np.int32)
    output, y = _input(2), Variable(TensorType("int32", (False,)), name="y")
    likelihood, share = evaluate(
        [log_likelihood(output, y), accuracy(output, y)], {output: probabilities, y: labels}
    )
    wanted = np.log(probabilities[np.arange(9), labels]).mean()
    assert likelihood == pytest.approx(wanted, rel=1e-14)
    assert share == (probabilities.argmax(axis=1) == labels).mean()

    values = rng.normal(size=(9, 4))
    wanted_values = _input(2)
    (score,) = evaluate(
        [squared_error(output, wanted_values)], {output: scores, wanted_values: values}
    )
    assert score == pytest.approx(-((scores - values) ** 2).sum(axis=1).mean(), rel=1e-14)
    column = _input(1)
    (score,) = evaluate(
        [squared_error(output, column)], {output: scores[:, :1], column: values[:, 0]}
    )
    assert score == pytest.approx(-((scores[:, 0] - values[:, 0]) ** 2).mean(), rel=1e-14)


def test_an_objective_refuses_an_output_of_another_width() -> None:
    """It says how the network should end."""
    log_likelihood.check((10,), 10)
    squared_error.check((1,), 1)
    with pytest.raises(SpecError, match=r"\(20,\), but the data have 10 classes\. .*softmax"):
        log_likelihood.check((20,), 10)
    with pytest.raises(SpecError, match=r"\(2, 1\), but the data have targets of 1 value"):
        squared_error.check((2, 1), 1)


def test_the_neuron_learns_as_the_document_prints() -> None:
    """The first rows of its table, to the last digit printed."""
    experiment = find_experiment("neuron")
    model = Model.from_spec(experiment.network, 0, "float64")
    x, y = _input(2), _input(2)
    rate = Variable(TensorType("float64"), name="rate")
    output = model.output(x)
    (weight,) = trained = list(model.parameters.values())
    gradients = grad(squared_error(output, y), trained)
    optimizer = experiment.training.optimizer
    ((_, new),) = optimizer.updates(trained, gradients, rate)
    given = {x: np.ones((1, 4)), y: np.full((1, 1), 100.0), rate: np.asarray(optimizer.rate)}
    table = [
        (0.8, [19.94, 20.09, 19.99, 20.14]),
        (80.16, [23.908, 24.058, 23.958, 24.108]),
        (96.032, [24.7016, 24.8516, 24.7516, 24.9016]),
        (99.2064, [24.86032, 25.01032, 24.91032, 25.06032]),
    ]
    for printed_output, printed_weights in table:
        value, weights = evaluate([output, new], given)
        assert value.item() == pytest.approx(printed_output, abs=1e-12)
        np.testing.assert_allclose(weights.ravel(), printed_weights, rtol=0, atol=1e-12)
        weight.set_value(weights)
