"""The process that measures, in a hurry: what it finds is a number, and no more."""

import os

from penult.comparison.cost import child, speed


def printing(*given, **options):
    """Measure, and print as libraries do."""
    print("hello")
    os.write(1, b"from C\n")
    return measure(*given, **options)


measure, child.measure = child.measure, printing
speed.ROUND_SECONDS = speed.BULK_SECONDS = speed.ALONE_SECONDS = 0.01
child.main()
