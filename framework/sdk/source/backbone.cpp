#include "bcx/sdk/backbone.h"

#include <stdexcept>

namespace bcx::sdk {

void Backbone::add_published_classifier() {
  throw std::runtime_error("this backbone has no published classifier; use model.head.kind = \"new\"");
}

at::Tensor Backbone::published_logits(const Features&, ModelContext&) {
  throw std::runtime_error("add_published_classifier() was not called");
}

}  // namespace bcx::sdk
