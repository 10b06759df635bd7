"""Grad-CAM, beside hooks and gradients written by hand."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.preprocessing import Normalizer
from toys import _build_tiny

import penult
from penult.errors import MissingExtraError, UnknownNameError, UsageError
from penult.saliency.class_maps import ClassMaps


def grad_cam_by_hand(network, layer, classifier, seen, label):
    """By hooks, with the classifier in torch: equations 1 and 2 of Selvaraju et al. (2017)."""
    kept = {}
    network.get_submodule(layer).register_forward_hook(
        lambda _module, _args, output: (output.retain_grad(), kept.update(maps=output))[0]
    )
    network.logits.register_forward_pre_hook(lambda _module, args: kept.update(row=args[0]))
    pixels = torch.from_numpy(seen.copy()).permute(2, 0, 1)[None] / 255
    network((pixels - 0.5) / 0.25)
    scaler, model = classifier.pipeline[0], classifier.pipeline[-1]
    row = kept["row"][0]
    if hasattr(scaler, "norm"):
        row = row / row.norm()
    elif hasattr(scaler, "scale_"):
        row = (row - torch.tensor(scaler.mean_)) / torch.tensor(scaler.scale_)
    sign = 1 if classifier.label_names.index(label) else -1
    (sign * (row.double() @ torch.tensor(model.coef_[0]).double())).backward()
    maps = kept["maps"]
    weighted = maps.grad[0].mean((1, 2))[:, None, None] * maps[0]
    return torch.relu(weighted.sum(0)).detach().numpy()


@pytest.mark.parametrize("layer", ["stem", "maps", "last"])
@pytest.mark.parametrize("scale", ["l2", "standard", "none"])
def test_it_is_what_hooks_and_autograd_give(layer, scale, tiny, folder_of_pieces, train, flower):
    rows = penult.extract(folder_of_pieces, model=tiny, engine="torch", progress=False)
    classifier = train(rows, scale=scale)
    (one,) = ClassMaps(classifier, layer=layer, engine="torch")(flower, ["temple"])
    expected = grad_cam_by_hand(_build_tiny(), layer, classifier, one.map.seen, "temple")
    assert one.map.values == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert one.method == "grad-cam"
    assert np.isnan(one.intercept)


def test_at_the_layer_that_is_pooled_it_is_the_exact_map_without_what_is_below_zero(
    tiny, folder_of_pieces, train, flower
):
    rows = penult.extract(folder_of_pieces, model=tiny, engine="torch", progress=False)
    classifier = train(rows, scale="standard")
    (exact,) = ClassMaps(classifier, engine="torch")(flower)
    (ours,) = ClassMaps(classifier, layer="last", engine="torch")(flower)
    assert exact.map.layer == "last"
    # The mean of the gradient is that of an average: each weight, divided by the number of places.
    assert ours.map.values == pytest.approx(np.maximum(exact.map.values, 0), rel=1e-4, abs=1e-7)


def test_of_whole_maps_of_two_layers_gradients_of_both_meet(tiny, folder_of_pieces, train, flower):
    rows = penult.extract(
        folder_of_pieces, model=tiny, engine="torch", layer=["maps", "last"], join=True,
        progress=False,
    )  # fmt: skip
    (one,) = ClassMaps(train(rows), layer="stem.0", engine="torch")(flower)
    assert one.map.values.shape == (16, 16)
    assert one.map.values.max() > 0


def test_of_joined_networks_each_has_a_map_of_its_own_part(
    tiny, twin, folder_of_pieces, train, flower
):
    rows = penult.extract(folder_of_pieces, model=[tiny, twin], engine="torch", progress=False)
    classifier = train(rows, scale="none")
    weights = classifier.pipeline[-1].coef_
    weights[:, 16:] = 3 * weights[:, :16]  # of the twin, which gives the same numbers
    (one,) = ClassMaps(classifier, layer="maps", engine="torch")(flower, ["temple"])
    assert [heat.network for heat in one.maps] == ["tiny:network", "twin:network"]
    first, second = (heat.values for heat in one.maps)
    part = SimpleNamespace(
        pipeline=[Normalizer(), SimpleNamespace(coef_=weights[:, :16])],
        label_names=classifier.label_names,
    )
    expected = grad_cam_by_hand(_build_tiny(), "maps", part, one.map.seen, "temple")
    assert first == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert second == pytest.approx(3 * expected, rel=1e-4, abs=1e-6)


def test_a_layer_that_one_of_the_networks_has_is_looked_at_there(
    tiny, toy, folder_of_pieces, train, flower
):
    rows = penult.extract(folder_of_pieces, model=[toy, tiny], engine="torch", progress=False)
    classifier = train(rows)
    (one,) = ClassMaps(classifier, layer="maps", engine="torch")(flower)
    assert [heat.network for heat in one.maps] == ["tiny:network"]
    with pytest.raises(UnknownNameError, match="'map' of toy:mean-colour and tiny:network; did"):
        ClassMaps(classifier, layer="map", engine="torch")
    with pytest.raises(UsageError, match="logits of toy:mean-colour has no places"):
        ClassMaps(classifier, layer="logits", engine="torch")


def test_of_views_it_is_the_exact_map_without_what_is_below_zero(
    tiny, folder_of_pieces, train, flower
):
    rows = penult.extract(
        folder_of_pieces, model=tiny, engine="torch", views="flip", progress=False
    )
    classifier = train(rows, scale="standard")
    (exact,) = ClassMaps(classifier, engine="torch")(flower)
    (ours,) = ClassMaps(classifier, layer="last", engine="torch")(flower)
    assert ours.map.values == pytest.approx(np.maximum(exact.map.values, 0), rel=1e-4, abs=1e-7)


def test_a_layer_after_the_row_is_refused(tiny, folder_of_pieces, train, flower):
    rows = penult.extract(
        folder_of_pieces, model=tiny, engine="torch", layer="stem", progress=False
    )
    maps = ClassMaps(train(rows), layer="last", engine="torch")
    with pytest.raises(UsageError, match="stem of tiny:network does not depend on last"):
        maps(flower)


def test_an_unknown_layer_and_a_layer_without_places_are_refused(real_rows, train):
    classifier = train(real_rows)
    with pytest.raises(UnknownNameError, match=r"did you mean blocks\.4"):
        ClassMaps(classifier, layer="block.4", offline=True)
    with pytest.raises(UsageError, match=r"logits of .* has no places"):
        ClassMaps(classifier, layer="logits", offline=True)


def test_without_torch_it_says_what_to_install(real_rows, train, without_torch):
    with pytest.raises(MissingExtraError, match=r"penult\[torch\]"):
        ClassMaps(train(real_rows), layer="blocks.4", offline=True)


def test_other_weights_of_the_network_give_another_map(real_rows, train, flower):
    """The sanity check of Adebayo et al. (2018), of Grad-CAM."""
    from scipy.stats import spearmanr

    classifier = train(real_rows)
    random = penult.Extractor(weights="random", offline=True).recipes[0]
    untrained = dataclasses.replace(classifier, recipe=random)
    (ours,), (theirs,) = (
        ClassMaps(one, layer="blocks.4", engine="torch", offline=True)(flower, ["flower"])
        for one in (classifier, untrained)
    )
    correlation = spearmanr(ours.map.values.ravel(), theirs.map.values.ravel()).statistic
    assert abs(correlation) < 0.5


def test_tokens_of_a_transformer_have_a_grid(train, folder_of_pieces, flower):
    model = "timm:test_vit"
    rows = penult.extract(
        folder_of_pieces, model=model, weights="random", engine="torch", progress=False
    )
    classifier = train(rows)
    (one,) = ClassMaps(classifier, layer="blocks.0", engine="torch")(flower)
    height, width = one.map.seen.shape[0] // 16, one.map.seen.shape[1] // 16
    assert one.map.values.shape == (height, width)
