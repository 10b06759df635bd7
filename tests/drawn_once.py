"""The confusion matrix, drawn once a process for each of the ways in which it is drawn.

Many tests write reports and trainings, and look at no cell of it. That it is there, and that counts
look otherwise than shares, is seen beside them; how it looks is tested by those of its own module.
"""

from __future__ import annotations

_drawn: dict[tuple[bool, bool], bytes] = {}


def confusion_matrix_png(scores, path, *, order=None, normalize=False, overwrite=False):
    from penult.output import atomic_output
    from penult.reporting.figures import confusion_matrix

    how = order is not None, normalize
    # Of other names it may warn, each time.
    plain = "".join(one.label for one in scores.classes).isascii()
    if plain and how in _drawn:
        with atomic_output(path, overwrite=overwrite) as partial:
            partial.write_bytes(_drawn[how])
        return
    confusion_matrix.confusion_matrix_png(
        scores, path, order=order, normalize=normalize, overwrite=overwrite
    )
    if plain:
        _drawn[how] = path.read_bytes()
