"""What a killed process leaves behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from penult import scratch


def scratch_of_a_killed_process(folder: Path, name: str) -> Path:
    """A scratch file of `name` whose process is gone."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    path = folder / f".{name}.{scratch._host()}-{gone.pid}-abc.partial"
    path.write_bytes(b"half")
    return path
