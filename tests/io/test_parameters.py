"""Parameters as .npz: every bit comes back, and a file that does not fit is named or refused."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.core.errors import ModelFileError, SaveError
from workbench.io import ModelFile, export_parameters, import_parameters

Make = Callable[..., ModelFile]


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_every_bit_comes_back(tmp_path: Path, make_model: Make, precision: str) -> None:
    model = make_model(precision=precision)
    export_parameters(tmp_path / "p.npz", model.parameters)
    loaded = import_parameters(tmp_path / "p.npz", model.network)
    assert list(loaded) == list(model.parameters)
    for key, array in model.parameters.items():
        assert loaded[key].dtype == array.dtype
        assert loaded[key].tobytes() == array.tobytes()


def test_numpy_reads_what_was_exported(tmp_path: Path, make_model: Make) -> None:
    parameters = make_model().parameters
    export_parameters(tmp_path / "p.npz", parameters)
    with np.load(tmp_path / "p.npz", allow_pickle=False) as file:
        assert {key: file[key].tobytes() for key in file} == {
            key: array.tobytes() for key, array in parameters.items()
        }


@pytest.mark.parametrize("form", ["columns first", "big end first", "half precision", "compressed"])
def test_other_forms_of_the_numbers_are_read(tmp_path: Path, make_model: Make, form: str) -> None:
    model = make_model()
    change: Callable[[np.ndarray], np.ndarray] = {
        "columns first": np.asfortranarray,
        "big end first": lambda array: array.astype(">f8"),
        "half precision": lambda array: array.astype("f2"),
    }.get(form, np.asarray)
    changed = {key: change(array) for key, array in model.parameters.items()}
    save: Callable[..., None] = np.savez_compressed if form == "compressed" else np.savez
    save(tmp_path / "p.npz", **changed)
    for key, array in import_parameters(tmp_path / "p.npz", model.network).items():
        assert array.dtype.name in ("float32", "float64")
        assert array.dtype.isnative
        np.testing.assert_array_equal(array, changed[key])


def _npy(array: np.ndarray, **changes: Any) -> bytes:
    """Return a .npy with a header that may lie."""
    buffer = io.BytesIO()
    header = {**np.lib.format.header_data_from_array_1_0(array), **changes}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + array.tobytes()


def _with(name: str, content: bytes, more: bool = False) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        assert more or name in members
        members[name] = content

    return change


ONES = np.ones(5, "f4")

MISFITS: dict[str, tuple[Callable[[dict[str, bytes]], Any], str]] = {
    "one missing": (lambda m: m.pop("0.bias.npy"), r"has nothing .* lacks 0\.bias"),
    "one more": (_with("extra.npy", _npy(ONES), more=True), "has extra that the network has not"),
    "renamed": (lambda m: m.update(bias=m.pop("0.bias.npy")), r"has bias .* lacks 0\.bias"),
    "a path upwards": (_with("../up.npy", _npy(ONES), more=True), r"has \.\./up"),
    "another shape": (_with("0.bias.npy", _npy(np.ones(6, "f4"))), r"0\.bias is float32\(6,\)"),
    "integers": (_with("0.bias.npy", _npy(np.ones(5, "i4"))), r"0\.bias is int32"),
    "objects": (
        _with("0.bias.npy", _npy(ONES, descr="|O")[: -ONES.nbytes] + pickle.dumps([1])),
        r"0\.bias is object",
    ),
    "a header that promises more": (_with("0.bias.npy", _npy(ONES, shape=(2**50,))), str(2**50)),
    "less than the header says": (_with("0.bias.npy", _npy(ONES)[:-1]), "not as long as it says"),
    "more than the header says": (_with("0.bias.npy", _npy(ONES) + b"\0"), "not as long as"),
    "a header that is a program": (
        _with("0.bias.npy", b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os').getpid()".ljust(32)),
        "damaged",
    ),
    "no header": (_with("0.bias.npy", b"0123456789"), "damaged"),
    "not finite": (_with("0.bias.npy", _npy(np.full(5, np.nan, "f4"))), "not finite"),
    "a bomb": (_with("0.bias.npy", _npy(ONES) + bytes(50_000_000)), "not as long as it says"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(MISFITS))
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, make_model: Make, name: str) -> None:
    change, reason = MISFITS[name]
    model = make_model()
    members = {f"{key}.npy": _npy(array) for key, array in model.parameters.items()}
    change(members)
    path = tmp_path / "p.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    with pytest.raises(ModelFileError, match=reason) as refusal:
        import_parameters(path, model.network)
    assert refusal.value.message.startswith(f"{path} is refused: ")


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, make_model: Make, kept: float) -> None:
    model = make_model()
    path = tmp_path / "p.npz"
    export_parameters(path, model.parameters)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept if isinstance(kept, int) else kept * len(whole))])
    with pytest.raises(ModelFileError, match=r"damaged or not a \.npz file"):
        import_parameters(path, model.network)


def test_a_changed_byte_of_the_numbers_is_found(tmp_path: Path, make_model: Make) -> None:
    model = make_model()
    path = tmp_path / "p.npz"
    export_parameters(path, model.parameters)
    content = bytearray(path.read_bytes())
    content[content.index(model.parameters["0.weight"].tobytes()) + 9] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="damaged"):
        import_parameters(path, model.network)


def test_a_missing_file_is_named(tmp_path: Path, make_model: Make) -> None:
    with pytest.raises(ModelFileError, match="No such file"):
        import_parameters(tmp_path / "missing.npz", make_model().network)


def test_a_failed_export_keeps_the_old_file(tmp_path: Path, make_model: Make) -> None:
    with pytest.raises(SaveError, match="directory"):
        export_parameters(tmp_path, make_model().parameters)
