"""The confusion matrix, drawn once a process for each that looks otherwise."""

from __future__ import annotations

_drawn: dict[object, bytes] = {}


def confusion_matrix_png(scores, path, *, order=None, normalize=False, overwrite=False):
    from penult.output import atomic_output
    from penult.reporting.figures import confusion_matrix

    labels = tuple(one.label for one in scores.classes)
    rows = tuple(map(tuple, scores.confusion))
    shown = labels, rows, scores.images, scores.accuracy, order and tuple(order), normalize
    if shown in _drawn:
        with atomic_output(path, overwrite=overwrite) as partial:
            partial.write_bytes(_drawn[shown])
        return
    confusion_matrix.confusion_matrix_png(
        scores, path, order=order, normalize=normalize, overwrite=overwrite
    )
    if "".join(labels).isascii():  # of other names it may warn, each time
        _drawn[shown] = path.read_bytes()
