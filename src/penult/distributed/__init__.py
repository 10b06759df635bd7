"""An extraction divided among many processes: parts by position, an executor, what adds up."""

from penult.distributed.connection import require_ray
from penult.distributed.options import RayOptions
from penult.distributed.rows_run import RowsRun
from penult.distributed.run import OnCluster
from penult.distributed.target import Target

__all__ = ["OnCluster", "RayOptions", "RowsRun", "Target", "require_ray"]
