"""What an installation costs: MB on the disk, packages, and seconds, downloads included.

    python benchmarks/install.py [EXTRAS]

Makes two environments in a temporary folder, one of `pip install penult` and one with the extras
that are named (by default `torch`), by the versions of constraints.txt; `make sizes` names all.
Nothing is taken from pip's cache, and nothing is kept.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(extras: str) -> None:
    print(f"{'installed':<40} {'MB':>6} {'packages':>8} {'seconds':>8}")
    for title, what in (("penult", str(ROOT)), (f"penult[{extras}]", f"{ROOT}[{extras}]")):
        with tempfile.TemporaryDirectory() as folder:
            megabytes, packages, seconds = cost(Path(folder) / "environment", what)
        title = title if len(title) < 40 else f"{title[:36]}…]"
        print(f"{title:<40} {megabytes:>6,.0f} {packages:>8} {seconds:>8.0f}", flush=True)


def cost(folder: Path, what: str) -> tuple[float, int, float]:
    """MB, packages (penult and pip among them), and seconds of a new environment of `what`."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(next(folder.glob("*/python")))
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    wanted = ["--no-cache-dir", "--no-compile", "--constraint", str(ROOT / "constraints.txt"), what]
    subprocess.run([*pip, "install", "--quiet", *wanted], check=True)
    seconds = time.perf_counter() - began
    listed = subprocess.run([*pip, "freeze", "--all"], check=True, capture_output=True, text=True)
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6, listed.stdout.count("\n"), seconds


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "torch")
