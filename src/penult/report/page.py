"""One self-contained HTML page, and its figures and numbers as files beside it."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from penult import __version__
from penult.errors import OutputExistsError
from penult.output import atomic_output, check_output, explain
from penult.report import words
from penult.report.content import Report
from penult.report.figures import confusion_matrix_png
from penult.report.sections import SECTIONS, TABLE_UP_TO, mistakes
from penult.report.thumbnails import Thumbnails

if TYPE_CHECKING:
    import jinja2

__all__ = ["FILES", "check_report", "write_report"]

FILES = ("confusion_matrix.png", "scores.json", "index.html")


def check_report(directory: Path, *, overwrite: bool = False) -> None:
    """Refuse a folder that `write_report` could not write to, before any work is spent.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    if directory.exists() and not directory.is_dir():
        raise OutputExistsError(f"{directory} is a file; give the name of a folder to write")
    if directory.is_dir():
        for name in FILES:
            check_output(directory / name, overwrite=overwrite)


def write_report(directory: Path, report: Report, *, overwrite: bool = False) -> Path:
    """Write `index.html`, `confusion_matrix.png` and `scores.json` into a folder.

    The page needs none of the other files: its pictures are inside it, and it asks for nothing over
    the network.

    Parameters
    ----------
    directory : created if need be, with its parents; other files in it are left alone
    report : what the page shows
    overwrite : replace those three files if they exist

    Returns
    -------
    Path
        Of the page. It is written last: where it is, the other two are whole.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    check_report(directory, overwrite=overwrite)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain(error, directory) from error
    figure, numbers, page = (directory / name for name in FILES)
    confusion_matrix_png(report.scores, figure, overwrite=overwrite)
    with atomic_output(numbers, overwrite=overwrite) as partial:
        text = json.dumps(dataclasses.asdict(report.scores), indent=1, ensure_ascii=False)
        partial.write_bytes(_utf8(text + "\n"))
    html = _render(report, figure.read_bytes())
    with atomic_output(page, overwrite=overwrite) as partial:
        partial.write_bytes(_utf8(html))
    return page


def _render(report: Report, figure: bytes) -> str:
    environment = _environment()
    thumbnails = Thumbnails(report.open_image)
    script = environment.get_template("sort.js").render()
    classes = report.scores.classes
    return environment.get_template("page.html").render(
        report=report,
        version=__version__,
        wrong=len(mistakes(report)),
        chance=max((c.support for c in classes), default=0) / max(report.scores.images, 1),
        sections=[
            (section, content)
            for section in SECTIONS
            if (content := section.fill(report, thumbnails)) is not None
        ],
        matrix_picture=_data_uri(figure) if len(classes) > TABLE_UP_TO else None,
        script=script,
        # The page's own script is the only one that may run, whatever a folder was named.
        script_sha256=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("penult.report"),
        autoescape=True,  # names of folders and files are other people's text
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in words.__all__:
        environment.filters[name] = getattr(words, name)
    return environment


def _utf8(text: str) -> bytes:
    # A file name that is no valid UTF-8 reaches Python with lone surrogates in it.
    return text.encode("utf-8", errors="replace")
