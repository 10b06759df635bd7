"""`penult.Client` on what is worked out of a gallery beside the requests: clusters, map, review."""

from __future__ import annotations

import pytest
from serving_client import ask

import penult

pytestmark = pytest.mark.light


def test_rows_are_listed_by_label_and_text(service):
    async def listed(client):
        return (
            await client.rows(label="rose", limit=2),
            await client.rows(query="PNG", offset=8),
            await client.rows(label=""),
        )

    roses, last, unlabelled = ask(service, listed)
    assert (roses.total, [one.id for one in roses.rows]) == (3, ["rose/0.png", "rose/1.png"])
    assert roses.rows[0].label == "rose"
    assert (last.total, len(last.rows)) == (9, 1)
    assert unlabelled.total == 0


def test_a_map_that_is_being_computed_is_waited_for(service):
    found = ask(service, lambda client: client.map(), retries=20)
    assert len(found.ids) == len(found.x) == len(found.y) == found.images == 9
    assert set(found.labels) == {"daisy", "rose", "tulip"}


def test_what_to_review_is_listed(service):
    found = ask(service, lambda client: client.review("unsure"), retries=20)
    assert found.images == 9
    assert found.total == len(found.items)
    with pytest.raises(penult.UnknownNameError, match="allowed: errors, unsure"):
        ask(service, lambda client: client.review("wrong"))
