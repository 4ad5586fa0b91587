// Whether data that a model is to be judged by were among those that it learnt from.
#pragma once

#include "engine/engine.h"
#include "engine/prepare_data.h"

namespace bcx::engine {

/// The audit of `data` (all of it the test part) against what the request's model has seen: values
/// of every group key that both have, the same and nearly the same pictures, and what an audit
/// looks for within the data. Pictures are compared where the run's own images are still there and
/// unchanged; else their names are, which is said. `preprocess`: the states in the checkpoint.
data::AuditReport audit_against_seen(const EvaluateRequest& request, const PreparedData& data,
                                     const nlohmann::json& preprocess, train::Observer& observer);

/// Throws ErrorList (data), one error per finding that is not allowed, each saying how to allow it.
void require_unseen(const data::AuditReport& report, const std::string& trained_by);

}  // namespace bcx::engine
