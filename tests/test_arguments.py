"""What a program gives, made into what is worked with."""

from __future__ import annotations

import pytest

from penult.arguments import in_bytes
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
