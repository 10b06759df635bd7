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


def test_names_from_outside_stay_in_their_cell(tiny):
    from dataclasses import replace

    head = replace(linear_head(), label_names=("a|b", "<script>", "c\nd"))
    card = model_card("a.ckpt", finetuned(open_backbone(tiny), head, classes={"a|b": 3}))
    for row in (r"| a\|b | 3 |", r"| \<script\> | 0 |", "| c d | 0 |"):
        assert row in card.splitlines()
