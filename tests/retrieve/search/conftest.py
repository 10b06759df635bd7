"""A gallery whose cosines and distances are worked out by hand."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from feature_files import recipe, record, write

# Of the row (1, 0), the cosines are 1, 0.8, 0.6, 0 and -1.
ROWS = {
    "chair/1.jpg": ((1, 0), "chair"),
    "chair/2.jpg": ((4, 3), "chair"),
    "sofa/1.jpg": ((3, 4), "sofa"),
    "sofa/2.jpg": ((0, 2), "sofa"),
    "lamp/1.jpg": ((-5, 0), "lamp"),
}


def digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@pytest.fixture
def file(tmp_path):
    """`file("g", {"a.jpg": ((1, 0), "chair")})` writes g.h5; the digest of an image is its id's."""

    def make(name, rows, *, digests=None, network="toy:net", **fields):
        records = [
            record(one, *labels, **{key: values.get(one) for key, values in fields.items()})
            for one, (_, *labels) in rows.items()
        ]
        return write(
            tmp_path / f"{name}.h5",
            records,
            [np.array([row for row, *_ in rows.values()], np.float32)],
            recipes=[recipe(network=network)],
            digests=[digest((digests or {}).get(one, one)) for one in rows],
        )

    return make


@pytest.fixture
def gallery(file):
    """The rows above."""
    return file("gallery", ROWS, split={"chair/1.jpg": "train", "sofa/1.jpg": "test"})
