"""What is saved is what is loaded, to the last bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import h5py
import numpy as np
import pytest

from tests.io.here import fingerprint, read_here
from workbench.core.errors import ModelFileError, SaveError
from workbench.core.paths import plugin_folder
from workbench.io import ModelFile, load_model, save_model
from workbench.nn.layers import LAYERS, Layer
from workbench.nn.shapes import parameters_of
from workbench.spec.fields import field_infos, number
from workbench.spec.network import NetworkSpec

Make = Callable[..., ModelFile]


def _example(layer: type[Any]) -> Any:
    """Return an instance of a layer class: its defaults, and 3 where a number must be given."""
    missing = {info.name: 3 for info in field_infos(layer) if info.default is attrs.NOTHING}
    return layer(**missing)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_everything_comes_back_from_a_child(
    tmp_path: Path, make_model: Make, precision: str
) -> None:
    model = make_model(precision=precision)
    save_model(tmp_path / "model.h5", model)
    loaded = load_model(tmp_path / "model.h5")
    assert loaded.verified
    assert loaded.network == model.network
    assert fingerprint(attrs.evolve(loaded, verified=False)) == fingerprint(model)
    assert list(loaded.parameters) == list(model.parameters)
    assert all(array.flags.writeable for array in loaded.parameters.values())


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", list(LAYERS))
def test_every_layer_comes_back(tmp_path: Path, name: str, precision: str) -> None:
    network = NetworkSpec(input=(2, 3), layers=(_example(LAYERS[name]), _example(LAYERS["dense"])))
    random = np.random.default_rng(1)
    parameters = {
        key: random.standard_normal(param.shape).astype(precision)
        for key, param in parameters_of(network).items()
    }
    model = ModelFile(network, parameters)
    save_model(tmp_path / "model.h5", model)
    loaded = read_here(tmp_path / "model.h5")
    assert fingerprint(attrs.evolve(loaded, verified=False)) == fingerprint(model)


def test_a_model_without_extras_comes_back(tmp_path: Path, make_model: Make) -> None:
    model = ModelFile(make_model().network, make_model().parameters)
    save_model(tmp_path / "model.h5", model)
    assert fingerprint(read_here(tmp_path / "model.h5")) == fingerprint(
        attrs.evolve(model, verified=True)
    )


def test_saving_twice_gives_the_same_bytes(tmp_path: Path, make_model: Make) -> None:
    for name in ("first.h5", "second.h5"):
        save_model(tmp_path / name, make_model())
    assert (tmp_path / "first.h5").read_bytes() == (tmp_path / "second.h5").read_bytes()


def _digest_by_the_book(path: Path) -> str:
    """Return the digest as docs/model-file.md defines it, with h5py and nothing of ours."""
    sha = hashlib.sha256()
    with h5py.File(path, "r") as file:
        names = ["/"]
        file.visit(lambda name: names.append(f"/{name}"))
        for name in sorted(names, key=str.encode):
            item = file[name]
            attributes = [
                [key, list(value) if isinstance(value, np.ndarray) else value]
                for key, value in sorted(item.attrs.items())
                if (name, key) != ("/workbench", "sha256")
            ]
            head: list[Any] = [name, "group", None, None, attributes]
            if isinstance(item, h5py.Dataset):
                head = [name, "dataset", item.dtype.str, list(item.shape), attributes]
            sha.update(json.dumps(head, separators=(",", ":")).encode() + b"\n")
            if isinstance(item, h5py.Dataset):
                sha.update(item[()].tobytes())
    return sha.hexdigest()


def test_the_digest_is_what_the_documents_say(saved: Path) -> None:
    with h5py.File(saved, "r") as file:
        kept = file["/workbench"].attrs["sha256"]
    assert kept == _digest_by_the_book(saved)


def _rename(file: h5py.File) -> None:
    file.move("/workbench/history/points.step", "/workbench/history/points.stop")


CHANGES: dict[str, Callable[[h5py.File], Any]] = {
    "a weight": lambda f: f["/model_weights/dense/dense/bias:0"].write_direct(np.ones(5, "f4")),
    "a measurement": lambda f: f["/workbench/history/points.step"].write_direct(np.zeros(4, "i8")),
    "a name": _rename,
    "an attribute of Keras": lambda f: f.attrs.modify("backend", "jax"),
    "an attribute of ours": lambda f: f["/workbench"].attrs.modify("classes", "11"),
    "an attribute more": lambda f: f["/model_weights/dense"].attrs.create("note", "mine"),
    "an attribute less": lambda f: f["/workbench"].attrs.__delitem__("classes"),
    "a group more": lambda f: f.create_group("/mine"),
    "an array more": lambda f: f.create_dataset("/workbench/slots/mine", data=np.ones(1)),
    "an array elsewhere": lambda f: f.create_dataset("/mine", data=np.ones(1)),
    "the digest": lambda f: f["/workbench"].attrs.modify("sha256", "0" * 64),
    "no digest": lambda f: f["/workbench"].attrs.__delitem__("sha256"),
    "our group": lambda f: f.__delitem__("/workbench"),
    "the type of an array": lambda f: (
        f.__delitem__("/workbench/history/points.step"),
        f.create_dataset("/workbench/history/points.step", data=np.arange(4, dtype="i4")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", list(CHANGES))
def test_any_change_is_found(saved: Path, change: str) -> None:
    with h5py.File(saved, "r+") as file:
        CHANGES[change](file)
    with pytest.raises(ModelFileError, match="damaged"):
        read_here(saved)


def test_a_later_format_is_named(saved: Path) -> None:
    with h5py.File(saved, "r+") as file:
        file["/workbench"].attrs.modify("format", "2")
    with pytest.raises(ModelFileError, match="format 2, not 1"):
        read_here(saved)


def test_a_layer_whose_plugin_is_gone_is_named(tmp_path: Path) -> None:
    @attrs.frozen
    class Shifted(Layer):
        by: float = number(default=0.5, label="By", help="What is added.")

        def output(self, x: Any, params: Any) -> Any:
            return x + self.by

    LAYERS.add("shifted")(Shifted)
    try:
        network = NetworkSpec(input=(3,), layers=(Shifted(2.0),))
        save_model(tmp_path / "model.h5", ModelFile(network, {}))
        assert read_here(tmp_path / "model.h5").network == network
    finally:
        LAYERS.remove("shifted")
    with pytest.raises(ModelFileError, match="layer 1 is 'shifted'") as refusal:
        load_model(tmp_path / "model.h5")
    assert str(plugin_folder()) in refusal.value.hint
    assert refusal.value.layer == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p.pop("0.bias"), "not those of the network"),
        (lambda p: p.update(extra=np.ones(1)), "not those of the network"),
        (lambda p: p.update({"0.bias": np.ones(4, "f4")}), "not those of the network"),
        (lambda p: p.update({"0.bias": np.ones(5, "i4")}), "of type int32"),
        (lambda p: p["0.bias"].fill(np.nan), "not finite"),
    ],
)
def test_an_impossible_model_is_not_saved(
    saved: Path, make_model: Make, change: Callable[[Any], Any], reason: str
) -> None:
    before = saved.read_bytes()
    model = make_model()
    change(model.parameters)
    with pytest.raises(SaveError, match=reason):
        save_model(saved, model)
    assert saved.read_bytes() == before


@pytest.mark.parametrize("name", ["", "a/b", "."])
def test_a_name_that_cannot_be_kept_is_an_error_of_the_caller(
    tmp_path: Path, make_model: Make, name: str
) -> None:
    with pytest.raises(ValueError, match="cannot be kept"):
        save_model(tmp_path / "m.h5", attrs.evolve(make_model(), slots={name: np.ones(1)}))
