"""The examples in the documents do what they say."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench.theano  # noqa: F401 - registers every function of the language
from workbench.core.registry import Registry
from workbench.engine.graph.ops.registry import OPS
from workbench.engine.graph.variable import FUNCTIONS

DOCUMENTS = Path(__file__).resolve().parents[1] / "docs"
PAGES = [p for p in sorted(DOCUMENTS.glob("*.md")) if ">>>" in p.read_text(encoding="utf-8")]


@pytest.fixture
def _registries_as_they_were() -> Iterator[None]:
    """Forget the operations that a page makes."""
    registries: list[Registry[Any]] = [OPS, FUNCTIONS]
    known = [set(registry) for registry in registries]
    yield
    for registry, names in zip(registries, known, strict=True):
        for name in set(registry) - names:
            registry.remove(name)


@pytest.mark.usefixtures("_registries_as_they_were")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run(page: Path) -> None:
    result = doctest.testfile(
        str(page),
        module_relative=False,
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
        encoding="utf-8",
    )
    assert result.attempted > 0
    assert result.failed == 0
