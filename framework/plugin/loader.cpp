#include "plugin/loader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/shared_object.h"
#include "base/text.h"
#include "plugin/catalog.h"

namespace bcx::plugin {
namespace {

using Entry = const void* (*)();

// On the heap and never destroyed, like the libraries themselves (base/shared_object.cpp).
struct Registry {
  std::mutex mutex;
  std::map<std::filesystem::path, LoadedPlugin> plugins;  // a map's references stay valid
};

Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

std::atomic<double> time_limit{120.0};

/// Ends the process when it lives longer than the limit.
class Watch {
 public:
  explicit Watch(std::filesystem::path file)
      : file_(std::move(file)), thread_([this] { wait(); }) {}
  ~Watch() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

 private:
  void wait() {
    std::unique_lock lock(mutex_);
    const double limit = time_limit;
    if (changed_.wait_for(lock, std::chrono::duration<double>(limit), [this] { return done_; }))
      return;
    const auto name = printable(file_.string());
    const Error error(
        ExitCode::plugin,
        {fmt::format("is not loaded after {:g} seconds: its static constructors or {}() hang",
                     limit, sdk::entry_symbol),
         name, fmt::format("`bcx plugins check {}` looks into it", name)});
    const auto text = fmt::format("error: {}\n", error.what());
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
    _exit(static_cast<int>(ExitCode::plugin));
  }

  const std::filesystem::path file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;  // last: it begins when the rest is there
};

Entry open(const std::filesystem::path& file) try {
  return reinterpret_cast<Entry>(load_symbol(file, sdk::entry_symbol, ExitCode::plugin));
} catch (const Error& error) {
  auto parts = error.parts();
  parts.remedy = fmt::format("`ldd {}` lists what it needs", parts.where);
  throw Error(ExitCode::plugin, std::move(parts));
}

const void* call(Entry entry, const std::filesystem::path& file) {
  const auto fail = [&](std::string what) {
    throw Error(ExitCode::plugin, {std::move(what), printable(file.string()), {}});
  };
  const void* table = nullptr;
  try {
    table = entry();
  } catch (const std::exception& error) {
    fail(fmt::format("{}() threw: {}", sdk::entry_symbol, error.what()));
  } catch (...) {
    fail(fmt::format("{}() threw something that is no std::exception", sdk::entry_symbol));
  }
  if (!table) fail(fmt::format("{}() returned nothing", sdk::entry_symbol));
  return table;
}

}  // namespace

const LoadedPlugin& load(const std::filesystem::path& file) {
  auto& [mutex, plugins] = registry();
  const std::lock_guard lock(mutex);
  std::error_code ignored;
  const auto path = std::filesystem::weakly_canonical(file, ignored);
  if (const auto found = plugins.find(path); found != plugins.end()) return found->second;
  const PluginFile checked = inspect(path);
  const void* table = [&] {
    const Watch watch(path);
    return call(open(path), path);
  }();
  return plugins
      .emplace(path, LoadedPlugin{table, checked.manifest.name, checked.manifest.version,
                                  checked.build_id, path})
      .first->second;
}

const LoadedPlugin& load(const config::ComponentSpec& component) {
  return load(component.file);
}

void set_load_time_limit(double seconds) {
  time_limit = seconds;
}

}  // namespace bcx::plugin
