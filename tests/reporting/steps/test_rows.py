"""The rows of a report are those of the report before it, where these are of use."""

from __future__ import annotations

import errno
import os

import pytest

from penult.errors import RecipeMismatchError
from penult.reporting.steps.rows import extract_rows

pytestmark = pytest.mark.light


class Extraction:
    """Notes how it is asked, and what lay at its output by then."""

    def __init__(self, *, refuses=False):
        self.refuses, self.asked = refuses, []

    def to_file(self, images, path, *, progress, **options):
        self.asked.append((path.read_text() if path.exists() else None, options))
        if self.refuses and "update" in options:
            raise RecipeMismatchError("another network")


@pytest.fixture
def made(tmp_path):
    """`made(extraction)` makes the rows beside those of an earlier report."""
    (tmp_path / "earlier.h5").write_text("earlier")

    def make(extraction):
        earlier, path = tmp_path / "earlier.h5", tmp_path / "new.h5"
        extract_rows(extraction, ["photos"], path, earlier=earlier, tell=lambda _now: None)
        return extraction.asked

    return make


def test_rows_of_before_are_brought_up_to_date_on_any_file_system(made, tmp_path, monkeypatch):
    assert made(Extraction()) == [("earlier", {"update": True})]
    (tmp_path / "new.h5").unlink()

    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert made(Extraction()) == [("earlier", {"update": True})]


def test_rows_of_another_network_are_made_anew(made):
    assert made(Extraction(refuses=True)) == [
        ("earlier", {"update": True}),
        ("earlier", {"overwrite": True, "restart": True}),
    ]
