"""Whether folders called train, test and the like are splits of the images, or classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from penult.errors import UnknownNameError
from penult.images.labels.annotations import SPLITS, Found, Known, Top, by_source, unlabelled

__all__ = ["SplitFolder", "SplitFolders", "SplitsFrom", "Undecided"]

SplitsFrom = Literal["auto", "folders", "none"]


@dataclass(frozen=True, kw_only=True)
class SplitFolder:
    """What was decided about a top folder that has the name of a split.

    Attributes
    ----------
    folder : its path from the source
    split : that its images are in, or None where it is a folder like any other, and so a class
    unlabelled : how many images have no label for lying directly in a split
    """

    folder: str
    split: str | None
    unlabelled: int = 0


@dataclass(eq=False)
class _Seen:
    """Such a folder, and what was seen of it so far."""

    folder: str
    tree: str | None
    split: str
    holds_images: bool = False  # whose label would be the folder's name
    holds_folders: bool = False
    is_split: bool = True


@dataclass(frozen=True, slots=True)
class Undecided:
    """What is known of an image as soon as it is decided what `seen` is."""

    seen: _Seen
    as_split: Known
    as_class: Known
    group: str | None = None

    def decided(self) -> Known:
        """What is known of it, once all images are found."""
        return self.as_split if self.seen.is_split else self.as_class


@dataclass
class SplitFolders:
    """A rule that labels images by another, and sees meanwhile what folders named as splits are.

    Such a folder is a split where it holds folders with images. It is a class where images that
    take their label from it lie directly in it, and in another folder beside it as well; but not
    where one of its tree is a split already (``train/daisy/1.jpg`` and ``test/1.jpg``), for there
    the images in it are only unlabelled. All else is a split. So nothing is decided before the last
    image is found, and until then what is known of an image is `Undecided`.

    Parameters
    ----------
    rule : the other one
    asked : ``"folders"`` takes every such folder for a split, ``"none"`` takes none, nor what the
        name of a list or an archive says

    Raises
    ------
    UnknownNameError
    """

    rule: Callable[[Found], Known]
    asked: SplitsFrom
    _seen: dict[tuple[str | None, str], _Seen] = field(default_factory=dict, init=False)
    # Whether there are classes beside such folders: among the sources, and below them.
    _classes: set[bool] = field(default_factory=set, init=False)
    _last: tuple[tuple[Any, ...], Known | Undecided] = field(default=((), Known()), init=False)

    def __post_init__(self) -> None:
        allowed = ("auto", "folders", "none")
        if self.asked not in allowed:
            raise UnknownNameError("value for splits", self.asked, allowed)
        self._by_folder = self.rule is by_source

    def __call__(self, found: Found) -> Known | Undecided:
        """What is known of an image."""
        if self.rule not in (by_source, unlabelled) or found.group:
            return self._look(found)
        # All that these rules look at. Most images lie where the one before lay.
        key = (found.folders, found.tops, found.labels, found.stated, found.around)
        if key != self._last[0]:
            self._last = key, self._look(found)
        return self._last[1]

    def _look(self, found: Found) -> Known | Undecided:
        if self.asked == "none" and found.around:
            found = replace(found, around=None)
        last = len(found.folders) - 1
        for top in found.tops:
            if top.at > last:
                break
            if found.folders[top.at].lower() in SPLITS:
                return self._undecided(found, top)
            if top.at == last and found.labels is None:
                self._classes.add(top.tree is None)
        return self.rule(found)

    def _undecided(self, found: Found, top: Top) -> Undecided:
        name = found.folders[top.at]
        seen = self._seen.get((top.tree, name))
        if seen is None:
            path = "/".join(found.folders[: top.at + 1])
            seen = self._seen[top.tree, name] = _Seen(path, top.tree, SPLITS[name.lower()])
        others = found.folders[: top.at] + found.folders[top.at + 1 :]
        as_class = self.rule(found)
        as_split = self.rule(replace(found, folders=others, stated=found.stated or seen.split))
        if len(found.folders) > top.at + 1:
            seen.holds_folders = True
        elif found.labels is None:
            seen.holds_images = True
        group = as_split.group
        if group:
            as_split, as_class = replace(as_split, group=None), replace(as_class, group=None)
        return Undecided(seen, as_split, as_class, group)

    def decide(self, counts: Iterable[tuple[Known | Undecided, int]]) -> tuple[SplitFolder, ...]:
        """Decide what each folder is, now that all images are found.

        Parameters
        ----------
        counts : each different thing that is known of an image, and of how many
        """
        trees = {seen.tree for seen in self._seen.values() if seen.holds_folders}
        for seen in self._seen.values():
            is_class = (
                self._by_folder
                and seen.holds_images
                and seen.tree not in trees
                and (seen.tree is None) in self._classes
            )
            seen.is_split = self.asked == "folders" or (self.asked == "auto" and not is_class)
        without: Counter[_Seen] = Counter()
        for kind, count in counts:
            if isinstance(kind, Undecided) and kind.seen.is_split and self._by_folder:
                lost = kind.as_class.labels and not kind.as_split.labels
                without[kind.seen] += count if lost else 0
        return tuple(
            SplitFolder(
                folder=seen.folder,
                split=seen.split if seen.is_split else None,
                unlabelled=without[seen],
            )
            for seen in sorted(self._seen.values(), key=lambda seen: seen.folder)
        )
