// Sections about the final predictions.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "base/text.h"
#include "report/charts.h"
#include "report/coverage_text.h"
#include "report/gallery.h"
#include "report/sections.h"
#include "report/words.h"

namespace bcx::report {
namespace {

constexpr std::size_t most_subgroups = 24, most_maps = 24;

std::string interval_text(const std::optional<eval::Interval>& interval) {
  return interval ? fmt::format("{} to {}", share_text(interval->low), share_text(interval->high))
                  : "";
}

std::string cards(const Tested& tested) {
  struct Shown {
    const char *name, *title;
  };
  constexpr std::array shown{
      Shown{"auc", "AUC"},
      Shown{"accuracy", "Accuracy"},
      Shown{"balanced_accuracy", "Balanced accuracy"},
      Shown{"sensitivity", "Sensitivity"},
      Shown{"specificity", "Specificity"},
      Shown{"patient.accuracy", "Accuracy per patient"},
  };
  std::string out = "<div class=\"cards\">\n";
  for (const auto& [name, title] : shown) {
    const double value = tested.figure(name);
    if (std::isnan(value)) continue;
    const auto* found = tested.intervals(name);
    std::string note = found && found->bca ? "95 %: " + interval_text(found->bca) : "no interval";
    if (std::string_view(name) == "accuracy")
      note += fmt::format("; majority {}", share_text(tested.figure("majority_baseline")));
    out += fmt::format(
        "<div class=\"card\"><span class=\"title\">{}</span><span class=\"value\">{}</span><span "
        "class=\"note\">{}</span></div>\n",
        title, share_text(value), escaped(note));
  }
  return out + "</div>\n";
}

std::string figures_html(const Tested& tested) {
  const bool intervals = !tested.uncertainty.figures.empty();
  std::vector<std::string> titles{"figure", "#value"};
  if (intervals)
    titles.insert(titles.end(), {"#95 % BCa", "#95 % percentile", "#95 % small sample"});
  HtmlTable table(titles);
  for (const auto& [name, value] : tested.metrics) {
    std::vector<std::string> row{name, share_text(value)};
    if (const auto* found = tested.intervals(name))
      row.insert(row.end(), {interval_text(found->bca), interval_text(found->percentile),
                             interval_text(found->small_sample)});
    row.resize(titles.size());
    table.add(std::move(row));
  }
  auto out = table.html();
  if (intervals && tested.uncertainty.by_patient)
    out += paragraph("Intervals resample " + unit_of(tested) + "s; " +
                     coverage_text(tested.uncertainty.scarcest) + ".");
  return out;
}

/// Of classes too many for a matrix: the pairs that are mistaken for one another most often.
std::string mistakes_html(const std::vector<std::string>& classes,
                          const eval::Confusion& confusion) {
  constexpr std::size_t most_pairs = 30;
  std::vector<eval::Confusion::Cell> mistakes;
  for (const auto& cell : confusion.cells())
    if (cell.target != cell.decision) mistakes.push_back(cell);
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  const auto all = mistakes.size();
  mistakes.resize(std::min(all, most_pairs));
  HtmlTable table({"is", "taken for", "#times", "#share of the class"});
  for (const auto& [target, decision, count] : mistakes)
    table.add({classes[static_cast<std::size_t>(target)],
               classes[static_cast<std::size_t>(decision)], grouped(count),
               fmt::format("{:.1f} %", 100.0 * static_cast<double>(count) /
                                           static_cast<double>(confusion.targets_of(target)))});
  return "<h3>Most frequent mistakes</h3>\n" +
         paragraph(
             fmt::format("{} classes are too many for a confusion matrix: the {} most frequent "
                         "of {} kinds of mistake.",
                         grouped(confusion.classes()), mistakes.size(),
                         grouped(static_cast<std::int64_t>(all)))) +
         table.html();
}

}  // namespace

std::string confusion_html(const std::vector<std::string>& classes,
                           std::span<const eval::Label> targets,
                           std::span<const eval::Label> decisions) {
  const eval::Confusion confusion(targets, decisions, static_cast<int>(classes.size()));
  if (confusion.classes() > most_classes) return mistakes_html(classes, confusion);
  std::string out =
      "<h3>Confusion matrix</h3>\n<div class=\"scroll\"><table class=\"confusion\"><thead><tr><th "
      "scope=\"col\">is ↓ taken for →</th>";
  for (const auto& name : classes) out += "<th scope=\"col\">" + escaped(name) + "</th>";
  out += "<th scope=\"col\">recall</th></tr></thead><tbody>\n";
  for (int t = 0; t < confusion.classes(); ++t) {
    out += "<tr><th scope=\"row\">" + escaped(classes[static_cast<std::size_t>(t)]) + "</th>";
    const auto all = static_cast<double>(std::max<std::int64_t>(1, confusion.targets_of(t)));
    for (int d = 0; d < confusion.classes(); ++d) {
      const double share = static_cast<double>(confusion.count(t, d)) / all;
      out += fmt::format(
          "<td class=\"number {}\" style=\"--share:{:.3f}\">{} <small>{:.1f} %</small></td>",
          t == d ? "hit" : "miss", share, grouped(confusion.count(t, d)), 100.0 * share);
    }
    const auto recall = confusion.recall(t);
    out += fmt::format("<td class=\"number\">{}</td></tr>\n", recall ? share_text(*recall) : "-");
  }
  return out + "</tbody></table></div>\n";
}

namespace {

/// Values of an attribute and the samples that have each, numbers by size.
struct Groups {
  std::string attribute;
  std::map<std::string, std::vector<std::size_t>> samples;
};

/// Attributes worth a table: few values, and more than one; what names patients is none.
std::vector<Groups> groups_of(const Tested& tested) {
  std::vector<Groups> all;
  for (std::size_t i = 0; i < tested.compared.predictions.size(); ++i)
    for (const auto& [name, value] : tested.compared.predictions[i].attributes) {
      auto found = std::find_if(all.begin(), all.end(),
                                [&](const Groups& one) { return one.attribute == name; });
      if (found == all.end()) found = all.insert(all.end(), Groups{name, {}});
      found->samples[value].push_back(i);
    }
  static const std::set<std::string> of_patients{"case", "slide", "patient", "sequence"};
  std::erase_if(all, [&](const Groups& one) {
    return one.samples.size() < 2 || one.samples.size() > most_subgroups ||
           one.attribute == tested.compared.patient || of_patients.contains(one.attribute);
  });
  return all;
}

eval::Outcomes subset(const Tested& tested, const std::vector<std::size_t>& samples) {
  const auto& all = tested.contender.outcomes;
  eval::Outcomes some;
  some.kind = all.kind;
  std::vector<double> scores;
  for (const auto i : samples) {
    some.targets.push_back(all.targets[i]);
    if (!all.groups.empty()) some.groups.push_back(all.groups[i]);
    const auto row = all.scores.row(i);
    scores.insert(scores.end(), row.begin(), row.end());
  }
  some.scores = eval::Probabilities(std::move(scores), all.classes());
  return some;
}

HtmlTable subgroup_table(const Tested& tested, const Groups& groups) {
  constexpr std::array shown{"accuracy",    "majority_baseline", "balanced_accuracy",
                             "sensitivity", "specificity",       "auc"};
  std::vector<std::string> titles{groups.attribute, "#images", "#" + unit_of(tested) + "s"};
  for (const char* name : shown) titles.push_back(std::string("#") + name);
  HtmlTable table(titles);
  std::vector<std::string> values;
  for (const auto& [value, samples] : groups.samples) values.push_back(value);
  std::sort(values.begin(), values.end(), [](const std::string& a, const std::string& b) {
    const auto number = [](const std::string& text) {
      return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    };
    return number(a) && number(b) && a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  for (const auto& value : values) {
    const auto some = subset(tested, groups.samples.at(value));
    const std::set<std::string> people(some.groups.begin(), some.groups.end());
    const bool one_class = std::adjacent_find(some.targets.begin(), some.targets.end(),
                                              std::not_equal_to<>()) == some.targets.end();
    std::vector<std::string> row{
        (value.empty() ? "(none)" : value) + (one_class ? " (one class)" : ""),
        grouped(std::ssize(some.targets)), people.empty() ? "-" : grouped(std::ssize(people))};
    const auto metrics = eval::named_metrics(some, "", {.rule = tested.contender.rule});
    for (const char* name : shown) {
      const auto found = std::find_if(metrics.begin(), metrics.end(),
                                      [&](const auto& one) { return one.first == name; });
      row.push_back(found == metrics.end() ? "-" : share_text(found->second));
    }
    table.add(std::move(row));
  }
  return table;
}

std::string looks(const Study& study) {
  HtmlTable table({"evaluation", "#views", "#images", "threshold", "#look", "#accuracy", "#auc"});
  for (const auto& one : study.evaluations) {
    if (one.row.purpose == "epoch") continue;
    const auto figure = [&](const char* name) {
      for (const auto& [key, value] : one.row.metrics)
        if (key == name) return share_text(value);
      return std::string("-");
    };
    table.add({one.row.part + ", " + one.row.purpose, fmt::format("{}", one.row.tta),
               grouped(one.samples),
               one.row.threshold_value ? number_text(*one.row.threshold_value) : "-",
               one.row.part == "test" ? fmt::format("{}", one.look) : "-", figure("accuracy"),
               figure("auc")});
  }
  return table.empty() ? "" : "<h3>All evaluations of this run</h3>\n" + table.html();
}

}  // namespace

Section results(const Tested& tested, const Study& study, const Manner& manner) {
  auto body =
      paragraph("On the " + part_text(study) + ". Decided by: " + decision_text(tested) + ".");
  body += cards(tested) + confusion_html(tested.compared.classes, tested.contender.outcomes.targets,
                                         tested.decisions);
  body += "<h3>All figures</h3>\n" + figures_html(tested) + looks(study);
  return {manner.prefix + "results", "Results", std::move(body)};
}

Section curves(const Tested& tested, const Manner& manner) {
  auto charts = test_charts(tested, manner.prefix, manner.bootstrap);
  return {manner.prefix + "curves", "Curves", charts_html(charts, manner.drawn)};
}

Section subgroups(const Tested& tested, const Manner& manner) {
  std::string body;
  for (const auto& groups : groups_of(tested))
    body +=
        "<h3>By " + escaped(groups.attribute) + "</h3>\n" + subgroup_table(tested, groups).html();
  if (body.empty())
    body = paragraph("The data have no attributes with a handful of values.");
  else
    body = paragraph(
               "Small groups scatter; a dash is a figure that is not defined, such as the AUC "
               "of one class.") +
           body;
  return {manner.prefix + "subgroups", "Subgroups", std::move(body)};
}

Section patients(const Tested& tested, const Manner& manner) {
  Section section{manner.prefix + "patients", "Per patient", {}};
  const auto& all = tested.patients;
  if (all.groups.empty()) {
    section.body = paragraph("The data do not say whose an image is.");
    return section;
  }
  const auto classes = tested.compared.classes.size();
  const auto shown = tested.two_classes() ? static_cast<std::size_t>(tested.compared.positive) : 0;
  HtmlTable table({unit_of(tested), "class", "#images", "#share decided rightly",
                   "#mean P(" + tested.compared.classes[shown] + ")", "majority says"});
  std::vector<std::size_t> order(all.groups.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return all.right[a] < all.right[b]; });
  for (const auto i : order)
    table.add({all.groups[i], tested.compared.classes[static_cast<std::size_t>(all.targets[i])],
               grouped(all.images[i]), share_text(all.right[i]),
               share_text(all.mean[i * classes + shown]),
               tested.compared.classes[static_cast<std::size_t>(all.majority[i])]});
  section.body =
      paragraph(fmt::format("A patient is one {}; the hardest come first.", unit_of(tested))) +
      table.html();
  return section;
}

Section galleries(const Tested& tested, const Manner& manner, Pictures& pictures,
                  const Explanations& explanations) {
  Section section{manner.prefix + "images", "Images", {}};
  for (const auto& gallery : galleries_of(tested))
    section.body += gallery_html(gallery, tested, pictures, explanations, manner.prefix);
  if (tested.contender.outcomes.classes() > most_classes)
    section.body += paragraph(fmt::format("{} classes are too many for a gallery of each.",
                                          grouped(tested.contender.outcomes.classes())));
  if (!explanations.empty()) {
    std::string note = explanations.method() + ": where the network looked, according to the map.";
    if (explanations.sanity())
      note += fmt::format(
          " Correlation with the maps of random last-layer weights: {}; near 1 the "
          "maps would show the image, not the model.",
          share_text(*explanations.sanity()));
    Gallery maps{"maps", "Maps", note, {}};
    for (std::size_t i = 0; i < tested.decisions.size() && maps.samples.size() < most_maps; ++i)
      if (explanations.maps().contains(tested.compared.predictions[i].sample))
        maps.samples.push_back(i);
    if (!maps.samples.empty())
      section.body += gallery_html(maps, tested, pictures, explanations, manner.prefix);
  }
  if (pictures.missing() > 0)
    section.body = paragraph(fmt::format("{} pictures could not be shown; the first: {}",
                                         pictures.missing(), pictures.reason()),
                             "caution") +
                   section.body;
  return section;
}

}  // namespace bcx::report
