"""A data spec names a dataset or a path; what it cannot mean is refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.core.errors import DataError
from workbench.data.loading import load
from workbench.data.source import READERS
from workbench.spec.data import DataSpec
from workbench.spec.registries import DATASETS


def test_every_source_says_what_it_is() -> None:
    assert {"digits", "mnist", "neuron"} <= set(DATASETS)
    for source in [*(DATASETS[name] for name in DATASETS), *(READERS[name] for name in READERS)]:
        assert source.about


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mnits", "There is no dataset or file called 'mnits'. Did you mean 'mnist'?"),
        ("/no/such/path", "There is no dataset or file called '/no/such/path'. Known: .*digits"),
        ("x" * 5000, "There is no dataset or file called 'x"),
    ],
)
def test_an_unknown_name(name: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        load(DataSpec(name))
    assert len(str(caught.value)) < 300


def test_a_file_of_no_known_kind(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("milk, bread")
    with pytest.raises(DataError, match=r"notes.txt.* is no data .* IDX files"):
        load(DataSpec(str(path)))


def test_the_limit_cuts_the_training_split(folder: Path) -> None:
    whole, cut = load(DataSpec(str(folder))), load(DataSpec(str(folder), limit=7))
    assert np.array_equal(cut.train.inputs, whole.train.inputs[:7])
    assert (len(cut.validation), len(cut.test)) == (10, 10)
    assert len(load(DataSpec(str(folder), limit=50)).train) == 50


def test_a_limit_beyond_the_data_says_how_many_there_are(folder: Path) -> None:
    with pytest.raises(DataError, match=r"limit 51 .* it has 50 training rows. Choose 1 to 50"):
        load(DataSpec(str(folder), limit=51))


def test_the_neuron_has_one_row() -> None:
    data = load(DataSpec("neuron"))
    assert data.input_shape == (4,)
    assert data.classes == 0
    for split in data.splits().values():
        assert split.inputs.tolist() == [[1, 1, 1, 1]]
        assert split.targets.tolist() == [[100]]
