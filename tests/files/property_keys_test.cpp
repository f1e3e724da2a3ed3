// The keys of [[expect.property]]: what they become.

#include <catch2/catch.hpp>

#include <cstdint>

#include "scenario_texts.hpp"

namespace holdfast::scenario_reader_test {

namespace {

CountRange count(std::uint64_t number) { return {number, number}; }

}  // namespace

TEST_CASE("every key of a property fills its member") {
  enter_source_folder();
  const auto properties = parse_every_key().expect.properties;
  REQUIRE(properties.size() == 4);
  CHECK(properties[0] == ExpectedProperty{.name = "quorum",
                                          .what = Always{{.of = "feed",
                                                          .counts = {.starting = count(1),
                                                                     .running = CountRange{2, UINT64_MAX},
                                                                     .hung = count(3),
                                                                     .backing_off = count(4),
                                                                     .stopping = count(5),
                                                                     .terminated = count(6),
                                                                     .lost = count(7),
                                                                     .starts = count(13)},
                                                          .window = 5s}},
                                          .from = 1min,
                                          .until = 2min,
                                          .in_drain = InDrain{}});
  CHECK(properties[1] ==
        ExpectedProperty{
            .name = "calm",
            .what = Never{{.counts = {.starts = count(8), .restarts = CountRange{0, 9}, .failures = count(10)},
                           .window = 3s}},
            .before = Condition{.counts = {.lost = count(11)}}});
  CHECK(properties[2] == ExpectedProperty{.name = "mended",
                                          .what = Eventually{{.of = "feed-7", .counts = {.running = count(1)}}},
                                          .whenever = Condition{.of = "feed-7", .counts = {.running = count(0)}},
                                          .within = 4min});
  CHECK(properties[3] ==
        ExpectedProperty{.name = "seen", .what = Sometimes{{.counts = {.backing_off = CountRange{12, UINT64_MAX}}}}});
}

}  // namespace holdfast::scenario_reader_test
