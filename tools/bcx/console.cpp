#include "console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/signals.h"
#include "base/table.h"
#include "base/text.h"
#include "base/timing.h"

namespace bcx::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto redraw_interval = std::chrono::milliseconds(100);
constexpr int bar_width = 24;

/// What an epoch's line shows, in this order, where it was measured.
constexpr std::pair<const char*, const char*> epoch_columns[] = {
    {"train.loss", "loss"},      {"train.accuracy", "acc"}, {"val.loss", "val.loss"},
    {"val.accuracy", "val.acc"}, {"val.auc", "val.auc"},    {"images_per_second", "images/s"}};

/// On standard error, whether anybody reads it or not: a run goes on when its terminal, or the
/// `| head` behind it, is gone.
template <typename... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  const auto text = fmt::format(format, std::forward<Args>(args)...);
  if (std::fwrite(text.data(), 1, text.size(), stderr) != text.size()) forget_lost_terminal();
}

}  // namespace

std::string bar(double share, int width) {
  static constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int units = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * width * 8));
  std::string text;
  for (int i = 0; i < units / 8; ++i) text += "█";
  text += eighths[units % 8];
  return text +
         std::string(static_cast<std::size_t>(std::max(0, width - display_width(text))), ' ');
}

ConsoleObserver::ConsoleObserver(bool quiet)
    : quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) != 0),
      colour_(terminal_ && std::getenv("NO_COLOR") == nullptr) {}

ConsoleObserver::~ConsoleObserver() {
  clear_bar();
}

void ConsoleObserver::clear_bar() {
  if (bar_shown_) say("\r\x1b[K");
  bar_shown_ = false;
}

void ConsoleObserver::progress(const train::Progress& p) {
  if (quiet_ || !terminal_) return;
  if (phase_ != p.phase) {
    phase_ = p.phase;
    phase_began_ = Clock::now();
  }
  const auto now = Clock::now();
  if (now - drawn_ < redraw_interval && p.done < p.total) return;
  drawn_ = now;
  const double share = p.total > 0 ? static_cast<double>(p.done) / static_cast<double>(p.total) : 0;
  std::string text = p.epoch >= 0 ? fmt::format("epoch {:>2}/{} ", p.epoch + 1, p.epochs)
                                  : fmt::format("{:<9}", p.phase);
  text += fmt::format("▕{}▏ {}/{}", bar(share, bar_width), p.done, p.total);
  if (p.phase == "train" && p.loss > 0)
    text += fmt::format("  loss {:.4f}  acc {:.3f}", p.loss, p.accuracy);
  if (p.images_per_second > 0) text += fmt::format("  {:.1f} images/s", p.images_per_second);
  const double spent = seconds_since(phase_began_);
  if (p.epoch < 0 && share > 0 && spent > 1)
    text += fmt::format("  {} left", human_duration(spent / share - spent));
  if (p.epoch >= 0) {
    // Epochs alike, the rest takes as long as what this process did so far, validation included.
    const double done = static_cast<double>(p.epoch) + share;
    if (!training_from_) {
      training_from_ = done;
      training_began_ = now;
    }
    const double trained = done - *training_from_, seconds = seconds_since(training_began_);
    if (trained > 0 && seconds > 1)
      text += fmt::format(
          "  {} left", human_duration(seconds / trained * (static_cast<double>(p.epochs) - done)));
  }
  const int width = terminal_width();
  say("\r{}\x1b[K", clip(text, width > 0 ? width - 1 : 100));
  std::fflush(stderr);
  bar_shown_ = true;
}

void ConsoleObserver::message(train::Tone tone, std::string_view text) {
  if (quiet_ && tone != train::Tone::warning) return;
  clear_bar();
  const bool warning = tone == train::Tone::warning;
  const char* before = !colour_                    ? ""
                       : warning                   ? "\x1b[33m"
                       : tone == train::Tone::good ? "\x1b[32m"
                                                   : "";
  // Names from files are in these texts, too.
  std::vector<std::string> lines;
  for (const auto& line : split(text, '\n')) lines.push_back(printable(line));
  say("{}{}{}{}\n", before, warning ? "warning: " : "", join(lines, "\n"),
      *before ? "\x1b[0m" : "");
}

void ConsoleObserver::epoch(std::int64_t epoch, std::int64_t epochs,
                            const std::vector<std::pair<std::string, double>>& metrics) {
  if (quiet_) return;
  clear_bar();
  std::string text =
      fmt::format("epoch {:>{}}/{}", epoch + 1, std::to_string(epochs).size(), epochs);
  const auto find = [&](std::string_view name) {
    return std::find_if(metrics.begin(), metrics.end(),
                        [&](const auto& m) { return m.first == name; });
  };
  for (const auto& [name, title] : epoch_columns)
    if (const auto m = find(name); m != metrics.end())
      text += fmt::format("  {} {:.{}f}", title, m->second, m->second < 10 ? 4 : 1);
  if (const auto m = find("time.epoch"); m != metrics.end())
    text += "  " + human_duration(m->second);
  say("{}\n", text);
}

}  // namespace bcx::cli
