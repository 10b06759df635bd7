"""What is to be compared: networks, with the options that make other rows of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from penult.backbones.catalogue import list_models
from penult.backbones.checkpoint_folder import weights_file
from penult.backbones.registry import load_source, resolve, unknown_model
from penult.backbones.source import missing_extra
from penult.backbones.training_images import training_images
from penult.backbones.weights.choice import WeightsChoice
from penult.combine.beside import trained_keys
from penult.errors import PenultError, UsageError
from penult.extraction import Extraction
from penult.extractor import ModelRows
from penult.features.read import load
from penult.interface import option
from penult.recipe import Precision, Views
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Candidate",
    "default_models",
    "given_files",
    "list_candidates",
    "training_images_of",
]

LARGEST = 100_000_000
"""Parameters of the networks that are compared where none is named: less than this."""

_BUNDLED = "bundled:"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A network, or several whose rows are joined, to be compared; or rows that there are already.

    Attributes
    ----------
    name : str
        What it is called; its layers have names that begin with this one.
    model : str
        The network, or several joined by ``+``.
    extraction : Extraction or None
        What makes its rows; None where there are some already.
    file : Path or None
        The rows that there are already.
    """

    name: str
    model: str
    extraction: Extraction | None = None
    file: Path | None = None

    def named(self, layer: str, *, among: Sequence[str]) -> str:
        """What the rows of one of its layers are called.

        Parameters
        ----------
        layer : str
            What they are called in their file.
        among : sequence of str
            All that are in the file.
        """
        usual = layer in ("penultimate", "joined") if self.file is None else len(among) == 1
        if usual:
            return self.name
        model, comma, options = self.name.partition(", ")
        return f"{model}/{layer}{comma}{options}"


def default_models() -> list[str]:
    """The bundled networks, and those on this machine of fewer than 100 million parameters."""
    bundled = [f"{_BUNDLED}{name}" for name in load_source("bundled").names()]
    others = [
        info.name
        for info in list_models("*")
        if info.on_this_machine
        and info.parameters is not None
        and info.parameters < LARGEST
        and info.name not in bundled
    ]
    return bundled + others


def list_candidates(
    models: Sequence[str],
    *,
    precisions: Sequence[Precision],
    views: Sequence[Views | None],
    extraction: Extraction,
) -> list[Candidate]:
    """List all that is to be compared: each model, in each precision, with each of the views.

    Parameters
    ----------
    models : sequence of str
        Names; ``A+B`` is two networks whose rows are joined.
    precisions, views : sequence
        To combine them with.
    extraction : Extraction
        What else is asked for; its models, precision and views do not count.

    Raises
    ------
    UnknownNameError
        If there is no such model; suggests close names.
    UsageError
        If two of them would be the same.
    """
    found: list[Candidate] = []
    for given, precision, seen in product(models, precisions, views):
        networks = _networks(given)
        full = [_full_name(one) for one in networks]
        rows = extraction.extractor.rows
        if not isinstance(rows, ModelRows):
            raise TypeError("rows of stored recipes are not compared")
        rows = replace(
            rows,
            models=tuple(networks),
            precision=precision,
            views=seen,
            join=True if len(networks) > 1 else None,
        )
        model = "+".join(one.removeprefix(_BUNDLED) for one in full)
        # The rows of several networks are called "joined", whichever layers they are of.
        of = f"/{'+'.join(rows.layers)}" if rows.join and rows.layers != ModelRows().layers else ""
        name = ", ".join([model + of, *_told(rows, extraction)])
        spec = replace(extraction.extractor, rows=rows)
        found.append(
            Candidate(name=name, model=model, extraction=replace(extraction, extractor=spec))
        )
    _require_distinct([one.name for one in found])
    return found


def training_images_of(candidates: Iterable[Candidate]) -> NDArray[np.uint64]:
    """Make the keys of the images that trained any of the candidates' networks.

    Returns
    -------
    uint64 array, shape (n,)
        Of `penult.content_keys`; empty where none of them was fine-tuned.
    """
    found = [np.empty(0, np.uint64)]
    for one in candidates:
        with suppress(PenultError):  # what is wrong with one is said when it is its turn
            found += [keys for keys in _training_images(one) if keys is not None]
    return np.unique(np.concatenate(found))


def _training_images(candidate: Candidate) -> Iterator[NDArray[np.uint64] | None]:
    if candidate.file is not None:
        layers = load(candidate.file).layers
        yield from (trained_keys([load(candidate.file, layer)]) for layer in layers)
    elif candidate.extraction is not None:
        extractor = candidate.extraction.extractor
        if isinstance(extractor.weights.weights, Path):
            yield training_images(weights_file(extractor.weights.weights))
        for model in extractor.rows.models if isinstance(extractor.rows, ModelRows) else ():
            source, name = resolve(model)
            if source.names_are_paths:
                yield training_images(weights_file(Path(name).expanduser()))


def given_files(files: Iterable[Path]) -> list[Candidate]:
    """Rows that there are already, named after their files."""
    found = [Candidate(name=file.stem, model=file.stem, file=file) for file in files]
    for one, other in combinations(found, 2):
        if one.name == other.name:
            raise UsageError(
                f"{one.file} and {other.file} would both be called {one.name}; rename one of them"
            )
    return found


def _networks(given: str) -> list[str]:
    """The networks that a name is of; a file may have a plus in its name."""
    parts, found = given.split("+"), list[str]()
    while parts:
        names = ["+".join(parts[:n]) for n in range(len(parts), 1, -1)]
        name = next((one for one in names if _is_file(one)), parts[0])
        found.append(name)
        parts = parts[name.count("+") + 1 :]
    return found


def _is_file(name: str) -> bool:
    try:
        prefix, _, rest = name.partition(":")
        return Path(name).exists() or bool(rest and "+" not in prefix and Path(rest).exists())
    except (OSError, ValueError):  # longer than a name may be, or not one
        return False


def _full_name(name: str) -> str:
    """A name as it is looked up, whatever its spelling; refused at once where there is none."""
    source, rest = resolve(name)
    if source.names_are_paths and not Path(rest).exists():
        source.open(rest, WeightsChoice())  # which says that there is no such file
    known = source.names_are_paths or missing_extra(source) is not None or source.knows(rest)
    if not known and set(source.names()):
        raise unknown_model(name)
    return f"{source.prefix}:{rest}"


def _told(rows: ModelRows, extraction: Extraction) -> list[str]:
    """Options that make other rows, where they are not the default."""
    default, weights = ModelRows(), extraction.extractor.weights.weights
    told = [
        str(value)
        for name in ("precision", "views", "pooling", "normalize", "decode", "resize")
        if (value := getattr(rows, name)) != getattr(default, name)
    ]
    if weights is not None:
        told.append("random" if weights == "random" else Path(str(weights)).name)
    return [re.sub(r"\s+", " ", one) for one in told]


def _require_distinct(names: Sequence[str]) -> None:
    twice = next((one for one in names if names.count(one) > 1), None)
    if twice is not None:
        raise UsageError(
            f"{twice} was given {count(names.count(twice), 'time')}; give each once, as "
            f"{option('model', 'NAME')}"
        )
