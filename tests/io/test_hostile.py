"""Files made to do harm are refused before their harm is done."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.io.here import read_here
from workbench.core.errors import InputError, ModelFileError
from workbench.io import load_model
from workbench.io.model_file import OURS
from workbench.io.tree import Item, digest

KERNEL = "/model_weights/dense/dense/kernel:0"


def _dense(units: int = 2, **more: Any) -> dict[str, Any]:
    return {"class_name": "Dense", "config": {"name": "dense", "units": units, **more}}


INPUT = {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [None, 3]}}


def _config(*layers: Any) -> str:
    return json.dumps({"class_name": "Sequential", "config": {"name": "m", "layers": layers}})


@pytest.fixture
def keras_file(tmp_path: Path) -> Path:
    """Return a small file as Keras writes it, 3 inputs and 2 units, that loads."""
    path = tmp_path / "keras.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = _config(INPUT, _dense())
        file.create_group("model_weights").attrs["layer_names"] = ["dense"]
        file.create_group("model_weights/dense").attrs["weight_names"] = [
            "dense/kernel:0",
            "dense/bias:0",
        ]
        file[KERNEL] = np.arange(6, dtype="f4").reshape(3, 2)
        file["model_weights/dense/dense/bias:0"] = np.ones(2, "f4")
    assert not read_here(path).verified
    return path


def _secret(file: h5py.File) -> Path:
    """Return the path of a file of 24 bytes that a model must not be able to read."""
    path = Path(file.filename).with_name("secret.txt")
    path.write_text("0123456789abcdefghijklmn")
    return path


def _external_storage(file: h5py.File) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, (3, 2), "f4", external=[(str(_secret(file)), 0, 24)])


def _external_link(file: h5py.File) -> None:
    other = Path(file.filename).with_name("other.h5")
    with h5py.File(other, "w") as target:
        target["kernel"] = np.zeros((3, 2), "f4")
    del file[KERNEL]
    file[KERNEL] = h5py.ExternalLink(str(other), "/kernel")


def _external_group(file: h5py.File) -> None:
    other = Path(file.filename).with_name("other.h5")
    with h5py.File(other, "w") as target:
        file.copy("/model_weights", target)
    del file["/model_weights"]
    file["/model_weights"] = h5py.ExternalLink(str(other), "/model_weights")


def _soft_link(file: h5py.File) -> None:
    file.move(KERNEL, "/elsewhere")
    file[KERNEL] = h5py.SoftLink("/elsewhere")


def _soft_group(file: h5py.File) -> None:
    file.move("/model_weights/dense", "/model_weights/true")
    file["/model_weights/dense"] = h5py.SoftLink("/model_weights/true")


def _virtual(file: h5py.File) -> None:
    other = Path(file.filename).with_name("other.h5")
    with h5py.File(other, "w") as target:
        target["kernel"] = np.zeros((3, 2), "f4")
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[...] = h5py.VirtualSource(other, "kernel", (3, 2))
    del file[KERNEL]
    file.create_virtual_dataset(KERNEL, layout)


def _replace_kernel(**how: Any) -> Callable[[h5py.File], None]:
    def replace(file: h5py.File) -> None:
        del file[KERNEL]
        file.create_dataset(KERNEL, **{"data": np.zeros((3, 2), "f4"), **how})

    return replace


def _bomb(units: int, **how: Any) -> Callable[[h5py.File], None]:
    """Declare a kernel of 3 x `units` numbers, and store none."""

    def declare(file: h5py.File) -> None:
        file.attrs["model_config"] = _config(INPUT, _dense(units, use_bias=False))
        file["model_weights/dense"].attrs["weight_names"] = ["dense/kernel:0"]
        del file["model_weights/dense/dense"]
        file.create_dataset(KERNEL, (3, units), "f4", **how)

    return declare


def _many_objects(file: h5py.File) -> None:
    group = file.create_group("many")
    for number in range(10_000):
        group.create_group(str(number))


def _deep_groups(file: h5py.File) -> None:
    file.create_group("/".join(["long" * 10] * 1000))


def _set_config(text: str) -> Callable[[h5py.File], None]:
    return lambda file: file.attrs.modify("model_config", text)


def _layers(*layers: Any) -> Callable[[h5py.File], None]:
    return _set_config(_config(*layers))


def _class(name: str) -> Callable[[h5py.File], None]:
    config = {"name": "x", "function": ["4wEAAA==", 1]}
    return _layers(INPUT, {"class_name": name, "config": config})


def _opaque(file: h5py.File) -> None:
    del file[KERNEL]
    file[KERNEL] = np.array([b"pickle"] * 6, dtype="V6").reshape(3, 2)


ATTACKS: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "external storage": (_external_storage, "from another file"),
    "external link": (_external_link, "external link"),
    "external link to a group": (_external_group, "external link"),
    "soft link": (_soft_link, "soft link"),
    "soft link to a group": (_soft_group, "soft link"),
    "virtual dataset": (_virtual, "from another file"),
    "a group in itself": (lambda f: f["model_weights"].__setitem__("loop", f["/"]), "second link"),
    "one array twice": (lambda f: f.__setitem__("twin", f[KERNEL]), "second link"),
    "named type": (lambda f: f.__setitem__("type", np.dtype("f4")), "named type"),
    "shape bomb": (_bomb(1_000_000), "declares 12000000 bytes and stores 0"),
    "compressed shape bomb": (
        _bomb(1_000_000, chunks=(1, 1000), compression="gzip"),
        "declares 12000000 bytes and stores 0",
    ),
    "units beyond measure": (_layers(INPUT, _dense(2**60)), "units"),
    "input beyond measure": (
        _layers({**INPUT, "config": {"batch_input_shape": [None, 2**60]}}, _dense()),
        "input",
    ),
    "huge configuration": (_set_config('"' + "x" * 1_000_000 + '"'), "longer than 1000000 bytes"),
    "deep configuration": (_set_config("[" * 21 + "]" * 21), "deeper than 20"),
    "bottomless configuration": (_set_config("[" * 900_000), "deeper than 20"),
    "configuration that is no object": (_set_config("[]"), "not what it should be"),
    "configuration that is no JSON": (_set_config("{'a': 1}"), "not JSON"),
    "no configuration": (lambda f: f.attrs.__delitem__("model_config"), "no model_config"),
    "too many objects": (_many_objects, "more than 10000 objects"),
    "too deep": (_deep_groups, "more than 16000000 bytes"),
    "Lambda": (_class("Lambda"), "class 'Lambda'"),
    "TFOpLambda": (_class("TFOpLambda"), "class 'TFOpLambda'"),
    "a class by path": (_class("os.system"), "class 'os.system'"),
    "a class that is no name": (_layers(INPUT, {"class_name": ["Dense"], "config": {}}), "class"),
    "Dropout": (_class("Dropout"), "class 'Dropout'"),
    "an activation by path": (_layers(INPUT, _dense(activation="builtins.eval")), "activation"),
    "an activation that is a class": (
        _layers(INPUT, _dense(activation={"class_name": "Lambda", "config": {}})),
        "activation",
    ),
    "Functional": (
        _set_config('{"class_name": "Functional", "config": {"layers": []}}'),
        "class 'Functional'",
    ),
    "shuffle": (_replace_kernel(shuffle=True, chunks=(3, 2)), "filters"),
    "fletcher32": (_replace_kernel(fletcher32=True, chunks=(3, 2)), "filters"),
    "scale-offset": (_replace_kernel(scaleoffset=2, chunks=(3, 2)), "filters"),
    "another shape": (_replace_kernel(data=np.zeros((2, 3), "f4")), r"needs float\(3, 2\)"),
    "integers": (_replace_kernel(data=np.zeros((3, 2), "i4")), "needs float"),
    "complex": (_replace_kernel(data=np.zeros((3, 2), "c8")), "needs float"),
    "long double": (_replace_kernel(data=np.zeros((3, 2), "g")), "needs float"),
    "strings": (_replace_kernel(data=np.full((3, 2), "x", h5py.string_dtype())), "needs float"),
    "opaque": (_opaque, "needs float"),
    "no space": (_replace_kernel(data=h5py.Empty("f4")), "needs float"),
    "not finite": (_replace_kernel(data=np.full((3, 2), np.inf, "f4")), "not finite"),
    "weights missing": (lambda f: f.pop(KERNEL), "missing"),
    "a group for weights": (lambda f: (f.pop(KERNEL), f.create_group(KERNEL)), "missing"),
    "weights too few": (
        lambda f: f["model_weights/dense"].attrs.create("weight_names", ["dense/kernel:0"]),
        "1 weights in 1 layers",
    ),
    "no layer_names": (lambda f: f["model_weights"].attrs.pop("layer_names"), "layer_names"),
    "layer_names that are numbers": (
        lambda f: f["model_weights"].attrs.create("layer_names", np.arange(3)),
        "layer_names",
    ),
    "no model_weights": (lambda f: f.pop("model_weights"), "/model_weights"),
    "a path upwards": (
        lambda f: f["model_weights"].attrs.modify("layer_names", ["../model_weights/dense"]),
        "no /model_weights/../model_weights/dense",
    ),
}


@pytest.mark.parametrize("name", list(ATTACKS))
def test_a_hostile_file_is_refused(keras_file: Path, name: str) -> None:
    attack, reason = ATTACKS[name]
    with h5py.File(keras_file, "r+") as file:
        attack(file)
    with pytest.raises(InputError, match=reason):
        read_here(keras_file)


@pytest.mark.parametrize("name", ["external storage", "shape bomb", "Lambda", "too many objects"])
def test_the_child_reports_refusals_in_one_sentence(keras_file: Path, name: str) -> None:
    attack, reason = ATTACKS[name]
    with h5py.File(keras_file, "r+") as file:
        attack(file)
    with pytest.raises(ModelFileError, match=reason) as refusal:
        load_model(keras_file)
    assert refusal.value.message.startswith(f"{keras_file} is refused: ")
    assert refusal.value.hint
    assert refusal.value.exit_status == 2


def test_a_declared_petabyte_is_refused_at_once(keras_file: Path) -> None:
    with h5py.File(keras_file, "r+") as file:
        del file[KERNEL]
        file.create_dataset(KERNEL, (2**40, 2**13), "f4")
    began = time.monotonic()
    with pytest.raises(ModelFileError, match="needs float"):
        load_model(keras_file)
    assert time.monotonic() - began < 12


def test_memory_of_the_child_is_limited(keras_file: Path) -> None:
    # One chunk that unpacks to more than 1 GB, of a shape that the configuration declares.
    with h5py.File(keras_file, "r+") as file:
        units = 1_000_000
        first = {**INPUT, "config": {"batch_input_shape": [None, 268]}}
        file.attrs["model_config"] = _config(first, _dense(units, use_bias=False))
        file["model_weights/dense"].attrs["weight_names"] = ["dense/kernel:0"]
        del file["model_weights/dense/dense"]
        kernel = file.create_dataset(
            KERNEL, (268, units), "f4", chunks=(268, units), compression="gzip"
        )
        kernel.id.write_direct_chunk((0, 0), b"\0" * 3_000_000)
    with pytest.raises(ModelFileError, match="reading it failed"):
        load_model(keras_file)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("network", '{"format": 1}', "input"),
        ("network", '{"format": 1, "input": [64], "layers": [{"layer": "eval"}]}', "'eval'"),
        ("network", '{"format": 1, "input": [64], "layers": [5]}', "layer 1"),
        ("network", '{"format": 1, "input": [64], "layers": 5}', "layers"),
        ("training", '{"batch": 0}', "batch"),
        ("data", "[]", "data"),
        ("position", "7", "position"),
        ("image_shape", '["8", null]', "image_shape"),
        ("classes", '"ten"', "classes"),
        ("format", "[" * 30 + "]" * 30, "deeper"),
    ],
)
def test_a_forged_digest_opens_no_door(saved: Path, name: str, value: str, reason: str) -> None:
    with h5py.File(saved, "r+") as file:
        file[OURS].attrs[name] = value
        _forge(file)
    with pytest.raises(InputError, match=reason):
        read_here(saved)


def test_a_forged_array_is_checked(saved: Path) -> None:
    with h5py.File(saved, "r+") as file:
        file["/workbench/slots/0.bias.momentum"][0] = np.nan
        _forge(file)
    with pytest.raises(ModelFileError, match="momentum holds numbers that are not finite"):
        read_here(saved)


def _forge(file: h5py.File) -> None:
    """Write the right digest of what the file holds now."""
    paths = ["/"]
    file.visit(lambda name: paths.append(f"/{name}"))
    tree = {}
    for path in paths:
        item = file[path]
        attributes = {
            name: list(value) if isinstance(value, np.ndarray) else value
            for name, value in item.attrs.items()
        }
        tree[path] = Item(attributes, item[()] if isinstance(item, h5py.Dataset) else None)
    file[OURS].attrs["sha256"] = digest(tree)


def test_no_plugin_of_hdf5_is_loaded(
    keras_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter that only a plugin could undo is refused."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "libevil.so").write_bytes(b"\x7fELF not really")
    monkeypatch.setenv("HDF5_PLUGIN_PATH", str(plugins))
    with h5py.File(keras_file, "r+") as file:
        del file[KERNEL]
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((3, 2))
        plist.set_filter(305, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple((3, 2))
        group = file["/model_weights/dense/dense"].id
        h5py.h5d.create(group, b"kernel:0", h5py.h5t.NATIVE_FLOAT, space, plist)
    with pytest.raises(ModelFileError, match=r"filters \[305\]"):
        load_model(keras_file)
