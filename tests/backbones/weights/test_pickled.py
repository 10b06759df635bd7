import io
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch

from penult.backbones.weights.pickled import read_pickled
from penult.errors import WeightsError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


@pytest.fixture
def saved(tmp_path):
    """Save a state dict as torch did before 1.6; gives the file."""

    def save(state, name="w.pth"):
        torch.save(state, tmp_path / name, _use_new_zipfile_serialization=False)
        return tmp_path / name

    return save


class _Storage:
    def __init__(self, elements):
        self.elements = elements


@pytest.fixture
def forged(tmp_path):
    """Write a file by hand: what stands for the state dict, and the storages after it."""

    def write(state, storages=(), count=None):
        file = io.BytesIO()
        for start in (MAGIC, PROTOCOL, {}):
            pickle.dump(start, file, 2)

        class Pickler(pickle.Pickler):
            def persistent_id(self, thing):
                if isinstance(thing, _Storage):
                    own = ("storage", torch.FloatStorage, "0", "cpu", thing.elements, None)
                    return getattr(thing, "pid", own)
                return None

        Pickler(file, 2).dump(state)
        pickle.dump(["0"] * len(storages), file, 2)
        for values in storages:
            file.write((len(values) if count is None else count).to_bytes(8, "little"))
            file.write(np.array(values, "<f4").tobytes())
        (tmp_path / "forged.pth").write_bytes(file.getvalue())
        return tmp_path / "forged.pth"

    return write


class _Tensor:
    """Pickled as torch pickles a tensor."""

    def __init__(self, *parts):
        self.parts = parts

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self.parts


def test_tensors_come_as_torch_reads_them(saved):
    whole = torch.arange(24.0).reshape(2, 3, 4)
    state = OrderedDict(
        whole=whole, turned=whole.permute(2, 0, 1), part=whole[1, 1:], count=torch.tensor(7)
    )
    found = read_pickled(saved(state))
    assert list(found) == list(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())
        assert found[name].flags.c_contiguous


@pytest.mark.parametrize(
    "pid",
    [
        ("module", torch.FloatStorage, "0", "cpu", 4, None),
        ("storage", "float", "0", "cpu", 4, None),
        ("storage", torch.FloatStorage, "0", "cpu", 4, ("0", 0, 4)),
        ("storage", torch.FloatStorage, 0, "cpu", 4, None),
        ("storage", torch.FloatStorage, "0", "cpu", -1, None),
    ],
    ids=["kind", "elements", "view", "key", "count"],
)
def test_a_storage_that_is_none_is_refused(pid, forged):
    class Storage(_Storage):
        """Told otherwise than by torch."""

    storage = Storage(4)
    storage.pid = pid
    tensor = _Tensor(storage, 0, (3,), (1,), False, OrderedDict())
    with pytest.raises(
        WeightsError, match=r"forged\.pth was refused: .*\(a storage that is none\)"
    ):
        read_pickled(forged({"a": tensor}, [[1, 2, 3, 4]]))


def test_a_forged_file_that_is_sound_is_read(forged):
    tensor = _Tensor(_Storage(4), 1, (3,), (1,), False, OrderedDict())
    assert read_pickled(forged({"a": tensor}, [[1, 2, 3, 4]]))["a"].tolist() == [2, 3, 4]


class _Calls:
    def __init__(self, function, *arguments):
        self.what = function, arguments

    def __reduce__(self):
        return self.what


@pytest.mark.parametrize(
    "call",
    [
        _Calls(os.system, "touch executed"),
        _Calls(OrderedDict, _Calls(os.system, "touch executed")),
        _Calls(getattr, "", "join"),
        _Calls(torch._utils._rebuild_tensor_v2, _Calls(os.system, "touch executed"), 0, (), ()),
        _Calls(torch.load, "w.pth"),
    ],
    ids=["reduce", "in an argument", "getattr", "as a storage", "another of torch's"],
)
def test_nothing_is_called_that_is_no_tensor(call, forged, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match=r"forged\.pth was refused: .*\(more than tensors"):
        read_pickled(forged({"a": call}))
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (5,), (1,)),
        (1, (4,), (1,)),
        (0, (2, 3), (3, 1)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (2**60,), (0,)),
        (0, (2**60,), (1,)),
        (0, (2, 2), (1,)),
        (0, ("2",), (1,)),
        (0, (2.0,), (1,)),
        ("0", (2,), (1,)),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(offset, shape, strides, forged):
    tensor = _Tensor(_Storage(4), offset, shape, strides)
    with pytest.raises(WeightsError, match=r"a tensor that (is none|does not fit)"):
        read_pickled(forged({"a": tensor}, [[1, 2, 3, 4]]))


@pytest.mark.parametrize(("elements", "count"), [(2**60, 2**60), (4, 2**60), (4, 3), (3, None)])
def test_a_storage_of_another_size_is_refused(elements, count, forged):
    tensor = _Tensor(_Storage(elements), 0, (2,), (1,))
    with pytest.raises(WeightsError, match="a storage of another size than it says"):
        read_pickled(forged({"a": tensor}, [[1, 2, 3, 4]], count))


def test_a_file_that_is_cut_off_anywhere_is_refused(saved):
    path = saved({"a": torch.arange(3.0)})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match=r"w\.pth was refused"):
            read_pickled(path)


@pytest.mark.parametrize("state", [3, [1], None])
def test_what_is_no_dict_is_refused(state, forged):
    with pytest.raises(WeightsError, match="no dict of tensors"):
        read_pickled(forged(state))


def test_other_types_and_formats_are_refused(saved, tmp_path):
    with pytest.raises(WeightsError, match=r"more than tensors \(torch\.HalfStorage\)"):
        read_pickled(saved({"a": torch.zeros(2, dtype=torch.float16)}))
    torch.save({"a": torch.zeros(2)}, tmp_path / "new.pth")
    (tmp_path / "text.pth").write_text("no weights")
    (tmp_path / "number.pth").write_bytes(pickle.dumps(5) * 2)
    for name in ("new.pth", "text.pth", "number.pth"):
        with pytest.raises(WeightsError, match=f"{name} was refused"):
            read_pickled(tmp_path / name)
    with pytest.raises(WeightsError, match="cannot be read: No such file"):
        read_pickled(tmp_path / "none.pth")


def test_a_pickle_changes_nothing_for_the_next_one(forged, saved, tmp_path):
    path = tmp_path / "built.pth"
    path.write_bytes(
        b"\x80\x02ctorch\nFloatStorage\n}X\x05\x00\x00\x00dtypeX\x03\x00\x00\x00abcsb."
    )
    with pytest.raises(WeightsError):
        read_pickled(path)
    assert read_pickled(saved({"a": torch.ones(2)}))["a"].tolist() == [1, 1]


def test_more_than_the_storages_is_refused(saved):
    path = saved({"a": torch.ones(2)})
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(WeightsError, match="more than its storages"):
        read_pickled(path)
