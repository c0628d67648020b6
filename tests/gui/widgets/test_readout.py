"""Words that change often stay in their place, and what does not fit ends in dots."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QLabel, QWidget

from workbench.gui.widgets.readout import Readout


def test_lines_that_do_not_fit_end_in_dots(show: Callable[[QWidget], QWidget]) -> None:
    readout = Readout(2)
    readout.resize(80, readout.height())
    show(readout)
    whole = "short\na line that is much longer than there is room for"
    readout.set_text(whole)
    first, second = readout.findChildren(QLabel)[0].text().split("\n")
    assert first == "short"
    assert second.startswith("a l")
    assert second.endswith("…")
    assert readout.text() == whole
    readout.resize(800, readout.height())
    assert readout.findChildren(QLabel)[0].text() == whole
