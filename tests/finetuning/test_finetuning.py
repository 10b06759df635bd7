"""Fine-tuning from photos to a folder: what it begins with, what it ends in, and what may go wrong."""

from __future__ import annotations

import json
import logging
import shutil
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from finetuned import draw_curves_once
from PIL import Image
from safetensors.numpy import load_file

import penult
from penult.backbones.registry import open_backbone
from penult.backbones.training_images import training_images
from penult.classify.linear.basis import LinearWeights
from penult.classify.training.multilabel import best_thresholds
from penult.engines.row_network import RowNetwork
from penult.engines.torch_device import lies_channels_last
from penult.errors import (
    EngineError,
    ImageError,
    OutputExistsError,
    ResumeError,
    TrainingError,
    UsageError,
)
from penult.extractor import ReadingOptions
from penult.finetuning import evaluation, loop, run
from penult.finetuning import photos as photos_module
from penult.finetuning.activations import Tail
from penult.finetuning.array_store import ArrayStore
from penult.finetuning.calibration import probabilities
from penult.finetuning.feeds import PixelFeed
from penult.finetuning.heads import linear_head
from penult.finetuning.losses import Loss
from penult.finetuning.network import HeadedNetwork
from penult.finetuning.options import FinetuneOptions
from penult.finetuning.pixels import PixelReader
from penult.finetuning.probe import solve_probe
from penult.finetuning.start import starting_network
from penult.images.listing_options import ListingOptions
from penult.images.pixels.augment import Augmentation
from penult.images.pixels.compiled_resize import resizer


@pytest.fixture
def finetune(normed, photos, tmp_path, monkeypatch):
    """Three epochs of the network with batch normalisations, in batches of six.

    Each epoch seems better than all before, so that it is the last one's weights that are written.
    """
    draw_curves_once(monkeypatch)
    losses = count(0.0, -1.0)
    monkeypatch.setattr(evaluation, "mean_loss", lambda *_, **__: next(losses))

    def run(name: str = "flowers.ckpt", images=photos, **options):
        options = {"model": normed, "epochs": 3, "train_batch_size": 6, "lr": 0.02, **options}
        # The photos of a class are alike but for noise.
        options.setdefault("near_duplicates", 1.0)
        return penult.finetune(images, tmp_path / name, progress=False, **options)

    return run


def weights(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "weights.safetensors")


def same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    assert all((folder / "classifier.skops").exists() for folder in (one, other))
    return all(np.array_equal(first[name], second[name]) for name in first)


class StopError(Exception):
    """In place of a kill."""


def stopping(stage: str, done: int):
    """A progress that ends the run there."""

    def tell(now):
        if stage in now.stage and now.done >= done:
            raise StopError

    return tell


# What it begins with.


def test_the_head_starts_with_the_probes_own_logits(normed, photos):
    features = penult.extract(photos, model=normed, engine="torch", progress=False)
    probe = solve_probe(features.features[:], features.labels, classes=3, strengths=(100.0,))
    records = list(ListingOptions().list(ListingOptions().sources(photos)).records)
    assert [one.id for one in records] == list(features.ids)
    backbone = open_backbone(normed)
    rows = RowNetwork(backbone, [backbone.recipe()])
    network = HeadedNetwork(rows, linear_head(probe.weights), (), fixed_statistics=True)
    reader = PixelReader(
        records=records, preprocessing=backbone.preprocessing, reading=ReadingOptions()
    )
    ((_, pixels),) = PixelFeed(reader).batches([np.arange(36)])
    with torch.no_grad():
        logits = network(pixels).numpy()
    assert logits == pytest.approx(probe.logits(features.features[:]), abs=1e-4)


def test_maps_lie_in_memory_as_is_quick_on_the_device_and_say_the_same(normed):
    assert lies_channels_last("cpu", "float32")
    assert lies_channels_last("cuda", "bfloat16")
    assert not lies_channels_last("cuda", "float32")
    backbone, weights = open_backbone(normed), LinearWeights(np.ones((12, 3)), np.zeros(3))
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8))
    logits = []
    for last in (True, False):
        network = starting_network(backbone, FinetuneOptions(), weights, channels_last=last)
        seen = Tail(network, network.frozen).activation(images)
        assert seen.is_contiguous(memory_format=torch.channels_last) == last
        logits.append(network(images).detach().numpy())
    assert logits[0] == pytest.approx(logits[1], abs=1e-5)


@pytest.mark.parametrize("last", [True, False])
def test_a_training_begins_as_its_device_and_precision_want_it(finetune, monkeypatch, last):
    seen = []

    def stop(*_, channels_last):
        seen.append(channels_last)
        raise StopError

    monkeypatch.setattr(run, "lies_channels_last", lambda *of: seen.append(of) or last)
    monkeypatch.setattr(run, "starting_network", stop)
    with pytest.raises(StopError):
        finetune(precision="bfloat16", device="cpu")
    assert seen == [("cpu", "bfloat16"), last]


def test_changed_photos_depend_on_no_threads(normed, photos):
    records = list(ListingOptions().list(ListingOptions().sources(photos)).records)
    preprocessing = open_backbone(normed).preprocessing

    def pixels(workers, view, seed=0):
        reader = PixelReader(
            records=records,
            preprocessing=preprocessing,
            reading=ReadingOptions(workers=workers),
            augmentation=Augmentation("light", seed),
        )
        return np.concatenate([b.pixels for b in reader.batches([np.arange(4)] * 3, view=view)])

    assert np.array_equal(pixels(1, 0), pixels(3, 0))
    assert not np.array_equal(pixels(1, 0), pixels(1, 1))
    assert not np.array_equal(pixels(1, 0), pixels(1, 0, seed=1))


@pytest.mark.needs("llvmlite")
def test_photos_are_the_same_where_the_resize_is_compiled(normed, tmp_path, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (2, 90, 120, 3), np.uint8)
    for number, pixels in enumerate(noise):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    records = list(ListingOptions().list(ListingOptions().sources(tmp_path)).records)
    compiled, used = resizer._Loading(), []
    monkeypatch.setattr(
        resizer, "_apply", lambda *given, apply=resizer._apply: used.append(1) or apply(*given)
    )

    def seen():
        reader = PixelReader(
            records=records,
            preprocessing=open_backbone(normed).preprocessing,
            reading=ReadingOptions(),
        )
        (batch,) = reader.batches([np.arange(2)])
        return batch.pixels

    theirs = seen()
    assert not used
    compiled.load()
    used.clear()  # of the comparison with Pillow alone
    monkeypatch.setattr(resizer, "_LOADING", compiled)
    assert np.array_equal(seen(), theirs)
    assert len(used) == 2


# What it ends in.


def test_a_folder_that_commands_take_for_a_model_and_a_classifier(finetune, photos, tmp_path):
    found = finetune()
    folder = tmp_path / "flowers.ckpt"
    assert {one.name for one in folder.iterdir()} == {
        *("weights.safetensors", "recipe.json", "classifier.skops", "scores.json"),
        *("model_card.md", "curves.png", "log.csv", "photos.json", "parts.csv"),
    }
    predictions = {one.id: one.label for one in penult.predict(folder, photos, progress=False)}
    assert [predictions[one] for one in found.held_out.ids] == list(found.held_out.predicted)
    features = penult.extract(photos, model=str(folder), progress=False)
    assert features.recipe == penult.load_classifier(folder).recipe
    written = json.loads((folder / "scores.json").read_text())
    assert written == json.loads(json.dumps(found.to_dict()))
    assert len(written["epochs"]) == 3
    assert written["test"]["accuracy"] == found.scores.accuracy
    assert {"low", "high", "separable"} <= set(written["difference"])
    assert written["seconds"]["finetune"] > written["seconds"]["probe"] > 0


def test_only_the_unfrozen_block_is_other_than_it_was(finetune, normed, tmp_path):
    found = finetune(unfreeze=1)
    assert found.unfrozen == ("conv_head",)
    before = open_backbone(normed).cut(["penultimate"]).network.state_dict()
    after = weights(tmp_path / "flowers.ckpt")
    changed = {name for name, one in before.items() if not np.array_equal(one.numpy(), after[name])}
    assert found.best_epoch == 3
    assert changed == {"conv_head.weight", "bn_head.weight", "bn_head.bias"}


def test_a_new_head_alone_leaves_the_network_as_it_was(finetune, normed, tmp_path):
    found = finetune(unfreeze="none", head="mlp:8", epochs=4)
    before = open_backbone(normed).cut(["penultimate"]).network.state_dict()
    after = weights(tmp_path / "flowers.ckpt")
    assert all(np.array_equal(one.numpy(), after[name]) for name, one in before.items())
    assert found.parameters == 12 * 8 + 8 + 8 * 3 + 3
    assert found.unfrozen == ()


def test_a_new_head_is_trained_before_the_blocks_are_and_its_epochs_are_kept(finetune, tmp_path):
    found = finetune(head="mlp:8", epochs=1)
    stages = [(one.stage, one.epoch) for one in found.epochs]
    assert stages == [("head", 0), ("head", 1), ("fine-tuning", 0), ("fine-tuning", 1)]
    kept = json.loads((tmp_path / "flowers.ckpt" / "scores.json").read_text())
    assert (kept["start"]["stage"], kept["start"]["epoch"]) == ("head", 0)
    assert [(one["stage"], one["epoch"]) for one in kept["epochs"]] == [stages[1], stages[3]]
    log = (tmp_path / "flowers.ckpt" / "log.csv").read_text().splitlines()
    assert [(*line.split(",")[:2], line.split(",")[-1]) for line in log] == [
        ("stage", "epoch", "kept"),
        ("head", "0", ""),
        ("head", "1", ""),
        ("fine-tuning", "1", "yes"),
    ]
    assert (kept["options"]["head_lr"], kept["options"]["lr"]) == (0.02, 0.02)


def test_the_test_photos_are_those_that_neither_trained_nor_validated(finetune, photos):
    found = finetune()
    assert found.train_images + found.validation_images + found.scores.images == 36
    assert found.difference.images == found.scores.images == len(found.held_out)
    seen = penult.load_classifier(found.output).trained_on
    assert len(seen) == found.train_images + found.validation_images


def test_the_probe_that_is_compared_with_has_seen_the_validation_photos_too(
    finetune, normed, photos, monkeypatch
):
    calls = []

    def solving(rows, labels, **options):
        calls.append((len(rows), options.get("strengths")))
        return solve_probe(rows, labels, **options)

    monkeypatch.setattr("penult.finetuning.probes.solve_probe", solving)
    found = finetune(epochs=1)
    start, compared = calls
    assert start == (found.train_images, None)
    assert compared[0] == found.train_images + found.validation_images
    assert len(compared[1]) == 1, "the penalty that was chosen before"


def test_without_changes_photos_are_decoded_once_and_what_frozen_blocks_give_alone_is_kept(
    finetune, monkeypatch, tmp_path
):
    decoded, kept = [], []
    decode, keep = PixelReader._read, ArrayStore.put
    monkeypatch.setattr(
        PixelReader, "_read", lambda self, *a: decoded.append(a) or decode(self, *a)
    )
    monkeypatch.setattr(ArrayStore, "put", lambda self, *a: kept.append(a[0]) or keep(self, *a))
    found = finetune("once.ckpt", augment="none")
    used = range(found.train_images + found.validation_images + found.scores.images)
    assert sorted(decoded) == [(k, None) for k in used], "for training, scores and likeness"
    assert sorted(kept) == list(used), "and no pixels"
    monkeypatch.setattr(Tail, "is_exact", lambda *_: False)
    finetune("again.ckpt", augment="none")
    assert len(decoded) > 4 * len(used)
    for name, one in weights(tmp_path / "once.ckpt").items():
        assert one == pytest.approx(weights(tmp_path / "again.ckpt")[name], abs=1e-5)
    once, again = (
        penult.load_classifier(tmp_path / f"{name}.ckpt").likeness for name in ("once", "again")
    )
    assert once.threshold == pytest.approx(again.threshold, abs=1e-5)
    assert np.abs(once.rows.astype(int) - again.rows).max() <= 1


def test_activations_that_do_not_fit_into_memory_lie_on_disk(finetune, monkeypatch, tmp_path):
    finetune("memory.ckpt", augment="none", epochs=1)
    monkeypatch.setattr("penult.finetuning.array_store.free_memory", lambda: 0)
    finetune("disk.ckpt", augment="none", epochs=1)
    assert same(tmp_path / "memory.ckpt", tmp_path / "disk.ckpt")


def test_weights_averaged_with_the_start_are_between_both(finetune, monkeypatch, tmp_path, normed):
    finetune("all.ckpt")
    monkeypatch.setattr(
        "penult.finetuning.wise_ft.best_share", lambda losses: (losses(0.25), 0.25)[1]
    )
    found = finetune("part.ckpt", wise_ft=True)
    assert found.wise_ft == 0.25
    start = open_backbone(normed).cut(["penultimate"]).network.state_dict()["conv_head.weight"]
    end = weights(tmp_path / "all.ckpt")["conv_head.weight"]
    mixed = weights(tmp_path / "part.ckpt")["conv_head.weight"]
    assert mixed == pytest.approx(0.75 * start.numpy() + 0.25 * end, abs=1e-6)


def test_balanced_classes_change_what_is_learned(finetune, photos, tmp_path):
    for one in sorted((photos / "daisy").iterdir())[:6]:
        one.unlink()
    finetune("as_they_are.ckpt", epochs=1)
    finetune("balanced.ckpt", epochs=1, class_weight="balanced")
    assert not same(tmp_path / "as_they_are.ckpt", tmp_path / "balanced.ckpt")


def test_training_that_only_makes_it_worse_keeps_the_start(finetune, normed, tmp_path, monkeypatch):
    losses = iter([0.1, 0.2, 0.3, 0.4, 0.5])
    monkeypatch.setattr(evaluation, "mean_loss", lambda *_, **__: next(losses))
    found = finetune(epochs=10, patience=2)
    assert (found.best_epoch, len(found.epochs)) == (0, 3)
    assert "no better on the validation images since epoch 0" in found.stopped
    before = open_backbone(normed).cut(["penultimate"]).network.state_dict()
    after = weights(tmp_path / "flowers.ckpt")
    assert np.array_equal(before["conv_head.weight"].numpy(), after["conv_head.weight"])
    assert not found.trained
    assert found.verdict.startswith("The network is as it was: no epoch was better")
    assert "epoch 0 of 2 kept: the network is as it was" in repr(found)
    card = (tmp_path / "flowers.ckpt" / "model_card.md").read_text()
    assert "learnt, which was not kept: " in card
    log = (tmp_path / "flowers.ckpt" / "log.csv").read_text().splitlines()
    assert [line.endswith(",yes") for line in log[1:]] == [True, False, False]
    # The photos trained the head, and not the network.
    assert len(penult.load_classifier(tmp_path / "flowers.ckpt").trained_on) > 0
    assert training_images(tmp_path / "flowers.ckpt" / "weights.safetensors") is None


def test_the_training_loss_that_is_noted_is_neither_smoothed_nor_weighted(finetune):
    """With a rate of next to nothing, it is that of the start, however it is learned."""
    options = {"augment": "none", "lr": 1e-9, "epochs": 1}
    plain = finetune("a.ckpt", label_smoothing=0.0, **options).epochs[1].train_loss
    for name, other in (
        ("b.ckpt", {"label_smoothing": 0.5}),
        ("c.ckpt", {"class_weight": "balanced", "label_smoothing": 0.0}),
    ):
        smoothed = finetune(name, **other, **options).epochs[1].train_loss
        assert smoothed == pytest.approx(plain, rel=1e-3)


def test_the_parts_are_a_table_by_which_a_classifier_has_the_same_test_photos(
    finetune, normed, photos, tmp_path
):
    found = finetune(epochs=1)
    table = tmp_path / "flowers.ckpt" / "parts.csv"
    rows = tmp_path / "rows.h5"
    penult.extract(photos, rows, model=normed, labels=table, progress=False)
    trained = penult.train(rows, progress=False)
    assert sorted(trained.held_out.ids) == sorted(found.held_out.ids)
    splits = [str(one) for one in penult.load(rows).splits]
    assert splits.count("train") == found.train_images
    assert splits.count("validation") == found.validation_images


def test_the_forward_pass_may_run_in_half_precision_and_back_in_the_same_process(
    finetune, tmp_path
):
    for name, precision in (("a", "float32"), ("b", "bfloat16"), ("c", "float32")):
        finetune(f"{name}.ckpt", epochs=1, precision=precision)
    assert same(tmp_path / "a.ckpt", tmp_path / "c.ckpt")
    assert not same(tmp_path / "a.ckpt", tmp_path / "b.ckpt")


def test_what_was_trained_in_half_precision_is_scored_as_it_predicts(finetune, photos, tmp_path):
    held = finetune(epochs=1, precision="bfloat16").held_out
    scored = [photos / one for one in held.ids]
    found = penult.predict(tmp_path / "flowers.ckpt", scored, engine="torch", progress=False)
    assert [one.probability for one in found] == pytest.approx(held.probability, abs=1e-6)


# Interrupted.


@pytest.fixture(scope="module")
def uninterrupted() -> dict:
    """By head, what a run that nothing interrupted gave, and its weights."""
    return {}


@pytest.mark.parametrize(
    ("stage", "done", "head"),
    [
        ("epoch 1", 12, "linear"),
        ("epoch 2", 0, "linear"),
        ("epoch 3", 6, "linear"),
        ("extract", 36, "linear"),
        ("head, epoch 2", 6, "mlp:8"),
        ("fine-tuning, epoch 2", 6, "mlp:8"),
    ],
)
def test_a_run_that_went_on_gives_what_an_uninterrupted_one_gives(
    finetune, uninterrupted, photos, normed, tmp_path, monkeypatch, stage, done, head
):
    monkeypatch.setattr(loop, "_SAVED_EVERY", 0.0)
    options = {"unfreeze": 2, "batch_norm": "train", "head": head}
    if head not in uninterrupted:
        whole = finetune("whole.ckpt", **options)
        uninterrupted[head] = whole, weights(tmp_path / "whole.ckpt")
    whole, theirs = uninterrupted[head]
    with pytest.raises(StopError):
        penult.finetune(
            photos,
            tmp_path / "broken.ckpt",
            model=normed,
            epochs=3,
            train_batch_size=6,
            lr=0.02,
            near_duplicates=1.0,
            progress=stopping(stage, done),
            **options,
        )
    assert (tmp_path / "broken.ckpt" / "state").is_dir()
    found = finetune("broken.ckpt", resume=True, **options)
    ours = weights(tmp_path / "broken.ckpt")
    assert all(np.array_equal(one, ours[name]) for name, one in theirs.items())
    assert found.held_out == whole.held_out
    assert [one.train_loss for one in found.epochs] == [one.train_loss for one in whole.epochs]
    assert not (tmp_path / "broken.ckpt" / "state").exists()


def test_what_an_interrupted_run_kept_is_neither_lost_nor_mixed_up(
    finetune, photos, normed, tmp_path
):
    def interrupted():
        with pytest.raises(StopError):
            penult.finetune(
                photos, tmp_path / "b.ckpt", model=normed, epochs=3, lr=0.02, train_batch_size=6,
                near_duplicates=1.0, progress=stopping("epoch 2", 0),
            )  # fmt: skip

    interrupted()
    with pytest.raises(ResumeError, match="resume=True"):
        finetune("b.ckpt")
    with pytest.raises(ResumeError, match=r"it had epochs=3; the learning rate falls over all"):
        finetune("b.ckpt", resume=True, epochs=4)
    (photos / "daisy" / "daisy_01.jpg").unlink()
    with pytest.raises(ResumeError, match="the photos, or their labels"):
        finetune("b.ckpt", resume=True)
    assert finetune("b.ckpt", restart=True, epochs=1).epochs[-1].epoch == 1


def test_too_many_blocks_are_refused_before_photos_are_read(finetune, tmp_path, monkeypatch):
    monkeypatch.setattr(photos_module.PhotoSource, "read", None)
    with pytest.raises(UsageError, match="has 4 blocks"):
        finetune(unfreeze=9)
    assert not (tmp_path / "flowers.ckpt").exists()


def test_a_run_that_did_not_begin_to_train_holds_nothing_back(finetune, photos, normed, tmp_path):
    folder = tmp_path / "flowers.ckpt"
    (photos / "daisy").rename(tmp_path / "daisy")
    (photos / "rose").rename(tmp_path / "rose")
    with pytest.raises(TrainingError, match="one class only"):
        finetune()
    rows = folder / "state" / "rows.h5"
    assert len(penult.load(rows)) == 12
    (tmp_path / "daisy").rename(photos / "daisy")
    made = []

    def watch(now):
        made.append((now.stage, now.total))
        if now.stage.startswith("fine-tuning"):
            raise StopError

    options = {"model": normed, "near_duplicates": 1.0, "progress": watch}
    with pytest.raises(StopError):
        penult.finetune(photos, folder, epochs=1, max_pixels=10**6, **options)
    assert ("extract", 24) in made
    with pytest.raises(ResumeError, match="resume=True"):  # now it has begun
        finetune()


def test_to_resume_where_there_is_nothing_is_to_begin(finetune):
    assert finetune(resume=True, epochs=1).epochs[-1].epoch == 1


def test_a_checkpoint_that_is_there_is_replaced_only_if_asked(finetune):
    finetune(epochs=1)
    with pytest.raises(OutputExistsError, match="overwrite=True"):
        finetune(epochs=1)
    finetune(epochs=1, overwrite=True)


def test_nothing_is_left_of_a_run_that_could_not_begin(finetune, photos, tmp_path):
    shutil.rmtree(photos / "daisy")
    shutil.rmtree(photos / "rose")
    with pytest.raises(TrainingError, match="one class only"):
        finetune()
    assert not list(tmp_path.glob("flowers.ckpt/*.safetensors"))


# What may go wrong.


def test_a_batch_that_does_not_fit_is_run_in_parts_for_the_same_step(
    finetune, monkeypatch, tmp_path, caplog
):
    finetune("whole.ckpt", epochs=1)
    forward = HeadedNetwork.forward

    def small(self, images):
        if self.training and len(images) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, images)

    monkeypatch.setattr(HeadedNetwork, "forward", small)
    with caplog.at_level(logging.WARNING, "penult"):
        finetune("parts.ckpt", epochs=1)
    assert "do not fit into memory; going on with 2 at a time" in caplog.text
    for name, one in weights(tmp_path / "parts.ckpt").items():
        assert one == pytest.approx(weights(tmp_path / "whole.ckpt")[name], abs=1e-5)


def test_where_not_even_one_photo_fits_it_is_one_line(finetune, monkeypatch):
    def never(self, images):
        if self.training:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, images)

    forward = HeadedNetwork.forward
    monkeypatch.setattr(HeadedNetwork, "forward", never)
    with pytest.raises(EngineError, match="not even one image at a time"):
        finetune()


def test_a_loss_that_is_no_number_ends_training_with_the_best_epoch(finetune, monkeypatch, caplog):
    total, calls = Loss.total, []

    def breaking(self, logits, truth):
        calls.append(1)
        return total(self, logits, truth) * (float("nan") if len(calls) > 12 else 1.0)

    monkeypatch.setattr(Loss, "total", breaking)
    found = finetune()
    assert "stopped at step 7 of 12: the loss is no finite number at a learning rate of" in (
        found.stopped
    )
    assert found.stopped in caplog.text
    assert len(found.epochs) == 2


def test_photos_that_cannot_be_read_are_left_out_and_counted(
    finetune, photos, normed, tmp_path, caplog
):
    (photos / "rose" / "rose_99.jpg").write_bytes(b"no image")
    victim = []

    def losing(now):
        if "epoch 1" in now.stage and not victim:
            victim.append(sorted((photos / "tulip").iterdir())[0])
            for one in sorted((photos / "tulip").iterdir())[:6]:
                one.unlink()

    found = penult.finetune(
        photos,
        tmp_path / "f.ckpt",
        model=normed,
        epochs=2,
        train_batch_size=6,
        near_duplicates=1.0,
        progress=losing,
    )
    failed = {one.id for one in found.failures}
    assert "rose/rose_99.jpg" in failed
    assert any(one.startswith("tulip/") for one in failed)
    assert "training goes on without it" in caplog.text
    with pytest.raises(ImageError):
        finetune("g.ckpt", on_error="fail")


def test_grey_photos_and_a_class_of_one(finetune, photos, caplog):
    for path in (photos / "rose").iterdir():
        Image.open(path).convert("L").save(path)
    (photos / "lily").mkdir()
    Image.new("RGB", (40, 40), (250, 250, 250)).save(photos / "lily" / "lily_01.jpg")
    found = finetune(epochs=1)
    assert found.label_names == ("daisy", "lily", "rose", "tulip")
    assert "lily" not in found.held_out.truth
    assert "1 class of too few photos to be divided into three parts (lily)" in caplog.text


def test_photos_of_several_labels(finetune, photos, tmp_path, monkeypatch):
    probes, likely = [], []

    def solving(*arguments, **options):
        probes.append(solve_probe(*arguments, **options))
        return probes[-1]

    def choosing(truth, found):
        likely.append(found)
        return best_thresholds(truth, found)

    monkeypatch.setattr("penult.finetuning.probes.solve_probe", solving)
    monkeypatch.setattr("penult.finetuning.probes.best_thresholds", choosing)
    table = tmp_path / "labels.csv"
    lines = ["path,label"]
    for number, path in enumerate(sorted(photos.rglob("*.jpg"))):
        label = path.parent.name + ("|red" if path.parent.name == "rose" or number % 5 == 0 else "")
        lines.append(f"{path.relative_to(photos).as_posix()},{label}")
    table.write_text("\n".join(lines))
    found = finetune(epochs=1, labels=table)
    assert "red" in found.label_names
    assert found.scores.mean_average_precision is not None
    assert found.calibration is None
    assert len(penult.load_classifier(tmp_path / "flowers.ckpt").thresholds) == 4
    # The probe's thresholds are chosen by what it says of photos that it has not seen.
    rows = penult.extract(photos, model=found.model, engine="torch", progress=False).features[:]
    each = probabilities(probes[0].logits(rows), several=True)
    assert {one.round(5) for one in likely[0][:, 0]} <= {one.round(5) for one in each[:, 0]}


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"unfreeze": 9}, UsageError, "has 4 blocks; give unfreeze='all'"),
        ({"head": "deep"}, UsageError, "mlp:K"),
        ({"name": "flowers.h5"}, UsageError, "flowers.ckpt"),
        ({"device": "cuda:7"}, EngineError, "cannot be used"),
    ],
)
def test_what_cannot_be_is_one_line(finetune, options, error, said):
    with pytest.raises(error, match=said) as raised:
        finetune(**options)
    assert "\n" not in str(raised.value)
