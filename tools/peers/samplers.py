#!/usr/bin/env python3
"""Optuna's TPE beside bcx's on Branin and Hartmann6: 100 trials, 30 seeds, the same start-up trials.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install optuna scipy
    cmake --build build --target bcx_samplers
    /tmp/peers/bin/python tools/peers/samplers.py [--driver build/bin/bcx_samplers] [--json]

Runs on this machine alone. The driver plays bcx's samplers on the functions and prints every trial;
Optuna's sampler is given the points of each study's start-up trials and goes on from there.
Regret: the best value found minus the known minimum. Exits with 1 when bcx's TPE does not beat random
search on a function, or its median regret is more than 1.5 times Optuna's with p < 0.05
(Mann-Whitney, two-sided).
"""

import argparse
import json
import math
import statistics
import subprocess
import sys


def branin(x):
    a = x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6
    return a * a + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x[0]) + 10


def hartmann6(x):
    alpha = (1.0, 1.2, 3.0, 3.2)
    a = ((10, 3, 17, 3.5, 1.7, 8), (0.05, 10, 17, 0.1, 8, 14),
         (3, 3.5, 1.7, 10, 17, 8), (17, 8, 0.05, 10, 0.1, 14))
    p = ((1312, 1696, 5569, 124, 8283, 5886), (2329, 4135, 8307, 3736, 1004, 9991),
         (2348, 1451, 3522, 2883, 3047, 6650), (4047, 8828, 8732, 5743, 1091, 381))
    return -sum(w * math.exp(-sum(r * (v - 1e-4 * c) ** 2 for r, v, c in zip(row, x, centre)))
                for w, row, centre in zip(alpha, a, p))


FUNCTIONS = {
    "branin": (branin, ((-5.0, 10.0), (0.0, 15.0)), 0.397887357729739),
    "hartmann6": (hartmann6, ((0.0, 1.0),) * 6, -3.322368011391339),
}


def played(driver, name, method, seeds, trials):
    """One list of (point, value) for each seed."""
    text = subprocess.run([driver, name, method, str(seeds), str(trials)], check=True,
                          capture_output=True, text=True).stdout
    studies = [[] for _ in range(seeds)]
    function = FUNCTIONS[name][0]
    for line in text.splitlines():
        seed, *numbers = line.split()
        *point, value = map(float, numbers)
        # The two programs have to mean the same function.
        if abs(function(point) - value) > 1e-9 * max(1, abs(value)):
            sys.exit(f"{name}({point}) is {function(point)} here and {value} there")
        studies[int(seed)].append((point, value))
    return studies


def optuna_best(name, start, seed, trials):
    import optuna
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    function, ranges, _ = FUNCTIONS[name]
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=len(start)))
    for point, _ in start:
        study.enqueue_trial({f"x{i}": v for i, v in enumerate(point)})
    study.optimize(lambda trial: function([trial.suggest_float(f"x{i}", low, high)
                                           for i, (low, high) in enumerate(ranges)]), n_trials=trials)
    return study.best_value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--driver", default="build/bin/bcx_samplers")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--startup", type=int, default=10, help="bcx's start-up trials (sweep/tpe.h)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    import optuna
    from scipy.stats import mannwhitneyu

    rows, failed = [], False
    for name, (_, _, minimum) in FUNCTIONS.items():
        def best(method):
            return [min(value for _, value in study) - minimum
                    for study in played(options.driver, name, method, options.seeds, options.trials)]
        random, ours = best("random"), best("tpe")
        studies = played(options.driver, name, "tpe", options.seeds, options.trials)
        theirs = [optuna_best(name, study[:options.startup], seed, options.trials) - minimum
                  for seed, study in enumerate(studies)]
        median = {"random": statistics.median(random), "bcx": statistics.median(ours),
                  "optuna": statistics.median(theirs)}
        p = mannwhitneyu(ours, theirs, alternative="two-sided").pvalue
        ok = median["bcx"] < median["random"] and (median["bcx"] <= 1.5 * median["optuna"] or p > 0.05)
        failed |= not ok
        rows.append({"function": name, "median_regret": median, "ratio": median["bcx"] / median["optuna"],
                     "p": p, "holds": ok})

    if options.json:
        print(json.dumps({"optuna": optuna.__version__, "seeds": options.seeds, "trials": options.trials,
                          "rows": rows}, indent=2))
    else:
        print(f"Optuna {optuna.__version__}, {options.trials} trials, {options.seeds} seeds: median regret")
        print(f"{'function':10} {'random':>8} {'bcx tpe':>8} {'Optuna':>8} {'ratio':>6} {'p':>6}")
        for row in rows:
            m = row["median_regret"]
            print(f"{row['function']:10} {m['random']:8.4f} {m['bcx']:8.4f} {m['optuna']:8.4f} "
                  f"{row['ratio']:6.2f} {row['p']:6.3f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
