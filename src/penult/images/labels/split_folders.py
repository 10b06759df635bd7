"""Whether folders called train, test and the like are splits of the images, or classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from penult.errors import UnknownNameError
from penult.images.labels.annotations import (
    SPLITS,
    Annotation,
    ImageEntry,
    SplitCandidate,
)
from penult.images.labels.rules import by_source, unlabelled

__all__ = ["PendingAnnotation", "SplitFolder", "SplitFolders", "SplitsFrom"]

SplitsFrom = Literal["auto", "folders", "none"]


@dataclass(frozen=True, kw_only=True)
class SplitFolder:
    """What was decided about a top folder that has the name of a split.

    Attributes
    ----------
    folder : str
        Its path from the source.
    split : str or None
        The split that its images are in; None where it is a folder like any other, and so a class.
    unlabelled : int
        How many images have no label because they lie directly in a split.
    """

    folder: str
    split: str | None
    unlabelled: int = 0


@dataclass(eq=False)
class _Evidence:
    """What was seen so far of a folder that has the name of a split."""

    folder: str
    tree: str | None
    split: str
    holds_images: bool = False  # whose label would be the folder's name
    holds_folders: bool = False
    is_split: bool = True


@dataclass(frozen=True, slots=True)
class PendingAnnotation:
    """Both annotations that an image may get, until it is decided whether its folder is a split."""

    evidence: _Evidence
    if_split: Annotation
    if_class: Annotation
    group: str | None = None

    def resolve(self) -> Annotation:
        """The one that holds, once all images are listed."""
        return self.if_split if self.evidence.is_split else self.if_class


@dataclass
class SplitFolders:
    """A labelling rule around another one, which detects the folders that are splits.

    A folder with the name of a split is one where it holds folders with images. It is a class
    where images that take their label from it lie directly in it, and in another folder beside it
    as well; but not where one of its tree is a split already (``train/daisy/1.jpg`` and
    ``test/1.jpg``), for there the images in it are only unlabelled. All else is a split. So nothing
    is decided before the last image is listed; until then an image has a `PendingAnnotation`.

    Parameters
    ----------
    rule : callable
        The rule that labels the images.
    mode : {"auto", "folders", "none"}
        "folders" takes every such folder for a split; "none" takes none, nor what the name of a
        manifest or an archive says.

    Raises
    ------
    UnknownNameError
        If there is no such mode.
    """

    rule: Callable[[ImageEntry], Annotation]
    mode: SplitsFrom
    _evidence: dict[tuple[str | None, str], _Evidence] = field(default_factory=dict, init=False)
    # Whether there are classes beside such folders: among the sources, and below them.
    _classes: set[bool] = field(default_factory=set, init=False)
    _last: tuple[tuple[Any, ...], Annotation | PendingAnnotation] = field(
        default=((), Annotation()), init=False
    )

    def __post_init__(self) -> None:
        allowed = ("auto", "folders", "none")
        if self.mode not in allowed:
            raise UnknownNameError("value for splits", self.mode, allowed)
        self._by_folder = self.rule is by_source

    def __call__(self, entry: ImageEntry) -> Annotation | PendingAnnotation:
        """Annotate an image."""
        if self.rule not in (by_source, unlabelled) or entry.group:
            return self._annotate(entry)
        # All that these rules look at. Most images lie in the same folder as the one before.
        key = (
            entry.folders,
            entry.candidates,
            entry.labels,
            entry.own_split,
            entry.container_split,
        )
        if key != self._last[0]:
            self._last = key, self._annotate(entry)
        return self._last[1]

    def _annotate(self, entry: ImageEntry) -> Annotation | PendingAnnotation:
        if self.mode == "none" and entry.container_split:
            entry = replace(entry, container_split=None)
        innermost = len(entry.folders) - 1
        for candidate in entry.candidates:
            if candidate.depth > innermost:
                break
            if entry.folders[candidate.depth].lower() in SPLITS:
                return self._pending(entry, candidate)
            if candidate.depth == innermost and entry.labels is None:
                self._classes.add(candidate.tree is None)
        return self.rule(entry)

    def _pending(self, entry: ImageEntry, candidate: SplitCandidate) -> PendingAnnotation:
        depth, name = candidate.depth, entry.folders[candidate.depth]
        evidence = self._evidence.get((candidate.tree, name))
        if evidence is None:
            path = "/".join(entry.folders[: depth + 1])
            evidence = _Evidence(path, candidate.tree, SPLITS[name.lower()])
            self._evidence[candidate.tree, name] = evidence
        others = entry.folders[:depth] + entry.folders[depth + 1 :]
        split = entry.own_split or evidence.split
        if_class = self.rule(entry)
        if_split = self.rule(replace(entry, folders=others, own_split=split))
        if len(entry.folders) > depth + 1:
            evidence.holds_folders = True
        elif entry.labels is None:
            evidence.holds_images = True
        group = if_split.group
        if group:
            if_split, if_class = replace(if_split, group=None), replace(if_class, group=None)
        return PendingAnnotation(evidence, if_split, if_class, group)

    def resolve(
        self, counts: Iterable[tuple[Annotation | PendingAnnotation, int]]
    ) -> tuple[SplitFolder, ...]:
        """Decide what each folder is, once all images are listed.

        Parameters
        ----------
        counts : iterable of (annotation, int)
            Each distinct annotation, and how many images have it.
        """
        trees = {one.tree for one in self._evidence.values() if one.holds_folders}
        for one in self._evidence.values():
            is_class = (
                self._by_folder
                and one.holds_images
                and one.tree not in trees
                and (one.tree is None) in self._classes
            )
            one.is_split = self.mode == "folders" or (self.mode == "auto" and not is_class)
        without: Counter[_Evidence] = Counter()
        for kind, count in counts:
            if isinstance(kind, PendingAnnotation) and kind.evidence.is_split and self._by_folder:
                loses_label = kind.if_class.labels and not kind.if_split.labels
                without[kind.evidence] += count if loses_label else 0
        return tuple(
            SplitFolder(
                folder=one.folder,
                split=one.split if one.is_split else None,
                unlabelled=without[one],
            )
            for one in sorted(self._evidence.values(), key=lambda one: one.folder)
        )
