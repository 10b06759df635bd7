"""The recipe of one network's rows: the leaf of every tree."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penult.errors import FileFormatError
from penult.recipe.base import Recipe
from penult.recipe.preprocessing import Preprocessing
from penult.recipe.views import CENTER, View
from penult.representation import html_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe.base import LeafRows
    from penult.recipe.projection import Projection

__all__ = ["BackboneRecipe", "Pooling", "Precision", "network_name"]

Precision = Literal["float32", "float16", "bfloat16"]
Pooling = Literal["avg", "max", "gem", "cls", "flatten", "none"]


@dataclass(frozen=True, kw_only=True, repr=False)
class BackboneRecipe(Recipe):
    """How an image becomes a row of one network.

    Equality and hash are over what changes a row: architecture, the weights' digest, layer,
    pooling, normalisation, preprocessing and precision. The names by which a person knows the
    backbone, where its file lay, and the versions of the libraries, are kept beside them and do not
    count (engines and library versions agree within a stated tolerance).

    Attributes
    ----------
    architecture : str
        What was built, and by which library, e.g. ``"timm/tf_efficientnet_lite0"``.
    weights_sha256 : str
        Hex digest of the weights file (of the tensors, where there is no one file).
    layer : str
        The layer captured, e.g. ``"layer4.2"``, ``"penultimate"``.
    pooling : {"none", "avg", "max", "gem", "cls", "flatten"}
        How the layer's activation becomes a row.
    preprocessing : Preprocessing
        How pixels become what the network sees.
    normalize : {"none", "l2"}
        ``"l2"`` scales each row to length 1.
    precision : {"float32", "float16", "bfloat16"}
        ``"float32"``, or the type in which the network computed what bears it.
    backbone : str
        The canonical name to type after ``--model``, e.g. ``"bundled:efficientnet_lite0"``.
    weights : str
        The weights' name: a package and version, a hub id, a file name, or ``"random"``.
    versions : mapping
        Library name to version, of the run that made the rows.
    file : str
        Path of the file of ``penult convert`` that made the rows in that backbone's place; ``""``
        where the backbone itself did.
    """

    kind = "backbone"

    architecture: str
    weights_sha256: str
    layer: str
    pooling: str
    preprocessing: Preprocessing
    normalize: str = "none"
    precision: Precision = "float32"
    backbone: str = field(default="", compare=False)
    weights: str = field(default="", compare=False)
    versions: Mapping[str, str] = field(default_factory=dict, compare=False)
    file: str = field(default="", compare=False)

    @property
    def parts(self) -> tuple[Recipe, ...]:
        """A leaf has none."""
        return ()

    @property
    def leaves(self) -> tuple[BackboneRecipe, ...]:
        """Itself."""
        return (self,)

    @property
    def network(self) -> str:
        """What made the rows, as a person is told."""
        return network_name(self.backbone, self.architecture, self.weights)

    @property
    def projections(self) -> dict[str, Projection]:
        """A leaf has none."""
        return {}

    @property
    def default_name(self) -> str:
        """See `Recipe.default_name`."""
        return self.layer

    @property
    def outline(self) -> str:
        """See `Recipe.outline`."""
        return f"{self.network or self.architecture}, {self.layer}"

    def needs(self, view: View = CENTER) -> tuple[tuple[BackboneRecipe, View], ...]:
        """See `Recipe.needs`."""
        return ((self, view),)

    def rows(self, leaf_rows: LeafRows, view: View = CENTER) -> NDArray[np.float32]:
        """See `Recipe.rows`."""
        return leaf_rows(self, view)

    def row_shape(self, leaf_shape: Callable[[BackboneRecipe], tuple[int, ...]]) -> tuple[int, ...]:
        """See `Recipe.row_shape`."""
        return leaf_shape(self)

    def _repr_html_(self) -> str:
        facts = [
            *self.facts(),
            ("weights", f"{self.weights}, SHA-256 {self.weights_sha256[:12]}…"),
            *(
                (name, _in_words(getattr(self.preprocessing, name)))
                for name in ("resize", "crop", "interpolation", "mean", "std", "channels")
            ),
            *(
                (name, value)
                for name, value in (
                    ("margin", self.preprocessing.margin),
                    ("decode", self.preprocessing.decode),
                )
                if value not in ("even", "exact")
            ),
        ]
        return html_table("Recipe", facts)

    def facts(self) -> list[tuple[str, str | None]]:
        """See `Recipe.facts`."""
        size = _size(self.preprocessing)
        return [
            ("network", self.network or self.architecture),
            ("layer", self.layer),
            ("pooling", self.pooling),
            ("normalize", None if self.normalize == "none" else self.normalize),
            ("precision", None if self.precision == "float32" else self.precision),
            ("resize", None if self.preprocessing.resampling == "exact" else "fast"),
            ("input", size and f"{size[1]} × {size[0]}"),
        ]

    def with_leaves(self, leaves: Mapping[BackboneRecipe, BackboneRecipe]) -> BackboneRecipe:
        """See `Recipe.with_leaves`."""
        return leaves.get(self, self)

    def settings(self) -> dict[str, Any]:
        """See `Recipe.settings`."""
        flat = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.compare}
        preprocessing = flat.pop("preprocessing")
        return flat | {f"preprocessing.{k}": v for k, v in vars(preprocessing).items()}

    def to_data(self) -> dict[str, Any]:
        """See `Recipe.to_data`."""
        data = dataclasses.asdict(self) | {"preprocessing": self.preprocessing.to_dict()}
        if not self.file:  # which earlier versions would refuse
            del data["file"]
        return {"kind": self.kind, **data}

    def with_options(
        self,
        *,
        decode: Literal["exact", "scaled"] = "exact",
        resampling: Literal["exact", "fast"] = "exact",
        precision: Precision = "float32",
    ) -> BackboneRecipe:
        """Return the same with what is the user's choice and not the backbone's.

        Parameters
        ----------
        decode : {"exact", "scaled"}
            Whether a JPEG decoder may scale large photos down while decoding.
        resampling : {"exact", "fast"}
            How photos are resized.
        precision : {"float32", "float16", "bfloat16"}
            What the network computes in.

        Returns
        -------
        BackboneRecipe
            With these three in place of its own.
        """
        preprocessing = dataclasses.replace(
            self.preprocessing, decode=decode, resampling=resampling
        )
        return dataclasses.replace(self, preprocessing=preprocessing, precision=precision)


def _in_words(value: Any) -> str | None:
    """Write a setting of the preprocessing; sizes as (height, width)."""
    if isinstance(value, tuple):
        return f"({', '.join(f'{one:.6g}' for one in value)})"
    return None if value is None else str(value)


def _size(preprocessing: Preprocessing) -> tuple[int, int] | None:
    try:
        return preprocessing.input_size
    except FileFormatError:
        return None


def network_name(backbone: str, architecture: str, weights: str) -> str:
    """Say what a network is: its name on its own is the name of the pretrained one.

    Parameters
    ----------
    backbone, architecture, weights : as a `Recipe` has them
    """
    if weights == "random":
        return f"untrained {architecture} (random weights)"
    if weights.startswith("file:"):
        kind = "" if backbone.startswith("onnx:") else "checkpoint "
        return f"{kind}{Path(weights.removeprefix('file:')).name} ({architecture})"
    return backbone
