"""Small feature files of the same photos by several networks, written by hand."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from feature_files import recipe, record, write

from penult.recipe import AugmentedRecipe
from penult.records import AugmentedRecord


def digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@pytest.fixture
def file(tmp_path):
    """`file("a", {"x.jpg": [3, 4]})` writes a.h5, of network a; labels and so on by id."""

    def make(name, rows, *, labels=None, changed=(), views=None, policy="light", **options):
        fields = {key: options.pop(key, {}) for key in ("split", "group")}
        labels = labels or {}
        records, numbers = [], []
        for one, row in rows.items():
            own = labels.get(one, ())
            own = [own] if isinstance(own, str) else own
            given = {key: values.get(one) for key, values in fields.items()}
            records.append(record(one, *own, **given))
            numbers.append(row)
        for (one, view), row in (views or {}).items():
            photo = next(r for r in records if r.id == one)
            records.append(AugmentedRecord(photo, view))
            numbers.append(row)
        one = options.pop("recipe", recipe(network=f"toy:{name}"))
        if views is not None:
            options["augmented"] = [AugmentedRecipe(one, policy, 0)]
        digests = [digest(r.id + "!" * (r.id in changed)) for r in records]
        return write(
            tmp_path / f"{name}.h5",
            records,
            [np.array(numbers, np.float32)],
            recipes=[one],
            digests=digests,
            **options,
        )

    return make
