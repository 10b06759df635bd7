import argparse
import hashlib

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from penult.backbones.weights.load import (
    class_count,
    fit_state,
    load_state,
    random_weights,
    seeded,
    user_weights,
)
from penult.errors import PathNotFoundError, WeightsError, WrongFileError


def network(classes=2):
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, classes))


@pytest.fixture
def state():
    torch.manual_seed(5)
    return network().state_dict()


def same(ours, theirs):
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: s,
        lambda s: {"state_dict": s, "epoch": 3, "args": argparse.Namespace(lr=0.1)},
        lambda s: {"model": s, "optimizer": {"state": {}}},
        lambda s: {"state_dict": {}, "state_dict_ema": s},
        lambda s: {f"module.{k}": v for k, v in s.items()},
        lambda s: {"state_dict": {f"_orig_mod.module.{k}": v for k, v in s.items()}},
        lambda s: {"state_dict": {f"model.{k}": v for k, v in s.items()}},
    ],
    ids=["plain", "state_dict", "model", "average", "module", "compiled", "lightning"],
)
def test_common_checkpoints_are_unwrapped(tmp_path, state, wrap):
    torch.save(wrap(state), tmp_path / "net.pth")
    ours = network()
    fit_state(ours, load_state(tmp_path / "net.pth"), tmp_path / "net.pth")
    assert same(ours.state_dict(), state)


@pytest.mark.parametrize("name", ["net.safetensors", "net.ckpt", "net"])
def test_safetensors_are_told_by_their_content(tmp_path, state, name):
    save_file(state, tmp_path / name)
    assert same(load_state(tmp_path / name), dict(state))


class Evil:
    def __reduce__(self):
        return (print, ("executed",))


@pytest.mark.parametrize("content", [Evil(), {"state_dict": Evil()}, network()])
def test_what_would_execute_code_is_refused(tmp_path, content, capsys):
    torch.save(content, tmp_path / "net.pth")
    with pytest.raises(WeightsError, match=r"net.pth was refused: it holds more than tensors \("):
        load_state(tmp_path / "net.pth")
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "cannot be read|neither"),
        (b"no weights at all", "neither a safetensors file nor a PyTorch checkpoint"),
        (b"PK\x03\x04 damaged", "cannot be read as a PyTorch checkpoint"),
        ((500).to_bytes(8, "little") + b'{"a": 1}', "no whole safetensors file"),
    ],
)
def test_a_damaged_file_is_one_line_with_its_name(tmp_path, content, complaint):
    (tmp_path / "net.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=complaint) as raised:
        load_state(tmp_path / "net.pth")
    assert "net.pth" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, torch.zeros(3)])
def test_a_file_without_named_tensors_says_what_to_save(tmp_path, content):
    torch.save(content, tmp_path / "net.pth")
    with pytest.raises(WeightsError, match=r"save network.state_dict\(\) into it"):
        load_state(tmp_path / "net.pth")


def test_a_missing_file_is_named(tmp_path):
    for read in (load_state, user_weights):
        with pytest.raises(PathNotFoundError, match=r"no such file: .*net.pth"):
            read(tmp_path / "net.pth")
    with pytest.raises(WrongFileError, match="is a folder"):
        user_weights(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"0.weight": None}, "it lacks 0.weight$"),
        ({"9.weight": torch.zeros(1)}, "it has left over 9.weight$"),
        ({"3.weight": torch.zeros(7, 4)}, "of another shape 3.weight$"),
        (
            dict.fromkeys(("0.weight", "0.bias", "3.weight", "3.bias")),
            "0.weight, 0.bias, 3.weight and 1 more",
        ),
        ({"0.weight": None, "x": torch.zeros(1)}, "it lacks 0.weight; it has left over x$"),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path, state, change, complaint):
    changed = {k: v for k, v in (dict(state) | change).items() if v is not None}
    with pytest.raises(WeightsError, match=r"net.pth does not fit Sequential: .*" + complaint):
        fit_state(network(), changed, tmp_path / "net.pth")


def test_a_networks_own_prefix_stays(tmp_path):
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = nn.Linear(2, 2)

    theirs, ours = Wrapped(), Wrapped()
    fit_state(ours, theirs.state_dict(), tmp_path)
    assert torch.equal(ours.model.weight, theirs.model.weight)


def test_networks_that_ask_for_a_version_accept_safetensors(tmp_path):
    from torchvision.models import mnasnet0_5

    theirs, ours = mnasnet0_5(), mnasnet0_5()
    save_file(theirs.state_dict(), tmp_path / "mnasnet.safetensors")
    fit_state(ours, load_state(tmp_path / "mnasnet.safetensors"), tmp_path)
    assert same(ours.state_dict(), theirs.state_dict())


def test_classes_are_counted_in_the_classifier(state):
    assert class_count(state, "3") == 2
    assert class_count({f"module.{k}": v for k, v in state.items()}, "3") == 2
    assert class_count(state, "4") is None
    # A layer elsewhere of the same last name is no classifier.
    assert class_count({"block.fc.weight": torch.zeros(7, 3)}, "fc") is None


def test_random_weights_are_the_same_each_time_and_named_by_their_tensors():
    first, second = seeded(network), seeded(network)
    assert random_weights(first) == random_weights(second)
    assert random_weights(first).name == "random"
    with torch.no_grad():
        second[3].bias[0] += 1
    assert random_weights(first) != random_weights(second)


def test_user_weights_are_named_by_path_and_digest(tmp_path):
    path = tmp_path / "net.pth"
    path.write_bytes(b"abc")
    weights = user_weights(path)
    assert weights.name == f"file:{path}"
    assert weights.sha256 == hashlib.sha256(b"abc").hexdigest()
