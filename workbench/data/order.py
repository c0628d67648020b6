"""The order in which an epoch visits the training rows.

Responsible for permutations that follow from (seed, epoch) alone, so that a resumed run shuffles
as an uninterrupted one; knows nothing of batches or data.
"""

from __future__ import annotations

import numpy as np

# Keeps these random numbers apart from those that others draw from the same seed.
_PURPOSE = 0x5348_5546_464C_4531


def permutation(seed: int, epoch: int, n: int) -> np.ndarray:
    """Return the numbers 0 to n - 1 in the order of this epoch.

    It is the order of n random words of Philox 4x64 with key (seed, a constant) and counter
    (0, 0, epoch, 0), so it is the same in every version of NumPy.

    Parameters
    ----------
    seed
        Of the run; any integer.
    epoch
        Counted from 0.

    Returns
    -------
    int32 array of shape (n,)

    Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
    """
    key = np.array([seed % 2**64, _PURPOSE], np.uint64)
    words = np.random.Philox(key=key, counter=np.array([0, 0, epoch, 0], np.uint64)).random_raw(n)
    return np.argsort(words, kind="stable").astype(np.int32)
