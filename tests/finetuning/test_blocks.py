"""What the blocks of a network are, and that frozen ones stay to the last bit."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from normed import build_normed
from torch import nn

from penult.backbones.backbone import Backbone
from penult.backbones.registry import open_backbone
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.choice import WeightsChoice
from penult.engines.row_network import RowNetwork
from penult.errors import UsageError
from penult.finetuning.activations import Tail
from penult.finetuning.blocks import find_blocks
from penult.finetuning.losses import Loss, loss_weights
from penult.finetuning.network import HeadedNetwork
from penult.finetuning.options import FinetuneOptions
from penult.finetuning.parameter_groups import parameter_groups
from penult.finetuning.start import divide_blocks, require_trainable


@pytest.fixture
def rows(normed):
    backbone = open_backbone(normed)
    return copy.deepcopy(RowNetwork(backbone, [backbone.recipe()]))


def images(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 16, 16, 3), generator=generator).to(torch.uint8)


def headed(rows, unfrozen, *, fixed: bool = True) -> HeadedNetwork:
    torch.manual_seed(0)
    return HeadedNetwork(rows, nn.Linear(12, 3), unfrozen, fixed_statistics=fixed)


def trained(network: HeadedNetwork, steps: int = 6) -> None:
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.5)
    for _ in range(steps):
        network.train()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(images(8)), torch.arange(8) % 3)
        loss.backward()
        optimizer.step()


def test_blocks_are_what_is_numbered_and_what_stands_between(rows):
    found = find_blocks(rows, (16, 16))
    assert [block.name for block in found] == ["conv_stem", "blocks.0", "blocks.1", "conv_head"]
    assert found[0].modules == ("conv_stem", "bn_stem")
    assert found[1].wholes == ("blocks.0",)
    assert found[1].modules == ("blocks.0.0", "blocks.0.1")


def test_a_network_without_weights_or_without_a_module_is_not_trained(toy):
    backbone = open_backbone(toy)
    with pytest.raises(UsageError, match="no weights before its row; give unfreeze='none'"):
        divide_blocks(backbone, FinetuneOptions(unfreeze="all"))
    assert divide_blocks(backbone, FinetuneOptions(unfreeze="none")) == ((), ())
    finished = Backbone(replace(backbone.metadata, forms=("openvino",)), lambda: backbone.network)
    with pytest.raises(
        UsageError, match="toy:mean-colour cannot be trained: it is there as a fini"
    ):
        require_trainable(finished)


def test_of_several_labels_those_that_are_rare_weigh_more():
    weights = loss_weights(np.array([[1, 1], [1, 0], [1, 0], [0, 0]], bool), 2, "balanced")
    # 4 / (2 · 1), 4 / (2 · 3) without the label; 4 / (2 · 3), 4 / (2 · 1) with it.
    assert weights.numpy() == pytest.approx(np.array([[2, 2 / 3], [2 / 3, 2]]))
    loss = Loss(smoothing=0.0, weights=weights)
    truth = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert float(loss.total(torch.zeros(2, 2), truth)) == pytest.approx(np.log(2) * (4 / 3 + 4))
    assert loss.divisor(truth) == pytest.approx(4 / 3 + 4)


def test_blocks_of_stages_are_found_by_their_names_and_by_what_they_hold(normed):
    class Attention(nn.Module):
        """Torch's own, which uses its last layer without calling it."""

        def __init__(self) -> None:
            super().__init__()
            self.own = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, given):
            return self.own(given, given, given)[0]

    class Stage(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([Attention(), Attention()])

        def forward(self, given):
            return self.blocks[1](self.blocks[0](given))

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 8, 8, 8)
            self.stage1, self.logits = Stage(), nn.Linear(8, 4)

        def forward(self, given):
            return self.logits(self.stage1(self.patches(given).flatten(2).mT).mean(1))

    backbone = Backbone(
        open_backbone(normed).metadata, lambda: TorchNetwork(Network(), head="logits")
    )
    found = find_blocks(RowNetwork(backbone, [backbone.recipe()]), (16, 16))
    assert [block.name for block in found] == ["patches", "stage1.blocks.0", "stage1.blocks.1"]
    assert found[1].modules == ("stage1.blocks.0.own", "stage1.blocks.0.own.out_proj")
    assert found[1].wholes == ("stage1.blocks.0",)


def test_every_weight_but_the_classifiers_is_in_one_block(rows):
    found = find_blocks(rows, (16, 16))
    network = headed(rows, found)
    within = [id(one) for block in found for one in network.parameters_of(block)]
    classifier = {id(one) for one in rows.cut.network.logits.parameters()}
    assert len(within) == len(set(within))
    assert set(within) == {id(one) for one in rows.cut.network.parameters()} - classifier


@pytest.mark.parametrize(
    ("name", "size", "wholes", "blocks"),
    [
        ("timm:resnet10t", 64, ("layer4.0",), 5),
        # A last normalisation alone is no block.
        ("timm:test_vit", 160, ("blocks.5", "norm"), 7),
        ("timm:test_efficientnet", 64, ("conv_head", "bn2"), 7),
    ],
)
def test_blocks_of_timms_networks(name, size, wholes, blocks):
    backbone = open_backbone(name, WeightsChoice(weights="random"))
    found = find_blocks(RowNetwork(backbone, [backbone.recipe()]), (size, size))
    assert (found[-1].wholes, len(found)) == (wholes, blocks)


@pytest.mark.parametrize("fixed", [True, False])
def test_no_number_of_a_frozen_block_moves_by_a_bit(rows, fixed):
    network = headed(rows, find_blocks(rows, (16, 16))[2:], fixed=fixed)
    before = {name: one.clone() for name, one in network.state_dict().items()}
    trained(network)
    moved = {name for name, one in network.state_dict().items() if not one.equal(before[name])}
    inside = {name.removeprefix("rows.cut.network.") for name in moved}
    statistics = {name for name in inside if "running" in name or "tracked" in name}
    assert inside - statistics == {
        *("blocks.1.0.weight", "blocks.1.1.weight", "blocks.1.1.bias"),
        *("conv_head.weight", "bn_head.weight", "bn_head.bias"),
        *("head.weight", "head.bias"),
    }
    moving = {
        f"{bn}.running_{what}" for bn in ("blocks.1.1", "bn_head") for what in ("mean", "var")
    }
    assert {name for name in statistics if "running" in name} == (set() if fixed else moving)


def test_frozen_modules_stay_in_eval_mode_through_every_call_of_train(rows):
    network = headed(rows, find_blocks(rows, (16, 16))[2:])
    for mode in (True, False, True):
        network.train(mode)
        inner = network.rows.cut.network
        assert not inner.blocks[0].training
        assert not inner.blocks[0][3].training, "a dropout in a frozen block"
        assert inner.blocks[1][3].training == mode
        assert not inner.bn_stem.training


def test_rates_fall_from_block_to_block_and_matrices_alone_decay(rows):
    network = headed(rows, find_blocks(rows, (16, 16))[2:])
    options = FinetuneOptions(lr=0.1, layer_decay=0.5, weight_decay=0.25)

    def told(blocks):
        groups = parameter_groups(network, options, blocks)
        return [(len(one["params"]), one["lr"], one["weight_decay"]) for one in groups]

    # A convolution; its normalisation's scale and shift.
    blocks = [(1, 0.025, 0.25), (2, 0.025, 0.0), (1, 0.05, 0.25), (2, 0.05, 0.0)]
    head = [(1, 0.1, 0.25), (1, 0.1, 0.0)]
    assert sorted(told(network.unfrozen)[:4]) == sorted(blocks)
    assert sorted(told(network.unfrozen)[4:]) == sorted(told(())) == sorted(head)


def test_tokens_and_positions_of_a_transformer_do_not_decay():
    backbone = open_backbone("timm:test_vit", WeightsChoice(weights="random"))
    rows = copy.deepcopy(RowNetwork(backbone, [backbone.recipe()]))
    network = headed(rows, find_blocks(rows, (160, 160)))
    named = {id(one): name for name, one in network.inner.named_parameters()}
    options = FinetuneOptions(weight_decay=0.25)
    decayed = {
        named[id(one)]
        for group in parameter_groups(network, options, network.unfrozen)
        for one in group["params"]
        if group["weight_decay"] and id(one) in named
    }
    assert {"pos_embed", "cls_token"} <= set(named.values())
    learnt = {name for name, one in network.inner.named_parameters() if one.requires_grad}
    assert decayed == {name for name in learnt if name.endswith(".weight") and "norm" not in name}


def test_what_is_learned_can_be_taken_and_put_back(rows):
    network = headed(rows, find_blocks(rows, (16, 16))[3:], fixed=False)
    start = network.learned()
    assert "rows.cut.network.bn_head.running_mean" in start
    assert "rows.cut.network.conv_stem.weight" not in start
    trained(network)
    assert not network.learned()["head.weight"].equal(start["head.weight"])
    network.load_learned(start)
    assert all(one.equal(start[name]) for name, one in network.learned().items())


def test_the_last_part_gives_what_the_whole_network_gives(rows):
    found = find_blocks(rows, (16, 16))
    network = headed(rows, found[2:])
    whole = network(images(3))
    tail = Tail(network, found[:2])
    assert tail.is_exact(images(3))
    assert tail(tail.activation(images(3))).equal(whole)
    assert network(images(3)).equal(whole), "nothing is left behind"


def test_a_frozen_module_with_a_way_of_its_own_has_it_back(rows):
    found = find_blocks(rows, (16, 16))
    network = headed(rows, found[2:])
    stem = rows.cut.network.conv_stem
    stem.forward = own = lambda given: 2 * type(stem).forward(stem, given)
    assert Tail(network, found[:2]).is_exact(images(3))
    assert stem.forward is own


def test_a_network_whose_end_needs_its_beginning_is_not_cut(rows):
    class Skipping(type(build_normed())):
        def forward(self, given):
            maps = self.blocks(self.bn_stem(self.conv_stem(given)).relu())
            found = self.bn_head(self.conv_head(maps)).relu().mean((2, 3))
            return self.logits(found + given.mean((1, 2, 3))[:, None])

    network = Skipping()
    network.load_state_dict(rows.cut.network.state_dict())
    rows.cut.network = network.eval()
    found = find_blocks(rows, (16, 16))
    assert not Tail(headed(rows, found[2:]), found[:2]).is_exact(images(3))


@pytest.mark.parametrize("way", ["of another shape", "around"])
def test_a_network_that_cannot_run_without_its_beginning_is_not_cut(rows, way):
    class Other(type(build_normed())):
        def forward(self, given):
            maps = self.bn_stem(self.conv_stem(given)).relu()
            if way == "of another shape" or cutting:
                # Of what is passed on in place of maps, this has no six channels.
                maps = maps + maps.new_zeros(6, 1, 1)
            if way == "around" and cutting:
                return self.logits(maps.new_zeros(len(maps), 12))
            return self.logits(self.bn_head(self.conv_head(self.blocks(maps))).relu().mean((2, 3)))

    cutting = False
    network = Other()
    network.load_state_dict(rows.cut.network.state_dict())
    rows.cut.network = network.eval()
    found = find_blocks(rows, (16, 16))
    tail = Tail(headed(rows, found[2:]), found[:2])
    cutting = True
    assert not tail.is_exact(images(3))
    if way == "around":
        with pytest.raises(RuntimeError, match="the first unfrozen block was not run"):
            tail.activation(images(3))
