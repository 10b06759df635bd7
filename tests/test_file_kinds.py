"""What is of another kind than was wanted is called what it is, with what to type for it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import penult
from penult.backbones.checkpoint_note import read_note
from penult.backbones.registry import open_backbone
from penult.backbones.weights.arrays import is_safetensors
from penult.classify.loading import load_classifier
from penult.errors import ClassifierFileError, UnknownNameError, WrongFileError
from penult.file_kinds import kind_of

pytestmark = pytest.mark.light


def safetensors(header_bytes: int) -> bytes:
    """A file without arrays, whose header is padded to a length."""
    return header_bytes.to_bytes(8, "little") + json.dumps({}).encode().ljust(header_bytes)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("flowers.skops", "w") as archive:
        archive.writestr("schema.json", "{}")
        archive.writestr("penult.json", "{}")
    for folder in ("flowers.ckpt", "comparison/results", "comparison/features"):
        Path(folder).mkdir(parents=True)
    written = {
        "rows.h5": b"\x89HDF\r\n\x1a\n",
        "rows.index": b"\x89PIX\r\n\x1a\n",
        "flowers.onnx": b"\x08\x08 nodes \x0a\x12penult.label_names",
        "other.onnx": b"\x08\x08 nodes",
        "lite.penult": safetensors(0x80),
        "two.penult": safetensors(0x280),
        "zip.penult": safetensors(0x4B50),
        "pickle.ckpt": b"\x80\x02}q\x00.",
        "odd.bin": b"\x80 neither",
        "flowers.ckpt/weights.safetensors": safetensors(2),
        "flowers.ckpt/recipe.json": b"{}",
        "comparison/splits.json": b"{}",
        "comparison/features/b.h5": b"",
        "comparison/features/a.h5": b"",
    }
    for name, data in written.items():
        Path(name).write_bytes(data)


CLASSIFY = r"classify photos with: penult\.predict\('flowers\.skops', PHOTOS\)"
PAGE = r"open comparison.index\.html in a browser"
BOTH = r"\(comparison.features.a\.h5, comparison.features.b\.h5\)"


@pytest.mark.parametrize("prefix", ["", "checkpoint:"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "flowers.skops",
            rf"flowers\.skops is a classifier, not a network; penult\.info\('flowers\.skops'\) names its network; {CLASSIFY}",
        ),
        ("rows.h5", r"is a feature file, or another in HDF5, not a network; penult\.info\('rows"),
        (
            "rows.index",
            r"is an index, not a network; penult\.info\('rows\.index'\) names its network; search in it with: penult\.search\('rows\.in",
        ),
    ],
)
def test_what_is_no_network_is_not_suggested_for_one(prefix, name, said):
    with pytest.raises(WrongFileError, match=said) as caught:
        open_backbone(prefix + name)
    assert "checkpoint:" not in str(caught.value)


def test_other_files_of_weights_are_still_suggested():
    Path("net.tar").write_bytes(b"1")
    with pytest.raises(UnknownNameError, match=r"did you mean checkpoint:net\.tar"):
        open_backbone("net.tar")


def test_a_name_that_no_file_can_have_is_unknown():
    with pytest.raises(UnknownNameError):
        open_backbone("a\0b")


def test_a_classifier_in_place_of_weights_is_called_one():
    with pytest.raises(WrongFileError, match=r"flowers\.skops is a classifier, not a network"):
        penult.layers("efficientnet_lite0", weights="flowers.skops")


def test_an_exported_classifier_is_no_network_and_keeps_the_name_that_was_typed():
    said = (
        r"^flowers\.onnx is a classifier that penult exported for other programs, not a network; "
        r"give the classifier that it was made of, as in: penult\.predict\('flowers\.skops', PHOT"
    )
    with pytest.raises(WrongFileError, match=said):
        open_backbone("flowers.onnx")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "flowers.ckpt",
            r"is a fine-tuned network, not a feature file; make features with: penult\.extract\("
            r"PHOTOS, model='flowers\.ckpt', output='features\.h5'\)",
        ),
        ("lite.penult", r"is a network, not a feature file; make features with: .*'lite\.penult'"),
        ("zip.penult", r"is a network, not a feature file; make features with: .*'zip\.penult'"),
        ("comparison", rf"; give one of its feature files {BOTH}, or {PAGE}"),
        ("flowers.onnx", r"is a classifier that penult exported for other programs, not a feature"),
        ("other.onnx", r"other\.onnx is not a feature file; make one with"),
    ],
)
def test_what_is_no_feature_file_says_how_it_leads_to_one(name, said):
    with pytest.raises(WrongFileError, match=said):
        penult.load(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lite.penult", r"lite\.penult is a network without a classifier; train one"),
        ("two.penult", r"two\.penult is a network without a classifier; train one"),
        ("zip.penult", r"zip\.penult is a network without a classifier; train one"),
        ("pickle.ckpt", r"pickle\.ckpt is a pickle, not a classifier file; a pickle can run code"),
        ("odd.bin", r"odd\.bin is not a classifier file"),
        ("rows.index", r"rows\.index is an index, not a classifier file"),
        ("comparison", rf"comparison is a comparison, not a classifier file; {PAGE}$"),
        ("flowers.onnx", r"is a classifier that penult exported for other programs, not a class"),
    ],
)
def test_only_a_pickle_is_called_one_in_place_of_a_classifier(name, said):
    with pytest.raises(ClassifierFileError, match=said):
        load_classifier(name)


def test_info_says_what_has_no_description():
    with pytest.raises(WrongFileError, match=rf"comparison; give one of .* {BOTH}, or {PAGE}"):
        penult.info("comparison")
    with pytest.raises(WrongFileError, match=r"flowers\.onnx is a classifier that penult exported"):
        penult.info("flowers.onnx")


def test_info_lists_what_it_takes_once():
    Path("photos").mkdir()
    with pytest.raises(WrongFileError) as caught:
        penult.info("photos")
    assert str(caught.value).count("a folder of rows") == 1


def test_text_with_a_brace_at_the_ninth_byte_is_no_network(tmp_path):
    (tmp_path / "list.csv").write_text("path,lab{el\n")
    assert kind_of(tmp_path / "list.csv") is None


def test_weights_beside_photos_make_no_network_of_a_folder(tmp_path):
    (tmp_path / "weights.safetensors").touch()
    assert kind_of(tmp_path) is None
    (tmp_path / "recipe.json").touch()
    assert kind_of(tmp_path) == "checkpoint"


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        pytest.param(safetensors(0x80), True, id="safetensors"),
        pytest.param(b"abcdefgh{", False, id="text whose ninth byte is a brace"),
        pytest.param((100_000_001).to_bytes(8, "little") + b"{", False, id="too long a header"),
        pytest.param(bytes(8) + b'{"__metadata__": {"penult": "{}"}}', False, id="no header"),
        pytest.param(b"\x80", False, id="a byte"),
    ],
)
def test_a_safetensors_file_is_known_by_its_length_as_well_wherever_one_is_read(head, is_one):
    (path := Path("some.bin")).write_bytes(head)
    assert (kind_of(path) == "network") is is_one
    assert is_safetensors(path) is is_one
    assert read_note(path, "penult") is None
