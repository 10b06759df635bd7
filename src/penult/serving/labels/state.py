"""What a log of labels comes to: the entries that count, of each image, and who can undo which."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from types import MappingProxyType

from penult.errors import FileFormatError, UndoError
from penult.serving.labels.entry import LabelEntry, given_by, giver, named_label
from penult.wording import count, listed

__all__ = ["LabelState"]

_NAMED = 3


class LabelState:
    """The entries of a log, one after the other.

    Of an image, the last entry counts that was not undone. Where all were, the last undoing does:
    it said which label the image has from then on, whatever the gallery's file says by now.
    """

    def __init__(self) -> None:
        self.entries: list[LabelEntry] = []
        self._batches: list[range] = []  # places in `entries`
        self._by_id: dict[str, list[int]] = {}
        self._standing: dict[str, list[int]] = {}  # those that were not undone, the last on top
        self._undone: set[int] = set()
        self._current: Mapping[str, LabelEntry] | None = None

    @property
    def next_batch(self) -> int:
        """The number of the next batch."""
        return len(self._batches) + 1

    @property
    def next_entry(self) -> int:
        """The number of the next entry."""
        return len(self.entries) + 1

    @property
    def current(self) -> Mapping[str, LabelEntry]:
        """The entry that counts of each image; it stays as it is when others follow."""
        if self._current is None:
            entries = {
                one: self.entries[(at or self._by_id[one])[-1] - 1]
                for one, at in self._standing.items()
            }
            self._current = MappingProxyType(entries)
        return self._current

    def last(self, image_id: str) -> LabelEntry | None:
        """The last entry of an image, an undoing or not: `new` is the label that it has."""
        at = self._by_id.get(image_id)
        return self.entries[at[-1] - 1] if at else None

    def history(self, image_id: str) -> list[LabelEntry]:
        """All entries of an image, the first one first."""
        return [self.entries[number - 1] for number in self._by_id.get(image_id, ())]

    def append(self, batch: Sequence[LabelEntry]) -> None:
        """Take the next batch.

        Raises
        ------
        FileFormatError
            If it cannot follow what is there; nothing of it is taken.
        """
        numbers = [one.entry for one in batch]
        expected = range(self.next_entry, self.next_entry + len(batch))
        if batch[0].batch != self.next_batch or numbers != [*expected]:
            raise FileFormatError(
                f"is batch {batch[0].batch} with entry {numbers[0]}, where batch "
                f"{self.next_batch} with entry {self.next_entry} has to follow"
            )
        if len({one.id for one in batch}) < len(batch):
            raise FileFormatError("changes an image twice")
        for one in batch:
            standing = self._standing.get(one.id, [])
            if one.undoes is not None and standing[-1:] != [one.undoes]:
                raise FileFormatError(
                    f"undoes entry {one.undoes}, which is not the last one of {one.id}"
                )
        for one in batch:
            self.entries.append(one)
            self._by_id.setdefault(one.id, []).append(one.entry)
            if one.undoes is None:
                self._standing.setdefault(one.id, []).append(one.entry)
            else:
                self._standing[one.id].pop()
                self._undone.add(one.undoes)
        self._batches.append(range(expected.start, expected.stop))
        self._current = None

    def to_undo(
        self,
        entry: int | None = None,
        batch: int | None = None,
        who: str | None = None,
        *,
        among: Container[str] | None = None,
    ) -> list[LabelEntry]:
        """Find what can be undone of a change: that which nothing else has followed.

        Parameters
        ----------
        entry, batch : int, optional
            The change; without either, the last one of `who` that can be undone.
        who : str or None
            Whose change, where none is named.
        among : container of str, optional
            Images, of which it has to change one then: a change of others is not seen, and so
            nobody can have meant it.

        Returns
        -------
        list of LabelEntry
            At least one; in the order of the images in the batch.

        Raises
        ------
        UndoError
            If there is no such change; if it was undone, or is followed by others of the same
            images; if `who` has no change that can be undone, and then why.
        """
        if entry is None and batch is None:
            return self._last_of(who, among)
        if entry is not None:
            self._require(entry, len(self.entries), "entry")
            what, numbers = f"entry {entry}", [entry]
        else:
            assert batch is not None
            self._require(batch, len(self._batches), "batch")
            what, numbers = f"batch {batch}", [*self._batches[batch - 1]]
        if self.entries[numbers[0] - 1].undoes is not None:
            raise UndoError(f"{what} is an undoing itself; give the images their labels again")
        if left := self._undoable(numbers):
            return left
        if self._undone.issuperset(numbers):
            raise UndoError(f"{self._told(numbers)} was undone already")
        # The page shows this to people, to whom the numbers of entries say nothing.
        followed = next(one for one in numbers if one not in self._undone)
        image = self.entries[followed - 1].id
        last = self.entries[self._by_id[image][-1] - 1]
        raise UndoError(
            f"{image!r} has {named_label(last.new)} now, {given_by(last)} since; to "
            f"undo {self._told(numbers)}, undo what followed it first"
        )

    def _told(self, numbers: Sequence[int]) -> str:
        first = self.entries[numbers[0] - 1]
        what = repr(first.id) if len(numbers) == 1 else count(len(numbers), "image")
        return f"the change of {what} to {named_label(first.new)}"

    def _last_of(self, who: str | None, among: Container[str] | None) -> list[LabelEntry]:
        for numbers in reversed(self._batches):
            first = self.entries[numbers[0] - 1]
            if first.undoes is not None or first.who != who:
                continue
            left = self._undoable(numbers)
            if any(among is None or one.id in among for one in left):
                return left
        why = self._why_none(who, among)
        raise UndoError(f"there is no change of labels{_of(who)} to undo{why}")

    def _why_none(self, who: str | None, among: Container[str] | None) -> str:
        """Say why none of the changes of somebody can be undone, where there are any."""
        left = [
            one
            for one in self.entries
            if one.who == who and one.undoes is None and one.entry not in self._undone
        ]
        seen = list(dict.fromkeys(one.id for one in left if among is None or one.id in among))
        if not seen:
            gone = count(len({one.id for one in left}), "image")
            told = f"; those of {gone} that the gallery no longer has are undone only by number"
            return told if left else ""
        # The change that stands in the way, and not an undoing of a later one.
        others = [self.entries[self._standing[one][-1] - 1] for one in seen]
        by = listed(dict.fromkeys(map(giver, others)), _NAMED)
        if len(seen) == 1:
            return f": the label of {seen[0]!r} was changed again since, by {by}; undo that first"
        return (
            f": the labels of all {count(len(seen), 'image')} were changed again since, by {by}; "
            "undo what followed first"
        )

    def _undoable(self, numbers: Iterable[int]) -> list[LabelEntry]:
        entries = (self.entries[number - 1] for number in numbers)
        return [one for one in entries if self._standing[one.id][-1:] == [one.entry]]

    @staticmethod
    def _require(number: int, most: int, what: str) -> None:
        if not 1 <= number <= most:
            there = f"they go from 1 to {most:,}" if most else "no label was changed yet"
            raise UndoError(f"there is no {what} {number} in the log of labels; {there}")


def _of(who: str | None) -> str:
    return "" if who is None else f" of {who}"
