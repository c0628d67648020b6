"""What an iteration computes, where a run stands, and that both are the same every time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from workbench.core.errors import DataError, SpecError
from workbench.data.dataset import Dataset, Split
from workbench.data.order import permutation
from workbench.engine.backends.base import Device
from workbench.nn.layers.dense import Dense
from workbench.nn.optimizers.sgd import SGD
from workbench.spec.network import NetworkSpec
from workbench.training.position import Position
from workbench.training.session import Session

MakeSession = Callable[..., Session]
Stripes = Callable[..., Dataset]


def advance(session: Session, iterations: int) -> list[float]:
    """Make iterations across the ends of epochs; return their log-likelihoods."""
    figures: list[float] = []
    while len(figures) < iterations:
        count = min(session.left_in_epoch, iterations - len(figures))
        figures += session.advance(count).log_likelihood.tolist()
    return figures


def probabilities(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    powers = np.exp(x @ weight + bias)
    return powers / powers.sum(axis=1, keepdims=True)


def pixels(split: Split) -> np.ndarray:
    return split.inputs.reshape(len(split), -1) / 256


def test_mini_batches_are_those_of_the_order_the_last_one_ragged(
    make_session: MakeSession, logistic: NetworkSpec, stripes: Stripes
) -> None:
    session, train = make_session(logistic), stripes().train
    weight, bias = np.zeros((20, 3)), np.zeros(3)
    log_likelihood, accuracy = [], []
    for epoch in range(2):
        order = permutation(5, epoch, 20)
        for batch in (order[:7], order[7:14], order[14:]):
            x, y = pixels(train)[batch], train.targets[batch]
            p = probabilities(x, weight, bias)
            log_likelihood.append(np.log(p[np.arange(len(y)), y]).mean())
            accuracy.append((p.argmax(axis=1) == y).mean())
            error = (np.eye(3)[y] - p) / len(y)
            weight, bias = weight + 0.5 * x.T @ error, bias + 0.5 * error.sum(axis=0)
    first, second = session.advance(3), session.advance(3)
    got = np.concatenate([first.log_likelihood, second.log_likelihood])
    np.testing.assert_allclose(got, log_likelihood, rtol=1e-12)
    got = np.concatenate([first.accuracy, second.accuracy])
    np.testing.assert_allclose(got, accuracy, rtol=1e-12)
    np.testing.assert_allclose(session.parameters()["0.weight"], weight, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(session.parameters()["0.bias"], bias, rtol=1e-11, atol=1e-14)
    assert session.position == Position(step=6, epoch=2)


def test_a_full_batch_takes_the_rows_as_they_stand(
    make_session: MakeSession, logistic: NetworkSpec, stripes: Stripes
) -> None:
    session, train = make_session(logistic, batch="full"), stripes().train
    made = session.advance(1)
    np.testing.assert_allclose(made.log_likelihood, [np.log(1 / 3)], rtol=1e-12)
    error = (np.eye(3)[train.targets] - 1 / 3) / 20
    np.testing.assert_allclose(
        session.parameters()["0.weight"], 0.5 * pixels(train).T @ error, rtol=1e-12, atol=1e-16
    )
    assert session.position == Position(step=1, epoch=1)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("batch", [7, "full"])
def test_the_same_seed_gives_the_same_bits(
    make_session: MakeSession, digest: Callable[[Session], str], precision: str, batch: Any
) -> None:
    sessions = [make_session(precision=precision, batch=batch) for _ in range(2)]
    # Bursts of other lengths are no reason for other bits.
    for _ in range(6):
        sessions[0].advance(1)
    advance(sessions[1], 6)
    assert digest(sessions[0]) == digest(sessions[1])
    other = make_session(precision=precision, batch=batch, seed=6)
    advance(other, 6)
    assert digest(other) != digest(sessions[0])


@pytest.mark.parametrize("interrupted_at", [1, 3, 5, 8])
def test_a_resumed_run_gives_the_same_bits(
    make_session: MakeSession, digest: Callable[[Session], str], interrupted_at: int
) -> None:
    straight = make_session()
    expected = advance(straight, 10)
    first = make_session()
    figures = advance(first, interrupted_at)
    saved = attrs.asdict(first.position)
    second = make_session(parameters=first.parameters(), position=Position(**saved))
    figures += advance(second, 10 - interrupted_at)
    assert figures == expected
    assert second.position == straight.position
    assert digest(second) == digest(straight)


def test_a_rate_that_was_set_is_part_of_the_position(make_session: MakeSession) -> None:
    session = make_session()
    session.rate = 0.25
    assert session.advance(2).rate.tolist() == [0.25, 0.25]
    again = make_session(parameters=session.parameters(), position=session.position)
    assert again.rate == 0.25
    with pytest.raises(SpecError, match="nan"):
        session.rate = float("nan")


def test_going_back_goes_back_in_the_order_too(
    make_session: MakeSession, digest: Callable[[Session], str]
) -> None:
    session = make_session()
    advance(session, 2)
    session.keep()
    advance(session, 5)
    expected = digest(session)
    session.restore()
    advance(session, 5)
    assert digest(session) == expected


def test_a_position_at_the_end_of_an_epoch_begins_the_next(make_session: MakeSession) -> None:
    # Saved with smaller batches, of which an epoch had more.
    session = make_session(position=Position(step=9, epoch=0, step_in_epoch=9))
    assert session.position == Position(step=9, epoch=1)
    assert session.left_in_epoch == 3


@pytest.mark.parametrize("rows", [1, 999, 1000, 2345])
def test_evaluation_of_a_whole_split(
    make_session: MakeSession, logistic: NetworkSpec, stripes: Stripes, rows: int
) -> None:
    data = stripes(test=rows)
    session = make_session(logistic, data)
    advance(session, 6)
    p = probabilities(pixels(data.test), *session.parameters().values())
    found, labels = session.evaluate("test"), data.test.targets
    expected = np.log(p[np.arange(rows), labels]).mean()
    assert found.log_likelihood == pytest.approx(expected, rel=1e-12)
    np.testing.assert_array_equal(found.predictions, p.argmax(axis=1))
    right = int((p.argmax(axis=1) == labels).sum())
    assert found.accuracy == right / rows
    assert found.error_percent == 100 * (rows - right) / rows
    assert found.confusion.sum() == rows
    assert found.confusion.sum(axis=1).tolist() == np.bincount(labels, minlength=3).tolist()


def test_evaluation_gives_the_same_bits_again_and_follows_the_parameters(
    make_session: MakeSession,
) -> None:
    session = make_session()
    first = session.evaluate("validation").log_likelihood
    assert session.evaluate("validation").log_likelihood == first
    advance(session, 3)
    later = session.evaluate("validation").log_likelihood
    assert later != first
    reloaded = make_session(parameters=session.parameters())
    assert reloaded.evaluate("validation").log_likelihood == later


@pytest.mark.parametrize("rows", [0, 1, 3, 1002])
def test_prediction(
    make_session: MakeSession, logistic: NetworkSpec, stripes: Stripes, rows: int
) -> None:
    session, images = make_session(logistic), stripes(test=1002).test.inputs[:rows]
    advance(session, 3)
    scaled = images.reshape(rows, 20) / 256
    expected = probabilities(scaled, *session.parameters().values())
    np.testing.assert_allclose(session.predict(images), expected, rtol=1e-12)
    np.testing.assert_allclose(session.predict(scaled), expected, rtol=1e-12)


def test_prediction_refuses_what_does_not_fit(make_session: MakeSession) -> None:
    with pytest.raises(DataError, match=r"\(28, 28\)"):
        make_session().predict(np.zeros((1, 28, 28), np.uint8))


def test_probing(make_session: MakeSession) -> None:
    session = make_session()
    weight = session.probe(2)["weight"]
    np.testing.assert_array_equal(weight, session.parameters()["2.weight"])
    assert not weight.flags.writeable
    assert session.probe(1) == {}
    with pytest.raises(SpecError, match="no layer 5"):
        session.probe(4)


def test_values_instead_of_classes(device: Device, training: Any) -> None:
    generator = np.random.default_rng(0)
    x, slope = generator.normal(size=(12, 4)), generator.normal(size=(4, 2))
    rows = Split(x, x @ slope)
    data = Dataset("plane", rows, rows, rows)
    network = NetworkSpec((4,), (Dense(2, bias=False),))
    spec = attrs.evolve(training, objective="squared_error", optimizer=SGD(0.1), batch=5)
    session = Session(network, spec, data, device)
    made = session.advance(3)
    assert np.isnan(made.accuracy).all()
    advance(session, 1000)
    np.testing.assert_allclose(session.parameters()["0.weight"], slope, rtol=1e-6)
    found = session.evaluate("test")
    assert found.accuracy is None
    assert found.error_percent is None
    assert -1e-10 < found.log_likelihood <= 0
    np.testing.assert_allclose(found.predictions, rows.targets, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batch": 21}, "batch of 21 is larger than the 20 rows"),
        ({"precision": "float32", "optimizer": SGD(1e39)}, "more than float32 holds"),
        ({"objective": "squared_error"}, "does not go with the class labels"),
        ({"network": NetworkSpec((1, 5, 5), (Dense(3),))}, r"\(1, 4, 5\)"),
        ({"network": NetworkSpec((1, 4, 5), (Dense(4),))}, "3 classes"),
    ],
)
def test_what_does_not_go_together_is_refused(
    make_session: MakeSession, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(SpecError, match=words):
        make_session(**change)
