"""penult's logistic solver beside scikit-learn's, along the same path of C in the same basis.

    python benchmarks/solvers.py --case 1020x1280x17               synthetic: rows x width x classes
    python benchmarks/solvers.py --case features.h5 --per-class 5  rows of a feature file
    python benchmarks/solvers.py --case 50000x1280x10 --tasks 1 --up-to 100
    python benchmarks/solvers.py --case 8000x1280x20 --several     two labels an image

Each task (a fold, or all rows) is solved by every candidate in turn, on one thread, from the
smallest C to the largest, each from the last one's solution. Printed for each candidate: seconds of
CPU and wall and their ratio to penult's, the seconds of each C, how far the objective is above the
lowest that any candidate found, the accuracies on the folds left out, and what was warned of.

scikit-learn's tolerance is one of the gradient, whatever C is. "scaled" divides it by the root of
C, without which the objective at a large C stays several times its minimum.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import Normalizer
from threadpoolctl import threadpool_limits
from train import STRENGTHS, rows_like_a_networks

from penult.classify.linear.basis import LinearWeights, principal_basis
from penult.classify.linear.logistic import fit_path, objective
from penult.features.read import load
from penult.partition.splits import cross_validation

Path = Iterator[LinearWeights]


def scikit_learn(
    rows: np.ndarray,
    labels: np.ndarray,
    strengths: Sequence[float],
    *,
    solver: str,
    dtype: str,
    tolerance: float = 1e-4,
    scaled: bool = False,
) -> Path:
    """scikit-learn's path, each fit warm-started; several labels one after the other."""
    rows = rows.astype(dtype)
    columns = [labels] if labels.ndim == 1 else list(labels.T)
    models = [LogisticRegression(solver=solver, max_iter=1000, warm_start=True) for _ in columns]
    for strength in strengths:
        tol = tolerance / max(1, strength) ** 0.5 if scaled else tolerance
        for model, column in zip(models, columns, strict=True):
            model.set_params(C=strength, tol=tol).fit(rows, column)
        yield LinearWeights(
            np.concatenate([model.coef_ for model in models]).T.astype(float),
            np.concatenate([model.intercept_ for model in models]).astype(float),
        )


CANDIDATES: dict[str, Callable[..., Path]] = {
    "penult": fit_path,
    "newton-cg float32 scaled": partial(scikit_learn, solver="newton-cg", dtype="f4", scaled=True),
    "newton-cg float64 scaled": partial(scikit_learn, solver="newton-cg", dtype="f8", scaled=True),
    "newton-cg float64": partial(scikit_learn, solver="newton-cg", dtype="f8"),
    "newton-cg float64 1e-6": partial(scikit_learn, solver="newton-cg", dtype="f8", tolerance=1e-6),
    "lbfgs 1e-5": partial(scikit_learn, solver="lbfgs", dtype="f8", tolerance=1e-5),
    # Its Hessian has (width * classes)² numbers: for small cases only.
    "newton-cholesky": partial(scikit_learn, solver="newton-cholesky", dtype="f8"),
}


def read(case: str, per_class: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Read or make rows of length one, and their labels."""
    if case.endswith(".h5"):
        features = load(case)
        rows = np.asarray(features.features, np.float32).reshape(len(features), -1)
        rows, labels = Normalizer().transform(rows), np.asarray(features.labels)
    else:
        n, width, classes = map(int, case.split("x"))
        rows, labels = rows_like_a_networks(n, width, classes)
    if per_class is not None:
        kept = [np.flatnonzero(labels == k)[:per_class] for k in np.unique(labels)]
        rows, labels = rows[np.concatenate(kept)], labels[np.concatenate(kept)]
    return rows, labels


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", default="1020x1280x17")
    parser.add_argument("--per-class", type=int, help="rows of each class; all by default")
    parser.add_argument("--several", action="store_true", help="a second label for each row")
    parser.add_argument("--tasks", type=int, default=4, help="of three folds, and all rows")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--up-to", type=float, default=max(STRENGTHS), help="the largest C")
    parser.add_argument("--candidate", action="append", choices=CANDIDATES)
    options = parser.parse_args()
    strengths = [c for c in STRENGTHS if c <= options.up_to]
    names = ["penult", *(options.candidate or list(CANDIDATES)[1:-1])]
    rows, labels = read(options.case, options.per_class)
    tasks = [*cross_validation(labels, None), (np.arange(len(rows)), np.array([], int))]
    targets = labels
    if options.several:
        classes = labels.max() + 1
        second = np.random.default_rng(0).integers(0, classes, len(labels))
        targets = np.eye(classes, dtype=bool)[labels] | np.eye(classes, dtype=bool)[second]
    start = time.process_time()
    turned = principal_basis(rows).rows
    print(f"{options.case}: {len(rows):,} rows; basis {time.process_time() - start:.2f} s of CPU")

    shape = (len(names), options.rounds, min(options.tasks, len(tasks)), len(strengths))
    cpu, wall, values, right = (np.full(shape, np.nan) for _ in range(4))
    warned: dict[str, set[str]] = {name: set() for name in names}
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for at in np.ndindex(shape[1:3]):
            train, test = tasks[at[1]]
            for k in np.random.default_rng(at).permutation(len(names)):
                path = CANDIDATES[names[k]](turned[train], targets[train], strengths)
                for c, strength in enumerate(strengths):
                    before = time.process_time(), time.perf_counter()
                    found = next(path)
                    cpu[k, *at, c] = time.process_time() - before[0]
                    wall[k, *at, c] = time.perf_counter() - before[1]
                    values[k, *at, c] = objective(turned[train], targets[train], found, strength)
                    if len(test) and not options.several:
                        logits = turned[test] @ found.coefficients + found.intercept
                        right[k, *at, c] = (logits.argmax(axis=1) == labels[test]).mean()
                warned[names[k]] |= {str(w.message).splitlines()[0][:60] for w in caught}
                caught.clear()
    above = (values / values.min(axis=0) - 1).max(axis=(1, 2))
    for k, name in enumerate(names):
        (spent, ratio), (clock, clock_ratio) = (
            (each[k].sum(axis=(1, 2)), each[k].sum(axis=(1, 2)) / each[0].sum(axis=(1, 2)))
            for each in (cpu, wall)
        )
        print(
            f"{name}: CPU {np.median(spent):.2f} s, {np.median(ratio):.2f} times penult's "
            f"({ratio.min():.2f} to {ratio.max():.2f}); wall {np.median(clock):.2f} s, "
            f"{np.median(clock_ratio):.2f} times"
        )
        print("    CPU of each C", np.median(cpu[k].sum(axis=1), axis=0).round(2).tolist())
        print("    above the lowest", " ".join(f"{value:.0e}" for value in above[k]))
        if not options.several:
            means = np.nanmean(right[k, :, :3], axis=(0, 1))
            print("    accuracies", means.round(4).tolist())
        for text in sorted(warned[name]):
            print("    warned:", text)


if __name__ == "__main__":
    main()
