"""Figures that more than one test holds the workbench to."""

from __future__ import annotations

#: Source: Learn Theano, "MNIST": logistic regression, ten iterations of full-batch ascent.
LOGISTIC = [
    -2.302585093, -1.83912090251, -1.52505436796, -1.31424405922, -1.16824101592,
    -1.06176739247, -0.98204553767, -0.919423093595, -0.869394886438, -0.827688588441,
]  # fmt: skip

#: The first ten test images and what it takes them for.
LOGISTIC_FIRST_TEN = [
    "7 → 7", "2 → 2", "1 → 1", "0 → 0", "4 → 4", "1 → 1", "4 → 4", "9 → 9", "5 → 2", "9 → 9",
]  # fmt: skip

#: The same run on the embedded digits, as NumPy computes it.
DIGITS = [
    -2.302585092994, -1.838247983954, -1.528730956032, -1.320751264696, -1.188811850535,
    -1.080454933839, -1.028375341402, -0.943911391804, -0.921046019317, -0.851158228528,
]  # fmt: skip
DIGITS_FIRST_TEN = [
    "4 → 4", "9 → 9", "8 → 2", "9 → 9", "5 → 5", "9 → 9", "6 → 6", "3 → 3", "9 → 9", "3 → 3",
]  # fmt: skip
