"""Fine-tuning in several processes, as launchers start them: it comes to what one process comes to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import launched
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import penult
from penult.backbones.weights.choice import WeightsChoice
from penult.engines.torch_device import Device
from penult.errors import EngineError, UsageError
from penult.extractor import ReadingOptions
from penult.finetuning import checkpoint_folder
from penult.finetuning.device import _require_devices, open_processes
from penult.finetuning.options import FinetuneOptions
from penult.finetuning.photos import PhotoSource
from penult.finetuning.processes import Processes, _portable
from penult.finetuning.run import FinetuneRun
from penult.images.listing_options import ListingOptions


class StopError(Exception):
    """In place of a kill."""


@pytest.fixture
def alone(normed, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_folder, "draw_curves", lambda path, *_: path.write_bytes(b""))

    def run(name, **options):
        return launched.run(photos, tmp_path / name, **options)

    return run


@pytest.fixture
def two(photos, tmp_path):
    """Have torchrun start two processes that do what launched.py says; give what was seen and printed."""

    def start():
        command = [sys.executable, launched.__file__, str(photos), str(tmp_path)]
        # With more, or with pyarrow's thread that gives memory back, forking would not be sound.
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "JE_ARROW_MALLOC_CONF": "background_thread:false",
        }
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        seen = [json.loads((tmp_path / f"{k}.json").read_text()) for k in (0, 1)]
        return seen, done.stdout, done.stderr

    return start


def weights(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "weights.safetensors")


def test_two_processes_come_to_what_one_comes_to(alone, two, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        launched.tear(patch)
        changed = alone("alone.ckpt", **launched.VARIANTS["changed"])

        def stop(now):
            if str(now.stage).startswith("fine-tuning, epoch 2"):
                raise StopError

        # It is begun by one process, and gone on with by two.
        with pytest.raises(StopError):
            alone("changed.ckpt", **launched.VARIANTS["changed"], progress=stop)
    kept = alone("kept_alone.ckpt", **launched.VARIANTS["kept"])

    (first, second), printed, errors = two()
    for name, other, found in (("changed", "alone", changed), ("kept", "kept_alone", kept)):
        expected = launched.told(found)
        assert first[name] == second[name]
        assert first[name]["failures"] == expected["failures"]
        assert first[name]["accuracy"] == expected["accuracy"]
        np.testing.assert_allclose(first[name]["epochs"], expected["epochs"], atol=1e-5)
        before = weights(tmp_path / f"{other}.ckpt")
        for key, array in weights(tmp_path / f"{name}.ckpt").items():
            np.testing.assert_allclose(array, before[key], atol=1e-5, err_msg=key)
    assert len(first["changed"]["failures"]) == 3

    # What goes wrong in the second process is told by the first, once; and by both alike.
    assert "stopped at step 1" in first["no number"]["stopped"]
    assert first["no number"] == second["no number"]
    assert first["failing"] == "ImageError: daisy/daisy_01.jpg is gone" == second["failing"]
    assert "batch_norm='fixed'" in first["batch"]
    assert first["batch"] == second["batch"]
    assert sum("2 images do not fit into memory" in line for line in first["logged"]) == 1
    assert (second["logged"], second["stages"]) == ([], [])
    assert "fine-tuning" in first["stages"]
    assert printed.count("typed.ckpt") == 1
    assert errors.count("36 of 36 images") == 1
    assert len(penult.load_classifier(tmp_path / "typed.ckpt").label_names) == 3


# What the launcher says, without a launcher.


@pytest.fixture
def started(monkeypatch):
    """Say that a launcher started two processes, and what accelerate makes of it."""

    def told(processes=2, kind="MULTI_CPU", error=None):
        def accelerator(**_options):
            if error is not None:
                raise error
            return SimpleNamespace(
                num_processes=processes, distributed_type=SimpleNamespace(value=kind)
            )

        monkeypatch.setattr("accelerate.Accelerator", accelerator)

    for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    return told


def test_what_accelerate_makes_of_the_processes_has_to_be_what_was_started(started, monkeypatch):
    started(error=ValueError("its state is another's\nand more"))
    with pytest.raises(
        EngineError, match=r"train on cpu here: its state is another's; start anoth"
    ):
        open_processes("cpu")
    started(processes=1)
    with pytest.raises(UsageError, match=r"2 processes were started .*device='cpu', or start one"):
        open_processes("cpu")
    started(kind="FSDP")
    with pytest.raises(UsageError, match=r"asked for FSDP, which divides a network among GPUs"):
        open_processes("cpu")


def test_several_processes_do_not_share_a_gpu(monkeypatch):
    one = Device(torch.device("cuda:1"), "cuda")
    with pytest.raises(
        UsageError, match=r"device='cuda:1' was given to 2 processes.*device='cuda'"
    ):
        _require_devices(one, "cuda:1", 2)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UsageError, match="2 processes were started, and torch finds 1 GPU here"):
        _require_devices(Device(torch.device("cuda"), "cuda"), "auto", 2)


@pytest.mark.parametrize(
    "name", ["WORLD_SIZE", "RANK", "LOCAL_WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT"]
)
def test_a_number_of_the_launcher_that_is_none_is_named(name, monkeypatch):
    monkeypatch.setenv(name, "abc")
    with pytest.raises(
        UsageError, match=rf"^{name} is 'abc' in the environment; .*: unset {name}$"
    ):
        open_processes("cpu")


def test_an_estimator_is_trained_in_one_process(normed, photos, tmp_path, monkeypatch):
    class Two(Processes):
        def __init__(self):
            self.count, self.number, self._group = 2, 0, None

        def gather(self, mine):
            return [mine, mine if same else "other"]

    same = True
    monkeypatch.setattr("penult.finetuning.run.open_processes", lambda _device: Two())
    source = PhotoSource(
        images=photos, model=normed, weights=WeightsChoice(), listing=ListingOptions(),
        reading=ReadingOptions(), device="cpu",
    )  # fmt: skip
    run = FinetuneRun(source=source, output=tmp_path / "f.ckpt", options=FinetuneOptions())
    with pytest.raises(
        UsageError, match=r"FineTuner trains in one process, and a launcher started"
    ):
        replace(run, keep=print).run(print)
    same = False
    with pytest.raises(UsageError, match="weights of normed:network are not the same everywhere"):
        run.run(print)
    assert not (tmp_path / "f.ckpt").exists()


def test_an_error_is_told_as_itself_where_it_can_be_and_as_its_words_otherwise():
    class HereError(Exception):
        """Of which another process knows nothing."""

    error = UsageError("give another")
    assert _portable(error) is error
    assert type(_portable(SystemExit(1))) is KeyboardInterrupt
    told = _portable(HereError("only here"))
    assert type(told) is RuntimeError
    assert str(told).endswith("HereError: only here\n")


def test_a_process_that_ends_without_a_word_is_told_of():
    processes = object.__new__(Processes)
    processes.count = 2
    with pytest.raises(EngineError, match="one of the 2 processes has ended"), processes._hearing():
        raise RuntimeError("Connection closed by peer")
    assert processes._group is None


def test_processes_that_do_not_find_each_other_are_refused_before_anything_is_written(
    alone, tmp_path, monkeypatch
):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(UsageError, match=r"2 processes were started.*torchrun.*or start one"):
        alone("flowers.ckpt")
    assert not (tmp_path / "flowers.ckpt").exists()
