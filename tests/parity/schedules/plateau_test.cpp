// reduce_lr_on_plateau against ../shared/parity/schedules.json: Keras's rule and torch's.
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/fake_callback_context.h"
#include "tests/plugin_entry.h"

namespace {

void meet(const std::string& rule, const char* delta) {
  INFO(rule);
  std::ifstream file(bcx::test::shared_dir() / "parity/schedules.json");
  const auto reference = nlohmann::json::parse(file).at("plateau_" + rule);
  const auto& options = reference.at("options");
  const auto callback =
      bcx::test::component("reduce_lr_on_plateau", "reduce_lr_on_plateau")
          .callback(bcx::sdk::Params({{"monitor", std::string("val.accuracy")},
                                      {"mode", options.at("mode").get<std::string>()},
                                      {"factor", options.at("factor").get<double>()},
                                      {"patience", options.at("patience").get<std::int64_t>()},
                                      {"min_delta", options.at(delta).get<double>()},
                                      {"cooldown", options.at("cooldown").get<std::int64_t>()},
                                      {"min_lr", options.at("min_lr").get<double>()},
                                      {"rule", rule}}));
  bcx::test::FakeCallbackContext context;
  const auto metric = reference.at("metric").get<std::vector<double>>();
  const auto rates = reference.at("learning_rate").get<std::vector<double>>();
  REQUIRE(metric.size() == 30);
  for (std::size_t epoch = 0; epoch < metric.size(); ++epoch) {
    INFO("epoch " << epoch);
    CHECK(std::abs(context.rate - rates[epoch]) < 1e-12);
    context.play(*callback, {{"val.accuracy", metric[epoch]}});
  }
}

}  // namespace

TEST_CASE("reduce_lr_on_plateau follows Keras's rule, and torch's") {
  BCX_NEEDS_SHARED("parity/schedules.json");
  meet("keras", "min_delta");
  meet("torch", "threshold");
}
