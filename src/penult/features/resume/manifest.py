"""What an interrupted run was doing, and in what a new one differs from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penult import __version__
from penult.errors import RecipeMismatchError, ResumeError
from penult.features.changes import renamed_images
from penult.features.described import from_data, to_data
from penult.features.resume.chunk import write_safely
from penult.inputs import refuse_unread
from penult.interface import option
from penult.parsing import read_json
from penult.recipe import BackboneRecipe, Recipe
from penult.recipe.comparison import as_option
from penult.records import ImageRecord

__all__ = ["Manifest", "difference", "stamp_of"]

FORMAT = 2
_FIRST_FORMAT = 1

_RUN, _NEW = "run.json", "images.new"
_NAMES_SHOWN = 3


@dataclass(frozen=True)
class Manifest:
    """What decides the outcome of a run.

    Attributes
    ----------
    names : tuple of str
        Of the sets of rows.
    recipes : tuple of Recipe
        One a name.
    options : mapping
        Those that change rows and are not in the recipe, or the order of the rows.
    images : str
        Digest over the id, size and time of change of every image, in order.
    placed : tuple of int or None
        Which file was about to get the output's name; None before.
    """

    names: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    options: Mapping[str, Any]
    images: str
    placed: tuple[int, ...] | None = field(default=None, compare=False)

    @property
    def named(self) -> dict[str, Recipe]:
        """Name to recipe, in order."""
        return dict(zip(self.names, self.recipes, strict=True))

    @classmethod
    def of(
        cls,
        folder: Path,
        recipes: Mapping[str, Recipe],
        options: Mapping[str, Any],
        records: Sequence[ImageRecord],
    ) -> Manifest:
        """Describe a run about to begin in `folder`, where the list of its images is written."""
        digest = hashlib.blake2b(digest_size=16)
        with (folder / _NEW).open("wb") as file:
            for record in records:
                line = (json.dumps(stamp_of(record)) + "\n").encode()
                digest.update(line)
                file.write(line)
        return cls(tuple(recipes), tuple(recipes.values()), dict(options), digest.hexdigest())

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """Read the manifest of the run in `folder`; None where there is none to be trusted.

        Raises
        ------
        ResumeError
            If a newer penult wrote it.
        """
        try:
            data = read_json((folder / _RUN).read_bytes())
            if data["format"] > FORMAT:
                raise ResumeError(
                    f"{folder} holds an interrupted run of penult {data['penult']}, a newer one; "
                    f"finish it with that, or give {option('restart', True)} to begin anew"
                )
            if "names" not in data:  # they are the layers
                data["names"] = [Recipe.from_json(one).layer for one in data["recipes"]]
            found = from_data(cls, data, ignore_unknown=True)
            return found if len(found.names) == len(found.recipes) else None
        except (OSError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, ResumeError):
                raise
            refuse_unread(folder / _RUN, error)  # what it is of would be cleared away
            return None

    def write(self, folder: Path, *, sync: bool = True) -> None:
        """Make this the manifest of the folder, and the list that `of` wrote there its list.

        Raises
        ------
        OSError
        """
        if (folder / _NEW).exists():
            (folder / _NEW).replace(_images(folder, self))
        layers = tuple(recipe.layer for recipe in self.recipes)
        leaves = all(isinstance(recipe, BackboneRecipe) for recipe in self.recipes)
        plain = leaves and self.names == layers  # as older penults know it
        number = _FIRST_FORMAT if plain else FORMAT
        data = {"format": number, "penult": __version__, **to_data(self)}
        if plain:
            del data["names"]
        write_safely(folder / _RUN, json.dumps(data, indent=1).encode(), sync=sync)
        for path in folder.glob("images-*.jsonl"):
            if path != _images(folder, self):
                path.unlink()

    def require_recipe(self, earlier: Manifest, folder: Path) -> None:
        """Refuse to go on with an earlier run of another recipe or other options.

        Raises
        ------
        RecipeMismatchError
        """
        found = difference(earlier.named, self.named, earlier.options, self.options)
        if found:
            raise RecipeMismatchError(
                f"{folder} holds an interrupted run with another recipe ({found}); give the "
                f"options of that run to go on with it, or {option('restart', True)} to begin anew"
            )

    def require_images(self, earlier: Manifest, folder: Path) -> None:
        """Refuse to go on with an earlier run over other images.

        Raises
        ------
        ResumeError
        """
        if earlier.images != self.images:
            changes = _changes(folder, earlier)
            raise ResumeError(
                f"{folder} holds an interrupted run over other images ({changes}); give "
                f"{option('update', True)} to keep what still holds of it, or "
                f"{option('restart', True)} to begin anew"
            )


def difference(
    then: Mapping[str, Recipe],
    now: Mapping[str, Recipe],
    options_then: Mapping[str, Any],
    options_now: Mapping[str, Any],
) -> str:
    """Say field by field in what two runs differ, by name; "" where they do not."""
    fields: dict[str, tuple[Any, Any]] = {}
    if len(then) == len(now):
        for one, other in zip(then.values(), now.values(), strict=True):
            fields |= {as_option(name): pair for name, pair in one.difference(other).items()}
    if not fields and list(then) != list(now):
        fields["layers"] = ", ".join(then), ", ".join(now)
    for name in sorted({*options_then, *options_now}):
        pair = options_then.get(name), options_now.get(name)
        if pair[0] != pair[1]:
            fields[option({"augment_seed": "seed"}.get(name, name))] = pair
    return "; ".join(
        f"{name}: {one!r} then, {other!r} now" for name, (one, other) in fields.items()
    )


def _images(folder: Path, manifest: Manifest) -> Path:
    return folder / f"images-{manifest.images}.jsonl"


def stamp_of(record: ImageRecord) -> list[Any]:
    """What tells cheaply that an image is still the same; its bytes are read only once."""
    if record.stamp is not None:
        return [record.id, record.stamp]
    try:
        status = record.path.stat() if record.path is not None else None
    except OSError:
        status = None
    if status is None:
        return [record.id, None, None]
    return [record.id, status.st_size, status.st_mtime_ns]


def _changes(folder: Path, earlier: Manifest) -> str:
    try:
        then = {image: rest for image, *rest in _lines(_images(folder, earlier))}
        now = {image: rest for image, *rest in _lines(folder / _NEW)}
    except (OSError, ValueError):
        return "its list of them cannot be read"
    added = [image for image in now if image not in then]
    removed = [image for image in then if image not in now]
    renamed = renamed_images(_known_by(then, removed), _known_by(now, added))
    came = set(renamed.values())
    changes = {
        "added": [image for image in added if image not in came],
        "removed": [image for image in removed if image not in renamed],
        "renamed": [f"{one} to {other}" for one, other in renamed.items()],
        "changed": [image for image in now if image in then and now[image] != then[image]],
    }
    return "; ".join(f"{len(ids):,} {how}: {_some(ids)}" for how, ids in changes.items() if ids)


def _known_by(stamps: Mapping[str, list[Any]], images: Iterable[str]) -> dict[str, str]:
    """Size and time of some images, which a file keeps that is renamed; not of all sources."""
    return {one: json.dumps(stamps[one]) for one in images if None not in stamps[one]}


def _lines(path: Path) -> Iterator[list[Any]]:
    with path.open("rb") as file:
        for line in file:
            yield read_json(line)


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:_NAMES_SHOWN])
    return f"{shown}, …" if len(ids) > _NAMES_SHOWN else shown
