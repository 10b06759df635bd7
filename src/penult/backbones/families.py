"""Families of networks, which people name where one network has to be chosen."""

from __future__ import annotations

import re

from penult.backbones.aliases import spelling

__all__ = ["FAMILIES", "meant_by"]

FAMILIES = {
    "dinov2": ("timm:vit_small_patch14_dinov2.lvd142m", "hf:facebook/dinov2-small"),
    "dinov3": ("timm:vit_small_patch16_dinov3.lvd1689m", "timm:convnext_tiny.dinov3_lvd1689m"),
    "dino": ("timm:vit_small_patch16_224.dino", "timm:vit_small_patch14_dinov2.lvd142m"),
    "siglip2": ("timm:vit_base_patch16_siglip_224.v2_webli",),
    "siglip": ("timm:vit_base_patch16_siglip_224.webli", "hf:google/siglip-base-patch16-224"),
    "clip": ("timm:vit_base_patch32_clip_224.openai", "hf:openai/clip-vit-base-patch32"),
    "mae": ("timm:vit_base_patch16_224.mae",),
    "beit": ("timm:beit_base_patch16_224.in22k_ft_in22k_in1k",),
    "deit": ("timm:deit_small_patch16_224.fb_in1k", "timm:deit3_small_patch16_224.fb_in1k"),
    "vit": ("vit_b_16", "timm:vit_small_patch16_224.augreg_in21k_ft_in1k"),
    "swinv2": ("swin_v2_t", "timm:swinv2_tiny_window8_256.ms_in1k"),
    "swin": ("swin_t", "timm:swin_tiny_patch4_window7_224.ms_in1k"),
    "convnextv2": ("timm:convnextv2_tiny.fcmae_ft_in1k",),
    "convnext": ("convnext_tiny", "timm:convnext_tiny.fb_in22k_ft_in1k"),
    "efficientnetv2": ("EfficientNetV2B0", "EfficientNetV2S"),
    "efficientnet": ("EfficientNetB0", "EfficientNetV2B0", "efficientnet_lite0"),
    "mobilenetv3": ("mobilenet_v3_large", "mobilenet_v3_small"),
    "resnext": ("resnext50_32x4d", "resnext101_32x8d"),
    "resnet": ("resnet18", "resnet50"),
    "squeezenet": ("squeezenet1_1", "squeezenet1_0"),
    "regnet": ("regnet_y_800mf", "regnet_x_800mf"),
    "maxvit": ("maxvit_t", "timm:maxvit_tiny_tf_224.in1k"),
    "nasnet": ("NASNetLarge", "PNASNetLarge"),
}
"""What people call a family, without hyphens, to some of its smaller networks."""


def meant_by(name: str) -> list[str]:
    """Say which names are surely meant by one that is none; often nothing.

    Parameters
    ----------
    name : str
        As the user typed it: a family (``"DINOv2"``, ``"clip-vit-base"``), a repository of the
        Hugging Face hub without its source, a name as papers write it (``"ViT-B/16"``).

    Returns
    -------
    list of str
        Names to type, the likeliest first.
    """
    if found := spelling(name.replace("/", ""), _PAPERS):
        return [_PAPERS[found]]
    owner, slash, repository = name.partition("/")
    if slash and owner and re.fullmatch(r"[\w.-]+", repository):
        return [f"timm:{name}"] if owner == "timm" else [f"hf:{name}", f"timm:{name}"]
    plain = re.sub("[-_ ]", "", name.lower())
    if plain in FAMILIES:
        return list(FAMILIES[plain])
    # A word of it, as in dinov2_vits14, for those of which no listed name begins so.
    words = [word for word in re.split("[-_ .]", name.lower()) if word in _SAYING]
    return list(FAMILIES[words[0]]) if words else []


_PAPERS = {
    f"ViT{size}{patch}": f"vit_{size}_{patch}".lower()
    for size, patch in (("B", 16), ("B", 32), ("L", 16), ("L", 32), ("H", 14))
}
_SAYING = ("dinov2", "dinov3", "dino", "siglip2", "siglip", "clip", "mae")
