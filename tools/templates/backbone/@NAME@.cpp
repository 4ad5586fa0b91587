// Four convolutions, each halving the map: images [N, 3, H, W] to features [N, 64, H/16, W/16].
#include <bcx/sdk/backbone.h>
#include <bcx/sdk/nn.h>
#include <bcx/sdk/plugin.h>

namespace {

namespace sdk = bcx::sdk;

class @CLASS@ final : public sdk::Backbone {
 public:
  explicit @CLASS@(const sdk::Params& params) : drop_rate_(params.get<double>("drop_rate")) {
    std::int64_t in = 3;
    for (const std::int64_t out : {8, 16, 32, 64}) {
      blocks_.push_back(sdk::add<sdk::ConvNormActivation>(
          *this, "block" + std::to_string(blocks_.size()),
          sdk::Conv2dOptions{.in = in, .out = out, .kernel = 3, .stride = 2},
          sdk::BatchNormOptions{}, sdk::Activation::relu));
      in = out;
    }
    sdk::initialize_convolutions(*this, sdk::Fan::out);
  }

  // The head (pooling, dropout, a linear layer) is the host's.
  sdk::Features forward(const at::Tensor& images, sdk::ModelContext& context) override {
    at::Tensor x = images;
    for (const auto& block : blocks_) x = block->forward(x);
    // Randomness comes from the context alone, so that a resumed run repeats it.
    return {.map = sdk::dropout(x, drop_rate_, is_training(), context)};
  }

  std::int64_t channels() const override { return 64; }
  std::int64_t smallest_size() const override { return 16; }

 private:
  double drop_rate_;
  std::vector<std::shared_ptr<sdk::ConvNormActivation>> blocks_;
};

}  // namespace

BCX_PLUGIN(bcx::sdk::backbone<@CLASS@>("@NAME@"))
