"""Specs as JSON and back: what is written can be read again, and what is wrong is refused by place.

Responsible for the form of spec files; knows no layer, optimizer or dataset by name.

A thing that comes from a registry is written with its name: ``{"layer": "dense", "units": 10}``
in the stack of a network, ``{"kind": "he"}`` everywhere else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from workbench.core.errors import InputError, SpecError, WorkbenchError
from workbench.core.registry import Registry
from workbench.spec.data import DataSpec
from workbench.spec.experiment import Experiment
from workbench.spec.field_info import FieldInfo, advise, quote
from workbench.spec.fields import field_infos
from workbench.spec.network import NetworkSpec
from workbench.spec.registries import LAYERS
from workbench.spec.training import TrainingSpec

#: The version of the form of network files.
FORMAT = 1

#: Largest spec file that is read, in bytes; real ones have a few thousand.
MAX_FILE_SIZE_BYTES = 1_000_000

_S = TypeVar("_S")


def to_json(spec: Any) -> dict[str, Any]:
    """Return a spec as an object for `json.dumps`; the functions below read it back unchanged."""
    written: dict[str, Any] = _converter.unstructure(spec)
    return written


def network_from_json(data: object) -> NetworkSpec:
    """Return the network that `data` describes.

    The object may carry a sentence ``"about"`` the network, which is not part of the spec.

    Raises
    ------
    SpecError
        Something in it is unknown, missing or out of range; the message names the place.
    """
    return _read(NetworkSpec, data)


def training_from_json(data: object) -> TrainingSpec:
    """Return the training run that `data` describes; raises as `network_from_json`."""
    return _read(TrainingSpec, data)


def data_from_json(data: object) -> DataSpec:
    """Return the choice of data that `data` describes; raises as `network_from_json`."""
    return _read(DataSpec, data)


def experiment_from_json(data: object) -> Experiment:
    """Return the experiment that `data` describes; raises as `network_from_json`."""
    return _read(Experiment, data)


def read_json_file(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises
    ------
    SpecError
        The file is missing, too large, not JSON (with line and column), or not an object.
    """
    try:
        if path.stat().st_size > MAX_FILE_SIZE_BYTES:
            raise SpecError(
                f"{path} has {path.stat().st_size:,} bytes, too many for a spec.",
                f"Give a file of at most {MAX_FILE_SIZE_BYTES:,} bytes.",
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SpecError(
            f"{path} cannot be read: {error.strerror}.", "Give the path of a JSON file."
        ) from None
    except UnicodeDecodeError:
        raise SpecError(f"{path} is not a text in UTF-8.", "Give a JSON file.") from None
    return parse_json(text, str(path))


def parse_json(text: str, place: str) -> dict[str, Any]:
    """Return the JSON object in `text`, which messages call `place`; raises as `read_json_file`."""
    try:
        data = json.loads(text, object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise SpecError(f"{place}, {where}: {error.msg}.", "Mend the JSON there.") from None
    except RecursionError:
        raise SpecError(f"{place} is nested too deeply.", "A spec has few levels.") from None
    except SpecError as error:
        raise SpecError(f"{place}: {error.message}", error.hint) from None
    except ValueError:
        raise SpecError(f"{place}: a number has too many digits.", "Mend the JSON.") from None
    return _object(data, place)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise SpecError(f"the key {quote(twice)} stands twice in one object.", "Keep one of them.")
    return made


def _read(cls: type[_S], data: object) -> _S:
    try:
        return _converter.structure(data, cls)
    except (cattrs.BaseValidationError, InputError) as error:
        raise _explain(error) from None


def _explain(error: BaseException, place: str = "") -> SpecError:
    """Return the first fault of a failed reading as an error that names its place."""
    if isinstance(error, cattrs.ClassValidationError):
        of_fields, of_class = error.group_exceptions()
        # An unknown key explains a missing one better than the other way round.
        of_class.sort(key=lambda e: not isinstance(e, cattrs.ForbiddenExtraKeysError))
        if of_class:
            return _explain(of_class[0], place)
        fault, note = of_fields[0]
        if isinstance(fault, KeyError):
            return SpecError(f"{place}{note.name} is missing.", f"Add the key {note.name!r}.")
        if isinstance(fault, SpecError) and fault.layer is not None:
            return _explain(fault, place)
        return _explain(fault, f"{place}{note.name}: ")
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        unknown = min(error.extra_fields)
        known = [info.name for info in field_infos(error.cl)]
        hint = advise(unknown, known) or f"Known: {', '.join(known) or 'no keys at all'}."
        return SpecError(f"{place}{quote(unknown)} is not a known key.", hint)
    if isinstance(error, WorkbenchError):
        return SpecError(f"{place}{error.message}", error.hint, error.layer)
    # What a plugin's own check says.
    return SpecError(f"{place}{error}", "Change the value there.")


def _object(value: object, place: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        prefix = f"{place}: " if place else ""
        raise SpecError(f"{prefix}got {quote(value)}.", 'Give an object: {"key": value, ...}.')
    return value


def _tag(registry: Registry[Any]) -> str:
    return "layer" if registry is LAYERS else "kind"


def _structure_tagged(registry: Registry[Any], value: object) -> Any:
    fields = dict(_object(value))
    tag = _tag(registry)
    if tag not in fields:
        raise SpecError(
            f"{tag} is missing.", f"Add the key {tag!r} with the name of the {registry.kind}."
        )
    name = fields.pop(tag)
    if not isinstance(name, str):
        raise SpecError(f"{tag}: got {quote(name)}.", f"Give the name of the {registry.kind}.")
    return _converter.structure(fields, registry[name])


def _structure_row(registry: Registry[Any], value: object) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise SpecError(f"got {quote(value)}.", f"Give a list, each entry a {registry.kind}.")
    made = []
    for index, entry in enumerate(value):
        try:
            made.append(_structure_tagged(registry, entry))
        except (cattrs.BaseValidationError, InputError) as error:
            name = entry.get(_tag(registry)) if isinstance(entry, dict) else None
            called = f" ({name})" if isinstance(name, str) and name in registry else ""
            fault = _explain(error, f"{registry.kind} {index + 1}{called}: ")
            raise SpecError(fault.message, fault.hint, layer=index) from None
    return tuple(made)


def _structure_field(info: FieldInfo) -> Callable[[Any, Any], Any]:
    registry = info.registry
    if info.kind == "spec" and registry is not None:
        return lambda value, _: _structure_tagged(registry, value)
    if info.kind == "specs" and registry is not None:
        return lambda value, _: _structure_row(registry, value)
    spec = info.spec
    if spec is not None:
        return lambda value, _: _converter.structure(value, spec)
    # The class itself checks plain values when it is made.
    return lambda value, _: value


def _structure_class(cls: type[Any]) -> Callable[[Any, Any], Any]:
    overrides: dict[str, Any] = {
        info.name: override(struct_hook=_structure_field(info)) for info in field_infos(cls)
    }
    make = make_dict_structure_fn(cls, _converter, _cattrs_forbid_extra_keys=True, **overrides)

    def structure(value: object, _: object) -> Any:
        fields = _object(value)
        return make(_without_header(fields) if cls is NetworkSpec else fields, cls)

    return structure


def _without_header(fields: dict[str, Any]) -> dict[str, Any]:
    fields = dict(fields)
    version, about = fields.pop("format", None), fields.pop("about", "")
    if type(version) is not int or version != FORMAT:
        raise SpecError(f"format: got {quote(version)}.", f'Write "format": {FORMAT}.')
    if not isinstance(about, str):
        raise SpecError(f"about: got {quote(about)}.", "Give a text.")
    return fields


def _unstructure_field(info: FieldInfo) -> Callable[[Any], Any]:
    registry = info.registry
    if info.kind == "spec" and registry is not None:
        return lambda value: {_tag(registry): registry.name_of(value), **to_json(value)}
    if info.kind == "specs" and registry is not None:
        return lambda row: [{_tag(registry): registry.name_of(v), **to_json(v)} for v in row]
    if info.kind == "object":
        return to_json
    return lambda value: list(value) if isinstance(value, tuple) else value


def _unstructure_class(cls: type[Any]) -> Callable[[Any], dict[str, Any]]:
    overrides: dict[str, Any] = {
        info.name: override(unstruct_hook=_unstructure_field(info)) for info in field_infos(cls)
    }
    make = make_dict_unstructure_fn(cls, _converter, **overrides)
    if cls is NetworkSpec:
        return lambda spec: {"format": FORMAT, **make(spec)}
    return make


_converter = cattrs.Converter(detailed_validation=True)
_converter.register_structure_hook_factory(attrs.has, _structure_class)
_converter.register_unstructure_hook_factory(attrs.has, _unstructure_class)
