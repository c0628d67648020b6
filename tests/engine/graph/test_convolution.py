"""Convolution and pooling: derivatives of both kinds, arguments, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.core.errors import GraphError, NotSupported
from workbench.engine.graph.check import verify_grad
from workbench.engine.graph.evaluate import evaluate
from workbench.engine.graph.examples import examples
from workbench.engine.graph.grad import grad
from workbench.engine.graph.types import TensorType
from workbench.engine.graph.variable import Variable, shared
from workbench.nn import expressions as T  # noqa: N812 - the name that the tutorials gave it


def images(*shape: int) -> Variable:
    return shared(np.random.default_rng(len(shape)).standard_normal(shape))


@pytest.mark.parametrize("name", ["conv2d", "pool_2d"])
def test_second_derivatives_agree_with_finite_differences(name: str) -> None:
    rng = np.random.default_rng(3)
    for example in examples(name, "float64"):
        if not example.differentiable:
            continue

        def slopes(*inputs: Variable, build: Any = example.build) -> Variable:
            cost = T.sum(T.sqr(build(*inputs)))
            return sum((T.sum(T.sqr(g)) for g in grad(cost, list(inputs))), T.sum(inputs[0]) * 0)

        verify_grad(slopes, example.arrays, rng, example.types, tolerance=1e-5)


def test_every_greatest_element_gets_the_derivative() -> None:
    x = shared(np.array([[1.0, 3, 0, 0], [3, 2, 0, 5]]))
    (found,) = evaluate([grad(T.sum(T.pool_2d(x, 2)), x)])
    np.testing.assert_array_equal(found, [[0, 1, 0, 0], [1, 0, 0, 1]])


def test_margins_wider_than_filters_are_cut_from_the_derivative() -> None:
    rng = np.random.default_rng(4)
    arrays = [rng.standard_normal(s) for s in ((2, 1, 3, 4), (2, 1, 2, 1))]
    verify_grad(lambda x, w: T.conv2d(x, w, border_mode=(3, 2)), arrays, rng)


@pytest.mark.parametrize(
    ("images_shape", "filters_shape", "options", "words"),
    [
        ((2, 3, 5, 5), (4, 1, 3, 3), {}, "3 channels meet 1"),
        ((2, 3, 5, 5), (4, 3, 6, 3), {}, "5 rows with margins of 0 and 0 have no room for 6"),
        ((2, 3, 5, 5), (4, 3, 3, 8), {"border_mode": (0, 1)}, "5 columns"),
        ((2, 3, 5, 5), (4, 3, 3, 3), {"filter_dilation": (3, 1)}, "no room for 7"),
        ((2, 3, 5, 5), (4, 3, 0, 3), {}, "no rows"),
        ((2, 3, 5, 5), (4, 3, 3, 3), {"input_shape": (2, 3, 5, 6)}, "image_shape says"),
        ((2, 3, 5, 5), (4, 3, 3, 3), {"filter_shape": (None, 3, 3, 4)}, "filter_shape says"),
    ],
)
def test_shapes_that_do_not_fit_are_both_named(
    images_shape: tuple[int, ...],
    filters_shape: tuple[int, ...],
    options: dict[str, Any],
    words: str,
) -> None:
    with pytest.raises(GraphError) as caught:
        evaluate([T.conv2d(images(*images_shape), images(*filters_shape), **options)])
    for expected in (str(images_shape), str(filters_shape), words, "test_convolution.py"):
        assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"border_mode": "same"}, "'same'"),
        ({"border_mode": -1}, "-1"),
        ({"border_mode": ((1, 2), (1, 2), (1, 2))}, "border_mode"),
        ({"subsample": (0, 1)}, "(0, 1)"),
        ({"filter_dilation": 0.5}, "0.5"),
        ({"filter_shape": (1, 1, 3)}, "four lengths"),
        ({"input_shape": (1, 1, 3, 3), "image_shape": (1, 1, 3, 3)}, "same"),
    ],
)
def test_arguments_of_conv2d_are_checked(options: dict[str, Any], words: str) -> None:
    with pytest.raises(GraphError) as caught:
        T.conv2d(images(1, 1, 3, 3), images(1, 1, 2, 2), **options)
    assert words in str(caught.value)


def test_conv2d_takes_four_axes_each() -> None:
    with pytest.raises(GraphError, match=r"float64\(\?, \?, \?\)"):
        T.conv2d(images(1, 3, 3), images(1, 1, 2, 2))


@pytest.mark.parametrize("option", [{"num_groups": 2}, {"unshared": True}])
def test_kinds_of_convolution_that_are_not_offered_say_the_way_round(
    option: dict[str, Any],
) -> None:
    with pytest.raises(NotSupported, match=next(iter(option))):
        T.conv2d(images(1, 2, 3, 3), images(2, 1, 2, 2), **option)


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (GraphError, {"ws": 0}, "ws"),
        (GraphError, {"ws": (2, 2, 2)}, "(2, 2, 2)"),
        (GraphError, {}, "ws"),
        (GraphError, {"ws": 2, "stride": 0}, "stride"),
        (GraphError, {"ws": 2, "mode": "median"}, "'median'"),
        (GraphError, {"ws": 2, "pad": 2, "ignore_border": True}, "(2, 2)"),
        (NotSupported, {"ws": 2, "pad": 1}, "ignore_border"),
        (NotSupported, {"ws": Variable(TensorType("int64"))}, "symbolic"),
    ],
)
def test_arguments_of_pool_2d_are_checked(
    kind: type[GraphError], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(kind) as caught:
        T.pool_2d(images(4, 4), **options)
    assert words in str(caught.value)


def test_older_names_of_arguments_mean_the_same() -> None:
    x = images(2, 7, 8)
    new = T.pool_2d(x, ws=(3, 2), stride=(2, 1), pad=(1, 1), ignore_border=True, mode="sum")
    old = T.pool_2d(x, ds=(3, 2), st=(2, 1), padding=(1, 1), ignore_border=True, mode="sum")
    one, other = evaluate([new, old])
    np.testing.assert_array_equal(one, other)
