// A page as a browser shows it.
#pragma once

#include <array>

#include "data/images.h"
#include "tests/process.h"

namespace bcx::test {

/// Where Chromium is; empty: nowhere.
inline std::string chromium() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
    for (const char* folder : {"/usr/bin/", "/usr/local/bin/", "/snap/bin/"})
      if (std::filesystem::exists(std::string(folder) + name)) return std::string(folder) + name;
  return {};
}

inline Outcome browse(const std::filesystem::path& folder, std::vector<std::string> arguments,
                      const std::string& page = "page.html") {
  arguments.insert(
      arguments.begin(),
      {chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
       "--no-first-run", "--disable-extensions", "--hide-scrollbars", "--virtual-time-budget=30000",
       "--user-data-dir=" + (folder / "profile").string()});
  arguments.push_back("file://" + (folder / page).string());
  return run_process(std::move(arguments), folder);
}

/// Pixels within a little of a colour.
inline std::int64_t pixels_like(const data::Image& image, std::array<int, 3> colour) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i + 2 < image.rgb.size(); i += 3) {
    bool near = true;
    for (std::size_t c = 0; c < 3; ++c) near = near && std::abs(image.rgb[i + c] - colour[c]) < 24;
    count += near;
  }
  return count;
}

}  // namespace bcx::test
