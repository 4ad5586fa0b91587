#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "base/hash.h"
#include "base/philox.h"
#include "tests/catch.h"

using namespace bcx;

TEST_CASE("Philox 4x32-10 gives Random123's known answers") {
  // kat_vectors of the Random123 distribution, lines "philox4x32 10".
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) ==
        PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream is a pure function of its name and the index") {
  const Stream a(42, "shuffle", 3, 7), b(42, "shuffle", 3, 7);
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(a.word(i) == b.word(i));
  const Stream others[] = {
      {43, "shuffle", 3, 7}, {42, "mix", 3, 7}, {42, "shuffle", 4, 7}, {42, "shuffle", 3, 8}};
  for (const auto& other : others) {
    int same = 0;
    for (std::uint64_t i = 0; i < 100; ++i) same += a.word(i) == other.word(i);
    CHECK(same == 0);
  }
}

TEST_CASE("uniform numbers fill [0, 1) evenly") {
  const Stream stream(1, "test");
  constexpr int n = 100'000;
  double sum = 0, squares = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    const double u = stream.uniform(i);
    REQUIRE((u >= 0 && u < 1));
    REQUIRE(static_cast<double>(static_cast<float>(u)) == u);
    sum += u;
    squares += u * u;
  }
  // Five standard errors: sd of the mean 1/sqrt(12 n), of the mean square sqrt(4/45 / n).
  CHECK(std::abs(sum / n - 0.5) < 5 / std::sqrt(12.0 * n));
  CHECK(std::abs(squares / n - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / n));
}

TEST_CASE("bounded integers reach every value and stay below the bound") {
  const Stream stream(1, "below");
  std::vector<int> counts(7, 0);
  for (std::uint64_t i = 0; i < 7000; ++i) ++counts.at(stream.below(i, 7));
  for (const int count : counts) CHECK(std::abs(count - 1000) < 5 * std::sqrt(1000.0 * 6 / 7));
}

TEST_CASE("normal numbers have mean 0 and variance 1") {
  const Stream stream(1, "normal");
  constexpr int n = 100'000;
  double sum = 0, squares = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    const double z = stream.normal(i);
    REQUIRE(std::isfinite(z));
    sum += z;
    squares += z * z;
  }
  CHECK(std::abs(sum / n) < 5 / std::sqrt(double(n)));
  CHECK(std::abs(squares / n - 1) < 5 * std::sqrt(2.0 / n));
}

TEST_CASE("a permutation holds every index once and differs between epochs") {
  const auto first = permutation(Stream(42, "shuffle", 0), 1000);
  const auto second = permutation(Stream(42, "shuffle", 1), 1000);
  CHECK(std::set<std::int64_t>(first.begin(), first.end()).size() == 1000);
  CHECK(first != second);
  CHECK(first == permutation(Stream(42, "shuffle", 0), 1000));
  CHECK(permutation(Stream(42, "shuffle", 0), 0).empty());
}

TEST_CASE("all orders of three items are about equally likely") {
  std::map<std::vector<std::int64_t>, int> seen;
  for (std::uint64_t seed = 0; seed < 6000; ++seed) ++seen[permutation(Stream(seed, "order"), 3)];
  CHECK(seen.size() == 6);
  for (const auto& [order, count] : seen)
    CHECK(std::abs(count - 1000) < 5 * std::sqrt(1000.0 * 5 / 6));
}

TEST_CASE("hashes are what they are everywhere") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  static_assert(stable_hash("a") != stable_hash("b"));
  const auto id = uuid_v7();
  CHECK(id.size() == 36);
  CHECK(id[14] == '7');
  CHECK(uuid_v7() != id);
}
