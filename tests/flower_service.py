"""A service that needs no network of either kind: photos are known by their bytes."""

from __future__ import annotations

from penult.client.answers import (
    Classified,
    ClassProbability,
    Found,
    FoundHit,
    FoundVote,
    GalleryInfo,
    LabelEntries,
    LabelEntry,
    LabelSize,
    ServedModel,
)
from penult.errors import ServiceError

CLASSIFIER = ServedModel("flowers.skops", "classifier", "0" * 64, "1")
GALLERY = ServedModel("flowers.h5", "gallery", "0" * 64, "1")
HITS = tuple(
    FoundHit(f"{label}/{number}.jpg", round(0.99 - number / 100, 2), label)
    for number, label in enumerate(["daisy", "daisy", "rose", "daisy", "tulip", "rose", "tulip"])
)
IN_THE_GALLERY = b"the bytes of daisy/0.jpg"


class FlowerService:
    """Every photo is a daisy by 3 in 4; `trouble` is raised in place of an answer."""

    def __init__(self):
        self.labels = {hit.id: hit.label for hit in HITS}
        self.log = []
        self.asked = []
        self.trouble = {}

    def _ask(self, what):
        self.asked.append(what)
        if what in self.trouble:
            raise self.trouble[what]

    async def classify(self, photo, top=None):
        self._ask("classify")
        if photo == b"no photo":
            raise ServiceError("the bytes are no image that penult can read", 422)
        shares = (ClassProbability("daisy", 0.75), ClassProbability("rose", 0.25))
        return Classified("daisy", 0.75, shares[:top], CLASSIFIER, unlike=photo == b"a shoe")

    async def search(self, photo=None, *, k=10):
        self._ask("search")
        copy = HITS[0].id if photo == IN_THE_GALLERY else None
        return Found(HITS[:k], GALLERY, FoundVote("daisy", 0.5), copy)

    async def gallery(self):
        self._ask("gallery")
        labels = tuple(LabelSize(one, 2) for one in ("daisy", "rose", "tulip"))
        return GalleryInfo("flowers.h5", 7, 3, "cosine", "0" * 64, "1", None, True, labels=labels)

    async def thumbnail(self, id):
        self._ask("thumbnail")
        return f"thumbnail of {id}".encode()

    async def set_label(self, id, label, who=None, *, expected=...):
        self._ask("set_label")
        now = self.labels[id]
        if expected not in (..., now):
            told = {"labels": [{"id": id, "label": now, "who": "pigeon:bob"}]}
            raise ServiceError(f"{id!r} has {now!r} now, given by 'pigeon:bob' since", 409, told)
        entry = LabelEntry(
            len(self.log) + 1, id, self.labels[id], label, who, "2026-01-01T00:00:00Z"
        )
        self.labels[id] = label
        self.log.append(entry)
        return entry

    async def undo(self, *, entry=None, batch=None, who=None):
        self._ask("undo")
        undone = self.log[entry - 1]
        return LabelEntries((await self.set_label(undone.id, undone.old, who),))
