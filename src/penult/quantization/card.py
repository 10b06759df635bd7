"""What quantising cost and what it gained: the card that an int8 checkpoint carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from penult.representation import short_repr

__all__ = ["LayerCosine", "ProbeAccuracy", "Quantization"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class LayerCosine:
    """Cosine similarity of int8 rows with float32 rows, on images not calibrated on.

    Attributes
    ----------
    layer : str
        Of the rows.
    pooling : str
        Of the rows.
    mean : float
        Over the images; 1 is best.
    lowest : float
        Over the images.
    lowest_id : str
        The image that the lowest belongs to.
    """

    layer: str
    pooling: str
    mean: float
    lowest: float
    lowest_id: str


@short_repr
@dataclass(frozen=True, kw_only=True)
class ProbeAccuracy:
    """Cross-validated accuracy of the default classifier on rows of one layer.

    Attributes
    ----------
    layer : str
        Its name.
    images : int
        What it was measured on.
    classes : int
        Of these images.
    folds : int
        Of each cross-validation.
    seeds : int
        Cross-validations; each folds anew.
    float32 : float
        Mean accuracy over the seeds, in [0, 1].
    int8 : float
        The same of the int8 checkpoint.
    differences : tuple of float
        Of each seed, int8 less float32.
    """

    layer: str
    images: int
    classes: int
    folds: int
    seeds: int
    float32: float
    int8: float
    differences: tuple[float, ...]


@short_repr
@dataclass(frozen=True, kw_only=True)
class Quantization:
    """The card of an int8 checkpoint: what it was made from, and what that cost and won.

    Attributes
    ----------
    backbone : str
        What it was made from.
    weights : str
        The name of the weights it was made from.
    weights_sha256 : str
        Their digest.
    calibrated : int
        Images calibrated on.
    held_back : int
        Images judged by.
    seed : int
        Of the choice of these images.
    cosines : tuple of LayerCosine
        One a layer, in the order of execution.
    operations : int
        Convolutions and matrix products.
    in_float : int
        Those computed in float32.
    half_range : bool
        Whether weights have 7 bits, for a processor that lacks VNNI.
    float32_rate : float
        Images a second of the network alone, measured in turns with `int8_rate`.
    int8_rate : float
        The same of the int8 checkpoint.
    machine : str
        Processor and number of cores that they were measured on.
    accuracy : ProbeAccuracy or None
        Where the images are labelled, and enough of them.
    versions : mapping
        Library to version.
    trained_network : int or None
        How many of the images, calibrated on or judged by, trained the network, so that either
        accuracy is no estimate for new ones; None where that is not known.
    """

    backbone: str
    weights: str
    weights_sha256: str
    calibrated: int
    held_back: int
    seed: int
    cosines: tuple[LayerCosine, ...]
    operations: int
    in_float: int
    half_range: bool
    float32_rate: float
    int8_rate: float
    machine: str
    accuracy: ProbeAccuracy | None
    versions: Mapping[str, str]
    trained_network: int | None = None
