"""Drawn digits: the same bytes everywhere, in MNIST's format, varied, and legible."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from workbench.data.dataset import silent
from workbench.data.handwriting import write
from workbench.data.raster import draw
from workbench.data.strokes import SHAPES, shapes

Reports = list[tuple[str, int, int]]


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    return write(1, 1500, silent)


def test_the_bytes_are_the_same_on_every_machine() -> None:
    # Where this changes on purpose, raise VERSION in workbench/data/sources/digits.py too.
    pictures, labels = write(1, 300, silent)
    digest = hashlib.sha256(pictures.tobytes() + labels.astype("<i4").tobytes()).hexdigest()
    assert digest == "202dba495bcc2d8ca328e39077a70cb711f6940dd0deb1e6bbdfde1dbd0132dd"


def test_the_first_pictures_do_not_depend_on_how_many_follow(
    drawn: tuple[np.ndarray, np.ndarray],
) -> None:
    pictures, labels = write(1, 40, silent)
    assert np.array_equal(pictures, drawn[0][:40])
    assert np.array_equal(labels, drawn[1][:40])


def test_another_seed_draws_other_pictures(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    pictures, _ = write(2, 40, silent)
    assert not (pictures == drawn[0][:40]).all(axis=(1, 2)).any()


def test_pictures_are_prepared_as_mnists(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    pictures, labels = drawn
    assert pictures.shape == (1500, 28, 28)
    assert pictures.dtype == np.uint8
    assert labels.dtype == np.int32
    inked = pictures > 0
    height, width = inked.any(axis=2).sum(axis=1), inked.any(axis=1).sum(axis=1)
    longest = np.maximum(height, width)
    assert longest.min() >= 19
    assert longest.max() == 20
    mass, place = pictures.sum(axis=(1, 2)), np.arange(28)
    for axis in (1, 2):
        middle = (pictures.sum(axis=3 - axis) * place).sum(axis=1) / mass
        # Within half a pixel of 14, but where the ink would leave the frame.
        assert np.mean(np.abs(middle - 14) <= 0.5) > 0.99
    assert (pictures.max(axis=(1, 2)) > 230).all()


def test_every_digit_comes_and_no_picture_twice(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    pictures, labels = drawn
    counts = np.bincount(labels, minlength=10)
    assert len(counts) == 10
    # 1500 draws give each digit 150, with a standard deviation of 11.6.
    assert np.abs(counts - 150).max() < 50
    assert len({picture.tobytes() for picture in pictures}) == 1500


def test_neighbours_agree(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    pictures, labels = drawn
    rows = pictures.reshape(1500, -1) / 255.0
    known, asked = rows[:1200], rows[1200:]
    distance = (known**2).sum(axis=1) - 2 * asked @ known.T
    read = labels[:1200][distance.argmin(axis=1)]
    assert np.mean(read == labels[1200:]) > 0.85


def test_progress_reaches_the_end() -> None:
    seen: Reports = []
    write(1, 100, lambda *report: seen.append(report))
    done = [report[1] for report in seen]
    assert done == sorted(done)
    assert seen[-1] == ("drawing digits", 100, 100)


def test_no_pictures_at_all() -> None:
    pictures, labels = write(1, 0, silent)
    assert pictures.shape == (0, 28, 28)
    assert labels.shape == (0,)


@pytest.mark.parametrize("digit", range(10))
def test_shapes_pass_through_their_points(digit: int) -> None:
    known = [shape for shape in shapes() if shape.digit == digit]
    assert len(known) == len(SHAPES[digit]) >= 2
    assert sum(shape.share for shape in known) == pytest.approx(1)
    for shape, text in zip(known, SHAPES[digit], strict=True):
        outline = (shape.weights[:, :, None] * shape.control[shape.index]).sum(axis=1)
        for word in text.replace("/", " ").split():
            point = [float(part) / 50 - 1 for part in word.removesuffix("*").split(",")]
            assert np.abs(outline - point).sum(axis=1).min() < 1e-9
        assert len(shape.tips) == 2 * len(text.split("/"))
        # A wobble is drawn for every control point: 42 words are set apart for it.
        assert 2 * len(shape.control) <= 42


def test_the_pen_lifts_and_turns() -> None:
    by_text = dict(zip([t for known in SHAPES.values() for t in known], shapes(), strict=True))
    text = next(text for text in SHAPES[7] if "/" in text and "*" in text)
    shape = by_text[text]
    outline = (shape.weights[:, :, None] * shape.control[shape.index]).sum(axis=1)
    step = outline[shape.pieces + 1] - outline[shape.pieces]
    # No ink between the strokes, and each piece is short.
    assert np.hypot(*step.T).max() < 0.5
    last = np.array([float(v) / 50 - 1 for v in text.split("/")[0].split()[-1].split(",")])
    assert not (np.abs(outline[shape.pieces] - last) < 1e-9).all(axis=1).any()


def test_a_straight_stroke_is_as_wide_as_its_pen() -> None:
    start, end = np.zeros((1, 1, 2)), np.array([[[0.0, 7.0]]])
    (picture,) = draw(start, end, np.full((1, 1), 1.5), np.ones(1))
    across = picture[14] / 255.0
    assert across.sum() == pytest.approx(3, abs=0.02)
    assert (picture.any(axis=1)).sum() == 20
    assert np.array_equal(picture, picture[:, ::-1]) or across.argmax() in (12, 13, 14)


def test_a_dot_is_drawn_as_one() -> None:
    point = np.zeros((1, 1, 2))
    (picture,) = draw(point, point, np.full((1, 1), 2.0), np.ones(1))
    assert picture.sum() / 255.0 == pytest.approx(np.pi * 4, rel=0.05)
