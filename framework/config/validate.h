// One value against one declared parameter: the rules that experiment files and manifests share.
#pragma once

#include <optional>
#include <string>

#include "config/document.h"
#include "config/params.h"

namespace bcx::config {

/// What is wrong with a value: `expected at least 1, got 0`, and what to do about it.
struct Mistake {
  std::string what, remedy;
};

/// Either a value of exactly the spec's type or a mistake.
struct Checked {
  std::optional<Value> value;
  Mistake mistake;
};

/// Checks type, finiteness, range and choices.
///
/// Only int converts to float. NaN and infinity are refused. Ranges and choices hold for each
/// element of a list. String choices of a spec that is no (list of) string are words that may stand
/// instead of a value: `class_weights = "balanced"`, `weights = "none"`. A path is returned as it
/// was written.
Checked check_value(const ParamSpec& spec, const Node& node);

/// The same for a value that is already typed: a manifest's defaults within their own range.
std::optional<Mistake> check_value(const ParamSpec& spec, const Value& value);

/// `an integer of at least 1`, `auto, fp32 or bf16`: what a spec accepts, for messages and help.
std::string expectation(const ParamSpec& spec);

/// `[0, 1)`, `> 0`, `auto | cpu`: a spec's range or choices in a table's cell; may be empty.
std::string range_text(const ParamSpec& spec);

}  // namespace bcx::config
