"""The logistic probe beside scikit-learn's grid search: same folds, same C, same machine.

    python benchmarks/train.py                      every case
    python benchmarks/train.py --case 1020x1280     one of them
    python benchmarks/train.py --tolerance 1e-4     scikit-learn as it is by default, not converged
    python benchmarks/train.py --alone              penult alone, with its seconds of CPU

Prints the seconds of both and their ratio, whether they chose the same C, on how many rows they
agree, and how far each objective at the chosen C is above the lower of the two. scikit-learn runs
one process a core; each side runs alone.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import Normalizer

from penult.classify.kinds.base import TrainingData
from penult.classify.linear.basis import LinearWeights
from penult.classify.linear.logistic import objective
from penult.classify.training.search import search
from penult.partition.splits import cross_validation

STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0)
CASES = {
    "1020x25088": (1020, 25088, 17),
    "1020x1280": (1020, 1280, 17),
    "50000x1280": (50_000, 1280, 10),
}


def rows_like_a_networks(n: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Non-negative rows of length one with a decaying spectrum; one label in twenty is wrong."""
    rng = np.random.default_rng(0)
    latent, labels = 256, np.arange(n) % classes
    centers = 0.6 * rng.standard_normal((classes, latent), dtype=np.float32)
    mixing = rng.standard_normal((latent, width), dtype=np.float32)
    mixing /= np.sqrt(np.arange(1, latent + 1, dtype=np.float32))[:, None]
    rows = np.empty((n, width), np.float32)
    for start in range(0, n, 5000):
        part = slice(start, start + 5000)
        hidden = centers[labels[part]]
        hidden = hidden + rng.standard_normal(hidden.shape, dtype=np.float32)
        noise = 0.3 * rng.standard_normal((len(hidden), width), dtype=np.float32)
        rows[part] = np.maximum(hidden @ mixing + noise, 0)
    wrong = rng.random(n) < 0.05
    labels[wrong] = rng.integers(0, classes, wrong.sum())
    return Normalizer().transform(rows), labels


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=CASES, action="append")
    parser.add_argument("--tolerance", type=float, default=1e-7, help="scikit-learn's tol")
    parser.add_argument("--most-iterations", type=int, default=10_000)
    parser.add_argument("--alone", action="store_true", help="leave scikit-learn out")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    for name in options.case or CASES:
        rows, labels = rows_like_a_networks(*CASES[name])
        folds = cross_validation(labels, None)

        start, cpu = time.perf_counter(), time.process_time()
        tries = {"logistic": [{"C": c} for c in STRENGTHS]}
        found = search(TrainingData(rows=rows, labels=labels, folds=folds, scale="none"), tries)
        trials, best, mine = found.trials, found.best, found.pipeline
        ours = time.perf_counter() - start
        cpu = time.process_time() - cpu
        print(f"{name}: penult {ours:.1f} s ({cpu:.1f} of CPU), C = {best.params['C']:g}")
        for trial in trials:
            print(f"    C = {trial.params['C']:g}: {trial.mean:.4f}, log-loss {trial.log_loss:.4f}")
        print("    not tried:", *(params["C"] for params in found.not_tried), flush=True)
        if options.alone:
            continue

        start = time.perf_counter()
        model = LogisticRegression(tol=options.tolerance, max_iter=options.most_iterations)
        theirs = GridSearchCV(model, {"C": STRENGTHS}, cv=folds, n_jobs=-1).fit(rows, labels)
        seconds = time.perf_counter() - start

        chosen = theirs.best_params_["C"]
        # penult may have taken another C, as good and surer: compared is what each makes of that.
        same = theirs.best_estimator_
        if chosen != best.params["C"]:
            same = model.set_params(C=best.params["C"]).fit(rows, labels)
        agree = float((mine.predict(rows) == same.predict(rows)).mean())
        values = [
            objective(
                rows,
                labels,
                LinearWeights(m.coef_.T.astype(float), m.intercept_.astype(float)),
                best.params["C"],
            )
            for m in (mine[-1], same)
        ]
        above = [f"{value / min(values) - 1:.1e}" for value in values]
        print(f"{name}: scikit-learn {seconds:.1f} s, C = {chosen:g}")
        print(f"{name}: {seconds / ours:.1f} times as fast; {agree:.2%} of predictions equal")
        print(f"{name}: objectives above the lower: penult {above[0]}, scikit-learn {above[1]}")
        means = theirs.cv_results_["mean_test_score"]
        print(f"{name}: its accuracies", ", ".join(f"{mean:.4f}" for mean in means), flush=True)


if __name__ == "__main__":
    main()
