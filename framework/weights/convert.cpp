#include "weights/convert.h"

#include <fmt/format.h>

#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "weights/process.h"
#include "weights/safetensors.h"

namespace bcx::weights {
namespace {

namespace fs = std::filesystem;

/// The script writes here first: what it made must pass the reader before it gets its name.
struct Draft {
  explicit Draft(const fs::path& output) : file(output), log(output) {
    file += ".converting";
    log += ".converting.log";
  }
  ~Draft() {
    std::error_code ignored;
    fs::remove(file, ignored);
    fs::remove(log, ignored);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  fs::path file, log;
};

[[noreturn]] void refuse(const fs::path& checkpoint, std::string what) {
  throw Error(ExitCode::data, {std::move(what), printable(checkpoint.string()), {}});
}

/// `convert_weights: FILE: reason` without what the error's place says anyway.
std::string reason_in(const fs::path& log) {
  std::string line = last_line(log);
  const auto colon = line.find(": ", line.find(": ") + 1);
  return line.starts_with("convert_weights: ") && colon != line.npos ? line.substr(colon + 2)
                                                                     : line;
}

}  // namespace

void convert_checkpoint(const fs::path& checkpoint, const fs::path& output) {
  const Draft draft(output);
  const std::vector<std::string> arguments = {
      "python3",          "-I", script("convert_weights").string(), "--", checkpoint.string(),
      draft.file.string()};
  const int status = run_process(arguments, draft.log);
  if (status == 127) refuse(checkpoint, "python3 could not be started, and converts checkpoints");
  if (status != 0) refuse(checkpoint, fmt::format("is not converted: {}", reason_in(draft.log)));
  const auto file = SafetensorsFile::open(draft.file);
  for (const auto& tensor : file.tensors()) require_finite(tensor, checkpoint.string());
  std::error_code failed;
  fs::rename(draft.file, output, failed);
  if (failed)
    throw Error(
        ExitCode::storage,
        {fmt::format("cannot be written: {}", failed.message()), printable(output.string()), {}});
}

}  // namespace bcx::weights
