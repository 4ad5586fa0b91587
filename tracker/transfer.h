// Runs that travel: from a tracker into a single file, and from any number of files into a tracker.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bcx::tracker {

/// Writes runs (full ids) with all their rows and files into one new file, which is a tracker
/// itself: every command that reads opens it (`--tracker FILE`), and merge() takes it in. Files lie
/// in packed_file and packed_piece. `checkpoints`: those of `checkpoints/`, too. The file appears
/// whole or not at all. Throws (usage) when it is there already or a run is still running.
void export_runs(const std::filesystem::path& database, const std::vector<std::string>& runs,
                 const std::filesystem::path& file, bool checkpoints);

/// Likewise a sweep (its id) with all of its trials, of whose runs only those that are named are
/// in the file, with their checkpoints.
void export_sweep(const std::filesystem::path& database, std::string_view sweep,
                  const std::vector<std::string>& runs, const std::filesystem::path& file);

/// What became of one run of a merged file.
struct Merged {
  enum class What { added, updated, same, running, trashed };
  std::string id, name;
  What what = What::same;
};

/// Takes the runs of `source` (a tracker or an exported file) into `database`, which is made when
/// it is not there: rows with their ids (UUIDs) and dates, and the runs' folders. A run that is
/// there already is left alone, unless the source wrote to it later: then its rows and files are
/// replaced, and tags and notes that were given here stay. Runs that are still running, on either
/// side, and runs in the trash are passed over. Looks at the same part of a split are counted anew
/// over all runs, in the order of time; a count never becomes smaller. Of a sweep that is there,
/// the trials that something happened to later than here are taken.
///
/// Each run is one transaction, after its files are in place: killed anywhere, the tracker holds
/// whole runs, and the same call again goes on. Once and twice is the same.
std::vector<Merged> merge(const std::filesystem::path& database,
                          const std::filesystem::path& source);

/// Takes only the sweeps of `source` and their trials, without the runs.
void merge_sweeps(const std::filesystem::path& database, const std::filesystem::path& source);

}  // namespace bcx::tracker
