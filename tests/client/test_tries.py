"""When either client asks once more, and how long it waits before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import httpx
import pytest

import penult

pytestmark = pytest.mark.light

READY = httpx.Response(200, json={"version": "1"})
ENTRY = httpx.Response(
    200, json={"entry": 1, "id": "a", "old": None, "new": "b", "who": None, "when": "now"}
)


def full(after=None, status=503):
    headers = {} if after is None else {"retry-after": str(after).encode("latin-1")}
    return httpx.Response(status, headers=headers, json={"detail": "the queue is full"})


def test_a_full_service_is_asked_again_when_it_says(opened, asked, waits):
    asked.answers = [full(2), full(7), READY]
    assert opened().reload() == "1"
    assert len(asked) == 3
    assert 2 <= waits[0] <= 2.5
    assert 7 <= waits[1] <= 8.75


def test_the_same_photo_is_sent_again(opened, asked, waits):
    asked.answers = [full(1), httpx.Response(422, json={"detail": "no"})]
    with pytest.raises(penult.ServiceError):
        opened().classify(b"photo")
    assert [request.content for request in asked] == [b"photo"] * 2


def test_a_date_to_come_back_at_is_understood(opened, asked, waits):
    asked.answers = [full(format_datetime(datetime.now(UTC) + timedelta(seconds=20))), READY]
    opened().reload()
    assert 15 < waits[0] <= 25


@pytest.mark.parametrize("after", [None, "", "soon", "-3", "²"])
def test_where_nothing_sensible_is_said_waits_grow_and_are_bounded(opened, asked, waits, after):
    asked.answers = [full(after)]
    with pytest.raises(penult.ServiceError, match="the queue is full") as caught:
        opened(retries=12).reload()
    assert caught.value.status == 503
    assert len(asked) == 13
    assert 0.125 <= waits[0] <= 0.25
    assert all(later > sooner for sooner, later in pairwise(waits[:8:2]))
    assert max(waits) <= 30


def test_a_service_that_asks_for_more_than_half_a_minute_is_not_waited_for(opened, asked, waits):
    asked.answers = [full(31)]
    with pytest.raises(penult.ServiceError, match="the queue is full"):
        opened().reload()
    assert waits == []


def test_without_retries_nothing_is_asked_again(opened, asked, waits):
    asked.answers = [full(1)]
    with pytest.raises(penult.ServiceError):
        opened(retries=0).reload()
    assert (len(asked), waits) == (1, [])


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 415, 422, 500, 507])
def test_what_would_fail_again_is_not_asked_again(opened, asked, waits, status):
    asked.answers = [full(1, status)]
    with pytest.raises(penult.ServiceError) as caught:
        opened().reload()
    assert (len(asked), caught.value.status) == (1, status)


@pytest.mark.parametrize(
    "error",
    [httpx.ReadError("reset"), httpx.RemoteProtocolError("closed"), httpx.WriteError("pipe")],
)
def test_after_a_broken_connection_only_what_does_no_harm_is_sent_again(
    opened, asked, waits, error
):
    asked.answers = [error, READY]
    assert opened().reload() == "1"
    del asked[:]
    with pytest.raises(penult.ServiceError, match="broke off") as caught:
        opened().set_label("a", "b")
    assert caught.value.status is None
    assert len(asked) == 1


@pytest.mark.parametrize("status", [502, 504])
def test_what_a_proxy_may_have_passed_on_is_sent_again_if_that_does_no_harm(
    opened, asked, waits, status
):
    asked.answers = [full(status=status), READY]
    assert opened().reload() == "1"
    del asked[:]
    with pytest.raises(penult.ServiceError):
        opened().undo()
    assert len(asked) == 1


@pytest.mark.parametrize("refused", [httpx.ConnectError("refused"), full(1)])
def test_what_was_never_begun_is_sent_again(opened, asked, waits, refused):
    asked.answers = [refused, ENTRY]
    assert opened().set_label("a", "b").new == "b"


def test_a_service_that_is_not_there_is_one_line_with_what_to_type(opened, asked, waits):
    asked.answers = [httpx.ConnectError("Connection refused")]
    said = (
        r"no service at http://service\.test \(Connection refused\); start one with penult\.serve"
    )
    with pytest.raises(penult.ServiceError, match=said):
        opened().gallery()
    assert len(asked) == 4


def test_what_takes_too_long_is_not_asked_again(opened, asked, waits):
    asked.answers = [httpx.ReadTimeout("")]
    with pytest.raises(penult.ServiceError, match="did not answer in time"):
        opened().gallery()
    assert len(asked) == 1


def test_a_date_that_names_no_zone_is_one_of_utc(opened, asked, waits):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=20)).replace("+0000", "-0000")
    asked.answers = [full(date), READY]
    opened().reload()
    assert 15 < waits[0] <= 25
