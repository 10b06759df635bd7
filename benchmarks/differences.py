"""How often the differences of ``penult compare`` are right, and what another bootstrap costs.

    python benchmarks/differences.py              intervals and tests of images drawn at random
    python benchmarks/differences.py --trained    two equal networks, with classifiers trained anew
    python benchmarks/differences.py --scipy      scipy.stats.bootstrap, and its time

The first draws 340 held-out images a run, of one run and of three (of 1,700 images), on which two
networks differ in a few, and prints how often the 95% interval holds the true difference:
percentiles of the bootstrap, the same widened as `find_differences` widens them, and the
bias-corrected interval (BCa); and how often the sign-flip test and the percentiles exclude a
difference of 0, each pair alone. ``--trained`` has rows of two networks that are equally good, and
trains a ridge classifier on each, on the 80% that each of three runs trains on: what the training
images add to the noise is in it.
"""

import argparse
import time

import numpy as np
import scipy.stats

from penult.comparison.differences import find_differences
from penult.comparison.significance import sign_flip_p

IMAGES, HELD_OUT, ROUNDS = 1_700, 340, 1_500
RATES = [
    (0.005, 0.005),
    (0.01, 0.01),
    (0.02, 0.02),
    (0.05, 0.05),
    (0.02, 0.005),
    (0.03, 0.0),
    (0.06, 0.02),
    (0.1, 0.06),
]
STEADY = 0.7  # of the images that one network alone gets right, in the share that it does in a run


def drawn(rng, runs, ours, theirs):
    """Sum of differences and number of runs of each image that is held out at all."""
    u = rng.random(IMAGES if runs > 1 else HELD_OUT)
    side = np.where(u < ours, 1, np.where(u < ours + theirs, -1, 0))
    sums, cells = np.zeros(len(u), int), np.zeros(len(u), int)
    for _ in range(runs):
        held = rng.permutation(len(u))[:HELD_OUT]
        sums[held] += side[held] * (rng.random(HELD_OUT) < STEADY)
        cells[held] += 1
    return sums[cells > 0], cells[cells > 0]


def bias_corrected(means, found, sums, cells, counts):
    """BCa: Efron & Tibshirani 1993, equations 14.10, 14.14 and 14.15."""
    norm = scipy.stats.norm
    below = ((means < found).mean() + (means <= found).mean()) / 2
    bias = norm.ppf(np.clip(below, 1e-4, 1 - 1e-4))
    left = ((sums * counts).sum() - sums) / ((cells * counts).sum() - cells)
    u = np.average(left, weights=counts) - left
    a = (counts * u**3).sum() / (6 * (counts * u**2).sum() ** 1.5 + 1e-300)
    z = bias + norm.ppf([0.025, 0.975])
    return np.quantile(means, norm.cdf(bias + z / (1 - a * z)))


def coverage():
    print("runs  a alone  b alone   percentile  widened  BCa     excludes 0: sign flip  bootstrap")
    for runs in (1, 3):
        for ours, theirs in RATES:
            rng = np.random.default_rng(0)
            true, right = STEADY * (ours - theirs), np.zeros(5)
            for _ in range(ROUNDS):
                pairs = np.stack(drawn(rng, runs, ours, theirs))
                (sums, cells), counts = np.unique(pairs, axis=1, return_counts=True)
                found = (sums * counts).sum() / (cells * counts).sum()
                weights = rng.multinomial(counts.sum(), counts / counts.sum(), size=2_000)
                means = (weights @ sums) / (weights @ cells)
                low, high = np.quantile(means, [0.025, 0.975])
                p = sign_flip_p(sums, counts)
                wide = (min(low, 0), max(high, 0)) if p >= 0.05 else (low, high)
                bca = (found, found)
                if means.std():
                    bca = bias_corrected(means, found, sums, cells, counts)
                intervals = ((low, high), wide, bca)
                holds = [one[0] - 1e-12 <= true <= one[1] + 1e-12 for one in intervals]
                right += [*holds, p < 0.05, not low <= 0 <= high]
            shares = "  ".join(f"{share:8.3f}" for share in right / ROUNDS)
            print(f"{runs:4}  {ours:7.3f}  {theirs:7.3f}  {shares}", flush=True)


def trained(rounds, spread, classes=17, features=64):
    """Share of rounds in which two networks that are equally good are called separable."""
    for runs in (1, 3):
        separable = held = 0
        errors, gaps = [], []
        for k in range(rounds):
            rng = np.random.default_rng(k)
            labels = np.arange(IMAGES) % classes
            hard = rng.standard_normal((IMAGES, features))  # both find the same photos hard
            # as far apart for both, or one network would be better than the other
            signal = spread * np.eye(classes, features)[labels] + hard
            rows = [signal + rng.standard_normal((IMAGES, features)) for _ in range(2)]
            scores = np.full((2, runs, IMAGES), np.nan)
            for run in range(runs):
                test = rng.permutation(IMAGES)[:HELD_OUT]
                train = np.setdiff1d(np.arange(IMAGES), test)
                for n, x in enumerate(rows):
                    inside = x[train]
                    gram = inside.T @ inside + 100 * np.eye(features)
                    weights = np.linalg.solve(gram, inside.T @ np.eye(classes)[labels[train]])
                    scores[n, run, test] = (x[test] @ weights).argmax(axis=1) == labels[test]
            (one,) = find_differences(
                {"a": scores[0], "b": scores[1]}, np.arange(IMAGES), score="accuracy", seed=k
            )
            separable += one.separable
            held += one.low <= 0 <= one.high
            errors.append(1 - np.nanmean(scores))
            gaps.append(one.difference)
        told = f"{runs} runs, error {np.mean(errors):.1%}: separable {separable / rounds:.3f}"
        told += f", interval holds 0 {held / rounds:.3f}"
        print(f"{told}, std of the difference {np.std(gaps):.4f}", flush=True)


def against_scipy():
    rng = np.random.default_rng(0)
    values = {f"{k}": (rng.random((1, 1_000)) < 0.95).astype(float) for k in range(6)}
    start = time.perf_counter()
    found = find_differences(values, np.arange(1_000), score="accuracy", seed=0)
    ours = time.perf_counter() - start
    start, apart = time.perf_counter(), 0.0
    for one in found:
        sums, cells = (values[one.a] - values[one.b])[0], np.ones(1_000)
        interval = scipy.stats.bootstrap(
            (sums, cells),
            lambda s, c, axis: s.sum(axis=axis) / c.sum(axis=axis),
            paired=True,
            vectorized=True,
            n_resamples=10_000,
            batch=500,
            method="percentile",
            rng=0,
        ).confidence_interval
        apart = max(apart, abs(interval.low - one.low), abs(interval.high - one.high))
    theirs = time.perf_counter() - start
    print(
        f"15 pairs, 1,000 units, 10,000 resamples: find_differences {ours:.2f} s, "
        f"scipy.stats.bootstrap {theirs:.1f} s, ends at most {apart:.4f} apart"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trained", action="store_true")
    parser.add_argument("--scipy", action="store_true")
    parser.add_argument("--rounds", type=int, default=1_000)
    given = parser.parse_args()
    if given.trained:
        for spread in (4, 6):
            trained(given.rounds, spread)
    elif given.scipy:
        against_scipy()
    else:
        coverage()
