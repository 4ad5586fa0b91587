#include "plugin/call_site.h"

#include <fmt/format.h>

#include <new>

#include "base/text.h"

namespace bcx::plugin {

bool is_out_of_memory(const std::exception& error) noexcept {
  if (dynamic_cast<const std::bad_alloc*>(&error)) return true;
  const std::string_view text = error.what();
  const auto says = [&](std::string_view words) { return text.find(words) != text.npos; };
  // The last is oneDNN's; of what it cannot do at all it says "… a primitive descriptor …".
  return says("can't allocate memory") || says("CUDA out of memory") ||
         text == "could not create a primitive";
}

std::string CallSite::text(std::string_view doing) const {
  return fmt::format("in {} \"{}\" {} ({}), while {}", config::name_of(kind), component, version,
                     printable(file), doing);
}

void CallSite::rethrow(std::string_view doing) const {
  const auto fail = [&](ExitCode code, std::string_view what, std::string remedy = {}) {
    throw Error(code, {fmt::format("{}: {}", text(doing), what), {}, std::move(remedy)});
  };
  try {
    throw;
  } catch (const Error& error) {
    const auto& parts = error.parts();
    fail(error.code(), parts.where.empty() ? parts.what : parts.where + ": " + parts.what,
         parts.remedy);
  } catch (const std::exception& error) {
    if (is_out_of_memory(error))
      fail(ExitCode::device, "out of memory", std::string(out_of_memory_remedy));
    fail(ExitCode::plugin, error.what());
  } catch (...) {
    fail(ExitCode::plugin, "threw something that is no std::exception");
  }
  __builtin_unreachable();
}

}  // namespace bcx::plugin
