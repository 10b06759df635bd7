"""What a table says of itself: all that a feature file says once, through JSON and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from feature_files import recipe

from penult.databases.table_info import FORMAT, TableInfo
from penult.errors import FileFormatError
from penult.records import Failure

PLAIN = TableInfo(recipe=recipe(), name="penultimate", shape=(4,), dtype="float32")


def through_json(info, **changes):
    data = json.loads(info.to_json()) | changes
    return TableInfo.from_json(json.dumps(data), rows=info.rows)


def test_it_comes_back_from_json_with_what_does_not_count_in_a_recipe():
    info = replace(PLAIN, failures=(Failure("a", "b"),), origin={"sources": ["x"]}, rows=3)
    found = through_json(info)
    assert found == info
    assert found.rows == 3
    assert found.trained_on is None
    assert found.recipe.to_json() == info.recipe.to_json()  # the network's name, too


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"format": FORMAT + 1}, "format 2; this penult reads up to 1; .* --upgrade penult"),
        ({"recipe": "[]"}, "not a recipe"),
        ({"shape": "wide"}, "shape is 'wide'"),
        ({"extra": 1}, "unknown extra"),
        ({"trained_on": "AAAA"}, "an array of it is cut off"),
        ({"trained_on": "é"}, "is no base64"),
        ({"origin": {"sources": "x"}}, "sources is 'x'"),
    ],
)
def test_what_is_something_else_is_refused(changes, complaint):
    with pytest.raises(FileFormatError, match=complaint):
        through_json(PLAIN, **changes)


def test_what_is_no_json_is_refused():
    with pytest.raises(FileFormatError, match="nonsense"):
        TableInfo.from_json("nonsense", rows=0)


def test_more_rows_widen_it():
    first = replace(
        PLAIN,
        rows=2,
        dtype="float16",
        label_names=("a", "c"),
        origin={"sources": ["x"]},
        failures=(Failure("1", "old"), Failure("2", "old")),
        trained_on=np.array([5], np.uint64),
    )
    more = replace(
        PLAIN,
        name="other",
        label_names=("b",),
        several=True,
        groups=True,
        failures=(Failure("2", "new"),),
        trained_on=np.array([4, 5], np.uint64),
    )
    found = first.widened(more)
    assert (found.name, found.origin) == ("penultimate", {"sources": ["x"]})
    assert (found.dtype, found.label_names) == ("float32", ("a", "b", "c"))
    assert (found.several, found.splits, found.groups) == (True, False, True)
    assert [(one.id, one.reason) for one in found.failures] == [("1", "old"), ("2", "new")]
    assert found.trained_on.tolist() == [4, 5]
    assert replace(first, rows=0).widened(more).name == "other"
