"""A recipe says how an image becomes a row; only rows of equal recipes may be compared."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from penult.errors import FileFormatError, RecipeMismatchError
from penult.parsing import read_json, require_keys, to_record
from penult.representation import html_table, one_line, short_repr, short_text

__all__ = [
    "Pooling",
    "Precision",
    "Preprocessing",
    "Recipe",
    "network_name",
    "require_equal",
]

Precision = Literal["float32", "float16", "bfloat16"]
Pooling = Literal["avg", "max", "gem", "cls", "flatten", "none"]
Interpolation = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How RGB pixels become what the network was trained to see.

    Attributes
    ----------
    resize : int, (int, int) or None
        An int: the shorter edge becomes that many pixels, the longer keeps the proportions (rounded
        down, as torchvision does). A pair (height, width): squashed to exactly that.
    crop : (int, int) or None
        (height, width) of the centre crop taken after the resize.
    interpolation : {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"}
        Pillow's filter of that name; always antialiased, as Pillow's are (nearest excepted).
    mean, std : tuple of float, one per channel
        The network sees ``(pixel / 255 - mean) / std``, in the order of `channels`.
    channels : {"RGB", "BGR"}
        The order in which the network expects them.
    margin : {"even", "down"}
        How the crop's offset is rounded where the margin is odd: half of it to the even neighbour,
        as torchvision does, or down, as transformers does.
    decode : {"exact", "scaled"}
        Whether a JPEG decoder may scale large photos down while decoding.
    resampling : {"exact", "fast"}
        ``"exact"`` is Pillow's, to the last bit; ``"fast"`` is cykooz.resizer's.
    """

    resize: int | tuple[int, int] | None
    crop: tuple[int, int] | None
    interpolation: Interpolation
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: Literal["RGB", "BGR"] = "RGB"
    margin: Literal["even", "down"] = "even"
    decode: Literal["exact", "scaled"] = "exact"
    resampling: Literal["exact", "fast"] = "exact"

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) of what the network sees, in pixels."""
        if self.crop is not None:
            return self.crop
        if isinstance(self.resize, tuple):
            return self.resize
        raise FileFormatError("a preprocessing without a crop needs a resize to (height, width)")

    def to_dict(self) -> dict[str, Any]:
        """Give the settings by name, as they are stored.

        Returns
        -------
        dict
            Without `resampling` where it is ``"exact"``: versions of penult that did not know it
            read the rest.
        """
        settings = dataclasses.asdict(self)
        if self.resampling == "exact":
            del settings["resampling"]
        return settings

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Preprocessing:
        """Read what `to_dict` gives, with JSON's lists turned back into tuples.

        Parameters
        ----------
        data : mapping
            Setting to value.

        Returns
        -------
        Preprocessing
            An equal one.

        Raises
        ------
        FileFormatError
            If settings are missing or unknown; names them.
        """
        require_keys(cls, data)
        fields: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items()
        }
        return cls(**fields)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How an image becomes a row.

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
    def network(self) -> str:
        """What made the rows, as a person is told."""
        return network_name(self.backbone, self.architecture, self.weights)

    def __repr__(self) -> str:
        return one_line("Recipe", self._facts())

    def _repr_html_(self) -> str:
        facts = [
            *self._facts(),
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

    def _facts(self) -> list[tuple[str, str | None]]:
        size = _size(self.preprocessing)
        return [
            ("network", short_text(self.network or self.architecture)),
            ("layer", short_text(self.layer)),
            ("pooling", short_text(self.pooling)),
            ("normalize", None if self.normalize == "none" else short_text(self.normalize)),
            ("precision", None if self.precision == "float32" else self.precision),
            ("resize", None if self.preprocessing.resampling == "exact" else "fast"),
            ("input", size and f"{size[1]} × {size[0]}"),
        ]

    def to_json(self) -> str:
        """Write it as JSON.

        Returns
        -------
        str
            One line; `from_json` gives an equal recipe back.
        """
        data = dataclasses.asdict(self) | {"preprocessing": self.preprocessing.to_dict()}
        if not self.file:  # which earlier versions would refuse
            del data["file"]
        return json.dumps({"kind": "backbone", **data}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read what `to_json` wrote.

        Parameters
        ----------
        text : str
            One recipe as JSON.

        Returns
        -------
        Recipe
            An equal one.

        Raises
        ------
        FileFormatError
            If the text is no recipe, or one of a kind or with a field that this version lacks.
        """
        try:
            data = read_json(text)
            kind = data.pop("kind", None) if isinstance(data, dict) else None
            if kind not in (None, "backbone"):
                raise FileFormatError(f"one of kind {kind!r} needs a newer penult")
            return to_record(cls, data)
        except (ValueError, TypeError) as error:
            raise FileFormatError(f"not a recipe that this penult can read: {error}") from error

    def with_options(
        self,
        *,
        decode: Literal["exact", "scaled"] = "exact",
        resampling: Literal["exact", "fast"] = "exact",
        precision: Precision = "float32",
    ) -> Recipe:
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
        Recipe
            With these three in place of its own.
        """
        preprocessing = dataclasses.replace(
            self.preprocessing, decode=decode, resampling=resampling
        )
        return dataclasses.replace(self, preprocessing=preprocessing, precision=precision)

    def difference(self, other: Recipe) -> dict[str, tuple[Any, Any]]:
        """Compare with another recipe.

        Parameters
        ----------
        other : Recipe
            The one to compare with.

        Returns
        -------
        dict
            Field name to (this one's value, the other's), for the fields that count and differ.
        """
        mine, theirs = _counting_fields(self), _counting_fields(other)
        return {k: (mine[k], theirs[k]) for k in mine if mine[k] != theirs[k]}


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


def _counting_fields(recipe: Recipe) -> dict[str, Any]:
    flat = {f.name: getattr(recipe, f.name) for f in dataclasses.fields(recipe) if f.compare}
    preprocessing = flat.pop("preprocessing")
    return flat | {f"preprocessing.{k}": v for k, v in vars(preprocessing).items()}


def require_equal(recipe: Recipe, other: Recipe, *, name: str, other_name: str) -> None:
    """Refuse rows of two recipes.

    Parameters
    ----------
    recipe, other : Recipe
        What is compared.
    name, other_name : str
        What has the one recipe and the other, e.g. ``"the classifier flowers.skops"``.

    Raises
    ------
    RecipeMismatchError
        Field by field, what each has.
    """
    difference = recipe.difference(other)
    if difference:
        fields = "; ".join(
            f"{field_}: {_shown(field_, value, recipe)} and {_shown(field_, others, other)}"
            for field_, (value, others) in difference.items()
        )
        raise RecipeMismatchError(
            f"{name} and {other_name} have different recipes, so their rows cannot be compared: "
            f"{fields}"
        )


def _shown(name: str, value: Any, recipe: Recipe) -> str:
    if name != "weights_sha256":
        return repr(value)
    # Nobody reads 64 digits; the name says more.
    named = f" ({recipe.weights})" if recipe.weights else ""
    return f"{value[:12]}…{named}"
