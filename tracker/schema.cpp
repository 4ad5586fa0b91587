#include "tracker/schema.h"

#include <array>

namespace bcx::tracker {
namespace {

// Times are INTEGER microseconds since 1970, UTC. Reals that are NaN are NULL (SQLite has none).
// Paths are relative to the database's folder. `run` in other tables is run.id, short and good for
// this file only; run.uuid is the name that travels.
constexpr const char* version_1 = R"sql(
CREATE TABLE dataset (
  id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, source TEXT NOT NULL, root TEXT NOT NULL,
  classes TEXT NOT NULL, positive INTEGER NOT NULL, patient TEXT NOT NULL, samples INTEGER NOT NULL,
  created INTEGER NOT NULL) STRICT;

CREATE TABLE sample (
  dataset INTEGER NOT NULL REFERENCES dataset ON DELETE CASCADE, id INTEGER NOT NULL,
  position INTEGER NOT NULL, name TEXT NOT NULL, target INTEGER NOT NULL, patient TEXT,
  attributes TEXT NOT NULL, PRIMARY KEY (dataset, id)) WITHOUT ROWID, STRICT;

CREATE TABLE split (
  id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, dataset INTEGER NOT NULL REFERENCES dataset,
  method TEXT NOT NULL, by TEXT NOT NULL, fold INTEGER NOT NULL, folds INTEGER NOT NULL,
  audit TEXT NOT NULL, created INTEGER NOT NULL) STRICT;

CREATE TABLE split_part (
  split INTEGER NOT NULL REFERENCES split ON DELETE CASCADE, sample INTEGER NOT NULL,
  part TEXT NOT NULL CHECK (part IN ('train', 'validation', 'test', 'unused')),
  PRIMARY KEY (split, sample)) WITHOUT ROWID, STRICT;

CREATE TABLE run (
  id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, name TEXT NOT NULL, experiment TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'stopped', 'failed')),
  started INTEGER NOT NULL, updated INTEGER NOT NULL, ended INTEGER, exit_reason TEXT NOT NULL,
  attempt INTEGER NOT NULL, seed INTEGER NOT NULL, parent INTEGER REFERENCES run,
  notes TEXT NOT NULL, command TEXT NOT NULL, git_commit TEXT NOT NULL, version TEXT NOT NULL,
  config_source TEXT NOT NULL, config_resolved TEXT NOT NULL, config_hash TEXT NOT NULL,
  folder TEXT NOT NULL, dataset INTEGER REFERENCES dataset, split INTEGER REFERENCES split,
  trashed INTEGER) STRICT;
CREATE INDEX run_started ON run (started);
CREATE INDEX run_name ON run (name);
CREATE INDEX run_parent ON run (parent) WHERE parent IS NOT NULL;

CREATE TABLE attempt (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, number INTEGER NOT NULL,
  started INTEGER NOT NULL, ended INTEGER,
  status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'stopped', 'failed', 'ended')),
  exit_reason TEXT NOT NULL, host TEXT NOT NULL, boot_id TEXT NOT NULL, pid INTEGER NOT NULL,
  start_ticks INTEGER NOT NULL, first_epoch INTEGER NOT NULL, first_samples INTEGER NOT NULL,
  first_step INTEGER NOT NULL, end_epoch INTEGER, end_samples INTEGER, end_step INTEGER,
  PRIMARY KEY (run, number)) WITHOUT ROWID, STRICT;

CREATE TABLE run_tag (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, tag TEXT NOT NULL,
  PRIMARY KEY (run, tag)) WITHOUT ROWID, STRICT;
CREATE INDEX run_tag_by_tag ON run_tag (tag);

CREATE TABLE run_stamp (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, stamp TEXT NOT NULL, detail TEXT NOT NULL,
  time INTEGER NOT NULL, PRIMARY KEY (run, stamp)) WITHOUT ROWID, STRICT;

CREATE TABLE param (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, key TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('bool', 'int', 'float', 'string', 'list')), value ANY,
  origin TEXT NOT NULL, PRIMARY KEY (run, key)) WITHOUT ROWID, STRICT;
CREATE INDEX param_by_key ON param (key, value);

CREATE TABLE metric_key (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, lower_is_better INTEGER NOT NULL) STRICT;

CREATE TABLE metric (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, key INTEGER NOT NULL REFERENCES metric_key,
  step INTEGER NOT NULL, attempt INTEGER NOT NULL, epoch REAL, value REAL, time INTEGER NOT NULL,
  PRIMARY KEY (run, key, step, attempt)) WITHOUT ROWID, STRICT;

CREATE TABLE metric_summary (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, key INTEGER NOT NULL REFERENCES metric_key,
  count INTEGER NOT NULL, nan_count INTEGER NOT NULL, last REAL, last_step INTEGER NOT NULL,
  last_epoch REAL, min REAL, min_step INTEGER NOT NULL, max REAL, max_step INTEGER NOT NULL,
  PRIMARY KEY (run, key)) WITHOUT ROWID, STRICT;
CREATE INDEX metric_summary_by_key ON metric_summary (key);

CREATE TABLE metric_bucket (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, key INTEGER NOT NULL REFERENCES metric_key,
  level INTEGER NOT NULL, attempt INTEGER NOT NULL, first_step INTEGER NOT NULL,
  last_step INTEGER NOT NULL, count INTEGER NOT NULL, nan_count INTEGER NOT NULL, min REAL, max REAL,
  mean REAL, first_epoch REAL, last_epoch REAL, first_time INTEGER NOT NULL,
  last_time INTEGER NOT NULL,
  PRIMARY KEY (run, key, level, first_step, attempt)) WITHOUT ROWID, STRICT;

CREATE TABLE checkpoint (
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  attempt INTEGER NOT NULL, time INTEGER NOT NULL, epoch INTEGER NOT NULL, samples INTEGER NOT NULL,
  step INTEGER NOT NULL, path TEXT NOT NULL, tag TEXT NOT NULL, bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL, metric TEXT NOT NULL, value REAL, kept INTEGER NOT NULL) STRICT;
CREATE INDEX checkpoint_run ON checkpoint (run, path);

CREATE TABLE evaluation (
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  attempt INTEGER NOT NULL, time INTEGER NOT NULL, epoch INTEGER NOT NULL, samples INTEGER NOT NULL,
  step INTEGER NOT NULL, checkpoint TEXT NOT NULL, dataset INTEGER REFERENCES dataset,
  split INTEGER REFERENCES split, part TEXT NOT NULL, purpose TEXT NOT NULL, tta INTEGER NOT NULL,
  precision TEXT NOT NULL, threshold TEXT NOT NULL, threshold_value REAL, look INTEGER NOT NULL,
  count INTEGER NOT NULL, classes INTEGER NOT NULL) STRICT;
CREATE INDEX evaluation_run ON evaluation (run, part);
CREATE INDEX evaluation_split ON evaluation (split, part);

CREATE TABLE evaluation_metric (
  evaluation INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE, key TEXT NOT NULL, value REAL,
  PRIMARY KEY (evaluation, key)) WITHOUT ROWID, STRICT;

CREATE TABLE prediction (
  evaluation INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE, sample INTEGER NOT NULL,
  logits BLOB NOT NULL, PRIMARY KEY (evaluation, sample)) WITHOUT ROWID, STRICT;

CREATE TABLE curve (
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  evaluation INTEGER REFERENCES evaluation ON DELETE CASCADE, attempt INTEGER NOT NULL,
  time INTEGER NOT NULL, kind TEXT NOT NULL, x_name TEXT NOT NULL, y_name TEXT NOT NULL,
  count INTEGER NOT NULL, points BLOB NOT NULL) STRICT;
CREATE INDEX curve_run ON curve (run);
CREATE INDEX curve_evaluation ON curve (evaluation);

CREATE TABLE plugin (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, kind TEXT NOT NULL, name TEXT NOT NULL,
  version TEXT NOT NULL, build_id TEXT NOT NULL, file TEXT NOT NULL,
  PRIMARY KEY (run, kind, name)) WITHOUT ROWID, STRICT;

CREATE TABLE artifact (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, name TEXT NOT NULL, kind TEXT NOT NULL,
  path TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, time INTEGER NOT NULL,
  PRIMARY KEY (run, name)) WITHOUT ROWID, STRICT;

CREATE TABLE event (
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  attempt INTEGER NOT NULL, time INTEGER NOT NULL,
  level TEXT NOT NULL CHECK (level IN ('debug', 'info', 'warning', 'error')),
  message TEXT NOT NULL) STRICT;
CREATE INDEX event_run ON event (run, id);

CREATE TABLE system (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, attempt INTEGER NOT NULL,
  key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, attempt, key)) WITHOUT ROWID, STRICT;

CREATE TABLE sweep (
  id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'stopped', 'failed')),
  method TEXT NOT NULL, pruner TEXT NOT NULL, objective TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('minimize', 'maximize')), config TEXT NOT NULL,
  started INTEGER NOT NULL, ended INTEGER) STRICT;

CREATE TABLE trial (
  sweep INTEGER NOT NULL REFERENCES sweep ON DELETE CASCADE, number INTEGER NOT NULL,
  parameters TEXT NOT NULL, state TEXT NOT NULL CHECK (
    state IN ('waiting', 'running', 'finished', 'pruned', 'failed', 'infeasible', 'stopped')),
  attempts INTEGER NOT NULL, run INTEGER REFERENCES run ON DELETE SET NULL, value REAL,
  message TEXT NOT NULL, started INTEGER, ended INTEGER,
  PRIMARY KEY (sweep, number)) WITHOUT ROWID, STRICT;
CREATE INDEX trial_run ON trial (run) WHERE run IS NOT NULL;

CREATE VIEW v_run AS
SELECT r.uuid AS run, substr(r.uuid, -8) AS short, r.name, r.experiment, r.status,
  strftime('%Y-%m-%dT%H:%M:%SZ', r.started / 1000000, 'unixepoch') AS started,
  strftime('%Y-%m-%dT%H:%M:%SZ', r.ended / 1000000, 'unixepoch') AS ended,
  (coalesce(r.ended, r.updated) - r.started) / 1e6 AS seconds, r.exit_reason, r.attempt AS attempts,
  r.seed, (SELECT p.uuid FROM run p WHERE p.id = r.parent) AS parent, a.host, a.pid, r.notes,
  r.git_commit, r.version, r.config_hash, r.folder,
  (SELECT group_concat(tag, ',') FROM run_tag t WHERE t.run = r.id) AS tags,
  (SELECT group_concat(stamp, ',') FROM run_stamp s WHERE s.run = r.id) AS stamps
FROM run r LEFT JOIN attempt a ON a.run = r.id AND a.number = r.attempt
WHERE r.trashed IS NULL;

CREATE VIEW v_metric AS
SELECT r.uuid AS run, r.name, k.name AS key, m.step, m.epoch, m.value, m.attempt,
  strftime('%Y-%m-%dT%H:%M:%fZ', m.time / 1e6, 'unixepoch') AS time
FROM metric m JOIN run r ON r.id = m.run JOIN metric_key k ON k.id = m.key
JOIN attempt a ON a.run = m.run AND a.number = m.attempt
WHERE r.trashed IS NULL AND (a.end_step IS NULL OR m.step <= a.end_step)
  AND NOT EXISTS (
    SELECT 1 FROM metric n JOIN attempt b ON b.run = n.run AND b.number = n.attempt
    WHERE n.run = m.run AND n.key = m.key AND n.step = m.step AND n.attempt > m.attempt
      AND (b.end_step IS NULL OR n.step <= b.end_step));

CREATE VIEW v_best AS
SELECT r.uuid AS run, r.name, k.name AS key, s.last, s.min, s.max,
  CASE WHEN k.lower_is_better THEN s.min ELSE s.max END AS best,
  CASE WHEN k.lower_is_better THEN s.min_step ELSE s.max_step END AS best_step,
  s.count, s.nan_count, s.last_step, s.last_epoch
FROM metric_summary s JOIN run r ON r.id = s.run JOIN metric_key k ON k.id = s.key
WHERE r.trashed IS NULL;

CREATE VIEW v_evaluation AS
SELECT e.* FROM evaluation e JOIN attempt a ON a.run = e.run AND a.number = e.attempt
WHERE (a.end_step IS NULL OR e.step <= a.end_step)
  AND NOT EXISTS (
    SELECT 1 FROM evaluation n JOIN attempt b ON b.run = n.run AND b.number = n.attempt
    WHERE n.run = e.run AND n.part = e.part AND n.purpose = e.purpose AND n.step = e.step
      AND n.attempt > e.attempt AND (b.end_step IS NULL OR n.step <= b.end_step));

CREATE VIEW v_prediction AS
SELECT r.uuid AS run, r.name, e.id AS evaluation, e.part, e.purpose, e.epoch, e.step, e.tta, e.look,
  p.sample, s.name AS sample_name, s.patient, s.target, e.classes, p.logits
FROM prediction p JOIN v_evaluation e ON e.id = p.evaluation JOIN run r ON r.id = e.run
LEFT JOIN sample s ON s.dataset = e.dataset AND s.id = p.sample
WHERE r.trashed IS NULL;
)sql";

// Levels of curves were planned in version 1 and not written. A file that travels (`bcx export`)
// holds its runs' files, in pieces so that one of any size fits.
// Lists of runs go through run_live: whether a run is in the trash stands behind its configuration's
// texts, on other pages of the file.
constexpr const char* version_2 = R"sql(
CREATE INDEX run_live ON run (started, trashed) WHERE trashed IS NULL;

DROP TABLE metric_bucket;
CREATE TABLE metric_bucket (
  run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, key INTEGER NOT NULL REFERENCES metric_key,
  level INTEGER NOT NULL, first_step INTEGER NOT NULL, last_step INTEGER NOT NULL,
  count INTEGER NOT NULL, nan_count INTEGER NOT NULL, infinite_count INTEGER NOT NULL,
  min REAL, max REAL, mean REAL, min_step INTEGER, max_step INTEGER,
  first_epoch REAL, last_epoch REAL, first_time INTEGER NOT NULL, last_time INTEGER NOT NULL,
  PRIMARY KEY (run, key, level, first_step)) WITHOUT ROWID, STRICT;

CREATE TABLE packed_file (
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  path TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, UNIQUE (run, path)) STRICT;

CREATE TABLE packed_piece (
  file INTEGER NOT NULL REFERENCES packed_file ON DELETE CASCADE, number INTEGER NOT NULL,
  data BLOB NOT NULL, PRIMARY KEY (file, number)) STRICT;
)sql";

// What filters and orders ask of every run: the values of a key lie side by side, not each on the
// page of its run.
constexpr const char* version_3 = R"sql(
DROP INDEX param_by_key;
CREATE INDEX param_by_key ON param (key, run, type, value);
DROP INDEX metric_summary_by_key;
CREATE INDEX metric_summary_by_key ON metric_summary (key, run, last, min, max);
)sql";

// What logits are divided by before they become probabilities; NULL: nothing was fitted.
constexpr const char* version_4 = R"sql(
ALTER TABLE evaluation ADD COLUMN temperature REAL;
)sql";

constexpr std::array<Migration, 4> all{
    {{1, version_1}, {2, version_2}, {3, version_3}, {4, version_4}}};

}  // namespace

std::span<const Migration> migrations() {
  return all;
}
int latest_version() {
  return all.back().version;
}

}  // namespace bcx::tracker
