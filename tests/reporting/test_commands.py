"""What is typed to make a report's files again, where something is known otherwise than usual."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from feature_files import recipe

from penult.classify.options import TrainOptions
from penult.classify.training.train import train
from penult.errors import FileFormatError, UsageError
from penult.finetuning.training_photos import TrainingPhotos
from penult.reporting import build, given_checkpoint, refusals
from penult.reporting.commands import finetune_command, recorded_name, train_command
from penult.reporting.report_call import with_labels

pytestmark = pytest.mark.light


def test_a_file_of_before_options_were_kept_tells_its_kinds_and_what_it_was_scored_on(
    make_features,
):
    settings = train(make_features({"a": 9, "b": 9}), classifier="centroid").settings
    old = replace(settings, options=None, features="a.h5", test_features="b.h5")
    assert train_command(old, "penultimate") == (
        "penult train a.h5 -o classifier.skops --seed 0 --test-features b.h5 --classifier centroid"
    )


def test_labels_by_a_pattern_are_no_labels_besides(tmp_path):
    photos = TrainingPhotos(
        sources=("photos",),
        listing={"labels": "parent", "label_pattern": "(.*)_", "splits": "auto"},
    )
    assert finetune_command(tmp_path / "a.ckpt", photos) == (
        f"penult finetune photos -o {tmp_path}/a.ckpt --label-pattern '(.*)_'"
    )


def test_weights_that_have_moved_are_named_as_they_were():
    own = replace(recipe(), backbone="checkpoint:/gone.pt", weights="file:/gone.pt")
    assert recorded_name(own, "all.h5") == ("checkpoint:/gone.pt", None)
    other = replace(recipe(), backbone="timm:resnet18", weights="file:/gone.pt")
    model, weights = recorded_name(other, "all.h5")
    assert (model, str(weights)) == ("timm:resnet18", "/gone.pt")


def test_beside_a_table_of_labels_a_class_called_train_is_no_split():
    features = SimpleNamespace(
        splits=None, origin={"split_folders": [{"folder": "train", "split": None}]}
    )
    assert with_labels(features, "new.csv")["splits"] == "none"
    assert "splits" not in with_labels(SimpleNamespace(splits=None, origin={}), "new.csv")


def test_photos_of_a_network_are_looked_for_at_their_address_and_listed_as_they_were(tmp_path):
    photos = TrainingPhotos(sources=("s3://bucket/photos", str(tmp_path)))
    found = given_checkpoint._where_they_were(tmp_path, photos)
    assert found == ["s3://bucket/photos", tmp_path]
    with pytest.raises(FileFormatError, match=r"its photos\.json is damaged: .*'color'"):
        given_checkpoint._as_they_were(TrainingPhotos(listing={"color": "red"}))


def test_a_kind_of_classifier_has_no_effect_beside_one_that_is_applied():
    with pytest.raises(UsageError, match="so classifier, folds would have no effect; leave them"):
        refusals.refuse_training(
            TrainOptions(classifier=("knn",), folds=5), "it is applied as it is"
        )


def test_a_report_of_a_list_is_called_so():
    assert build._title("-") == "standard input"
    assert build._title("s3://bucket/photos/") == "photos"
