"""What a message says next, for what newcomers type."""

from __future__ import annotations

import pytest
import torch

import penult as library
from penult.classify import edges


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "f.h5", "-o", "c.skops", "--cv", "3"], "did you mean --folds?"),
        (["extract", "p", "-o", "f.h5", "--include-top"], "did you mean --layer?"),
        (["extract", "photos", "-o", "v.hdf5x"], "name it v.hdf5"),
        (["extract", "photos", "-o", "o.h5", "--labels", "l.parquet"], "save l.parquet as CSV or,"),
        (["extract", "photos", "-o", "o.h5", "-m", "vit"], "did you mean hf:./vit?"),
        (["extract", "f.h5", "-o", "o.h5"], "f.h5 is a feature file, or another in HDF5, and not"),
        (["info", "mine.pth"], "mine.pth is a file of PyTorch's, which may hold the weights of"),
        (["extract", "photos", "-o", "o.h5", "--labels", "odd.csv"], "--label-column NAME say whi"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_was_meant_is_said(penult, photos, toy, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(photos.parent)
    library.extract(photos, "f.h5", model=toy)
    torch.save({"fc.weight": torch.zeros(2, 2)}, "mine.pth")
    (photos.parent / "vit").mkdir()
    (photos.parent / "vit" / "config.json").write_text("{}")
    (photos.parent / "odd.csv").write_text("a,b\n1,2\n")
    done = penult(*words)
    assert done.code in (1, 2)
    assert said in done.err


def test_after_a_file_of_several_layers_all_are_trained(penult, photos, toy, tmp_path):
    rows = tmp_path / "f.h5"
    library.extract(photos, rows, model=toy, layer=["mean", "penultimate"])
    assert "--layer all" in penult("verify", rows).err


def test_a_wider_grid_is_of_whole_numbers_where_it_can_be(make_features):
    settings = library.train(make_features({"a": 12, "b": 12}), grid={"C": [0.1, 1000]}).settings
    if settings.edges == {"C": "largest"}:
        assert ".0" not in "".join(edges.edge_lines(settings))
    assert edges._plain(10000.0) == 10000
    assert isinstance(edges._plain(10000.0), int)
    assert edges._plain(0.5) == 0.5
