import pytest
import torch

from penult.backbones.registry import list_models, open_backbone, register, sources
from penult.errors import UnknownNameError, UsageError


def test_a_registered_source_opens_by_prefix_and_by_bare_name(toy):
    assert open_backbone("toy:mean-colour").name == open_backbone("mean-colour").name == toy
    assert [card.name for card in list_models("toy:*")] == [toy]


def test_the_toy_gives_what_is_worked_out_by_hand(toy):
    images = torch.zeros(2, 3, 8, 8)
    images[0, 0] = 1.0
    images[1, 2, :4] = 0.5
    cut = open_backbone(toy).cut(["pixels", "mean", "penultimate", "logits"])
    pixels, mean, penultimate, logits = cut(images)
    assert torch.equal(pixels, images)
    assert mean.tolist() == penultimate.tolist() == [[1, 0, 0], [0, 0, 0.25]]
    assert logits.tolist() == [[1, 1], [0.25, -0.25]]


def test_a_source_that_is_gone_is_unknown_again(toy):
    from penult.backbones.registry import unregister

    source = open_backbone(toy)
    assert source.layer("pixels").shape == (3, 8, 8)
    unregister("toy")
    try:
        with pytest.raises(UnknownNameError, match="unknown backbone source 'toy'"):
            open_backbone(toy)
    finally:
        from toys import MeanColour

        register(MeanColour())


def test_a_prefix_cannot_be_taken_twice(toy):
    from toys import MeanColour

    with pytest.raises(UsageError, match="'toy' exists"):
        register(MeanColour())
    assert sources().count("toy") == 1
