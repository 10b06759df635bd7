"""Small feature files whose cosines are worked out by hand: rows are angles in a plane."""

from __future__ import annotations

import numpy as np
import pytest
from feature_files import record, write

import penult


@pytest.fixture
def angles(tmp_path):
    """`angles({"a.jpg": 0, "b.jpg": 10})`: the cosine of two rows is that of the angle between them.

    An angle of None is a row of zeros. Each row has another length, which does not count.
    """

    def make(
        degrees, *, labels=None, splits=None, groups=None, digests=None, name="rows", **options
    ):
        labels, splits, groups = labels or {}, splits or {}, groups or {}
        records = [
            record(one, *labels.get(one, "").split("|") if labels.get(one) else (), split=splits.get(one), group=groups.get(one))
            for one in degrees
        ]  # fmt: skip
        rows = np.array(
            [
                [0, 0]
                if angle is None
                else [(1 + k) * np.cos(np.radians(angle)), (1 + k) * np.sin(np.radians(angle))]
                for k, angle in enumerate(degrees.values())
            ],
            np.float32,
        )
        known = digests or {}
        content = [known.get(one, f"{k:032x}") for k, one in enumerate(degrees)]
        path = tmp_path / f"{name}.h5"
        write(path, records, [rows], digests=content, blocks=len(records), **options)
        return penult.load(path)

    return make
