"""Requests for labels, and their answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ImageLabel",
    "LabelChange",
    "LabelChanges",
    "LabelOfOne",
    "LabelOfSeveral",
    "LabelPut",
    "LabelsPut",
    "ListedLabels",
    "Undo",
]


class _Label(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    label: Annotated[str | None, Field(description="The label; null for none.")]
    who: Annotated[str | None, Field(description="Who says so.")] = None


class LabelOfOne(_Label):
    """The label that an image is to have."""

    expected: Annotated[
        str | None,
        Field(
            description="The label that it should have by now, null for none: else nothing is "
            "changed. Without it, any will do."
        ),
    ] = None

    def expected_of(self, image_id: str) -> dict[str, str | None]:
        """The label that is expected of the image, if any is; null is one as well."""
        return {image_id: self.expected} if "expected" in self.model_fields_set else {}


class LabelOfSeveral(_Label):
    """The label that several images are to have."""

    ids: Annotated[list[str], Field(min_length=1, description="The images.")]
    expected: Annotated[
        dict[str, str | None],
        Field(
            description="Of as many of them as are to be checked, the label that they should have "
            "by now, null for none: else nothing is changed."
        ),
    ] = {}


class Undo(BaseModel):
    """Which change is to be taken back."""

    model_config = ConfigDict(extra="forbid", strict=True)

    entry: Annotated[int | None, Field(description="The number of an image's change.")] = None
    batch: Annotated[int | None, Field(description="That of a change of several at once.")] = None
    who: Annotated[str | None, Field(description="Whose last change, if none is named.")] = None


class LabelChange(BaseModel):
    """A change of an image's label; see `penult.serving.labels.entry.LabelEntry`."""

    entry: int
    batch: int
    id: str
    old: str | None
    new: str | None
    who: str | None
    when: str
    undoes: int | None


class LabelPut(LabelChange):
    """A change that was asked for."""

    new_class: Annotated[
        bool, Field(description="Whether no image of the gallery had the label, or one of them.")
    ]


class LabelChanges(BaseModel):
    """Changes that were made at once."""

    batch: int
    entries: list[LabelChange]


class LabelsPut(LabelChanges):
    """Changes that were asked for at once."""

    new_class: Annotated[
        bool, Field(description="Whether no image of the gallery had the label, or one of them.")
    ]


class ImageLabel(BaseModel):
    """The label of an image, and how it came to it."""

    id: str
    label: str | None
    history: list[LabelChange]


class _ListedLabel(BaseModel):
    id: str
    label: str | None
    who: str | None
    when: str


class ListedLabels(BaseModel):
    """Labels that were changed or confirmed."""

    total: int
    changed: Annotated[
        int, Field(description="How many images have another label than the gallery's file says.")
    ]
    labels: list[_ListedLabel]
    not_in_gallery: Annotated[
        int, Field(description="How many more are of images that the gallery has not any more.")
    ]
