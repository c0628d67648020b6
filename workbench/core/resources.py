"""Where `kernels/` and `resources/` are: beside the package in a checkout, inside it in a wheel.

The only file that knows; everything else asks by relative name.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
def _folder(name: str) -> Path:
    # An editable install leaves a stale copy in site-packages, so the checkout's own folder wins.
    for place in (_PACKAGE.parent / name, _PACKAGE / f"_{name}"):
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"neither {name}/ beside the package nor _{name}/ inside it exists: reinstall the workbench"
    )


def kernel_text(name: str) -> str:
    """Return the text of the kernel file `name`, for example ``"matmul_panels.cl"``."""
    return (_folder("kernels") / name).read_text(encoding="utf-8")


def kernel_names() -> list[str]:
    """Return the names of all kernel files, sorted."""
    return sorted(path.name for path in _folder("kernels").glob("*.cl"))


def resource_path(*parts: str) -> Path:
    """Return the path of a resource, for example ``resource_path("networks", "relu.json")``."""
    return _folder("resources").joinpath(*parts)


def resource_names(folder: str) -> list[str]:
    """Return the stems of the JSON files in a resource folder, sorted."""
    return sorted(path.stem for path in resource_path(folder).glob("*.json"))


def source_digest(*parts: str) -> str:
    """Return a digest of the Python files in parts of the package, and of all kernel files.

    Parameters
    ----------
    parts
        Folders of the package, for example ``"engine"``.
    """
    hashed = hashlib.sha256()
    for part in parts:
        for path in sorted((_PACKAGE / part).rglob("*.py")):
            # With lengths: no byte may wander from one file to the next unseen.
            text = path.read_bytes()
            hashed.update(f"{path.relative_to(_PACKAGE).as_posix()} {len(text)}\n".encode() + text)
    for name in kernel_names():
        text = kernel_text(name).encode()
        hashed.update(f"{name} {len(text)}\n".encode() + text)
    return hashed.hexdigest()
