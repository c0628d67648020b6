"""Many small images as one large one."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.gui.widgets.contact_sheet import contact_sheet


@pytest.mark.parametrize("count", [1, 5, 9])
@pytest.mark.parametrize("colours", [(), (4,)])
@pytest.mark.parametrize("turned", [False, True])
def test_every_image_is_where_it_is_looked_for(
    count: int, colours: tuple[int, ...], turned: bool
) -> None:
    rng = np.random.default_rng(count)
    images = rng.integers(0, 256, (count, 3, 2, *colours), np.uint8)
    if turned:  # in memory the images lie side by side, pixel by pixel
        images = np.moveaxis(np.moveaxis(images, 0, 2).copy(), 2, 0)
    sheet, columns = contact_sheet(images)
    assert sheet.flags.c_contiguous
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        found = sheet[3 * row : 3 * row + 3, 2 * column : 2 * column + 2]
        np.testing.assert_array_equal(found, image)
