"""Mini-batches by symbolic index: nothing is compiled, allocated or copied after the first call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.engine.backends.opencl.device import list_opencl
from workbench.engine.graph.variable import Variable
from workbench.engine.lower.plan import Plan, Product

POINTS, PIXELS, HIDDEN, CLASSES, BATCH = 6000, 49, 16, 10, 20

needs_opencl = pytest.mark.skipif(not list_opencl(), reason="no OpenCL driver")


def _trainer(kind: str) -> tuple[theano.Function, Variable]:
    """Return what trains a network on mini-batches of that kind, and its first weights."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (POINTS, PIXELS), dtype=np.uint8)
    labels = theano.shared(rng.integers(0, CLASSES, POINTS).astype(np.int32))
    i, x, y = T.lscalar("i"), T.matrix("x"), T.ivector("y")
    rows: Any = slice(i * BATCH, (i + 1) * BATCH)
    if kind == "slices":
        batch = theano.shared(images / 256)[rows]
    else:
        if kind == "gathered bytes":
            rows = theano.shared(rng.permutation(POINTS).astype(np.int32))[rows]
        batch = T.cast(theano.shared(images)[rows], theano.config.floatX) * (1 / 256)
    w, v = (
        theano.shared(rng.normal(0, 0.1, shape)) for shape in ((PIXELS, HIDDEN), (HIDDEN, CLASSES))
    )
    p = T.nnet.softmax(T.dot(T.tanh(T.dot(x, w)), v))
    score = T.mean(T.log(p)[T.arange(y.shape[0]), y])
    updates = [(s, s + 0.1 * T.grad(score, s)) for s in (w, v)]
    return theano.function([i], score, updates=updates, givens={x: batch, y: labels[rows]}), w


def _check_no_batch_is_stored(plan: Plan) -> None:
    """Assert that what makes a mini-batch of the data rides in the kernels that use it."""
    scratch = [b for b in plan.buffers if b.role == "temp"]
    assert scratch
    assert all(math.prod(b.shape) < BATCH * PIXELS for b in scratch)
    firsts = [step for step in plan.steps if isinstance(step, Product)]
    assert [f.product.shape for f in (firsts[0], firsts[-2], firsts[-1])] == [
        (BATCH, HIDDEN),
        (PIXELS, HIDDEN),
        (HIDDEN, CLASSES),
    ]


@needs_opencl
@pytest.mark.parametrize("kind", ["slices", "bytes", "gathered bytes"])
def test_a_thousand_calls_compile_allocate_and_copy_nothing(kind: str) -> None:
    theano.config.device = None
    train, w = _trainer(kind)
    assert train.device.type != "reference"
    train(0)
    (plan,) = train._compiled.plans
    _check_no_batch_is_stored(plan)
    first = train.counters.snapshot()
    train(0)
    before, start = train.counters.snapshot(), w.get_value()
    launches = before.kernels_launched - first.kernels_launched
    # Steps that do not wait for one another share a launch.
    assert 0 < launches <= len(plan.steps)
    for call in range(1000):
        score = train(call % (POINTS // BATCH))
    after = train.counters
    assert after.kernels_launched - before.kernels_launched == 1000 * launches
    assert after.programs_compiled == before.programs_compiled
    assert after.buffers_allocated == before.buffers_allocated
    assert after.bytes_to_device == before.bytes_to_device
    assert after.bytes_from_device - before.bytes_from_device == 1000 * score.nbytes
    assert train._compiled.plans == [plan]
    assert not np.array_equal(w.get_value(), start)


@needs_opencl
@pytest.mark.parametrize("kind", ["slices", "bytes", "gathered bytes"])
def test_mini_batches_train_as_in_numpy(kind: str) -> None:
    found = []
    for device in (None, "reference"):
        theano.config.device = device
        train, w = _trainer(kind)
        found.append(([train(i) for i in (0, 7, POINTS // BATCH - 1, 7)], w.get_value()))
    (scores, weights), (expected_scores, expected_weights) = found
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-11)
    np.testing.assert_allclose(weights, expected_weights, rtol=1e-10, atol=1e-13)
