// Sets the batch size at given epochs. Growing it does what lowering the learning rate does, in
// fewer steps: Smith, Kindermans, Ying, Le, "Don't decay the learning rate, increase the batch
// size", 2018. A pure function of the epoch: there is no state.
#include <bcx/sdk/callback.h>
#include <bcx/sdk/plugin.h>

#include <algorithm>
#include <functional>
#include <stdexcept>

namespace {

class BatchSizeSchedule final : public bcx::sdk::Callback {
 public:
  explicit BatchSizeSchedule(const bcx::sdk::Params& params)
      : epochs_(params.get<std::vector<std::int64_t>>("epochs")),
        sizes_(params.get<std::vector<std::int64_t>>("batch_sizes")) {
    if (epochs_.size() != sizes_.size())
      throw std::invalid_argument("epochs and batch_sizes must have the same length");
    if (std::adjacent_find(epochs_.begin(), epochs_.end(), std::greater_equal<>()) != epochs_.end())
      throw std::invalid_argument("epochs must rise");
  }

  void on_epoch_begin(bcx::sdk::CallbackContext& context) override {
    const auto next = std::upper_bound(epochs_.begin(), epochs_.end(), context.epoch());
    if (next == epochs_.begin()) return;
    const auto size = sizes_[static_cast<std::size_t>(next - epochs_.begin() - 1)];
    if (size == context.batch_size()) return;
    context.log("batch_size_schedule: batch size " + std::to_string(context.batch_size()) + " -> " +
                std::to_string(size));
    context.set_batch_size(size);
  }

  std::string state() const override { return "{}"; }
  void load_state(const std::string&) override {}

 private:
  std::vector<std::int64_t> epochs_, sizes_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::callback<BatchSizeSchedule>("batch_size_schedule"))
