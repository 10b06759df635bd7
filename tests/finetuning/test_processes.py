"""Fine-tuning in several processes, as launchers start them: it comes to what one process comes to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import launched
import numpy as np
import pytest
from safetensors.numpy import load_file

import penult
from penult.errors import UsageError
from penult.finetuning import checkpoint_folder


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


def test_processes_that_do_not_find_each_other_are_refused_before_anything_is_written(
    alone, tmp_path, monkeypatch
):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(UsageError, match=r"2 processes were started.*torchrun.*or start one"):
        alone("flowers.ckpt")
    assert not (tmp_path / "flowers.ckpt").exists()
