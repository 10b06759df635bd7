"""What the service answers, as frozen records; their fields have the names that the JSON has."""

from penult.client.answers.classified import Classified, ClassProbability
from penult.client.answers.found import Found, FoundHit, FoundVote
from penult.client.answers.gallery import ClusterSize, GalleryInfo, LabelSize
from penult.client.answers.gallery_map import GalleryMap
from penult.client.answers.gallery_rows import GalleryRow, GalleryRows
from penult.client.answers.labels import (
    ChangedLabel,
    LabelChanges,
    LabelEntries,
    LabelEntry,
    LabelHistory,
)
from penult.client.answers.photo_rows import PhotoFailure, PhotoRows
from penult.client.answers.review import ReviewItem, ReviewQueue
from penult.client.answers.served_model import ServedModel

__all__ = [
    "ChangedLabel",
    "ClassProbability",
    "Classified",
    "ClusterSize",
    "Found",
    "FoundHit",
    "FoundVote",
    "GalleryInfo",
    "GalleryMap",
    "GalleryRow",
    "GalleryRows",
    "LabelChanges",
    "LabelEntries",
    "LabelEntry",
    "LabelHistory",
    "LabelSize",
    "PhotoFailure",
    "PhotoRows",
    "ReviewItem",
    "ReviewQueue",
    "ServedModel",
]
