"""Numbers of images, times and machines as people give them."""

from __future__ import annotations

import pytest

from penult.capacity.request import Request, as_bytes, as_images, as_seconds
from penult.errors import UsageError

pytestmark = pytest.mark.light


@pytest.mark.parametrize("given", ["1e9", "1_000_000_000", "1,000,000,000", 10**9, 1e9])
def test_a_billion_is_given_in_many_ways(given):
    assert as_images(given) == 10**9


@pytest.mark.parametrize("given", ["0", "-5", "1e30", "many", "nan", "inf", "", 0, -1.0, 1e16])
def test_what_is_no_number_of_images_is_one_line(given):
    with pytest.raises(
        UsageError, match=r"images is .*; give a number from 1 to 1e15, such as 1e9"
    ):
        as_images(given)


def test_half_an_image_is_none():
    with pytest.raises(UsageError, match=r"images is '1.5'; give a whole number"):
        as_images("1.5")


def test_a_deadline_has_a_unit():
    given = ["90s", "90m", "1.5h", "24 h", "3d", None]
    assert [*map(as_seconds, given)] == [90, 5400, 5400, 86_400, 259_200, None]
    for wrong in ("24", "soon", "0h", "-1h", "24hours", "", "1e3h"):
        with pytest.raises(UsageError, match="give a time with its unit, such as 24h, 90m or 3d"):
            as_seconds(wrong)


def test_memory_has_a_unit():
    given = ["500MB", "64GB", "64 gb", "0.5TB", None]
    assert [*map(as_bytes, given)] == [500 * 10**6, 64 * 10**9, 64 * 10**9, 500 * 10**9, None]
    for wrong in ("64", "much", "0GB", "-1GB", "", "64GiB"):
        with pytest.raises(UsageError, match=r"give a size with its unit, such as 64GB or 0\.5TB"):
            as_bytes(wrong)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"machines": 0}, "machines=0 was given; give 1 to 100,000 machines"),
        ({"cores": 0}, "cores=0 was given; give 1 to 100,000, of each machine"),
        ({"gpus": -1}, "gpus=-1 was given; give 0 to"),
        ({"gpus": 8, "cores": 4}, "gpus=8 and cores=4 were given; each GPU needs a core"),
        ({"price_per_hour": 0.0}, "price_per_hour=0.0 was given; .* above 0"),
        ({"price_per_hour": float("inf")}, "price_per_hour=inf was given"),
    ],
)
def test_machines_that_cannot_be_are_refused(given, said):
    with pytest.raises(UsageError, match=said):
        Request(**{"images": 5, "cores": 4, **given})
