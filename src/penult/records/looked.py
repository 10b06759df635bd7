"""What was found by a look at one photo or two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penult.records.activation_maps import ActivationMaps
from penult.records.class_activation import ClassActivation
from penult.records.heat_map import HeatMap
from penult.records.region_similarity import RegionSimilarity
from penult.representation import short_repr
from penult.wording import count, listed, percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Look"]


@short_repr
@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """Maps of one photo or two: of one of the three kinds, as was asked.

    Attributes
    ----------
    activations : tuple of ActivationMaps
        One a layer.
    classes : tuple of ClassActivation
        One a class.
    similarity : RegionSimilarity or None
        Of two photos.
    picture : callable or None
        Draws them as an HTML element, for a notebook.
    """

    activations: tuple[ActivationMaps, ...] = ()
    classes: tuple[ClassActivation, ...] = ()
    similarity: RegionSimilarity | None = None
    picture: Callable[[Look], str] | None = field(default=None, repr=False)

    def _repr_html_(self) -> str:
        return "" if self.picture is None else self.picture(self)

    @property
    def doubt(self) -> str:
        """That the photo is unlike all that trained the classifier; empty where it is not."""
        if not self.classes or not self.classes[0].unlike:
            return ""
        return (
            "unlike anything that the classifier was trained on: each class is no more than a guess"
        )

    @property
    def lines(self) -> list[str]:
        """What was found, in sentences."""
        lines = [
            f"{one.layer} of {one.network}: {count(len(one.maps), 'channel')} of "
            f"{one.maps.shape[2]} × {one.maps.shape[1]} places, from {one.maps.min():.3g} to "
            f"{one.maps.max():.3g}; strongest {listed(map(str, one.order[:5]))}"
            for one in self.activations
        ]
        if self.doubt:
            lines.append(self.doubt)
        for one in self.classes:
            lines.append(
                f"{one.label}: {percent(one.probability)}, logit {one.logit:.2f}"
                + ("" if one.label == one.predicted else f" (most probable: {one.predicted})")
            )
            for heat in one.maps:
                lines.append(f"  {heat.name}: {_about(heat, exact=one.method == 'cam')}")
            if one.method == "cam":
                lines.append(f"  from no place: {one.intercept:.2f}")
        if self.similarity is not None:
            found = self.similarity
            lines.append(f"cosine {found.cosine:.3f} of {found.ids[0]} and {found.ids[1]}")
            for pair in found.maps:
                where = f", {pair[0].name}" if len(found.maps) > 1 else ""
                for heat, name in zip(pair, found.names, strict=True):
                    lines.append(f"  {name}{where}: {_about(heat, exact=True)}")
            if any(found.constants):  # of projected rows
                first, second = (f"{round(one, 3) + 0.0:.3f}" for one in found.constants)
                lines.append(f"  from no place: {first} and {second}")
        return lines

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Give the numbers as arrays by name, as a ``.npz`` file has them.

        Returns
        -------
        dict of str to array
            ``names`` says what each of ``map_0``, ``map_1`` and so on is of, each once, and
            ``seen_0`` and so on are what the network saw. Of activations a map is (C, h, w), else
            (h, w).
        """
        import numpy as np

        named: list[tuple[str, NDArray[Any], NDArray[Any]]] = [
            (one.layer, one.maps, one.seen) for one in self.activations
        ]
        named += [
            (f"{one.label}: {heat.name}", heat.values, heat.seen)
            for one in self.classes
            for heat in one.maps
        ]
        if self.similarity is not None:
            named += [
                (f"{name}: {heat.name}", heat.values, heat.seen)
                for pair in self.similarity.maps
                for name, heat in zip(self.similarity.names, pair, strict=True)
            ]
        arrays: dict[str, NDArray[Any]] = {"names": np.array([name for name, *_ in named])}
        for k, (_, values, seen) in enumerate(named):
            arrays |= {f"map_{k}": values, f"seen_{k}": seen}
        return arrays

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``activations``, ``classes`` and ``similarity``, each as its own `to_dict` has it;
            further keys may come.
        """
        return {
            "activations": [one.to_dict() for one in self.activations],
            "classes": [one.to_dict() for one in self.classes],
            "similarity": None if self.similarity is None else self.similarity.to_dict(),
        }


def _about(heat: HeatMap, *, exact: bool) -> str:
    """Say what a map adds up to, and where it is strongest."""
    height, width = heat.values.shape
    row, column = divmod(int(abs(heat.values).argmax()), width)
    strongest = f"strongest in row {row + 1}, column {column + 1}"
    what = f"{heat.total:.3g} from {width} × {height} places" if exact else "Grad-CAM over "
    return f"{what}{'' if exact else f'{width} × {height} places'}, {strongest}"
