"""Limits of a service that contradict each other, or are none."""

from __future__ import annotations

import pytest

from penult.errors import UsageError
from penult.serving.options import ServiceOptions

pytestmark = pytest.mark.light


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_k": 0}, "max_k of 0 was given; it must be 1 or more"),
        (
            {"max_parts": 20, "queue": 10},
            "requests of 20 photos do not fit into a queue of 10; give queue=20 or more",
        ),
        ({"timeout": -1}, "timeout of -1 was given; allowed: seconds from 0 to 3600"),
        ({"batch_wait": 3601}, "batch_wait of 3601 was given; allowed: seconds from 0 to 3600"),
        ({"timeout": float("nan")}, "timeout of nan was given; allowed: seconds from 0 to 3600"),
    ],
)
def test_a_limit_that_there_cannot_be_is_one_line(options, message):
    with pytest.raises(UsageError) as error:
        ServiceOptions(**options)
    assert str(error.value) == message
