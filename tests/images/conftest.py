"""What tests of listings share."""

from __future__ import annotations

import pytest


@pytest.fixture
def tree(tmp_path):
    """Make empty files at the given paths below tmp_path; the listing does not look into them."""

    def make(*paths):
        for path in paths:
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return tmp_path

    return make
