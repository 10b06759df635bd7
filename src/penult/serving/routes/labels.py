"""Labels that people correct: into the log, and out of it as a table."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response

from penult.errors import OutputError
from penult.serving.id_in_path import IMAGE_ID
from penult.serving.json_body import JsonRoute
from penult.serving.labels.entry import LabelEntry
from penult.serving.labels.expected import OtherLabelsError
from penult.serving.labels.table import gallery_table
from penult.serving.problems import ProblemError
from penult.serving.require import require_held, unknown_images
from penult.serving.schemas.labels import (
    ImageLabel,
    LabelChanges,
    LabelOfOne,
    LabelOfSeveral,
    LabelPut,
    LabelsPut,
    ListedLabels,
    Undo,
)
from penult.serving.schemas.problem import PROBLEMS

if TYPE_CHECKING:
    from penult.retrieve.search.gallery import Gallery
    from penult.serving.gallery.collection import Collection
    from penult.serving.labels.log import LabelLog
    from penult.serving.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    """Make the routes of labels."""
    routes = APIRouter(
        prefix="/v1/labels", tags=["labels"], responses=PROBLEMS, route_class=JsonRoute
    )

    def collection() -> Collection:
        if service.served.gallery is None:
            raise ProblemError(404, "there is no gallery here, and so no labels to correct")
        return require_held(service)

    def log() -> LabelLog:
        if service.label_log is None:
            raise ProblemError(
                403, "labels cannot be changed here: the service keeps no log of them"
            )
        return service.label_log

    def put(
        ids: Sequence[str], body: LabelOfOne | LabelOfSeveral, expected: Mapping[str, str | None]
    ) -> tuple[list[LabelEntry], bool]:
        of = collection()
        _require_known(of.gallery, ids)
        before = of.labels.now()
        with _told(log()) as labels:
            entries = labels.put(
                ids,
                body.label,
                body.who,
                several=of.gallery.is_multilabel,
                before=of.labels.original,
                expected=expected,
            )
        service.metrics.labels_changed(len(entries))
        return entries, not before.counts.keys() >= set(before.parts(entries[0].new))

    @routes.get(
        "",
        name="labels",
        response_model=ListedLabels,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    def changed(
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1)] = 100,
        format: Literal["json", "csv"] | None = None,
        accept: Annotated[str, Header()] = "",
    ) -> dict[str, Any] | Response:
        """List what was changed or confirmed; as CSV the labels of all images."""
        of = collection()
        if format == "csv" or (format is None and accept.startswith("text/csv")):
            disposition = {"Content-Disposition": 'attachment; filename="labels.csv"'}
            table = gallery_table(of.gallery, of.labels.now())
            return Response(table, media_type="text/csv", headers=disposition)
        if limit > service.options.max_k:
            raise ProblemError(
                422,
                f"limit: {limit} was given; at most {service.options.max_k:,} are listed at once",
            )
        state = {} if service.label_log is None else service.label_log.state()
        standing = [one for one in state.values() if one.undoes is None]
        here = (one for one in standing if one.id in of.gallery.places)
        entries = sorted(here, key=lambda one: one.entry)
        shown = [
            {"id": one.id, "label": one.new, "who": one.who, "when": one.when}
            for one in entries[offset : offset + limit]
        ]
        elsewhere = len(standing) - len(entries)
        return {
            "total": len(entries),
            "changed": of.labels.now().changed,
            "labels": shown,
            "not_in_gallery": elsewhere,
        }

    @routes.post("/undo", name="undo labels", response_model=LabelChanges)
    def undo(body: Undo | None = None) -> dict[str, Any]:
        """Take a change back."""
        wanted = body or Undo()
        images = collection().gallery.places
        with _told(log()) as labels:
            entries = labels.undo(
                entry=wanted.entry,
                batch=wanted.batch,
                who=wanted.who,
                among=images,
            )
        service.metrics.labels_changed(len(entries))
        return {"batch": entries[0].batch, "entries": [asdict(one) for one in entries]}

    @routes.get(f"/{IMAGE_ID}", name="label of an image", response_model=ImageLabel)
    def of_image(image_id: str) -> dict[str, Any]:
        """Tell the label of an image, and how it came to it."""
        of = collection()
        _require_known(of.gallery, [image_id])
        history = [] if service.label_log is None else service.label_log.history(image_id)
        label = of.labels.current(image_id)
        return {"id": image_id, "label": label, "history": [asdict(one) for one in history]}

    @routes.put(f"/{IMAGE_ID}", name="set a label", response_model=LabelPut)
    def put_one(image_id: str, body: LabelOfOne) -> dict[str, Any]:
        """Give an image a label, or confirm the one that it has."""
        (entry,), new_class = put([image_id], body, body.expected_of(image_id))
        return {**asdict(entry), "new_class": new_class}

    @routes.post("", name="set labels", response_model=LabelsPut)
    def put_all(body: LabelOfSeveral) -> dict[str, Any]:
        """Give several images a label at once: all of them, or none."""
        entries, new_class = put(body.ids, body, body.expected)
        changes = [asdict(one) for one in entries]
        return {"batch": entries[0].batch, "entries": changes, "new_class": new_class}

    return routes


@contextmanager
def _told(log: LabelLog) -> Iterator[LabelLog]:
    """Answer what the log refuses.

    That it cannot be written is for whoever runs the service as well, and where it is for them
    alone; which labels images have instead of those that were expected is for programs, too.
    """
    try:
        yield log
    except OutputError as error:
        logging.getLogger("penult").warning("penult: %s", error)
        raise ProblemError(507, str(error).replace(str(log.path), log.path.name)) from None
    except OtherLabelsError as error:
        labels = [{"id": one, "label": label, "who": who} for one, label, who in error.labels]
        raise ProblemError(409, str(error), labels=labels) from None


def _require_known(gallery: Gallery, ids: Sequence[str]) -> None:
    unknown = [one for one in ids if one not in gallery.places]
    if unknown:
        raise unknown_images(gallery, unknown, len(ids))
