"""The codec: what is written reads back the same, and what is wrong is refused by place."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from workbench.core.errors import SpecError
from workbench.core.registry import Registry
from workbench.nn.initializers import He, Normal
from workbench.nn.layers.dense import Dense
from workbench.nn.optimizers.sgd import SGD
from workbench.spec import codec
from workbench.spec.data import DataSpec
from workbench.spec.experiment import Experiment
from workbench.spec.field_info import FieldInfo
from workbench.spec.fields import field_infos
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS
from workbench.spec.training import TrainingSpec

_READERS = {
    NetworkSpec: codec.network_from_json,
    TrainingSpec: codec.training_from_json,
    DataSpec: codec.data_from_json,
    Experiment: codec.experiment_from_json,
}


def _number(info: FieldInfo) -> st.SearchStrategy[Any]:
    if info.kind.startswith("integer"):
        low, high = (None if b is None else int(b) for b in (info.minimum, info.maximum))
        return st.integers(low, high)
    return st.floats(
        info.minimum,
        info.maximum,
        exclude_min=info.above_minimum,
        allow_nan=False,
        allow_infinity=False,
    )


def _entries(registry: Registry[Any] | None) -> st.SearchStrategy[Any]:
    assert registry is not None
    return st.one_of([_specs(entry) for _, entry in registry.items()])


def _values(info: FieldInfo) -> st.SearchStrategy[Any]:
    one = _number(info) if info.kind in ("integer", "integers", "number", "numbers") else None
    row = None if one is None else st.lists(one, min_size=1, max_size=4).map(tuple)
    made: Any = {
        "integer": lambda: one | st.sampled_from(info.choices) if info.choices else one,
        "number": lambda: one,
        "boolean": st.booleans,
        "choice": lambda: st.sampled_from(info.options),
        "text": st.text,
        "name_or_path": lambda: st.text(st.characters(exclude_characters="\0"), min_size=1),
        "integers": lambda: row,
        "numbers": lambda: one | row,
        "spec": lambda: _entries(info.registry),
        "specs": lambda: st.lists(_entries(info.registry), min_size=1, max_size=3).map(tuple),
        "object": lambda: _specs(info.spec),
    }[info.kind]()
    return made | st.none() if info.optional else made


def _specs(cls: Any) -> st.SearchStrategy[Any]:
    def build(**values: Any) -> Any:
        try:
            return cls(**values)
        except SpecError:  # each value is sound; together they are not
            reject()

    return st.builds(build, **{info.name: _values(info) for info in field_infos(cls)})


@pytest.mark.parametrize("cls", _READERS)
@given(data=st.data())
def test_what_is_written_reads_back_the_same(cls: type[Any], data: st.DataObject) -> None:
    """Through a text of JSON too, with every bit of every number."""
    spec = data.draw(_specs(cls))
    text = json.dumps(codec.to_json(spec), allow_nan=False)
    read = _READERS[cls](codec.parse_json(text, "text"))
    assert read == spec
    assert hash(read) == hash(spec)
    assert json.dumps(codec.to_json(read)) == text


_WORDS = st.sampled_from(
    ["format", "input", "layers", "layer", "kind", "dense", "relu", "units", "init", "he", "value"]
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4),
)


@pytest.mark.parametrize("cls", _READERS)
@given(fields=st.dictionaries(_WORDS, _ANYTHING), layers=st.lists(_ANYTHING, max_size=3))
def test_anything_is_read_or_refused(cls: type[Any], fields: Any, layers: Any) -> None:
    """No other error comes of it, whatever the file holds."""
    data = fields | ({"format": 1, "input": [4], "layers": layers} if cls is NetworkSpec else {})
    refused = []
    for received in (fields, data, {"name": "x", "network": data}):
        try:
            assert isinstance(_READERS[cls](received), cls)
        except SpecError as error:
            refused.append(error)
    assert all(error.hint and len(str(error)) < 500 for error in refused)


def test_a_network_reads_as_the_format_says() -> None:
    """The form of network files is a contract."""
    text = """{"format": 1, "input": [1, 28, 28], "layers": [
        {"layer": "dense", "units": 256, "bias": true, "init": {"kind": "he"}},
        {"layer": "relu"}, {"layer": "dense", "units": 10}, {"layer": "softmax"}]}"""
    network = codec.network_from_json(codec.parse_json(text, "text"))
    assert network == NetworkSpec(
        input=(1, 28, 28),
        layers=(Dense(256, init=He()), LAYERS["relu"](), Dense(10), LAYERS["softmax"]()),
    )
    written = codec.to_json(network)
    assert list(written) == ["format", "input", "layers"]
    assert written["layers"][:2] == [
        {"layer": "dense", "units": 256, "bias": True, "init": {"kind": "he"}},
        {"layer": "relu"},
    ]


def _network(*layers: Any, **changed: Any) -> dict[str, Any]:
    return {"format": 1, "input": [4], "layers": list(layers)} | changed


_DENSE = {"layer": "dense", "units": 3}
_FAULTS: list[tuple[type[Any], Any, str]] = [
    (NetworkSpec, 5, r"got 5\. Give an object"),
    (NetworkSpec, {}, r"format: got None\. Write \"format\": 1"),
    (NetworkSpec, _network(_DENSE, format=2), r"format: got 2\."),
    (NetworkSpec, _network(_DENSE, format=True), r"format: got True\."),
    (NetworkSpec, {"format": 1, "input": [4]}, r"layers is missing\. Add the key 'layers'"),
    (NetworkSpec, _network(_DENSE, about=3), r"about: got 3\. Give a text"),
    (NetworkSpec, _network(_DENSE, inptu=[4]), r"'inptu' is not a known key\. .*'input'"),
    (NetworkSpec, _network(_DENSE, input=[0]), r"input: got \[0\]\. .* at least|from 1"),
    (NetworkSpec, _network(_DENSE, input=[2.0]), r"input: got \[2\.0\]\."),
    (NetworkSpec, _network(_DENSE, layers={}), r"layers: got \{\}\. Give a list"),
    (NetworkSpec, _network(), r"layers: got \[\]\. Give at least one layer"),
    (NetworkSpec, _network(3), r"layer 1: got 3\. Give an object"),
    (NetworkSpec, _network({"units": 3}), r"layer 1: layer is missing"),
    (NetworkSpec, _network({"layer": ["dense"]}), r"layer 1: layer: got \['dense'\]"),
    (NetworkSpec, _network({"layer": "dens"}), r"layer 1: There is no layer called 'dens'.*dense"),
    (NetworkSpec, _network({"layer": "relu", "units": 3}), r"layer 1 \(relu\): 'units' is not a"),
    (NetworkSpec, _network(_DENSE, {"layer": "dense"}), r"layer 2 \(dense\): units is missing"),
    (NetworkSpec, _network(_DENSE | {"units": 0}), r"layer 1 \(dense\): units: got 0\. Give a who"),
    (NetworkSpec, _network(_DENSE | {"bias": 1}), r"layer 1 \(dense\): bias: got 1\."),
    (NetworkSpec, _network(_DENSE | {"init": "he"}), r"layer 1 \(dense\): init: got 'he'\."),
    (
        NetworkSpec,
        _network(_DENSE, _DENSE | {"init": {"kind": "hee"}}),
        r"layer 2 \(dense\): init: There is no initialiser called 'hee'\. Did you mean 'he'",
    ),
    (
        NetworkSpec,
        _network(_DENSE | {"init": {"kind": "normal", "scale": -1}}),
        r"layer 1 \(dense\): init: scale: got -1",
    ),
    (
        TrainingSpec,
        {"optimizer": {"kind": "sgd", "rate": math.nan}},
        r"optimizer: rate: got nan\. Give a finite number greater than 0",
    ),
    (TrainingSpec, {"optimizer": {"kind": "sgd", "rate": math.inf}}, "optimizer: rate: got inf"),
    (TrainingSpec, {"optimizer": {"kind": "sgd", "rate": 0}}, "optimizer: rate: got 0"),
    (TrainingSpec, {"optimizer": {"kind": "sdg"}}, "optimizer: There is no optim.*'sdg'.*'sgd'"),
    (TrainingSpec, {"optimizer": {}}, "optimizer: kind is missing"),
    (TrainingSpec, {"batch": 0}, r"batch: got 0\. Give a whole number .*'full'"),
    (TrainingSpec, {"batch": "half"}, r"batch: got 'half'\."),
    (TrainingSpec, {"epochs": 0}, r"epochs: got 0\."),
    (TrainingSpec, {"precision": "float16"}, r"precision: got 'float16'\."),
    (TrainingSpec, {"objective": "likelihood"}, r"objective: got 'likelihood'\."),
    (TrainingSpec, {"seed": -1}, r"seed: got -1\."),
    (TrainingSpec, {"epoch": 3}, r"'epoch' is not a known key\. Did you mean 'epochs'"),
    (DataSpec, {"pixel_scale": 0}, r"pixel_scale: got 0"),
    (DataSpec, {"limit": 0}, r"limit: got 0\."),
    (Experiment, {"name": "x"}, r"network is missing"),
]


@pytest.mark.parametrize(("cls", "data", "message"), _FAULTS)
def test_what_is_wrong_is_refused_by_place(cls: type[Any], data: Any, message: str) -> None:
    """One error that says where, what came and what would do."""
    with pytest.raises(SpecError, match=rf"^{message}"):
        _READERS[cls](data)


def test_the_faulty_layer_is_numbered() -> None:
    """The window shows the message at that layer's card, inside an experiment as well."""
    network = _network(_DENSE, _DENSE | {"units": 0})
    with pytest.raises(SpecError) as caught:
        codec.network_from_json(network)
    assert caught.value.layer == 1
    experiment = {"name": "x", "network": network, "training": {}, "data": {}}
    with pytest.raises(SpecError, match=r"^network: layer 2 \(dense\): units") as caught:
        codec.experiment_from_json(experiment)
    assert caught.value.layer == 1


def test_a_check_of_an_extension_is_an_error_with_its_place() -> None:
    """What a plugin's own validator raises does not end the program."""

    @attrs.frozen
    class Picky:
        def __attrs_post_init__(self) -> None:
            raise ValueError("13 is unlucky")

    LAYERS.add("picky")(Picky)
    try:
        with pytest.raises(SpecError, match=r"^layer 1 \(picky\): 13 is unlucky"):
            codec.network_from_json(_network({"layer": "picky"}))
    finally:
        LAYERS.remove("picky")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1,\n "b": }', r"line 2, column 7: Expecting value\. "),
        (b"", r"line 1, column 1: "),
        (b'"text"', r"got 'text'\. Give an object"),
        (b"[1]", r"got \[1\]\. Give an object"),
        (b'{"a": 1, "a": 2}', r"the key 'a' stands twice"),
        (b'{"a":' * 100_000, r"nested too deeply"),
        (b"[" * 999_999, r"nested too deeply"),
        (b'{"a": ' + b"1" * 9_999 + b"}", r"a number has too many digits"),
        (b" " * 1_000_001, r"has 1,000,001 bytes, too many"),
        (b'{"a": "\xff"}', r"is not a text in UTF-8"),
    ],
)
def test_a_file_that_is_no_spec_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Whatever its size or depth, with the file's name."""
    path = tmp_path / "net.json"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=message) as caught:
        codec.read_json_file(path)
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A missing one, and a folder."""
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(SpecError, match="cannot be read"):
            codec.read_json_file(path)


def test_specs_that_say_the_same_are_equal() -> None:
    """Lists and whole numbers are kept in one form."""
    one = NetworkSpec(input=[4], layers=[Dense(3, init=Normal(1))])  # type: ignore[arg-type]
    two = NetworkSpec(input=(4,), layers=(Dense(3, init=Normal(1.0)),))
    assert one == two
    assert len({one, two}) == 1
    assert TrainingSpec(optimizer=SGD(1)) == TrainingSpec(optimizer=SGD(1.0))
