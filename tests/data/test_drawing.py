"""Pictures of digits become what MNIST's images are: 20 pixels of ink, centred, bright on 0."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from workbench.core.errors import DataError
from workbench.data.drawing import BOX, SIDE, centred, light_ink, read_drawing


def drawn(size: tuple[int, int] = (120, 200), paper: int = 255, ink: int = 0) -> Image.Image:
    """Return a picture of a seven, well off the centre."""
    picture = Image.new("L", size, paper)
    pen = ImageDraw.Draw(picture)
    pen.line([(20, 30), (70, 30), (40, 110)], fill=ink, width=8)
    return picture


def extent(image: np.ndarray) -> tuple[int, int]:
    """Return height and width of the box around what is not black."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    return int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)


def centre_of_mass(image: np.ndarray) -> np.ndarray:
    grid = np.stack(np.meshgrid(range(SIDE), range(SIDE), indexing="ij"))
    return np.asarray((grid * image).sum(axis=(1, 2)) / image.sum())


def test_a_seven_is_scaled_to_the_box_and_centred_by_mass(tmp_path: Path) -> None:
    drawn().save(tmp_path / "seven.png")
    image = read_drawing(tmp_path / "seven.png")
    assert (image.shape, image.dtype) == ((SIDE, SIDE), np.uint8)
    assert extent(image)[0] == BOX
    assert 10 <= extent(image)[1] <= 16  # the proportions of the drawing, 88 by 58
    assert np.abs(centre_of_mass(image) - SIDE / 2).max() <= 0.5
    assert image.max() > 200
    assert image[0].max() == 0


def test_dark_on_light_and_light_on_dark_are_the_same_drawing() -> None:
    dark = centred(light_ink(np.asarray(drawn(paper=255, ink=0))))
    light = centred(light_ink(np.asarray(drawn(paper=0, ink=255))))
    pale = centred(light_ink(np.asarray(drawn(paper=200, ink=80))))
    np.testing.assert_array_equal(dark, light)
    np.testing.assert_array_equal(dark, pale)


@pytest.mark.parametrize("mode", ["1", "P", "RGB", "RGBA", "LA", "CMYK"])
def test_every_kind_of_picture_is_read_alike(tmp_path: Path, mode: str) -> None:
    expected = centred(light_ink(np.asarray(drawn())))
    path = tmp_path / ("seven.jpg" if mode == "CMYK" else "seven.png")
    drawn().convert(mode).save(path)
    assert np.abs(read_drawing(path).astype(int) - expected).max() <= (40 if mode == "CMYK" else 1)


def test_sixteen_bits_a_pixel_keep_their_range(tmp_path: Path) -> None:
    wide = np.asarray(drawn()).astype(np.uint16) * 257
    Image.fromarray(wide).save(tmp_path / "wide.png")
    expected = centred(light_ink(np.asarray(drawn())))
    np.testing.assert_array_equal(read_drawing(tmp_path / "wide.png"), expected)


@pytest.mark.parametrize("ink", [0, 255])
def test_ink_on_a_transparent_sheet_is_found(tmp_path: Path, ink: int) -> None:
    strokes = drawn(paper=0, ink=255)
    sheet = Image.merge("LA", [Image.new("L", strokes.size, ink), strokes])
    sheet.save(tmp_path / "sheet.png")
    expected = centred(light_ink(np.asarray(strokes)))
    np.testing.assert_array_equal(read_drawing(tmp_path / "sheet.png"), expected)


def test_a_photograph_held_sideways_is_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    drawn().rotate(90, expand=True).save(tmp_path / "turned.png", exif=exif)
    expected = centred(light_ink(np.asarray(drawn())))
    np.testing.assert_array_equal(read_drawing(tmp_path / "turned.png"), expected)


def test_the_ripples_of_jpeg_do_not_widen_the_box(tmp_path: Path) -> None:
    drawn().save(tmp_path / "seven.jpg", quality=60)
    assert extent(read_drawing(tmp_path / "seven.jpg"))[0] == BOX


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.2, 1.0), st.sampled_from([28, 64, 133]))
def test_any_rectangle_fits(height: int, width: int, strength: float, side: int) -> None:
    ink = np.zeros((side, side))
    ink[side // 3 :, side // 2 :][:height, :width] = strength
    image = centred(ink)
    assert max(extent(image)) == BOX
    assert np.abs(centre_of_mass(image) - SIDE / 2).max() <= 0.5


def test_no_ink_gives_an_empty_image() -> None:
    assert not light_ink(np.full((9, 7), 200)).any()
    assert not centred(np.zeros((30, 50))).any()


def test_mass_far_from_the_middle_stays_within_the_image() -> None:
    ink = np.zeros((100, 100))
    ink[:, 0] = 0.2
    ink[90:, :] = 1.0
    assert extent(centred(ink)) == (BOX, BOX)


def test_images_of_mnist_stay_what_they_are(mnist: Path) -> None:
    packed = (mnist / "mnist" / "t10k-images-idx3-ubyte.gz").read_bytes()
    images = np.frombuffer(gzip.decompress(packed), np.uint8, offset=16).reshape(-1, SIDE, SIDE)
    prepared = np.stack([centred(light_ink(image)) for image in images[:1000]])
    difference = np.abs(prepared.astype(int) - images[:1000]).max(axis=(1, 2))
    # Only ink fainter than a tenth, at the rim, is taken for paper; that moves a centre of mass
    # that lay on the edge between two pixels.
    assert (difference <= 0.1 * 255 + 1).mean() > 0.98
    assert (difference <= 1).mean() > 0.7


def png_that_declares(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no file"),
        (b"", "cannot be read"),
        (b"not a picture at all", "cannot be read"),
        (b"GIF89a" + b"\0" * 50, "cannot be read"),
        (png_that_declares(12_000, 12_000), "larger than"),
        (png_that_declares(100_000, 100_000), "larger than"),
        (png_that_declares(300, 300), "cannot be read"),
        (png_that_declares(2, 2)[:30], "cannot be read"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "digit.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read_drawing(path)
    assert "digit.png" in str(caught.value)


def test_a_sheet_of_one_colour_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (50, 50), "white").save(tmp_path / "blank.png")
    with pytest.raises(DataError, match="is of one colour"):
        read_drawing(tmp_path / "blank.png")


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_drawing(tmp_path)
