"""The keys of the images that trained a network, as the files beside its weights have them."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from penult.backbones.graph_file import read_trained_on
from penult.backbones.training_images import _of_head
from penult.content_keys import TRAINED_ON, keys_to_bytes
from penult.errors import FileFormatError

pytestmark = pytest.mark.light

KEYS = np.random.default_rng(0).integers(0, 2**63, 500, np.uint64)


def packed(path, content, how=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr("more.txt", "more")
        archive.writestr(TRAINED_ON, content)
    return path


def test_keys_are_read_where_there_are_some(tmp_path):
    path = tmp_path / "classifier.skops"
    assert _of_head(path) is None
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("more.txt", "more")
    assert _of_head(path) is None
    sound = np.sort(KEYS)
    assert np.array_equal(_of_head(packed(path, keys_to_bytes(sound))), sound)


@pytest.mark.parametrize("damage", ["more than the file", "within", "no archive", "odd length"])
def test_damaged_keys_are_one_line(tmp_path, damage):
    path = packed(tmp_path / "classifier.skops", keys_to_bytes(np.sort(KEYS)), zipfile.ZIP_DEFLATED)
    if damage == "more than the file":
        packed(path, bytes(1 << 20), zipfile.ZIP_DEFLATED)
    if damage == "within":
        # Numbers drawn at random do not get smaller: what is read is damaged after its header.
        content = bytearray(path.read_bytes())
        start = content.index(TRAINED_ON.encode()) + len(TRAINED_ON)
        content[start : start + 8] = bytes([0xFF] * 8)
        path.write_bytes(content)
    if damage == "no archive":
        path.write_bytes(b"no")
    if damage == "odd length":
        packed(path, b"seven b")
    with pytest.raises(
        FileFormatError, match=r"classifier\.skops is damaged; copy its folder again"
    ):
        _of_head(path)


def test_a_truncated_graph_file_has_no_keys_that_can_be_read(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "a.penult"
    save_file({"trained_on": KEYS, "weights": KEYS}, path)
    assert np.array_equal(read_trained_on(path), KEYS)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileFormatError, match=r"a\.penult is a damaged checkpoint: "):
        read_trained_on(path)
