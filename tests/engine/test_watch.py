"""How long a device has not answered, as it is told."""

from __future__ import annotations

import pytest

from workbench.engine.backends import watch
from workbench.engine.backends.watch import Watch


@pytest.mark.parametrize("waited_s", [10.001, 10.4, 10.6, 11.0])
def test_no_less_is_told_than_was_allowed(waited_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: now[0])
    looked = Watch()
    assert looked.overdue_s == 0
    with looked:
        now[0] += 10.0
        assert looked.overdue_s == 0
        now[0] = 100.0 + waited_s
        assert looked.overdue_s == 11
    assert looked.overdue_s == 0
    # From then on so long an answer is usual, and its triple is patience.
    with looked:
        now[0] += 3 * waited_s
        assert looked.overdue_s == 0
        now[0] += 0.2
        assert looked.overdue_s > looked.patience_s
