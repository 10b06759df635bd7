from dataclasses import replace

import pytest
from finetuned import finetuned, linear_head

from penult.backbones.registry import open_backbone
from penult.finetuning.model_card import base_licence, model_card


@pytest.fixture
def card(tiny):
    return model_card("flowers.ckpt", finetuned(open_backbone(tiny)))


def test_a_card_has_scores_data_classes_training_licence_and_use(card):
    for line in (
        "# flowers.ckpt",
        "Fine-tuning did not beat the probe beyond noise.",
        "| test: neither trained on nor used to choose anything | 66.7% |",
        "| validation: by which training was stopped | 80.0% |",
        "95% interval of the difference to the classifier on the network as it was: -10.0 to 50.0 points.",
        "photos: 20 training images, 5 validation images, 3 test images.",
        "`parts.csv` and `photos.json` name each of them, and `photos.json` says where they were: "
        "delete both before you publish the folder, which predicts without them.",
        "| rose | 8 |",
        "epochs=2, unfreeze=last; seed 0.",
        "Probabilities are calibrated by a temperature of 2.",
        "The network sees 32 × 32 pixels.",
        "$ penult predict flowers.ckpt PHOTOS",
    ):
        assert line in card.splitlines()
    assert "state no licence that penult knows" in card
    assert "license:" not in card


def test_a_card_states_the_licence_of_the_weights_it_began_with():
    assert base_licence("bundled:efficientnet_lite0") == "apache-2.0"
    backbone = open_backbone("efficientnet_lite0")
    card = model_card("a.ckpt", finetuned(backbone, architecture=backbone.name))
    assert "license: apache-2.0" in card.splitlines()


def test_of_a_source_that_is_not_installed_no_licence_is_known():
    assert base_licence("elsewhere:network") is None


def test_a_card_says_what_was_left_out_and_how_it_does_on_photos_that_the_start_did_not_know(tiny):
    model = finetuned(open_backbone(tiny), left_out={"in no split": 2, "copies|twins": 1})
    summary = {
        **model.summary,
        "trained_network": 1,
        "untrained": {"images": 2, "accuracy": 0.5, "probe": 0.0},
    }
    lines = model_card("flowers.ckpt", replace(model, summary=summary)).splitlines()
    assert "Left out: 2 images, in no split." in lines
    assert r"Left out: 1 image, copies\|twins." in lines
    assert ("On the other 2: 50.0%, and 0% by the classifier on the network as it was.") in lines


def test_names_from_outside_stay_in_their_cell(tiny):
    head = replace(linear_head(), label_names=("a|b", "<script>", "c\nd"))
    card = model_card("a.ckpt", finetuned(open_backbone(tiny), head, classes={"a|b": 3}))
    for row in (r"| a\|b | 3 |", r"| \<script\> | 0 |", "| c d | 0 |"):
        assert row in card.splitlines()


def test_a_card_says_what_learnt_what_was_kept_and_shows_the_curves(tiny):
    model = finetuned(open_backbone(tiny), options={"wise_ft": True})
    summary = {
        **model.summary,
        "unfrozen": ["conv_head"],
        "parameters": 1200,
        "frozen_parameters": 34_000,
        "best_epoch": 1,
        "wise_ft": 0.75,
        "epochs": [{"epoch": 1}, {"epoch": 2}],
    }
    lines = model_card("a.ckpt", replace(model, summary=summary)).splitlines()
    learnt = lines.index(
        r"conv\_head and the head learnt: 1,200 parameters, while 34,000 stayed as they were."
    )
    assert lines[learnt + 1 : learnt + 5] == [
        "Epoch 1 of 2 was kept.",
        "In the average with the weights of the start, its own have a share of 75%.",
        "",
        r"wise\_ft=yes; seed 0.",
    ]
    assert "![Losses, and the accuracy on validation images](curves.png)" in lines
    start = model_card("a.ckpt", replace(model, summary={**summary, "best_epoch": 0}))
    assert "Epoch 0 of 2 was kept, which is the start." in start
    assert "share" not in start


def test_a_card_of_several_labels_says_what_its_accuracy_is_and_has_average_precision(tiny):
    model = finetuned(open_backbone(tiny), linear_head(thresholds=(0.5, 0.5, 0.5)))
    summary = {**model.summary, "test": {"accuracy": 0.75, "mean_average_precision": 0.978}}
    lines = model_card("a.ckpt", replace(model, summary=summary)).splitlines()
    assert "| images | every label right | mean average precision |" in lines
    assert "| test: neither trained on nor used to choose anything | 75.0% | 0.978 |" in lines
    assert any("to find which of 3 labels an image has, perhaps several" in one for one in lines)


@pytest.mark.parametrize(("separable", "beaten"), [(True, True), (False, False)])
def test_a_card_says_how_the_probe_is_had_where_it_was_not_beaten(tiny, separable, beaten):
    model = finetuned(open_backbone(tiny))
    difference = {"low": 0.0, "high": 0.2, "p": 0.03, "images": 30, "separable": separable}
    card = model_card("a.ckpt", replace(model, summary={**model.summary, "difference": difference}))
    extract = "$ penult extract PHOTOS --model tiny:network --labels a.ckpt/parts.csv -o before.h5"
    assert (extract in card.splitlines()) is not beaten
    # Of thirty photos it would look more certain than it is.
    assert ("0.0 to 20.0 points (p = 0.03)." in card) is beaten


def test_a_card_says_why_its_losses_are_not_to_be_compared(tiny):
    model = finetuned(open_backbone(tiny))
    assert "goes on, on images that are changed at random; the validation" in model_card("a", model)
    unchanged = finetuned(open_backbone(tiny), options={"augment": "none"})
    assert "goes on; the validation loss after it, at a temperature" in model_card("a", unchanged)
