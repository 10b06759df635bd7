"""What a program gives, made into what is worked with."""

from __future__ import annotations

import re

import pytest

from penult.arguments import in_bytes, require_texts
from penult.errors import UsageError


@pytest.mark.parametrize(
    ("size", "number"),
    [("4GB", 4_000_000_000), ("1.5 mb", 1_500_000), ("2000000", 2_000_000), (7, 7), (None, None)],
)
def test_a_kilobyte_has_a_thousand_bytes(size, number):
    assert in_bytes(size) == number


def test_what_is_no_size_is_told_with_an_example():
    with pytest.raises(UsageError, match=r"max_memory='lots' is no size; for example .*'4GB'"):
        in_bytes("lots")


@pytest.mark.parametrize("folder", ["images", "copy_to", "folder"])
def test_an_empty_path_is_not_taken_for_the_current_folder(folder):
    told = f"an empty path was given as {folder}; give a folder, or . for this one"
    for given in ("", ["photos", ""]):
        with pytest.raises(UsageError, match=re.escape(told)):
            require_texts(folder, given, path=True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\0b", "no name has a NUL character in it"),
        ("a\ud800b", "no name has half a surrogate pair in it"),
        ("folder/" + "é" * 128, "no name is longer than 255 bytes"),
        ("a/" * 2048, "no path is longer than 4,095 bytes"),
    ],
)
def test_what_no_file_can_be_called_is_one_line(text, told):
    with pytest.raises(UsageError, match=told) as raised:
        require_texts("output", text, path=True)
    assert len(str(raised.value)) < 200
    assert "\0" not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    ["é" * 127, "undecodable \udcff", "https://example.org/" + "a" * 300, "{" + "a," * 200 + "b}"],
)
def test_what_a_file_can_be_called_is_left_alone(text):
    require_texts("images", text, path=True)
