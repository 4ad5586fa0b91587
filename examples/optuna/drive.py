#!/usr/bin/env python3
"""Optuna chooses, bcx runs and keeps: every trial is a run in the tracker, and none runs twice.

    pip install optuna
    bcx data demo demo
    python3 examples/optuna/drive.py experiments/sweeps/quickstart.toml --trials 10

The sweep file says which parameters there are; Optuna's sampler draws them here, `bcx sweep ask`
makes a trial of each point, its command runs it, `bcx sweep tell` reads its value. A point that was
tried before is answered at once, so that the script can be stopped and started again. Conditional
parameters (`when`) are not handled here.
"""

import argparse
import json
import subprocess

import optuna


def bcx(program, *arguments):
    done = subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def suggest(trial, axis):
    """A value of one parameter: `axis` is an element of "parameters" in `bcx sweep show --json`."""
    key, scale = axis["key"], axis["scale"]
    if scale == "choices":
        return trial.suggest_categorical(key, axis["choices"])
    if scale == "integer":
        return trial.suggest_int(key, int(axis["low"]), int(axis["high"]))
    return trial.suggest_float(key, axis["low"], axis["high"], log=scale == "log_uniform")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--bcx", default="bcx", help="the command")
    options = parser.parse_args()

    sweep = bcx(options.bcx, "sweep", "run", options.file, "--jobs", "0", "--json", "--quiet")

    def objective(trial):
        values = {axis["key"]: suggest(trial, axis) for axis in sweep["parameters"]}
        words = [f"{key}={json.dumps(value)}" for key, value in values.items()]
        ours = bcx(options.bcx, "sweep", "ask", sweep["id"], *words, "--json")
        if ours["state"] == "running":
            subprocess.run(ours["command"] + ["--quiet"], check=False)
            ours = bcx(options.bcx, "sweep", "tell", sweep["id"], str(ours["trial"]), "--json")
        if ours["value"] is None:
            raise optuna.TrialPruned(ours["message"])
        return ours["value"]

    study = optuna.create_study(direction=sweep["direction"], sampler=optuna.samplers.TPESampler(seed=42))
    study.optimize(objective, n_trials=options.trials)
    print(f"{sweep['objective']} {study.best_value:.4f} with {study.best_params}")


if __name__ == "__main__":
    main()
