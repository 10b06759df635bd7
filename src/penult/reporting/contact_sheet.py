"""A picture of a search: each query, and beside it the images found."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import ImageError
from penult.images.listing import as_sources
from penult.images.pixels.decode import decode
from penult.images.read import read_image
from penult.output import atomic_output, check_output
from penult.reporting.figures.colors import GRID, INK, SOFT, WRONG
from penult.reporting.figures.fonts import drawable
from penult.representation import short_text
from penult.suffixes import PICTURE
from penult.web.pictures import ImageOpener, image_opener, missing_images
from penult.web.strips import middle_of_strip
from penult.wording import count, percent
from penult.written import SIGNED, note_written

if TYPE_CHECKING:
    from PIL.Image import Image

    from penult.records import Features, Hit
    from penult.retrieve.search.answer import Answer
    from penult.retrieve.search.searched import Searched

__all__ = ["MOST_HITS", "MOST_QUERIES", "ContactSheet"]

MOST_QUERIES, MOST_HITS = 40, 20
"""A sheet of more is no longer looked at, and fills the memory of whoever opens it."""

RIGHT = "#1d7a3a"
PAPER = "#ffffff"
EMPTY = "#f2f2f5"

_SHEET = "the contact sheet"

# In pixels, which at 100 dots an inch are hundredths of an inch.
_SIDE, _GAP, _MARGIN, _TEXT, _HEAD, _FRAME = 144, 14, 20, 42, 34, 3
_DPI, _POINTS = 100, 8.0


class ContactSheet:
    """Keeps the first answers of a search, and draws them.

    Parameters
    ----------
    path : Path
        The PNG file to write.
    gallery : Searched
        What is searched.
    offline : bool
        Whether images on the network are left out.
    overwrite : bool
        Replace the file if it exists.
    inputs : sequence of Path
        What it may not replace.
    images : path, str or sequence of them, optional
        Where the images of the gallery are now, if they have moved.

    Raises
    ------
    UsageError, OutputExistsError, PathNotFoundError, OutputError
        If it cannot be written.
    UsageError, SourceError
        If there is nothing at `images`.
    """

    def __init__(
        self,
        path: Path,
        gallery: Searched,
        *,
        offline: bool = False,
        overwrite: bool = False,
        inputs: Sequence[Path] = (),
        images: str | Path | Sequence[str | Path] | None = None,
    ) -> None:
        check_output(path, overwrite=overwrite, inputs=inputs, output=PICTURE, name="contact_sheet")
        self._path, self._gallery = path, gallery
        self._overwrite = overwrite
        self._offline, self._images = offline, images
        self._pictures: _Pictures | None = None
        # Whatever is wrong with their place is said before anything is searched for.
        if images is not None:
            as_sources(images)
        if (known := gallery.features_of(())) is not None and len(known):  # a table gives none yet
            self._pictures = _Pictures(known, offline=offline, images=images)
        self._answers: list[Answer] = []
        self._more = 0

    def add(self, answer: Answer) -> None:
        """Put one more query on it, or count it, where there are too many."""
        if len(self._answers) < MOST_QUERIES:
            self._answers.append(answer)
        else:
            self._more += 1

    def write(self) -> None:
        """Draw it, and write it, whole or not at all; nothing where no query was answered.

        What is not on it, and images that are not found any more, are logged.

        Raises
        ------
        OutputExistsError, OutputError
        """
        if not self._answers:
            return
        pictures = self._looked_up()
        figure, undrawn = _draw(self._answers, pictures, self._gallery.metric, self._more)
        with atomic_output(self._path, overwrite=self._overwrite) as partial:
            figure.savefig(partial, format="png", dpi=_DPI, metadata=SIGNED)
        note_written(self._path.parent, self._path)
        hits = max(len(one.result.hits) for one in self._answers)
        left_out = [count(self._more, "more query", "more queries")] * bool(self._more)
        left_out += [f"hits after the first {MOST_HITS}"] * (hits > MOST_HITS)
        said = []
        if left_out:
            said.append(f"has no room for {' and '.join(left_out)}")
        if pictures.missing:
            gone = missing_images(
                len(pictures.missing),
                may_have_moved=pictures.may_have_moved,
                first=min(pictures.missing),
            )
            said.append(f"has empty frames for {gone}")
        for line in said:
            logging.getLogger("penult").warning("penult: %s %s", self._path, line)
        if undrawn:
            logging.getLogger("penult").warning("penult: %s", undrawn)

    def _looked_up(self) -> _Pictures:
        """What finds the pictures: of rows in memory all, of others those on the sheet."""
        hits = {hit.id for one in self._answers for hit in one.result.hits[:MOST_HITS]}
        known = self._gallery.features_of(sorted(hits))
        if self._pictures is not None and self._pictures.gallery is known:
            return self._pictures
        return _Pictures(known, offline=self._offline, images=self._images)


class _Pictures:
    """Finds the images of rows, each once, and makes them small."""

    def __init__(
        self,
        gallery: Features | None,
        *,
        offline: bool,
        images: str | Path | Sequence[str | Path] | None,
    ) -> None:
        self._offline, self.gallery, self.images = offline, gallery, images
        self._openers: dict[int, ImageOpener] = {}
        if images is not None and self.gallery is not None:
            self._openers[id(self.gallery)] = image_opener(
                self.gallery, offline=offline, announce=True, page=_SHEET, images=images
            )
        self._made: dict[tuple[int, str], Image | None] = {}
        self.missing: set[str] = set()

    @property
    def may_have_moved(self) -> bool:
        """Whether nobody said yet where they are, or should say."""
        return self.images is None and not any(one.lacks_places for one in self._openers.values())

    def of_hit(self, hit: Hit) -> Image | None:
        """The image of a row of the gallery."""
        return self._of_row(self.gallery, hit.id)

    def of_query(self, answer: Answer) -> Image | None:
        """The image of a query: the photo that was given, or that of its row."""
        record = answer.query.record
        if record is None:
            return self._of_row(answer.features, answer.query.id)
        try:
            made, _ = read_image(record, lambda image, *_: _small(image), at_least=[_AT_LEAST])
        except (ImageError, OSError):  # it could be read before
            self.missing.add(record.id)
            return None
        return made[0]

    def _of_row(self, features: Features | None, row_id: str) -> Image | None:
        if features is None:  # rows of a program have no images
            return None
        key = (id(features), row_id)
        if key not in self._made:
            self._made[key] = self._read(features, row_id)
            if self._made[key] is None:
                self.missing.add(row_id)
        return self._made[key]

    def _read(self, features: Features, row_id: str) -> Image | None:
        if id(features) not in self._openers:
            self._openers[id(features)] = image_opener(
                features, offline=self._offline, announce=True, page=_SHEET
            )
        try:
            data = self._openers[id(features)](row_id)
            return None if data is None else _small(decode(data, at_least=_AT_LEAST))
        except (ImageError, OSError):
            return None


_AT_LEAST = (2 * _SIDE, 2 * _SIDE)  # still sharp when reduced


def _small(image: Image) -> Image:
    from PIL import Image as Pillow
    from PIL import ImageOps

    return ImageOps.contain(middle_of_strip(image), (_SIDE, _SIDE), Pillow.Resampling.LANCZOS)


@dataclass(frozen=True)
class _Cell:
    """One picture with what is written below it."""

    picture: Image | None
    frame: str
    lines: tuple[str, str]
    mark: str = ""


def _draw(
    answers: Sequence[Answer], pictures: _Pictures, metric: str, more: int
) -> tuple[Any, str]:
    """Return the figure, and what to say of names that no font can draw."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image as Pillow
    from PIL import ImageDraw

    rows = [_cells(answer, pictures) for answer in answers]
    named = drawable([line for row in rows for cell in row for line in cell.lines])
    lines = iter(named.names)
    columns = max(map(len, rows))
    height = 2 * _MARGIN + _HEAD + len(rows) * (_SIDE + _TEXT + _GAP) + (_HEAD if more else 0)
    width = max(2 * _MARGIN + columns * (_SIDE + _GAP) + _GAP, 5 * _SIDE)
    canvas = Pillow.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(canvas)
    texts = [(_MARGIN, _MARGIN, _heading(answers, metric), SOFT, width - 2 * _MARGIN)]
    for number, row in enumerate(rows):
        top = _MARGIN + _HEAD + number * (_SIDE + _TEXT + _GAP)
        for place, cell in enumerate(row):
            left = _MARGIN + place * (_SIDE + _GAP) + (_GAP if place else 0)
            _paste(canvas, pen, cell, left, top)
            below = top + _SIDE + 7
            if cell.picture is None and cell.lines[1] in pictures.missing:
                texts.append((left + 8, below - 28, "not found", SOFT, _SIDE - 16))
            first, second = next(lines), next(lines)
            texts.append((left, below, f"{cell.mark}{first}", INK, _SIDE))
            texts.append((left, below + 15, second, SOFT, _SIDE))
    if more:
        said = f"and {count(more, 'more query', 'more queries')}"
        texts.append((_MARGIN, height - _MARGIN - 14, said, SOFT, width - 2 * _MARGIN))
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
    canvas_of_figure: Any = FigureCanvasAgg(figure)
    renderer = canvas_of_figure.get_renderer()
    figure.figimage(np.asarray(canvas))
    style: dict[str, Any] = {"fontsize": _POINTS, "fontfamily": list(named.families), "va": "top"}
    for left, top, text, color, room in texts:
        drawn = figure.text(
            left / width, 1 - top / height, text, color=color, parse_math=False, **style
        )
        most = len(text)
        while most > 1 and drawn.get_window_extent(renderer).width > room:
            most = min(most - 1, int(most * room / drawn.get_window_extent(renderer).width) + 1)
            drawn.set_text(short_text(text, most))
    return figure, named.message(_SHEET)


def _heading(answers: Sequence[Answer], metric: str) -> str:
    near = (
        "cosine similarity, 1 = same direction, larger is nearer"
        if metric == "cosine"
        else "Euclidean distance, smaller is nearer"
    )
    judged = any(one.result.labels for one in answers)
    return near + judged * "    ✓ has the query's label    ✗ has another"


def _cells(answer: Answer, pictures: _Pictures) -> list[_Cell]:
    result = answer.result
    said = " | ".join(result.labels)
    if result.vote is not None:
        voted = result.vote.label if result.vote.labels is None else " | ".join(result.vote.labels)
        said = f"{said} → {voted} {percent(result.vote.confidence)}".strip()
    cells = [_Cell(pictures.of_query(answer), INK, (said or "query", result.query))]
    for hit in result.hits[:MOST_HITS]:
        right = result.is_right(hit)
        label = " | ".join(hit.all_labels)
        cells.append(
            _Cell(
                pictures.of_hit(hit),
                {True: RIGHT, False: WRONG, None: GRID}[right],
                (f"{hit.value:.3f} {label}".rstrip(), hit.id),
                mark={True: "✓ ", False: "✗ ", None: ""}[right],
            )
        )
    return cells


def _paste(canvas: Image, pen: Any, cell: _Cell, left: int, top: int) -> None:
    box = (left, top, left + _SIDE - 1, top + _SIDE - 1)
    pen.rectangle(box, fill=EMPTY)
    if cell.picture is not None:
        across, down = cell.picture.size
        canvas.paste(cell.picture, (left + (_SIDE - across) // 2, top + (_SIDE - down) // 2))
    around = (box[0] - _FRAME, box[1] - _FRAME, box[2] + _FRAME, box[3] + _FRAME)
    pen.rectangle(around, outline=cell.frame, width=_FRAME)
