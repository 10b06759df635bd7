"""What is asked of a backbone's weights."""

from pathlib import Path

import pytest

from penult.backbones.weights.choice import WeightsChoice
from penult.errors import UsageError


def test_of_several_networks_each_that_moved_has_a_file(tmp_path):
    files = [tmp_path / "a.pth", str(tmp_path / "b.pth")]
    assert WeightsChoice.moved(files).files == (tmp_path / "a.pth", tmp_path / "b.pth")
    assert WeightsChoice.moved(files[:1]).files == (tmp_path / "a.pth",)
    assert WeightsChoice.moved([]) == WeightsChoice.moved(None) == WeightsChoice()
    with pytest.raises(UsageError, match="weights was given 2 times, and not always a file"):
        WeightsChoice.moved([files[0], "random"])


def test_what_names_no_weights_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="weights is 3; give a path, 'random', or None"):
        WeightsChoice.of(3)
    with pytest.raises(UsageError, match=r"no weights file randm; did you mean weights='random'\?"):
        WeightsChoice.of("randm")
    (tmp_path / "randm").touch()
    assert WeightsChoice.of("randm").files == (Path("randm"),)


@pytest.mark.parametrize("habit", ["imagenet", "pretrained", "DEFAULT", "None", "IMAGENET1K_V1"])
def test_the_pretrained_weights_by_another_name_are_told_to_be_left_out(habit, tmp_path):
    with pytest.raises(UsageError, match=rf"weights is '{habit}', .*; leave weights out$"):
        WeightsChoice.of(habit)
    (tmp_path / habit).touch()
    assert WeightsChoice.of(tmp_path / habit).weights == tmp_path / habit
