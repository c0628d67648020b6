"""Errors carry what a person needs, and the exit status that says whose turn it is."""

from __future__ import annotations

import pytest

from workbench.core import errors
from workbench.core.errors import InputError, WorkbenchError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, WorkbenchError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_message_hint_and_layer_are_kept(kind: type[WorkbenchError]) -> None:
    error = kind("Units are 0.", "Give at least 1.", layer=2)
    assert (error.message, error.hint, error.layer) == ("Units are 0.", "Give at least 1.", 2)
    assert str(error) == "Units are 0. Give at least 1."


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_the_person_can_mend_exits_with_2(kind: type[WorkbenchError]) -> None:
    assert kind.exit_status == (2 if issubclass(kind, InputError) else 1)


def test_without_a_hint_the_text_is_the_message() -> None:
    assert str(WorkbenchError("It broke.")) == "It broke."
