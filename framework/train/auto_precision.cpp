#include "train/auto_precision.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/atomic_file.h"
#include "base/paths.h"
#include "base/text.h"
#include "base/timing.h"
#include "train/device.h"

namespace bcx::train {
namespace {

constexpr int rounds = 3;

std::filesystem::path memory_file() {
  return cache_folder() / "precision.json";
}

nlohmann::json remembered() {
  try {
    auto json =
        nlohmann::json::parse(read_text(memory_file(), 1 << 20, ExitCode::data), nullptr, false);
    if (json.is_object()) return json;
  } catch (const Error&) {
    // Not there yet, or unreadable: then it is measured again.
  }
  return nlohmann::json::object();
}

/// What was measured before; nothing for an entry that bcx does not write.
std::optional<PrecisionChoice> remembered_choice(const std::string& key) {
  const auto all = remembered();
  const auto known = all.find(key);
  if (known == all.end() || !known->is_object()) return std::nullopt;
  const auto precision = known->find("precision"), reason = known->find("reason");
  if (precision == known->end() || reason == known->end() || !reason->is_string())
    return std::nullopt;
  for (const auto choice : {Precision::fp32, Precision::bf16})
    if (*precision == name_of(choice))
      return PrecisionChoice{choice, reason->get<std::string>() + " (measured before)"};
  return std::nullopt;
}

void remember(const std::string& key, Precision precision, const std::string& reason) {
  try {
    auto all = remembered();
    all[key] = {{"precision", name_of(precision)}, {"reason", reason}};
    std::filesystem::create_directories(cache_folder());
    write_atomically(memory_file(), all.dump(1));
  } catch (const std::exception&) {
    // A read-only cache only costs the measurement at the next start.
  }
}

double seconds_of(at::Device device, const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  synchronize(device);
  return seconds_since(begun);
}

}  // namespace

PrecisionChoice choose_precision(at::Device device, const std::string& backbone,
                                 std::int64_t image_size, std::int64_t batch_size,
                                 const std::function<void(Precision)>& rehearse) {
  if (device.is_cpu() && !cpu_has_bf16())
    return {Precision::fp32, "fp32: this processor has no bfloat16 arithmetic"};
  const std::string key =
      fmt::format("{}/{}/{}/{}", device_name(device), backbone, image_size, batch_size);
  if (auto known = remembered_choice(key)) return *known;

  std::vector<double> fp32, bf16;
  rehearse(Precision::fp32);
  rehearse(Precision::bf16);
  for (int i = 0; i < rounds; ++i) {
    fp32.push_back(seconds_of(device, [&] { rehearse(Precision::fp32); }));
    bf16.push_back(seconds_of(device, [&] { rehearse(Precision::bf16); }));
  }
  const bool lower = median(bf16) < median(fp32);
  const auto chosen = lower ? Precision::bf16 : Precision::fp32;
  const std::string reason =
      fmt::format("{}: {} a step of {} images, {} {}", name_of(chosen),
                  human_duration(lower ? median(bf16) : median(fp32)), batch_size,
                  lower ? "fp32" : "bf16", human_duration(lower ? median(fp32) : median(bf16)));
  remember(key, chosen, reason);
  return {chosen, reason};
}

}  // namespace bcx::train
