"""An extraction divided among many processes: parts by position, an executor, what adds up."""

from penult.distributed.options import RayOptions
from penult.distributed.rows_run import RowsRun
from penult.distributed.rows_start import RowsStart, first_places, read_manifest
from penult.distributed.run import OnCluster
from penult.distributed.target import Target, require_no_output_options

__all__ = [
    "OnCluster",
    "RayOptions",
    "RowsRun",
    "RowsStart",
    "Target",
    "first_places",
    "read_manifest",
    "require_no_output_options",
]
