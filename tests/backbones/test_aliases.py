import re
import subprocess
import sys
from pathlib import Path

import pytest
import timm
from torchvision import models

from penult.backbones.aliases import ALIASES, canonical, spelling
from penult.backbones.registry import resolve
from penult.errors import UnknownNameError


@pytest.mark.parametrize(
    ("target", "spellings"),
    [
        ("torchvision:vgg16", ["VGG16", "vgg16", "vgg-16", "VGG_16", "Vgg 16"]),
        ("torchvision:inception_v3", ["InceptionV3", "inception_v3", "Inception-V3"]),
        ("torchvision:resnet50", ["ResNet50", "resnet-50", "RESNET50"]),
        ("torchvision:alexnet", ["AlexNet", "alexnet"]),
        ("torchvision:googlenet", ["GoogLeNet", "GoogleNet", "InceptionV1"]),
        (
            "timm:tf_efficientnet_b7.aa_in1k",
            ["EfficientNetB7", "efficientnet_b7", "efficientnet-b7"],
        ),
        ("timm:nasnetalarge.tf_in1k", ["NASNetLarge", "nasnet_large", "nasnetlarge"]),
        ("timm:legacy_xception.tf_in1k", ["Xception", "xception"]),
        ("timm:mobilenetv1_100.ra4_e3600_r224_in1k", ["MobileNet", "mobilenet", "MobileNetV1"]),
        ("torchvision:mobilenet_v2", ["MobileNetV2", "mobilenet_v2"]),
        ("torchvision:regnet_x_16gf", ["regnet_x_16gf", "RegNet_X_16GF"]),
        ("torchvision:regnet_x_1_6gf", ["regnet_x_1_6gf"]),
    ],
)
def test_a_name_in_any_spelling_stands_for_one_backbone(target, spellings):
    for name in spellings:
        assert canonical(name) == target
        source, rest = resolve(name)
        assert f"{source.prefix}:{rest}" == target


def test_every_alias_leads_to_weights():
    architectures = models.list_models(module=models)
    for name, target in ALIASES.items():
        source, _, rest = target.partition(":")
        known = rest in architectures if source == "torchvision" else timm.is_model_pretrained(rest)
        assert known, f"{name} leads to {target}"


def test_every_architecture_of_torchvision_has_its_name():
    assert [name for name in models.list_models(module=models) if canonical(name) is None] == []


def test_no_two_aliases_are_spelled_alike():
    assert all(spelling(name, ALIASES) == name for name in ALIASES)


@pytest.mark.parametrize("name", ["resnet", "RegNetX16GF", "", "vgg161"])
def test_what_stands_for_no_one_backbone_is_none(name):
    assert canonical(name) is None


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("resnet5", "resnet50"),
        ("ReseNet50", "resnet50"),
        ("VGG-61", "vgg16"),
        ("Xceptoin", "Xception"),
    ],
)
def test_an_unknown_name_gets_close_suggestions(name, close):
    with pytest.raises(UnknownNameError) as raised:
        resolve(name)
    assert close in raised.value.suggestions
    assert len({known.lower() for known in raised.value.suggestions}) <= 3
    assert "penult.models(" in str(raised.value)


def test_a_repository_without_its_source_is_told_how_to_write_it():
    with pytest.raises(UnknownNameError, match=r"did you mean hf:facebook/x, timm:facebook/x\?"):
        resolve("facebook/x")


def test_the_default_model_and_an_alias_resolve_without_a_library():
    script = (
        "import sys\n"
        "from penult.backbones.registry import DEFAULT_MODEL, resolve\n"
        "resolve(DEFAULT_MODEL); resolve('VGG16'); resolve('timm:resnet50'); resolve('a.ckpt')\n"
        "print([m for m in ('torch', 'torchvision', 'timm', 'huggingface_hub') if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_documentation_names_the_same_backbones():
    page = Path(__file__).parents[2] / "docs" / "backbones.md"
    rows = [line for line in page.read_text().splitlines() if re.match(r"\| `[A-Z]", line)]
    told = {}
    for row in rows:
        names, targets = (re.findall("`([^`]+)`", cell) for cell in row.split("|")[1:3])
        told |= dict(
            zip(names, targets if len(targets) == len(names) else targets * 2, strict=False)
        )
    assert len(told) == 17
    assert told == {name: ALIASES[name] for name in told}
