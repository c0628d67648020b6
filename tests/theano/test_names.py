"""Names: every way to import them, every function of the language, and what is not offered."""

from __future__ import annotations

import importlib

import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.core.errors import NotSupported
from workbench.engine.graph.variable import FUNCTIONS
from workbench.theano.names import ALIASES, WAYS


@pytest.mark.parametrize("name", [*FUNCTIONS, *ALIASES])
def test_every_function_of_the_language_is_there(name: str) -> None:
    assert callable(getattr(T, name))
    assert name in T.__all__


def test_a_function_added_later_is_there_by_itself() -> None:
    FUNCTIONS.add("thrice")(lambda x: x * 3)
    try:
        assert T.thrice(T.constant(2)).eval() == 6
        assert T.scalar("x").thrice().eval is not None
    finally:
        FUNCTIONS.remove("thrice")
    with pytest.raises(NotSupported, match="thrice"):
        _ = T.thrice


@pytest.mark.parametrize(
    "line",
    [
        "import workbench.theano.tensor.nnet as nnet",
        "from workbench.theano import *",
        "from workbench.theano import function, shared, config, tensor as T",
        "from workbench.theano.tensor import *",
        "from workbench.theano.tensor import nnet, dot, dmatrix, extra_ops",
        "from workbench.theano.tensor.nnet import conv, relu, sigmoid, softmax",
        "from workbench.theano.tensor.nnet.conv import conv2d",
        "from workbench.theano.tensor.signal import downsample, pool",
        "from workbench.theano.tensor.signal.downsample import max_pool_2d",
        "from workbench.theano.tensor.shared_randomstreams import RandomStreams",
        "from workbench.theano.sandbox.rng_mrg import MRG_RandomStreams",
        "from workbench.theano.gradient import disconnected_grad, verify_grad",
        "from workbench.theano.printing import Print, debugprint, pprint",
        "from workbench.theano.ifelse import ifelse",
    ],
)
def test_ways_to_import(line: str) -> None:
    exec(line, {})  # noqa: S102


@pytest.mark.parametrize("name", WAYS)
def test_what_is_not_offered_tells_the_way_round(name: str) -> None:
    with pytest.raises(NotSupported, match=name) as caught:
        getattr(T, name)
    assert caught.value.hint


def test_a_misspelt_name_is_advised_upon() -> None:
    with pytest.raises(NotSupported, match="Did you mean 'softmax'"):
        _ = T.nnet.sofmax
    with pytest.raises(NotSupported, match=r"theano\.sparse is not offered"):
        from workbench.theano import sparse  # noqa: F401
    with pytest.raises(AttributeError):
        _ = theano.__no_such_thing__
    with pytest.raises(AttributeError, match="Did you mean 'softmax'"):
        _ = T.matrix("x").sofmax


@pytest.mark.parametrize(
    "line",
    [
        "import workbench.theano.sparse",
        "from workbench.theano import sparse",
        "from workbench.theano.sparse import csr_matrix",
        "from workbench.theano.compile.nanguardmode import NanGuardMode",
        "import workbench.theano.sandbox.cuda",
        "from workbench.theano.tensor.nnet import conv3d2d",
        "from workbench.theano.tensor.slinalg import cholesky",
        "import workbench.theano.gof as gof",
    ],
)
def test_modules_that_are_not_there_tell_the_way_round(line: str) -> None:
    with pytest.raises(NotSupported, match="is not offered") as caught:
        exec(line, {})  # noqa: S102
    assert caught.value.hint
    # Programs that can do without go on.
    assert isinstance(caught.value, ImportError)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("workbench.theano.__main__")


def test_no_module_is_without_advice() -> None:
    for name in ("tensor", "tensor.nnet", "tensor.signal", "gradient", "printing", "sandbox"):
        module = importlib.import_module(f"workbench.theano.{name}")
        with pytest.raises(NotSupported, match=name):
            _ = module.no_such_thing


def test_older_names_lead_to_the_same() -> None:
    assert T.nnet.conv.conv2d is T.nnet.conv2d
    assert T.signal.downsample.max_pool_2d is T.signal.pool.pool_2d
    assert T.extra_ops.to_one_hot is T.to_one_hot
