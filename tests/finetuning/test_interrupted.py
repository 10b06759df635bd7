"""What a fine-tuning does with what others left, with full disks, and with photos that vanish."""

from __future__ import annotations

import json
import resource
import shutil
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace

import pytest
import torch
from finetuned import draw_curves_once, finetuned

import penult
from penult.errors import (
    EngineError,
    FileFormatError,
    ImageError,
    OutputError,
    OutputExistsError,
    ResumeError,
    UsageError,
)
from penult.features.resume.lock import RunLock
from penult.features.resume.store import parts_folder
from penult.finetuning import evaluation, run_folder
from penult.finetuning.activations import Tail
from penult.finetuning.checkpoint_folder import check_folder, write_checkpoint
from penult.finetuning.inference import infer
from penult.finetuning.network import HeadedNetwork
from penult.finetuning.run_folder import RunFolder
from penult.finetuning.state import TrainingState
from penult.finetuning.training_log import TrainingLog
from penult.records import FinetuneEpoch


@contextmanager
def full_disk(size: int):
    """No file may become larger; more is refused as a full disk refuses it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def finetune(normed, photos, tmp_path, monkeypatch):
    draw_curves_once(monkeypatch)

    def run(name: str = "flowers.ckpt", **options):
        options = {"model": normed, "epochs": 1, "train_batch_size": 9, "progress": False} | options
        return penult.finetune(photos, tmp_path / name, near_duplicates=1.0, **options)

    return run


# What others left.


def left(folder, *, kept=("run.json", "rows.h5", "training.pt")):
    """A state as an interrupted run leaves it, or some of its files."""
    state = folder / "state"
    state.mkdir(parents=True)
    for name in kept:
        (state / name).write_text('{"asked": {"lr": 1}}' if name == "run.json" else "kept")
    return folder


@pytest.mark.parametrize("kept", ["rows.h5", "training.pt"])
def test_what_is_kept_of_a_run_that_nobody_knows_is_not_gone_on_with(tmp_path, kept):
    folder = left(tmp_path / "f.ckpt", kept=[kept])
    for resume in (False, True, False):
        with pytest.raises(ResumeError, match=f"{kept} of another run.*restart=True"):
            RunFolder(folder, {"lr": 1}, resume=resume, restart=False)
        assert (folder / "state" / kept).read_text() == "kept"
    RunFolder(folder, {"lr": 1}, resume=False, restart=True).release(done=True)
    assert not folder.joinpath("state").exists()


def test_what_another_run_was_given_is_said_by_its_options(tmp_path):
    folder = left(tmp_path / "f.ckpt")
    asked = {"weights": "abcdef0123456789", "batch_norm": None, "lr": 1, "seed": 3}
    (folder / "state" / "run.json").write_text(json.dumps({"asked": asked}))
    now = {"weights": "9876543210fedcba", "batch_norm": "train", "lr": 1, "seed": 4}
    with pytest.raises(ResumeError) as raised:
        RunFolder(folder, now, resume=True, restart=False)
    assert (
        "was another one (its weights were those of SHA-256 abcdef012345…; it was without "
        "batch_norm; it had seed=3); give the same options"
    ) in str(raised.value)


def test_parts_of_rows_go_where_a_run_begins_anew(tmp_path):
    folder = left(tmp_path / "f.ckpt", kept=["run.json"])
    rows = folder / "state" / "rows.h5"
    parts = parts_folder(rows)
    parts.mkdir()
    (parts / "run.json").write_text("{}")
    run = RunFolder(folder, {"lr": 1}, resume=False, restart=True)
    assert not parts.exists()
    run.release(done=True)


def test_what_says_of_which_run_the_rest_is_goes_last(tmp_path, monkeypatch):
    folder = left(tmp_path / "f.ckpt")
    monkeypatch.setattr(run_folder, "sweep", lambda _folder, name: gone.append(name))
    gone: list[str] = []
    RunFolder(folder, {"lr": 1}, resume=False, restart=True).release(done=False)
    assert gone[:3] == ["training.pt", "rows.h5", "run.json"]


@pytest.mark.parametrize(
    ("name", "data"), [("run.json", b"{"), ("rows.h5", b"no"), ("training.pt", b"no")]
)
def test_a_damaged_state_says_how_to_begin_anew(finetune, tmp_path, name, data, monkeypatch):
    monkeypatch.setattr(run_folder.RunFolder, "_clear", lambda _self: None)
    finetune()
    (tmp_path / "flowers.ckpt" / "state" / name).write_bytes(data)
    with pytest.raises(FileFormatError, match=f"{name}.*damaged.*restart=True") as raised:
        finetune(resume=True, overwrite=True)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "kept",
    [
        [1],
        {"format": 1},
        {"format": 9, "photos": "", "stages": {}},
        {"format": 1, "photos": "photos", "stages": {"head": {"epochs": []}}},
    ],
)
def test_a_state_of_other_content_is_refused(tmp_path, kept):
    torch.save(kept, tmp_path / "training.pt")
    with pytest.raises(FileFormatError, match="restart=True"):
        TrainingState(tmp_path / "training.pt", "photos")


def test_a_folder_that_another_run_writes_is_refused_in_one_sentence(tmp_path):
    folder = tmp_path / "f.ckpt"
    first = RunFolder(folder, {}, resume=False, restart=False)
    with pytest.raises(OutputExistsError) as raised:
        RunFolder(folder, {}, resume=False, restart=True)
    assert str(raised.value).startswith(f"{folder} is being written by another run")
    first.release(done=True)
    assert not folder.exists()


def test_nothing_is_left_where_not_even_the_lock_can_be_written(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunLock, "_acquire", refuse)
    with pytest.raises(OutputError, match="the disk is full"):
        RunFolder(tmp_path / "f.ckpt", {}, resume=False, restart=False)
    assert not list(tmp_path.iterdir())


def test_files_of_others_make_no_folder_half_written(tmp_path):
    folder = tmp_path / "f.ckpt"
    (folder / "checkpoint.parts").mkdir(parents=True)
    (folder / "checkpoint.parts" / "mine").write_text("mine")
    (folder / "scores.json").write_text("mine")
    with pytest.raises(OutputExistsError, match="has a file scores"):
        check_folder(folder)


def test_a_folder_in_the_place_of_a_file_is_told_before_any_work(tmp_path):
    place = tmp_path / "f.ckpt" / "weights.safetensors"
    place.mkdir(parents=True)
    with pytest.raises(OutputExistsError, match=f"{place} is a folder, and a file .*; move it"):
        check_folder(tmp_path / "f.ckpt", overwrite=True)


def test_a_network_is_not_written_over_itself(finetune, tmp_path):
    finetune("a.ckpt")
    folder = tmp_path / "a.ckpt"
    given = (
        {"model": str(folder)},
        {"model": f"checkpoint:{folder}"},
        {"weights": folder / "weights.safetensors"},
    )
    for options in given:
        with pytest.raises(OutputExistsError, match="is what is read"):
            finetune("a.ckpt", overwrite=True, **options)


# Full disks.


def test_a_state_that_the_disk_has_no_room_for_is_one_line_and_keeps_the_one_before(tmp_path):
    path = tmp_path / "training.pt"
    state = TrainingState(path, "photos")
    state.keep("head", {"epochs": []})
    before = path.read_bytes()
    with full_disk(2000), pytest.raises(OutputError, match=r"training\.pt .* the disk is full"):
        state.keep("head", {"epochs": [], "network": torch.zeros(5000)})
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["training.pt"]


def test_a_state_that_cannot_be_written_for_another_reason_keeps_its_own_words(
    tmp_path, monkeypatch
):
    def refuse(*_):
        raise RuntimeError("no storage of that kind")

    monkeypatch.setattr(torch, "save", refuse)
    with pytest.raises(RuntimeError, match=r"^no storage of that kind$"):
        TrainingState(tmp_path / "training.pt", "photos").keep("head", {"epochs": []})
    assert not list(tmp_path.iterdir())


def test_rows_that_the_disk_has_no_room_for_name_no_option_that_there_is_not(finetune, monkeypatch):
    disk = SimpleNamespace(total=1 << 40, free=1000)
    monkeypatch.setattr("penult.features.disk_space.shutil.disk_usage", lambda _path: disk)
    with pytest.raises(OutputError, match=r"rows\.h5 cannot be written.*on another disk$"):
        finetune()


def test_weights_that_the_disk_has_no_room_for_are_one_line(tmp_path, tuned):
    backbone, network = tuned
    with full_disk(300), pytest.raises(OutputError, match="the disk is full"):
        write_checkpoint(tmp_path / "f.ckpt", network, finetuned(backbone))
    assert not list(tmp_path.iterdir())


def test_a_folder_for_tensorboard_that_cannot_be_written_is_refused_at_once(finetune, tmp_path):
    (tmp_path / "logs").write_text("mine")
    with pytest.raises(OutputExistsError, match="logs is a file; give tensorboard"):
        finetune(tensorboard=tmp_path / "logs")
    assert not (tmp_path / "flowers.ckpt").exists()


def test_a_folder_for_tensorboard_that_goes_while_a_run_is_at_work_is_one_line(tmp_path):
    log = TrainingLog(tmp_path / "logs" / "run")
    (tmp_path / "logs").write_text("mine")
    epoch = FinetuneEpoch(
        stage="head", epoch=0, train_loss=None, validation_loss=1.0, validation_accuracy=0.5,
        lr=None, seconds=1.0, images_per_second=None,
    )  # fmt: skip
    with log, pytest.raises(OutputError, match="logs") as raised:
        log("head", [epoch])
    assert "\n" not in str(raised.value)


# Memory.


def test_a_batch_that_does_not_fit_into_memory_is_run_in_parts_without_gradients():
    sizes = []

    def run(images):
        sizes.append(len(images))
        if len(images) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return 2.0 * images

    inputs = torch.arange(7.0)
    found = infer(run, inputs, torch.device("cpu"))
    assert found.tolist() == [0, 2, 4, 6, 8, 10, 12]
    assert sizes == [7, 4, 2, 2, 2, 1]

    def never(_images):
        raise RuntimeError("CUDA error: out of memory")

    with pytest.raises(EngineError, match="not even one image at a time"):
        infer(never, inputs, torch.device("cpu"))


@pytest.mark.parametrize("augment", ["light", "none"])
def test_photos_are_validated_and_scored_in_parts_where_memory_is_small(
    finetune, monkeypatch, augment
):
    forward, activation = HeadedNetwork.forward, Tail.activation
    calls = []

    def small(self, images):
        if len(images) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, images)

    def small_activation(self, images):
        calls.append(len(images))
        if len(images) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return activation(self, images)

    whole = finetune("whole.ckpt", train_batch_size=36, augment=augment)
    monkeypatch.setattr(HeadedNetwork, "forward", small)
    monkeypatch.setattr(Tail, "activation", small_activation)
    monkeypatch.setattr("penult.finetuning.activations._TRIED", 2)
    found = finetune("parts.ckpt", train_batch_size=36, augment=augment)
    assert bool(calls) == (augment == "none")
    assert found.held_out.predicted == whole.held_out.predicted
    first, second = (one.epochs[-1].validation_loss for one in (found, whole))
    assert first == pytest.approx(second, rel=1e-4)


# Numbers and photos.


def test_a_validation_loss_that_is_no_number_ends_training_and_is_not_written(
    finetune, monkeypatch, tmp_path, caplog
):
    losses = count()
    monkeypatch.setattr(
        evaluation, "mean_loss", lambda *_, **__: float("nan") if next(losses) == 2 else 0.5
    )
    found = finetune(epochs=3)
    assert (
        "stopped after epoch 2 of 3: the loss on the validation images is no finite" in caplog.text
    )
    assert (found.best_epoch, len(found.epochs)) == (0, 2)
    assert "NaN" not in (tmp_path / "flowers.ckpt" / "scores.json").read_text()


def test_a_photo_that_vanishes_once_its_row_is_made_is_left_out_and_counted(
    normed, photos, tmp_path, monkeypatch
):
    draw_curves_once(monkeypatch)
    gone = photos / "daisy" / "daisy_01.jpg"

    def losing(now):
        if now.done == 36:
            gone.unlink(missing_ok=True)

    options = {"model": normed, "epochs": 1, "near_duplicates": 1.0}
    found = penult.finetune(photos, tmp_path / "f.ckpt", progress=losing, **options)
    used = found.train_images + found.validation_images + found.scores.images
    assert [one.id for one in found.failures] == ["daisy/daisy_01.jpg"]
    assert used == 35


def test_photos_that_vanish_while_others_train_are_counted_once(
    normed, photos, tmp_path, monkeypatch
):
    draw_curves_once(monkeypatch)

    def losing(now):
        if now.stage.startswith("fine-tuning, epoch 1") and not now.done:
            for gone in (photos / "daisy").glob("*_0[1-6].jpg"):
                gone.unlink()

    options = {"model": normed, "epochs": 1, "near_duplicates": 1.0}
    found = penult.finetune(photos, tmp_path / "f.ckpt", progress=losing, **options)
    used = found.train_images + found.validation_images + found.scores.images
    assert found.failures
    assert used + len(found.failures) == 36


def test_where_no_photo_can_be_read_any_more_the_start_is_kept_and_it_is_said(
    normed, photos, tmp_path, monkeypatch, caplog
):
    draw_curves_once(monkeypatch)

    def losing(now):
        # What validates was read before the first epoch, and is kept.
        if now.stage.startswith("fine-tuning, epoch 1") and photos.exists():
            shutil.rmtree(photos)

    options = {"model": normed, "epochs": 2, "near_duplicates": 1.0, "progress": losing}
    kept = penult.finetune(photos, tmp_path / "kept.ckpt", test_size=0, **options)
    assert "no image of epoch 1 could be read" in caplog.text
    assert (kept.best_epoch, kept.train_images) == (0, 0)
    assert len(kept.failures) == 36 - kept.validation_images


def test_where_no_test_photo_can_be_read_any_more_there_is_no_score(normed, photos, tmp_path):
    def losing(now):
        if now.stage.startswith("fine-tuning, epoch 1") and photos.exists():
            shutil.rmtree(photos)

    options = {"model": normed, "epochs": 1, "near_duplicates": 1.0, "progress": losing}
    with pytest.raises(EngineError, match="none of the images can be read any more"):
        penult.finetune(photos, tmp_path / "f.ckpt", **options)


def test_a_photo_that_vanishes_ends_a_run_that_is_to_fail_at_the_first(normed, photos, tmp_path):
    gone = photos / "daisy" / "daisy_01.jpg"
    options = {"model": normed, "epochs": 1, "near_duplicates": 1.0, "on_error": "fail"}

    def before_training(now):
        if now.done == 36:
            gone.unlink(missing_ok=True)

    with pytest.raises(ImageError, match=r"daisy_01\.jpg: is gone \(deleted since"):
        penult.finetune(photos, tmp_path / "f.ckpt", progress=before_training, **options)

    def while_training(now):
        if now.stage.startswith("fine-tuning, epoch 1"):
            for photo in photos.glob("*/*_0*.jpg"):
                photo.unlink()

    gone.write_bytes((photos / "daisy" / "daisy_02.jpg").read_bytes())
    with pytest.raises(ImageError, match=r"^[a-z]+/[a-z]+_0\d\.jpg: is gone \(deleted"):
        penult.finetune(photos, tmp_path / "g.ckpt", progress=while_training, **options)


@pytest.mark.parametrize(
    "options", [{"unfreeze": "9" * 5000}, {"head": "mlp:" + "9" * 5000}, {"head": "mlp:٣"}]
)
def test_a_number_that_is_none_is_one_short_line(finetune, options):
    with pytest.raises(UsageError, match="was given; give") as raised:
        finetune(**options)
    assert len(str(raised.value)) < 250


def test_how_a_run_that_ctrl_c_ended_goes_on_is_said(tmp_path):
    from penult.cli.stop import Stopped, resumable

    folder = left(tmp_path / "f.ckpt") / "state"
    again = "the same command with --resume"
    said = pytest.raises(Stopped, match=f"kept in {folder}: {again} goes on")
    with said, resumable(folder, again=again):
        raise Stopped(2)
    shutil.rmtree(folder)
    with pytest.raises(Stopped, match=r"^stopped$"), resumable(folder, again=again):
        raise Stopped(2)
