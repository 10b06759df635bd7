"""Which images train and which are held out in each run: drawn once, and the same for all."""

from __future__ import annotations

import csv
import json
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from penult.classify.options import TrainOptions
from penult.content_keys import is_among, keys_of
from penult.errors import FileFormatError, UsageError
from penult.interface import option
from penult.output import atomic_text
from penult.parsing import read_json, to_record
from penult.partition.row_groups import find_groups, index_groups
from penult.records import Features
from penult.tabular import text_columns
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.recipe import Recipe
    from penult.records import ImageRecord

__all__ = ["RUNS", "SplitOptions", "Splits", "trained_by"]

RUNS = 3
"""How often another part is held out, where the images have no splits of their own."""

_PARTS = ("", "train", "test")
_COLUMNS = ("id", "label", "digest", "unit")


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """How images are divided; `penult.compare` says what each means.

    Attributes
    ----------
    test_size : float
    runs : int or None
    seed : int
    folds : int
    min_per_class : int
    near_duplicates : float or None
    ignore_splits : bool
    """

    test_size: float = 0.2
    runs: int | None = None
    seed: int = 0
    folds: int = 3
    min_per_class: int = 0
    near_duplicates: float | None = None
    ignore_splits: bool = False

    def of_training(self) -> TrainOptions:
        """The options with which `penult.train` divides rows alike.

        Raises
        ------
        UsageError
            If no training can have them.
        """
        if self.runs is not None and self.runs < 1:
            raise UsageError(f"{option('runs', self.runs)} was given; give 1 or more")
        return TrainOptions.of(
            classifier="logistic",
            grid=None,
            test_size=self.test_size,
            seed=self.seed,
            folds=self.folds,
            min_per_class=self.min_per_class,
            near_duplicates=self.near_duplicates,
            ignore_splits=self.ignore_splits,
        )

    def require_same(self, stored: SplitOptions, folder: Path) -> None:
        """Refuse what was asked for where images have been divided otherwise.

        What has its default was not asked for.

        Raises
        ------
        UsageError
        """
        default = asdict(SplitOptions())
        for name, value in asdict(self).items():
            if value not in (default[name], there := getattr(stored, name)):
                raise UsageError(
                    f"{option(name, value)} was given, but the images of {folder} were divided "
                    f"with {option(name, there)}, and all networks are compared on the same "
                    f"parts; leave it out, write to another folder, or give "
                    f"{option('overwrite', True)} to begin anew"
                )


def _refuse_runs(options: SplitOptions, held_out: str, *, has_splits: bool) -> None:
    """Refuse several runs of a part that is the same in each."""
    if options.runs in (None, 1):
        return
    other = f", or give {option('ignore_splits', True)}" * has_splits
    raise UsageError(
        f"{option('runs', options.runs)} was given, and would hold out the same images each time: "
        f"the held-out part is {held_out}; leave it out{other}"
    )


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Which of N images train, and which are held out, in each of R runs.

    Of a million images they take 300 MB, most of it ids and digests.

    Attributes
    ----------
    options : SplitOptions
        With which they were drawn; its ``runs`` is R.
    description : str
        How they were drawn, in words.
    left_out : mapping of str to int
        Reason to the number of images that are in neither part.
    dropped : tuple of str
        Labels that fewer images have than `SplitOptions.min_per_class`.
    failed : mapping of str to str
        Ids of images of which there was no row, each with the reason.
    ids, labels, digests : tuple of str, length N
        Of the images; several labels are joined by ``|``.
    units : int64 array, shape (N,)
        The same number to images that belong together, and tell no more than one.
    parts : int8 array, shape (R, N)
        1 where an image trains, 2 where it is held out, 0 where it is in neither part.
    """

    options: SplitOptions
    description: str
    left_out: Mapping[str, int]
    dropped: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    ids: tuple[str, ...] = field(default=(), repr=False)
    labels: tuple[str, ...] = field(default=(), repr=False)
    digests: tuple[str, ...] = field(default=(), repr=False)
    units: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    parts: NDArray[np.int8] = field(default_factory=lambda: np.empty((0, 0), np.int8), repr=False)

    @property
    def runs(self) -> int:
        """R."""
        return len(self.parts)

    @classmethod
    def draw(
        cls,
        features: Features,
        options: SplitOptions,
        trained_on: NDArray[np.uint64] | None = None,
    ) -> Splits:
        """Draw them for labelled images.

        The same images are held out for every network, so that one difference between two is left.
        Images of one group, identical ones, and near-duplicates where that is asked for, are in one
        part (see `penult.partition.splits.hold_out`). Near-duplicates are those of these rows.

        Parameters
        ----------
        features : Features
        options : SplitOptions
        trained_on : uint64 array, optional
            Keys of the images that trained any of the networks that are compared: where there are
            enough others, these are held out, for all networks alike.

        Raises
        ------
        UsageError, TrainingError
        """
        training = options.of_training()
        trained = trained_by(features, trained_on)
        features = replace(features, trained_network=trained if trained.any() else None)
        joined = training.joined(features)
        first = training.split(joined)
        if not first.drawn:
            _refuse_runs(options, first.description, has_splits=features.splits is not None)
        runs = options.runs or (RUNS if first.drawn else 1)
        every = [first, *(training.split(joined, run=run) for run in range(1, runs))]
        parts = np.zeros((runs, len(features)), np.int8)
        for part, split in zip(parts, every, strict=True):
            part[split.train], part[split.held_out] = 1, 2
        description = first.description
        if runs > 1:
            seeds = f"seeds {options.seed} to {options.seed + runs - 1}"
            description = description.replace(f"seed {options.seed}", seeds)
        columns = text_columns(features)
        return cls(
            options=replace(options, runs=runs),
            description=description,
            left_out=dict(first.left_out),
            dropped=tuple(str(features.label_names[k]) for k in first.dropped),
            failed={failure.id: failure.reason for failure in features.failures},
            ids=tuple(str(one) for one in columns["id"]),
            labels=tuple(one or "" for one in columns["label"]),
            digests=tuple(map(str, features.content or [""] * len(features))),
            units=index_groups(find_groups(joined), len(features))[1].astype(np.int64),
            parts=parts,
        )

    @classmethod
    def require_possible(cls, records: Iterable[ImageRecord], options: SplitOptions) -> None:
        """Refuse labelled images that cannot be divided, before any rows are made of them.

        Only what is certain without their bytes is said: that there are fewer classes than two, or
        fewer images of one than are to be left to train with, or that several runs would hold out
        the same images.

        Raises
        ------
        UsageError, TrainingError
        """
        images = [*records]
        named = {one.split for one in images if one.labels} & {"test", "validation"}
        if named and not options.ignore_splits:
            part = "test" if "test" in named else "validation"
            _refuse_runs(options, f"the {part} split of the images", has_splits=True)
        if any(len(one.labels) > 1 for one in images):
            return
        counts = Counter(one.labels[0] for one in images if one.labels)
        kept = [n for n in counts.values() if n >= options.min_per_class]
        if len(kept) > 1 and min(kept) >= options.folds:
            return
        place = {name: k for k, name in enumerate(sorted(counts))}
        listed = Features(
            features=np.zeros((len(images), 0), np.float32),
            ids=[one.id for one in images],
            labels=np.array([place[one.labels[0]] if one.labels else -1 for one in images]),
            label_names=tuple(place),
            recipe=cast("Recipe", None),  # nothing has made rows of them yet
            splits=[one.split or "" for one in images] if any(x.split for x in images) else None,
            name="images",
        )
        options.of_training().split(listed)

    @cached_property
    def digest(self) -> str:
        """What tells them from others."""
        found = blake2b(json.dumps([asdict(self.options), self.dropped]).encode(), digest_size=16)
        for image in zip(self.ids, self.labels, self.digests, strict=True):
            found.update("\0".join((*image, "")).encode())
        found.update(self.units.tobytes() + self.parts.tobytes())
        return found.hexdigest()

    @cached_property
    def _place_of(self) -> Mapping[str, int]:
        return {name: k for k, name in enumerate(self.ids)}

    def places(self, ids: Iterable[Any]) -> NDArray[np.int64]:
        """Where each image stands among those that were divided; -1 where it does not."""
        return np.array([self._place_of.get(str(one), -1) for one in ids], np.int64)

    def without_dropped(self, features: Features) -> Features:
        """The same rows, with no label that too few images have, where images may have several."""
        small = [k for k, name in enumerate(features.label_names) if str(name) in self.dropped]
        if features.targets is None or not small:
            return features
        targets = np.array(features.targets, bool)
        targets[:, small] = False
        return replace(features, targets=targets)

    def of(self, features: Features, run: int) -> Features:
        """The same rows, with the parts of one run as their splits.

        What belongs together is one image, as identical files are.
        """
        places = self.places(features.ids)
        parts = np.where(places < 0, 0, self.parts[run, places])
        # Those that are in no part belong to none that is.
        units = np.where(places < 0, -1 - np.arange(len(places)), self.units[places])
        return replace(
            features,
            splits=[_PARTS[part] for part in parts.tolist()],
            content=[str(unit) for unit in units.tolist()],
            groups=None,
        )

    def require_listed(self, ids: Sequence[str], labels: Sequence[str], folder: Path) -> None:
        """Refuse images that are not those that were divided.

        Parameters
        ----------
        ids, labels : sequence of str
            Of all images, those of which there is no row included.

        Raises
        ------
        UsageError
        """
        places, failed = self.places(ids), self.failed
        there = np.zeros(len(self.ids), bool)
        there[places[places >= 0]] = True
        found = [*zip(ids, labels, places.tolist(), strict=True)]
        self._require(
            folder,
            added=[one for one, _, k in found if k < 0 and one not in failed],
            gone=[self.ids[k] for k in np.flatnonzero(~there).tolist()],
            relabelled=[one for one, label, k in found if k >= 0 and self.labels[k] != label],
        )

    def require_same(self, features: Features, folder: Path) -> None:
        """Refuse rows of images that are not those that were divided.

        Raises
        ------
        UsageError
        """
        columns = text_columns(features)
        failed = [failure.id for failure in features.failures]
        # Nothing is known of the labels of those that have no row.
        known = [self.labels[k] if k >= 0 else "" for k in self.places(failed).tolist()]
        self.require_listed(
            [*map(str, features.ids), *failed],
            [*(one or "" for one in columns["label"]), *known],
            folder,
        )
        if features.content is not None:
            places = self.places(features.ids).tolist()
            self._require(
                folder,
                changed=[
                    str(one)
                    for one, k, digest in zip(features.ids, places, features.content, strict=True)
                    if k >= 0 and digest and self.digests[k] not in ("", digest)
                ],
            )

    def _require(self, folder: Path, **found: Sequence[str]) -> None:
        told = [
            f"{count(len(ids), 'image')} {what.replace('_', ' ')} ({ids[0]}"
            f"{', …' if len(ids) > 1 else ''})"
            for what, ids in found.items()
            if ids
        ]
        if told:
            raise UsageError(
                f"these are not the images that {folder} was made of: {', '.join(told)}; networks "
                "are compared on the same images: write to another folder, or give "
                f"{option('overwrite', True)} to begin anew"
            )

    def to_dict(self) -> dict[str, Any]:
        """What ``comparison.json`` says of them."""
        options, held = self.options, (self.parts == 2).sum(axis=1)
        used = np.flatnonzero((self.parts > 0).any(axis=0)).tolist()
        classes = {name for k in used for name in self.labels[k].split("|")} - {*self.dropped}
        return {
            "description": self.description,
            "runs": self.runs,
            "seed": options.seed,
            "test_size": options.test_size,
            "images": len(used),
            "classes": len(classes),
            "held_out": held.tolist(),
            "left_out": dict(self.left_out),
        }

    def write(self, table: Path, settings: Path) -> None:
        """Keep them: the settings know which table is theirs, and it is written last."""
        known = {
            "options": asdict(self.options),
            "description": self.description,
            "left_out": dict(self.left_out),
            "dropped": list(self.dropped),
            "failed": dict(self.failed),
            "digest": self.digest,
        }
        with atomic_text(settings, overwrite=True) as file:
            json.dump(known, file, indent=1)
        with atomic_text(table, overwrite=True) as file:
            writer = csv.writer(file)
            writer.writerow([*_COLUMNS, *(f"run_{k + 1}" for k in range(self.runs))])
            parts = ([_PARTS[one] for one in row] for row in self.parts.T.tolist())
            for row in zip(
                self.ids, self.labels, self.digests, self.units.tolist(), parts, strict=True
            ):
                writer.writerow([*row[:-1], *row[-1]])

    @classmethod
    def read(cls, table: Path, settings: Path) -> Splits:
        """Read what `write` wrote.

        Raises
        ------
        FileFormatError
            If either was changed or damaged.
        """
        try:
            return cls._read(table, settings)
        except (
            *(OSError, ValueError, KeyError, TypeError, AttributeError),
            *(ArithmeticError, csv.Error),  # of numbers and lines that are too large
        ) as error:
            raise FileFormatError(
                f"{table} and {settings.name} are not as penult wrote them ({error}); give "
                f"{option('overwrite', True)} to begin anew"
            ) from error

    @classmethod
    def _read(cls, table: Path, settings: Path) -> Splits:
        known = read_json(settings.read_bytes())
        ids, labels, digests, units, parts = _columns(table)
        splits = cls(
            options=to_record(SplitOptions, known["options"]),
            description=str(known["description"]),
            left_out={str(name): int(n) for name, n in known["left_out"].items()},
            dropped=tuple(map(str, known["dropped"])),
            failed={str(name): str(reason) for name, reason in known["failed"].items()},
            ids=tuple(ids),
            labels=tuple(labels),
            digests=tuple(digests),
            units=np.array(units, np.int64),
            parts=np.array(parts, np.int8).reshape(len(ids), -1).T.copy(),
        )
        if splits.digest != known["digest"]:
            raise ValueError("the one is not of the other")
        return splits


def trained_by(features: Features, trained_on: NDArray[np.uint64] | None) -> NDArray[np.bool_]:
    """Say which images trained the network of these rows, or have one of these keys, (N,)."""
    own = features.trained_network
    found = np.zeros(len(features), bool) if own is None else np.array(own, bool)
    if trained_on is not None and len(trained_on) and features.content is not None:
        found |= is_among(keys_of(map(str, features.content)), trained_on)
    return found


def _columns(table: Path) -> tuple[list[str], list[str], list[str], array[int], array[int]]:
    """Read a table line by line: as text, a million images take ten times as much."""
    place = {name: k for k, name in enumerate(_PARTS)}
    ids, labels, digests, units, parts = [], [], [], array("q"), array("b")
    # Programs that show tables may save one with a mark at its begin.
    with table.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        if tuple(header[: len(_COLUMNS)]) != _COLUMNS:
            raise ValueError(f"its columns are not {', '.join(_COLUMNS)}")
        for one, label, digest, unit, *runs in lines:
            ids.append(one)
            labels.append(intern(label))
            digests.append(digest)
            units.append(int(unit))
            parts.extend(place[part] for part in runs)
    return ids, labels, digests, units, parts
