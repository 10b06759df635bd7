"""Old names go on working, and say what is typed now."""

from __future__ import annotations

import numpy as np
import pytest

import penult
from penult.deprecation import renamed_keyword
from penult.errors import UsageError

pytestmark = pytest.mark.light


@renamed_keyword("old", "new")
def twice(*, new: int = 1) -> int:
    return 2 * new


def test_a_keyword_by_its_old_name_is_the_new_one_with_a_warning_that_points_at_the_caller():
    assert twice() == 2
    with pytest.warns(FutureWarning, match="^old is now called new$") as caught:
        assert twice(old=3) == 6
    assert caught[0].filename == __file__
    with pytest.raises(UsageError, match="give new alone"):
        twice(old=1, new=1)


def test_pool_is_the_old_name_of_pooling(toy, photos):
    options = {"model": toy, "layer": "pixels"}
    expected = penult.extract(photos, pooling="max", **options)
    for function in (penult.extract, penult.plan):
        with pytest.warns(FutureWarning, match="pool is now called pooling"):
            found = function(photos, pool="max", **options)
    assert found.layers[0].pooling == "max"
    paths = [photos / name for name in expected.ids]
    with pytest.warns(FutureWarning, match="pool is now called pooling"):
        estimator = penult.FeatureExtractor(pool="max", **options).fit()
    assert estimator.recipe_ == expected.recipe
    np.testing.assert_allclose(estimator.transform(paths), expected.features[:], rtol=1e-5)
    with pytest.raises(UsageError, match="give pooling alone"):
        penult.FeatureExtractor(toy, pooling="max", pool="max").fit()
