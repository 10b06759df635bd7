"""What is asked of a backbone's weights."""

import pytest

from penult.backbones.weights.choice import WeightsChoice
from penult.errors import UsageError


@pytest.mark.parametrize("habit", ["imagenet", "pretrained", "DEFAULT", "None", "IMAGENET1K_V1"])
def test_the_pretrained_weights_by_another_name_are_told_to_be_left_out(habit, tmp_path):
    with pytest.raises(UsageError, match=rf"weights is '{habit}', .*; leave weights out$"):
        WeightsChoice.of(habit)
    (tmp_path / habit).touch()
    assert WeightsChoice.of(tmp_path / habit).weights == tmp_path / habit
