#include "eval/scores.h"

#include <cmath>

#include "tests/catch.h"

using namespace bcx::eval;

TEST_CASE("softmax in float64") {
  const auto p =
      Probabilities::softmax(std::vector<float>{0.0f, 0.0f, 1.0f, 3.0f, -200.0f, 88.0f}, 2);
  CHECK(p.size() == 3);
  CHECK(p.row(0)[0] == 0.5);
  CHECK(p.row(1)[1] == Approx(1.0 / (1.0 + std::exp(-2.0))).epsilon(1e-15));
  // float32 would round this to zero.
  CHECK(p.row(2)[0] == Approx(std::exp(-288.0)).epsilon(1e-12));
  const auto three = Probabilities::softmax(std::vector<float>{1000.0f, 1000.0f, 1000.0f}, 3);
  CHECK(three.row(0)[2] == Approx(1.0 / 3.0).epsilon(1e-15));
  CHECK(three.scores(2).values()[0] == three.row(0)[2]);
}

TEST_CASE("the class without a threshold is the argmax, the lower index winning a tie") {
  const Probabilities p({0.5, 0.5, 0.4, 0.6, 0.6, 0.4}, 2);
  CHECK(decide(p) == std::vector<Label>{0, 1, 0});
  CHECK(decide(Probabilities({0.2, 0.4, 0.4}, 3)) == std::vector<Label>{1});
}

TEST_CASE("with one, positive is score >= threshold") {
  const Probabilities p({0.5, 0.5, 0.7, 0.3, 0.75, 0.25}, 2);
  CHECK(decide(p, {.threshold = 0.5, .positive = 1}) == std::vector<Label>{1, 0, 0});
  CHECK(decide(p, {.threshold = 0.25, .positive = 1}) == std::vector<Label>{1, 1, 1});
  CHECK(decide(p, {.threshold = 0.7, .positive = 0}) == std::vector<Label>{1, 0, 0});
  CHECK_THROWS_WITH(decide(Probabilities({0.2, 0.4, 0.4}, 3), {.threshold = 0.5, .positive = 1}),
                    "a threshold needs two classes and one of them positive");
}

TEST_CASE("cross-entropy of a logit is finite where the probability rounds to zero") {
  const std::vector<float> row = {0.0f, 3000.0f};
  CHECK(cross_entropy(row, 0) == 3000.0);
  CHECK(cross_entropy(row, 1) == 0.0);
  CHECK(cross_entropy(std::vector<float>{1.0f, 2.0f}, 0) == Approx(std::log(1.0 + std::exp(1.0))));
  CHECK_THROWS_WITH(cross_entropy(row, 2), "a label is no class's index");
}

TEST_CASE("shapes that cannot be") {
  CHECK_THROWS_WITH(Probabilities({0.1, 0.2, 0.7}, 2), "probabilities are no whole number of rows");
  CHECK_THROWS_WITH(Probabilities({1.0}, 1), "fewer than two classes");
  CHECK_THROWS_WITH(Probabilities({0.5, 0.5}, 2).scores(2), "no such class");
}
