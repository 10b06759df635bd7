"""One self-contained HTML page, from templates and sections."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult import __version__
from penult.messages import printable
from penult.output import atomic_output
from penult.web.section import Section, Shown
from penult.web.thumbnails import Thumbnails
from penult.wording import count, form, interval, percent, probability, ratio

if TYPE_CHECKING:
    import jinja2

__all__ = ["page_environment", "write_page"]


def write_page(
    path: Path,
    package: str,
    sections: Sequence[Section[Shown]],
    shown: Shown,
    thumbnails: Thumbnails,
    *,
    overwrite: bool = False,
    template: str = "page.html",
    folder: str = "sections",
    filters: Mapping[str, Callable[..., str]] | None = None,
    script: str = "web/page.js",
    **values: Any,
) -> Path:
    """Write a page, which needs no other file and asks for nothing over the network.

    Names of folders, files and classes are other people's text: they are escaped, characters that
    a browser would obey are shown as Python's ``repr`` does, and no script but the page's own may
    run.

    Parameters
    ----------
    path : Path
        Of the page.
    package : str
        The module whose folder ``templates`` has the page's templates; those of ``penult.web`` are
        there as ``web/NAME``.
    sections : sequence of Section
        In the order of the page; those that have nothing to show are left out.
    shown : object
        What the sections are given.
    thumbnails : Thumbnails
        What makes the pictures.
    overwrite : bool
        Replace the page if it is there.
    template : str
        The page's, which extends ``web/page.html``.
    folder : str
        Of the sections' templates, under ``templates``.
    filters : mapping of str to callable, optional
        Functions for the templates beside ``count``, ``form``, ``percent``, ``probability``,
        ``ratio`` and ``interval``.
    script : str
        The template of the one script that the page runs; it may include others, and sees `values`.
        With ``web/photos.js``, photos open large.
    **values : object
        What else the templates see.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
        If it is there, or cannot be written.
    """
    with atomic_output(path, overwrite=overwrite) as partial:
        environment = page_environment(package)
        environment.filters |= dict(filters or {})
        shown_sections = [
            (section, content, _template(environment, section, folder))
            for section in sections
            if (content := section.content(shown, thumbnails)) is not None
        ]
        code = environment.get_template(script).render(**values)
        html = environment.get_template(template).render(
            **values,
            version=__version__,
            sections=shown_sections,
            script=code,
            # The page's own script is the only one that may run, whatever a folder was named.
            script_sha256=base64.b64encode(hashlib.sha256(code.encode()).digest()).decode(),
        )
        # A file name that is no valid UTF-8 reaches Python with lone surrogates in it.
        partial.write_bytes(html.encode("utf-8", errors="replace"))
    return path


def _template(
    environment: jinja2.Environment, section: Section[Any], folder: str
) -> jinja2.Template:
    if section.template:
        return environment.from_string(section.template)
    return environment.get_template(f"{folder}/{section.name}.html")


@cache  # compiling the templates takes longer than filling them in
def page_environment(package: str) -> jinja2.Environment:
    """Find templates of a package, and beside them those of `penult.web` as ``web/NAME``.

    Parameters
    ----------
    package : str
        The module whose folder ``templates`` has them.

    Returns
    -------
    jinja2.Environment
        It escapes what it is given, and knows the filters of `write_page`.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader(package),
                jinja2.PrefixLoader({"web": jinja2.PackageLoader("penult.web")}),
            ]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "count": count,
        "form": form,
        "interval": interval,
        "percent": percent,
        "probability": probability,
        "ratio": ratio,
    }
    return environment


def _shown(value: object) -> object:
    # Only what is a text as such: what jinja has marked as safe was made here.
    return printable(value) if type(value) is str else value
