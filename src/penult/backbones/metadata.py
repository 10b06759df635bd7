"""All that is known of a backbone apart from its network: small, frozen, JSON in and out."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from penult.backbones.layer import Layer
from penult.backbones.weights.info import WeightsInfo
from penult.errors import FileFormatError
from penult.parsing import read_json, to_record
from penult.recipe import Preprocessing
from penult.representation import short_repr

__all__ = ["BackboneMetadata"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class BackboneMetadata:
    """All that is known of a backbone apart from its network.

    Attributes
    ----------
    name : str
        Canonical name to type after ``--model``.
    architecture : str
        Library and name of what is built, e.g. ``"timm/tf_efficientnet_lite0"``.
    weights : WeightsInfo
        What its weights are.
    preprocessing : Preprocessing
        What its images go through.
    libraries : tuple of str
        Distributions whose versions the recipe records.
    forms : tuple of str
        What its `Network` can be turned into: ``"torch"`` (`Network.as_torch`), and without torch
        ``"openvino"`` (`Network.as_openvino`) and ``"onnx"`` (`Network.as_onnx`), which is for
        export alone. Engines run some of the forms each.
    instant : bool
        Whether its OpenVINO graph is there at once, so that none is kept on disk.
    quantized : bool
        Whether it computes with integers, so that another order of adding up shows in the rows.
    converted_from : str
        Of a file that ``penult convert`` wrote: the name of the network that it was made from, and
        whose rows, weights and recipes it has.
    layers : tuple of Layer, or None
        Every layer a user may name, in execution order; None where the network has to be run to
        know.
    """

    name: str
    architecture: str
    weights: WeightsInfo
    preprocessing: Preprocessing
    libraries: tuple[str, ...] = ("torch",)
    forms: tuple[str, ...] = ("torch",)
    instant: bool = False
    quantized: bool = False
    converted_from: str = ""
    layers: tuple[Layer, ...] | None = None

    def to_json(self) -> str:
        """One line of JSON; `from_json` gives an equal object back."""
        data = dataclasses.asdict(self) | {"preprocessing": self.preprocessing.to_dict()}
        return json.dumps(data, default=str, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> BackboneMetadata:
        """Read what `to_json` wrote.

        Parameters
        ----------
        text : str
            One object as JSON.

        Returns
        -------
        BackboneMetadata
            An equal one.

        Raises
        ------
        FileFormatError
            If it is something else.
        """
        try:
            return to_record(cls, read_json(text))
        except ValueError as error:
            raise FileFormatError(f"no metadata of a backbone: {error}") from error
