#include "base/error.h"

#include <system_error>

namespace bcx {
namespace {

std::string render(const ErrorParts& parts) {
  std::string text = parts.where.empty() ? parts.what : parts.where + ": " + parts.what;
  return parts.remedy.empty() ? text : text + "; " + parts.remedy;
}

std::string join_lines(const std::vector<Error>& errors) {
  std::string text;
  for (const auto& error : errors) text += (text.empty() ? "" : "\n") + std::string(error.what());
  return text;
}

}  // namespace

Error::Error(ExitCode code, ErrorParts parts)
    : code_(code), parts_(std::move(parts)), text_(render(parts_)) {}

ErrorList::ErrorList(std::vector<Error> errors)
    : Error(errors.at(0).code(), ErrorParts{join_lines(errors), {}, {}}),
      errors_(std::move(errors)) {}

std::string system_message(int code) { return std::generic_category().message(code); }

}  // namespace bcx
