#!/usr/bin/env python3
"""What `bcx bench tracker` measures, in MLflow with an SQLite store on a local disk.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install mlflow
    /tmp/peers/bin/python tools/peers/tracker.py [--folder DIR] [--json]

Runs on this machine alone. 10,000 runs and a million points are put into the store by SQL, as their
recording is not what is asked there; everything that is timed goes through MLflow's own interface.
"""

import argparse
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ASYNC_LOGGING", "false")


def figure(what, values, unit):
    values = sorted(values)
    return {"what": what, "value": statistics.median(values), "unit": unit,
            "how": f"median of {len(values)}, {values[0]:.3g} to {values[-1]:.3g}"}


def timed(work, repetitions):
    out = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        out.append((time.perf_counter() - start) * 1e3)
    return out


def logging_costs(client, run):
    values = timed(lambda: client.log_metric(run, "train.loss", 0.5, step=1), 200)
    yield figure("a metric on the training thread (log_metric)", [v * 1e6 for v in values], "ns")
    values = timed(lambda: client.log_metric(run, "train.loss", 0.5, step=1, synchronous=False), 200)
    yield figure("a metric, asynchronous (log_metric)", [v * 1e6 for v in values], "ns")
    from mlflow.entities import Metric
    rates = []
    for batch in range(5):
        points = [Metric("batched", 0.5, 0, batch * 1000 + i) for i in range(1000)]
        start = time.perf_counter()
        client.log_batch(run, metrics=points)
        rates.append(1000 / (time.perf_counter() - start))
    yield figure("points stored (log_batch of 1,000)", rates, "points/s")


VICTIM = """
import mlflow, sys
mlflow.set_tracking_uri(sys.argv[1])
with mlflow.start_run(run_name="victim") as run:
    print(run.info.run_id, flush=True)
    step = 0
    while True:
        step += 1
        mlflow.log_metric("train.loss", 0.5, step=step)
"""


def status_when_killed(client, uri):
    child = subprocess.Popen([sys.executable, "-c", VICTIM, uri], stdout=subprocess.PIPE, text=True)
    run = child.stdout.readline().strip()
    time.sleep(1)
    child.send_signal(signal.SIGKILL)
    child.wait()
    return {"what": "status of a killed run", "value": client.get_run(run).info.status, "unit": ""}


def fill(path, template, runs):
    """10,000 runs of 20 parameters and 10 metrics, and one series of a million points."""
    db = sqlite3.connect(path)
    columns = [row[1] for row in db.execute("PRAGMA table_info(runs)")]
    row = dict(zip(columns, db.execute("SELECT * FROM runs WHERE run_uuid=?", [template]).fetchone()))
    ids = [f"{i:032x}" for i in range(1, runs + 1)]

    def insert(table, rows):
        names = list(rows[0])
        db.executemany(f"INSERT INTO {table} ({','.join(names)}) "
                       f"VALUES ({','.join('?' * len(names))})", [list(r.values()) for r in rows])

    start = 1_795_000_000_000
    insert("runs", [row | {"run_uuid": one, "name": f"run-{i}", "status": "FINISHED",
                           "start_time": start + i * 1000, "end_time": start + i * 1000 + 60000}
                    for i, one in enumerate(ids)])
    insert("params", [{"run_uuid": one, "key": f"group{k % 5}.key{k}", "value": str((i * 31 + k) % 97 / 7)}
                      for i, one in enumerate(ids) for k in range(20)])
    insert("latest_metrics", [
        {"run_uuid": one, "key": "val.auc" if k == 0 else f"val.figure{k}", "timestamp": start,
         "value": (i * 7919 + k) % 10007 / 10007, "step": 30, "is_nan": False}
        for i, one in enumerate(ids) for k in range(10)])
    insert("metrics", [{"run_uuid": template, "key": "million", "value": 1 / step, "timestamp": start,
                        "step": step, "is_nan": False} for step in range(1, 1_000_001)])
    insert("latest_metrics", [{"run_uuid": template, "key": "million", "timestamp": start,
                               "value": 1e-6, "step": 1_000_000, "is_nan": False}])
    db.commit()
    db.close()


SEARCH = """
import mlflow, sys
client = mlflow.MlflowClient(sys.argv[1])
runs = client.search_runs(["0"], "metrics.`val.auc` > 0.5", max_results=20,
                          order_by=["metrics.`val.auc` DESC"])
assert len(runs) == 20
"""


def process(code, *arguments):
    subprocess.run([sys.executable, "-c", code, *arguments], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(folder):
    import mlflow
    path = os.path.join(folder, "mlflow.db")
    uri = "sqlite:///" + path
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    run = client.create_run("0").info.run_id
    yield {"what": "mlflow", "value": mlflow.__version__, "unit": ""}
    yield from logging_costs(client, run)
    yield status_when_killed(client, uri)
    fill(path, run, 10_000)
    search = lambda: client.search_runs(["0"], "metrics.`val.auc` > 0.5", max_results=20,
                                        order_by=["metrics.`val.auc` DESC"])
    yield figure("10,000 runs, filtered and sorted, work alone", timed(search, 5), "ms")
    yield figure("10,000 runs, filtered and sorted, as a process",
                 timed(lambda: process(SEARCH, uri), 5), "ms")
    yield figure("a million points of a curve, work alone",
                 timed(lambda: client.get_metric_history(run, "million"), 3), "ms")
    yield figure("start-up (import mlflow)", timed(lambda: process("import mlflow"), 5), "ms")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--folder", help="measure on this file system")
    arguments.add_argument("--json", action="store_true")
    told = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=told.folder) as folder:
        figures = []
        for one in measure(folder):
            figures.append(one)
            if not told.json:
                value = one["value"]
                print(f"{one['what']}: {f'{value:,.3f}' if isinstance(value, float) else value} "
                      f"{one['unit']}  {one.get('how', '')}", flush=True)
    if told.json:
        print(json.dumps(figures, indent=2))


main()
