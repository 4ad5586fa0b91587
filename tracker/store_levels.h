// Levels of curves in the file: table metric_bucket.
#pragma once

#include "tracker/levels.h"
#include "tracker/sqlite.h"

namespace bcx::tracker {

/// The buckets of `level` and, behind the last of them, those of the levels below and at last the
/// points: the whole series, finely where it is not full yet. A file without buckets (written by
/// schema 1) gives points.
void read_levels(const Database& database, std::int64_t run, std::int64_t key, int level,
                 const std::function<void(int level, const Bucket& bucket)>& take);

/// Makes a series' state again from the file. Buckets that are missing are written.
Levels load_levels(const Database& database, std::int64_t run, std::int64_t key);

void insert_bucket(const Database& database, std::int64_t run, std::int64_t key, int level,
                   const Bucket& bucket);

/// Takes away the buckets that hold steps from `step` on.
void delete_buckets_from(const Database& database, std::int64_t run, std::int64_t key,
                         std::int64_t step);

}  // namespace bcx::tracker
