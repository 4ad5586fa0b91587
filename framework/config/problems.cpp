#include "config/problems.h"

#include <algorithm>
#include <tuple>

namespace bcx::config {

void Problems::add(const Origin& origin, std::string what, std::string remedy) {
  add(origin, Error(ExitCode::usage, {std::move(what), origin.text(), std::move(remedy)}));
}

void Problems::add(const Origin& origin, Error error) {
  found_.push_back({origin, std::move(error)});
}

std::vector<Error> Problems::sorted() const {
  const auto rank = [&](const Found& found) {
    const Origin& at = found.origin;
    const auto file = std::find(files_.begin(), files_.end(), at.file) - files_.begin();
    switch (at.kind) {
      case Origin::Kind::file:
        return std::tuple(0, file, at.line, at.column);
      case Origin::Kind::environment:
        return std::tuple(1, file, 0, 0);
      case Origin::Kind::command_line:
        return std::tuple(2, file, 0, 0);
      default:
        return std::tuple(3, file, 0, 0);
    }
  };
  std::vector<const Found*> order;
  for (const auto& found : found_) order.push_back(&found);
  std::stable_sort(order.begin(), order.end(),
                   [&](const Found* a, const Found* b) { return rank(*a) < rank(*b); });
  std::vector<Error> errors;
  for (const auto* found : order) errors.push_back(found->error);
  return errors;
}

void Problems::throw_if_any() const {
  if (empty()) return;
  auto errors = sorted();
  const auto other = [&](const Error& error) { return error.code() != errors.front().code(); };
  if (std::any_of(errors.begin(), errors.end(), other))
    for (auto& error : errors) error = Error(ExitCode::usage, error.parts());
  throw ErrorList(std::move(errors));
}

}  // namespace bcx::config
