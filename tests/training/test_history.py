"""The history loses nothing, and what a reader holds never changes."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from workbench.core.errors import DataError
from workbench.training.history import (
    EPOCH_COLUMNS,
    POINT_COLUMNS,
    EpochRecord,
    History,
    Iterations,
)


def iterations(first: int, count: int) -> Iterations:
    steps = np.arange(first, first + count)
    return Iterations(-1.0 / (1 + steps), steps / 1e6, np.full(count, 0.1))


def record(epoch: int, validated: bool = True) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        step=10 * epoch,
        log_likelihood=-0.5,
        accuracy=0.9 if validated else None,
        validation_log_likelihood=-0.6 if validated else None,
        validation_accuracy=0.8 if validated else None,
        seconds=1.5,
        samples_per_second=1000.0,
        elapsed_s=2.0,
        rate=0.1,
    )


def test_points_of_many_bursts_stand_in_order() -> None:
    history, step = History(), 0
    for count in (1, 2, 255, 1000, 7):
        history.add_points(step, 1 + step // 100, 0.5, iterations(step, count))
        step += count
    points = history.points()
    assert list(points) == list(POINT_COLUMNS)
    np.testing.assert_array_equal(points["step"], np.arange(step))
    np.testing.assert_array_equal(points["log_likelihood"], -1.0 / (1 + np.arange(step)))
    assert points["epoch"].dtype == np.int64


def test_what_was_not_measured_is_nan() -> None:
    history = History()
    history.add_epoch(record(1))
    history.add_epoch(record(2, validated=False))
    epochs = history.epochs()
    assert list(epochs) == list(EPOCH_COLUMNS)
    np.testing.assert_array_equal(epochs["validation_accuracy"], [0.8, np.nan])
    np.testing.assert_array_equal(epochs["step"], [10, 20])


def test_views_are_frozen() -> None:
    history = History()
    history.add_points(0, 1, 0.0, iterations(0, 3))
    held = history.points()["log_likelihood"]
    copy = held.copy()
    history.add_points(3, 1, 0.0, iterations(3, 5000))
    np.testing.assert_array_equal(held, copy)
    with pytest.raises(ValueError, match="read-only"):
        held[0] = 1.0


def test_arrays_come_back_as_they_went() -> None:
    history = History()
    history.add_points(0, 1, 0.25, iterations(0, 300))
    history.add_epoch(record(1, validated=False))
    arrays = history.to_arrays()
    back = History.from_arrays(arrays).to_arrays()
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].dtype == array.dtype


def test_a_history_of_nothing_is_empty() -> None:
    history = History.from_arrays({})
    assert len(history.points()["step"]) == len(history.epochs()["step"]) == 0


def test_columns_of_different_lengths_are_refused() -> None:
    arrays = History().to_arrays() | {"points.step": np.arange(3)}
    with pytest.raises(DataError, match="history's points differ"):
        History.from_arrays(arrays)


def test_a_reader_in_another_thread_sees_whole_rows() -> None:
    history, failures, done = History(), [], threading.Event()

    def read() -> None:
        while not done.is_set():
            points = history.points()
            steps = np.arange(len(points["step"]))
            if not np.array_equal(points["step"], steps) or not np.array_equal(
                points["log_likelihood"], -1.0 / (1 + steps)
            ):
                failures.append(len(steps))

    reader = threading.Thread(target=read)
    reader.start()
    for step in range(0, 30_000, 10):
        history.add_points(step, 1, 0.0, iterations(step, 10))
    done.set()
    reader.join()
    assert not failures


def test_a_history_can_be_cut_to_its_first_iterations() -> None:
    history = History()
    for epoch in (1, 2):
        history.add_points(10 * epoch - 10, epoch, 1.0, iterations(10 * epoch - 10, 10))
        history.add_epoch(record(epoch))
    assert history.until(20) is history
    cut = history.until(14)
    np.testing.assert_array_equal(cut.points()["step"], np.arange(14))
    assert cut.epochs()["step"].tolist() == [10]
    assert len(history.points()["step"]) == 20
    assert not len(history.until(0).points()["step"])
