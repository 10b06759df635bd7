"""A plan compared with the run: time, size of the file, memory.

    python benchmarks/plan.py /data/flowers17                     # these photos
    python benchmarks/plan.py /data/flowers17 --images 100000     # so many, each with a byte more
    python benchmarks/plan.py /data/flowers17 --recommended       # with the options that it says

Plan and run are processes of their own. Run it on a machine that does nothing else: the plan is of
one, and the run is not.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, help="how many; the folder's own by default")
    parser.add_argument("--model", default="efficientnet_lite0")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--recommended", action="store_true", help="run what the plan recommends")
    parser.add_argument("--scratch", type=Path, help="where copies are made; kept, and used again")
    arguments = parser.parse_args()
    photos = sorted(p for p in arguments.folder.rglob("*") if p.suffix.lower() in {".jpg", ".png"})
    with tempfile.TemporaryDirectory() as folder:
        source, images = arguments.folder, len(photos)
        if arguments.images is not None:
            source = (arguments.scratch or Path(folder)) / f"{arguments.images}"
            images = arguments.images
            fill(source, photos, arguments.folder, images)
        planned = plan(arguments.folder, images, arguments.model, arguments.seconds)
        best = planned["recommended"] if arguments.recommended else planned["ways"][0]
        options = ["--precision", best["precision"], "--resize", best["resize"]]
        options += ["--decode", best["decode"], "--model", arguments.model]
        output = Path(folder) / "rows.h5"
        seconds, cpu, memory = run(
            ["extract", source, "-o", output, *options, "--splits", "none", "--quiet"]
        )
        report(planned, best, images, seconds, cpu, memory, output.stat().st_size)


def fill(target: Path, photos: list[Path], root: Path, images: int) -> None:
    """Copies of the photos, each with its number behind its end, where no decoder looks."""
    if target.is_dir() and sum(1 for p in target.rglob("*") if p.is_file()) == images:
        return
    contents = [path.read_bytes() for path in photos]
    for k in range(images):
        path = photos[k % len(photos)].relative_to(root)
        copy = target / path.parent / f"{path.stem}_{k // len(photos):05}{path.suffix}"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(contents[k % len(photos)] + k.to_bytes(8, "big"))


def plan(sample: Path, images: int, model: str, seconds: float) -> dict:
    command = [sys.executable, "-m", "penult", "plan", "--images", images, "--sample", sample]
    command += ["--model", model, "--seconds", seconds, "--json", "--quiet"]
    printed = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True)
    return json.loads(printed.stdout)


def run(arguments: list[object]) -> tuple[float, float, int]:
    """Seconds by the clock, seconds of CPU, and the most memory, of a command of penult."""
    command = [sys.executable, "-m", "penult", *map(str, arguments)]
    print(shlex.join(["penult", *command[3:]]), file=sys.stderr)
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def report(planned, best, images, seconds, cpu, memory, size) -> None:
    machine = planned["measured"]
    cores = min(machine["cores"], os.cpu_count() or 1)
    columns = shutil.get_terminal_size().columns
    print("-" * min(columns, 60))
    print(f"{images:,} images, {best['precision']}, {best['resize']} resize, {cores} cores")
    print(f"all cores keep {machine['efficiency']:.2f}; others took {machine['others']:.2f} cores")
    expected_cpu = best["core_hours"] * 3600
    for what, one, other, unit in (
        ("time", best["seconds"], seconds, "s"),
        ("core-seconds", expected_cpu, cpu, "s of CPU"),
        ("file", planned["storage"][0]["bytes"] / 1e6, size / 1e6, "MB"),
        ("memory", planned["machine_bytes"] / 1e6, memory / 1e6, "MB"),
    ):
        print(f"{what:13} planned {one:10,.1f}  was {other:10,.1f} {unit:9} {one / other:5.2f}")


if __name__ == "__main__":
    main()
