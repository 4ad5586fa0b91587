#!/usr/bin/env python3
"""What `bcx bench sweep` measures of its ledger, in Optuna with an SQLite store on a local disk.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install optuna
    /tmp/peers/bin/python tools/peers/sweeps.py [--folder DIR] [--json]
"""

import argparse
import json
import statistics
import tempfile
import time

import optuna

TRIALS = 500


def drawn_and_told(folder, name, sampler):
    study = optuna.create_study(storage=f"sqlite:///{folder}/{name}.db", sampler=sampler)
    times = []
    for i in range(TRIALS):
        start = time.perf_counter()
        trial = study.ask()
        trial.suggest_int("train.batch_size", 1, 1000)
        trial.suggest_float("optimizer.learning_rate", 1e-5, 1e-2, log=True)
        study.tell(trial, 1.0 / (i + 1))
        times.append((time.perf_counter() - start) * 1e3)
    times.sort()
    return {"what": f"a trial of {name}, drawn and told", "value": statistics.median(times), "unit": "ms",
            "how": f"median of {len(times)}, {times[0]:.3g} to {times[-1]:.3g}"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = [drawn_and_told(folder, "random", optuna.samplers.RandomSampler(seed=42)),
                   drawn_and_told(folder, "tpe", optuna.samplers.TPESampler(seed=42))]
    if options.json:
        print(json.dumps(figures))
    else:
        for one in figures:
            print(f"{one['what']}: {one['value']:.3g} {one['unit']} ({one['how']})")


if __name__ == "__main__":
    main()
