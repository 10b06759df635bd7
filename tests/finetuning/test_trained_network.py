"""Photos that trained a fine-tuned network are known wherever its rows go."""

from __future__ import annotations

import itertools
import json
import shutil

import numpy as np
import pytest
from finetuned import draw_curves_once, finetuned

import penult
from penult.backbones.graph_file import read_graph_file, save_graph
from penult.backbones.training_images import training_images
from penult.classify.evaluation.seen import content_keys
from penult.cli.tables import int8_card
from penult.combine.resplit import write_with_splits
from penult.engines import measure
from penult.errors import FileFormatError
from penult.finetuning import evaluation
from penult.finetuning.checkpoint_folder import write_checkpoint

MANY = np.arange(36) % 12 < 9  # nine of the twelve photos of each class


def extract(photos, model, **options):
    return penult.extract(photos, model=str(model), engine="torch", progress=False, **options)


@pytest.fixture
def checkpoint(tmp_path, tuned, photos, tiny):
    """A checkpoint that says that these photos trained it."""
    backbone, network = tuned
    features = extract(photos, tiny)
    assert features.trained_network is None  # nobody knows
    keys = content_keys(features, np.flatnonzero(MANY))
    return write_checkpoint(
        tmp_path / "flowers.ckpt", network, finetuned(backbone, trained_on=keys)
    )


def test_rows_say_which_photos_trained_the_network(checkpoint, photos, tmp_path):
    made = extract(photos, checkpoint, output=tmp_path / "rows.h5")
    assert made.trained_network.tolist() == MANY.tolist()
    assert extract(photos, checkpoint).trained_network.tolist() == MANY.tolist()
    assert made.take([0, 11, 12]).trained_network.tolist() == [True, False, True]
    info = penult.info(tmp_path / "rows.h5")
    assert (info.trained_network, info.shape[0]) == (27, 36)
    # By their bytes, whatever their names.
    shutil.copy(photos / "daisy" / "daisy_01.jpg", photos / "daisy" / "new.jpg")
    again = extract(photos, checkpoint, output=tmp_path / "rows.h5", update=True)
    known = dict(zip(again.ids, again.trained_network.tolist(), strict=True))
    assert known["daisy/new.jpg"] is True
    assert sum(known.values()) == 28


def test_the_mark_goes_where_the_rows_go(checkpoint, photos, tmp_path, tiny):
    made = extract(photos, checkpoint, output=tmp_path / "rows.h5")
    plain = extract(photos, tiny)
    for other in (
        penult.reduce(made, pca=2),
        penult.join([plain, made]).features,
        extract(photos, checkpoint, views="flip"),
        extract(photos, [tiny, str(checkpoint)][1], layer=["maps", "penultimate"]),
    ):
        assert other.trained_network.tolist() == MANY.tolist()
    for name, features in (("file", tmp_path / "rows.h5"), ("memory", made)):
        write_with_splits(features, ["train"] * 36, tmp_path / f"{name}.h5")
        assert penult.load(tmp_path / f"{name}.h5").trained_network.tolist() == MANY.tolist()


@pytest.mark.parametrize("before", [0, 5])
def test_photos_of_a_training_that_was_not_kept_trained_the_head_alone(
    checkpoint, photos, tuned, tiny, tmp_path, before
):
    backbone, network = tuned
    keys = content_keys(extract(photos, tiny), np.arange(36))
    model = finetuned(backbone, trained_on=keys, network_trained_on=keys[:before])
    write_checkpoint(tmp_path / "as_it_was.ckpt", network, model)
    made = extract(photos, tmp_path / "as_it_was.ckpt")
    trained = made.trained_network
    assert trained is None if before == 0 else trained.sum() == before
    told = penult.evaluate(tmp_path / "as_it_was.ckpt", photos, progress=False)
    assert told.trained == 36


def test_in_a_file_of_several_networks_each_has_its_own(checkpoint, photos, tiny, tmp_path):
    both = penult.extract(
        photos, tmp_path / "both.h5", model=[tiny, str(checkpoint)], join=False, progress=False
    )
    found = [penult.load(tmp_path / "both.h5", name).trained_network for name in both.layers]
    assert [one is None for one in found] == [True, False]


def test_a_network_made_of_it_knows_them_too(checkpoint, photos, tmp_path):
    penult.convert(str(checkpoint), tmp_path / "one.penult", progress=False)
    assert len(training_images(tmp_path / "one.penult")) == 27
    made = penult.extract(photos, model=str(tmp_path / "one.penult"), progress=False)
    assert made.trained_network.tolist() == MANY.tolist()
    # What trained it is no part of what the network is.
    graph = read_graph_file(tmp_path / "one.penult")
    save_graph(tmp_path / "other.penult", graph.graph, graph.card)
    assert read_graph_file(tmp_path / "other.penult").sha256 == graph.sha256
    assert training_images(tmp_path / "other.penult") is None


def test_the_card_of_a_quantised_one_counts_them(checkpoint, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(measure, "SECONDS", 0.01)
    card = penult.quantize(
        str(checkpoint), photos, tmp_path / "q.penult", images=20, min_cosine=0, progress=False
    )
    assert (card.trained_network, card.calibrated + card.held_back) == (27, 36)
    assert len(training_images(tmp_path / "q.penult")) == 27
    int8_card(penult.info(tmp_path / "q.penult").card)
    assert "27 of 36 images trained the network itself" in capsys.readouterr().out


def test_a_damaged_head_is_named(checkpoint, photos):
    (checkpoint / "classifier.skops").write_bytes(b"PK")
    with pytest.raises(FileFormatError, match=r"classifier\.skops is damaged"):
        extract(photos, checkpoint)


def test_a_probe_is_scored_on_photos_that_did_not_train_the_network(checkpoint, photos, tmp_path):
    rows = extract(photos, checkpoint, output=tmp_path / "rows.h5")
    trained = penult.train(rows, progress=False)
    new = {str(name) for name in np.asarray(rows.ids)[~MANY]}
    assert {*trained.held_out.ids} == new
    assert trained.settings.trained_network == 0
    assert trained.settings.network_line is None
    assert "images that did not train the network" in trained.scores.split


def test_where_the_files_splits_hold_out_such_photos_it_is_said(checkpoint, photos, tmp_path):
    extract(photos, checkpoint, output=tmp_path / "rows.h5")
    # The last four of each class: of these, one trained the network.
    splits = ["test" if k % 12 >= 8 else "train" for k in range(36)]
    write_with_splits(tmp_path / "rows.h5", splits, tmp_path / "divided.h5")
    trained = penult.train(tmp_path / "divided.h5", tmp_path / "c.skops", progress=False)
    assert trained.settings.trained_network == 3
    assert trained.scores.interval is None
    assert trained.settings.network_line == (
        "3 of 12 held-out images trained the network itself, so this is no estimate for new ones; "
        f"accuracy on the other 9: {100 * trained.settings.untrained_accuracy:.3g}%"
    )
    # A classifier on top is new to none of the photos either.
    found = penult.evaluate(tmp_path / "c.skops", tmp_path / "rows.h5", progress=False)
    assert (found.trained, found.apart.images) == (27, 9)
    scores = penult.evaluate_search(tmp_path / "rows.h5", k=1, progress=False)
    assert (scores.trained_network, scores.untrained.queries) == (27, 9)
    assert "27 of 36 queries trained the network itself" in str(scores)
    assert json.loads(json.dumps(scores.to_dict()))["untrained"]["queries"] == 9


def test_fine_tuned_again_it_is_tested_on_what_is_new_and_passes_on_what_is_not(
    normed, photos, tmp_path, monkeypatch
):
    draw_curves_once(monkeypatch)
    losses = itertools.count(1000, -1)  # each epoch is better than the one before
    monkeypatch.setattr(evaluation, "mean_loss", lambda *_, **__: next(losses))

    def finetune(name, model, **options):
        return penult.finetune(
            photos,
            tmp_path / name,
            model=str(model),
            epochs=1,
            near_duplicates=1.0,
            progress=False,
            **options,
        )

    first = finetune("first.ckpt", normed)
    assert first.trained
    # What trained the first and is gone meanwhile is passed on all the same.
    for name in ("daisy", "rose", "tulip"):
        next(
            one
            for one in sorted((photos / name).iterdir())
            if f"{name}/{one.name}" not in first.held_out.ids
        ).unlink()
    again = finetune("again.ckpt", tmp_path / "first.ckpt", seed=5)
    assert again.trained
    assert {*again.held_out.ids} == {*first.held_out.ids}
    assert (again.trained_network, again.network_line) == (0, None)
    before, after = (
        {*training_images(tmp_path / name / "weights.safetensors").tolist()}
        for name in ("first.ckpt", "again.ckpt")
    )
    assert before <= after
    assert len(after) == 36 - len(again.held_out.ids)
    # Of photos that all trained it, some are tested on all the same, and that is said.
    for name in first.held_out.ids:
        (photos / name).unlink()
    third = finetune("third.ckpt", tmp_path / "first.ckpt")
    assert third.trained_network == third.scores.images
    assert third.network_line.startswith(f"all of {third.scores.images} test photos trained")
    card = (tmp_path / "third.ckpt" / "model_card.md").read_text()
    assert f"All of {third.scores.images} test images trained the network itself" in card
