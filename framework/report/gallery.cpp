#include "report/gallery.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

#include "base/text.h"
#include "report/html.h"

namespace bcx::report {
namespace {

constexpr std::size_t most_of_a_kind = 12, most_of_a_class = 8;

int target_of(const Tested& tested, std::size_t i) {
  return tested.contender.outcomes.targets[i];
}

/// How far the scores are from the other decision: from the threshold, or between the first two.
double margin(const Tested& tested, std::size_t i) {
  const auto& rule = tested.contender.rule;
  if (rule.threshold) return std::abs(tested.probability(i, rule.positive) - *rule.threshold);
  const auto row = tested.contender.outcomes.scores.row(i);
  std::vector<double> sorted(row.begin(), row.end());
  std::partial_sort(sorted.begin(), sorted.begin() + 2, sorted.end(), std::greater<>());
  return sorted[0] - sorted[1];
}

/// Samples for which `take` holds, by rising `key`; ties stay in their order.
template <typename Take, typename By>
std::vector<std::size_t> sorted_samples(const Tested& tested, Take take, By key) {
  std::vector<std::pair<double, std::size_t>> keyed;
  for (std::size_t i = 0; i < tested.decisions.size(); ++i)
    if (take(i)) keyed.emplace_back(key(i), i);
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::size_t> samples;
  for (const auto& [value, i] : keyed) samples.push_back(i);
  return samples;
}

std::string patients_among(const Tested& tested, const std::vector<std::size_t>& samples) {
  std::set<std::string> groups;
  for (const auto i : samples) groups.insert(tested.compared.predictions[i].group);
  if (groups.empty() || groups.contains("")) return {};
  return fmt::format(" of {} different {}s", groups.size(), unit_of(tested));
}

Gallery errors_of(const Tested& tested) {
  auto samples = sorted_samples(
      tested, [&](auto i) { return tested.decisions[i] != target_of(tested, i); },
      [&](auto i) { return -tested.probability(i, tested.decisions[i]); });
  const auto all = samples.size();
  const auto patients = patients_among(tested, samples);
  samples.resize(std::min(all, most_of_a_kind));
  return {
      "errors", "Most confident errors",
      fmt::format("{} of {} images were decided wrongly, {}; the {} surest mistakes come first.",
                  grouped(static_cast<std::int64_t>(all)), grouped(std::ssize(tested.decisions)),
                  patients.empty() ? "patients unknown" : patients.substr(1), samples.size()),
      std::move(samples)};
}

Gallery uncertain_of(const Tested& tested) {
  auto samples = sorted_samples(
      tested, [](auto) { return true; }, [&](auto i) { return margin(tested, i); });
  samples.resize(std::min(samples.size(), most_of_a_kind));
  return {"uncertain", "Least certain", "Nearest to the other decision.", std::move(samples)};
}

Gallery of_class(const Tested& tested, int label) {
  const auto all = sorted_samples(
      tested, [&](auto i) { return target_of(tested, i) == label; },
      [&](auto i) { return -tested.probability(i, label); });
  std::vector<std::size_t> samples;
  const auto count = std::min(all.size(), most_of_a_class);
  for (std::size_t k = 0; k < count; ++k)
    samples.push_back(all[count == 1 ? 0 : k * (all.size() - 1) / (count - 1)]);
  return {fmt::format("class-{}", label),
          "Class " + printable(tested.compared.classes[static_cast<std::size_t>(label)]),
          fmt::format("From the surest to the most mistaken of {} images, in equal steps.",
                      grouped(std::ssize(all))),
          std::move(samples)};
}

std::string card(const Tested& tested, std::size_t i, Pictures& pictures,
                 const Explanations& explanations) {
  const auto& one = tested.compared.predictions[i];
  const auto& classes = tested.compared.classes;
  const bool right = tested.decisions[i] == target_of(tested, i);
  const int shown = tested.two_classes() ? tested.compared.positive : tested.decisions[i];
  const auto& [picture, aspect] = pictures.picture(one.name);
  const auto map = explanations.address(one.sample, aspect);
  std::string out = fmt::format("<li class=\"{}\">", right ? "right" : "wrong");
  const auto image = [&](const std::string& address, const std::string& what) {
    out += fmt::format("<img src=\"{}\" alt=\"{}\">", address, escaped(what));
  };
  if (!picture.empty()) image(picture, one.name);
  if (!map.empty()) image(map, explanations.method() + " of " + one.name);
  if (picture.empty() && map.empty()) out += "<span class=\"no-picture\">no picture</span>";
  out += fmt::format(
      "<span class=\"truth\">{}</span> <span class=\"verdict\">{} {}</span><br>P({}) = {}<br>"
      "<span class=\"name\">{}</span></li>\n",
      escaped(classes[static_cast<std::size_t>(target_of(tested, i))]),
      right ? "taken for" : "mistaken for",
      escaped(classes[static_cast<std::size_t>(tested.decisions[i])]),
      escaped(classes[static_cast<std::size_t>(shown)]), share_text(tested.probability(i, shown)),
      escaped(one.name.substr(one.name.rfind('/') + 1)));
  return out;
}

}  // namespace

std::vector<Gallery> galleries_of(const Tested& tested) {
  std::vector<Gallery> galleries{errors_of(tested), uncertain_of(tested)};
  const int classes = tested.contender.outcomes.classes();
  for (int label = 0; classes <= most_classes && label < classes; ++label)
    galleries.push_back(of_class(tested, label));
  std::erase_if(galleries, [](const Gallery& one) { return one.samples.empty(); });
  return galleries;
}

std::string gallery_html(const Gallery& gallery, const Tested& tested, Pictures& pictures,
                         const Explanations& explanations, const std::string& prefix) {
  std::string out = fmt::format("<h3 id=\"{}{}\">{}</h3>\n{}<ul class=\"gallery\">\n", prefix,
                                gallery.id, escaped(gallery.title), paragraph(gallery.note));
  for (const auto i : gallery.samples) out += card(tested, i, pictures, explanations);
  return out + "</ul>\n";
}

}  // namespace bcx::report
