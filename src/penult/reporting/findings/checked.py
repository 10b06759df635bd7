"""What was checked and found in order, or could not be checked."""

from __future__ import annotations

from penult.records import Duplicates
from penult.reporting.content import Report
from penult.wording import count, listed

__all__ = ["checked"]

_NOT_DONE = {
    "labels": "Labels that look wrong were not looked for",
    "curve": "No learning curve was drawn",
    "retrieval": "The search was not scored",
    "duplicates": "Duplicates were not looked for",
    "evidence": "Where in mistakes their class was found is not shown",
    "finetuning": "Not all test photos are as they were",
}


def checked(report: Report) -> tuple[str, ...]:
    """Say, in a sentence each, what has no section of its own because there is nothing to show.

    So a section that is missing is told apart from one that was not asked for.
    """
    return (
        *_in_order(report),
        *(f"{_NOT_DONE.get(name, name)}: {why}." for name, why in report.notes.items()),
    )


def _in_order(report: Report) -> list[str]:
    said = []
    trained, found = report.trained, report.duplicates
    if trained is not None and trained.scores.accuracy == 1:
        right = "has its labels exactly" if trained.multilabel else "was put into its class"
        said.append(f"Every {report.scored_image}{report.scored_which} {right}.")
    if trained is not None and trained.label_issues == ():
        judge = "five classifiers that each judged the fifth they had not seen"
        if report.finetuning is not None:
            judge = "the fine-tuned network, which judged the test images alone"
        said.append(
            "No label looks wrong, by confident learning (Northcutt, Jiang and Chuang, JAIR 70, "
            f"2021) with {judge}."
        )
    if found is not None and not found.groups:
        said.append(
            f"No two of {_compared(report, found)} are the same file, or have rows with a cosine "
            f"of at least {found.threshold:g}."
        )
    held_out = trained is not None and report.applied is None
    if report.finetuning is not None:
        said.append(
            "Near-duplicates, by rows of the network as it was, are in one part: they were kept "
            "together when the photos were divided."
        )
    elif found is not None and not found.across_total and held_out:
        said.append("No held-out image has a near-duplicate that the classifier was trained on.")
    if found is not None and found.groups and not found.suspects_total and trained is not None:
        said.append("Near-duplicates have the same labels.")
    if not report.failures:
        said.append("Every image could be read.")
    if report.passed_over:
        files = [
            f"{count(number, 'file')} {extension or 'without extension'}"
            for extension, number in report.passed_over.items()
        ]
        said.append(f"Passed over, since their names are not those of images: {listed(files, 20)}.")
    said += [f"{line[:1].upper()}{line[1:]}." for line in report.listing_messages]
    return said


def _compared(report: Report, found: Duplicates) -> str:
    every = report.images - len(report.failures)
    images = count(found.rows, "image")
    return images if found.rows >= every else f"{images}, a random sample of {count(every)},"
