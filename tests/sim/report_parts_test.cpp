// The parts of the report: histogram, timeline, storms.

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

#include <holdfast_sim/present/detail/fleet_picture.hpp>
#include <holdfast_sim/report/detail/fleet_timeline.hpp>
#include <holdfast_sim/report/detail/log_linear_histogram.hpp>
#include <holdfast_sim/report/detail/storm_tracker.hpp>

#include "report_history.hpp"

namespace holdfast::report_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

TEST_CASE("a histogram's quantiles are exact below 256 ns and within their stated error above") {
  LogLinearHistogram small;
  for (std::int64_t i = 1; i <= 100; ++i) small.record(Duration{i});
  CHECK(small.quantile(50) == Duration{50});
  CHECK(small.quantile(99) == Duration{99});
  CHECK(small.quantile(100) == Duration{100});
  CHECK(small.quantile(0) == Duration{1});

  for (std::int64_t length = 1; length < INT64_MAX / 3; length = length * 3 + 1) {
    LogLinearHistogram one;
    one.record(Duration{0});
    one.record(Duration{length});
    one.record(Duration::max());
    const auto off = std::abs(one.quantile(50).count() - length);
    CHECK(static_cast<double>(off) <= static_cast<double>(length) * LogLinearHistogram::kErrorPpm / 1e6);
    CHECK(one.min() == 0ns);
    CHECK(one.quantile(100) == Duration::max());
  }
}

TEST_CASE("a histogram counts what is negative as zero") {
  LogLinearHistogram histogram;
  histogram.record(Duration{-5});
  CHECK(histogram.count() == 1);
  CHECK(histogram.max() == 0ns);
}

TEST_CASE("the timeline's buckets merge in pairs when they are full, and nothing is lost") {
  for (const std::int64_t length : {1, 2, 511, 512, 513, 1024, 1025, 5000, 1'000'003}) {
    INFO(length);
    FleetTimeline timeline;
    timeline.enter(Standing::running);
    timeline.enter(Standing::restarting);
    timeline.advance_to(at(Duration{length}));
    const FleetHistory history = timeline.history();
    CHECK(history.length == Duration{length});
    CHECK(history.buckets.size() <= FleetTimeline::kBuckets);
    CHECK((length <= 512 || history.buckets.size() > FleetTimeline::kBuckets / 2));
    const auto width = history.bucket_width.count();
    CHECK(static_cast<std::int64_t>(history.buckets.size()) == (length + width - 1) / width);
    CHECK(total(history, Standing::running) == static_cast<ServiceTime>(length));
    CHECK(history.buckets.back().fewest_running == 1);
  }
}

TEST_CASE("a bucket knows its worst moment, but not what lasted no time") {
  FleetTimeline timeline;
  for (int i = 0; i < 3; ++i) timeline.enter(Standing::running);
  timeline.advance_to(at(10ms));
  const auto move = [&](Standing from, Standing to) {
    timeline.leave(from);
    timeline.enter(to);
  };
  move(Standing::running, Standing::restarting);
  timeline.advance_to(at(10ms + 1ns));
  move(Standing::running, Standing::restarting);
  move(Standing::restarting, Standing::running);
  move(Standing::restarting, Standing::running);
  timeline.advance_to(at(1s));
  FleetBucket all;
  for (const auto& bucket : timeline.history().buckets) all.merge(bucket);
  CHECK(all.most_down == 1);
  CHECK(all.fewest_running == 2);
  CHECK(all.most[static_cast<std::size_t>(Standing::running)] == 3);
  CHECK(all.time[static_cast<std::size_t>(Standing::restarting)] == 1);
}

TEST_CASE("a restart on the border of two buckets is in the one that begins there, also in the last instant") {
  for (const std::int64_t length : {1, 2, 511, 512, 513, 1024, 1025, 4096, 5000}) {
    FleetTimeline timeline;
    for (std::int64_t t = 0; t <= length; ++t) {  // a restart each nanosecond
      timeline.advance_to(at(Duration{t}));
      timeline.count_restart();
    }
    const FleetHistory history = timeline.history();
    const auto width = history.bucket_width.count();
    INFO(length << " in buckets of " << width);
    std::vector<std::uint64_t> expected(static_cast<std::size_t>(length / width + 1));
    for (std::int64_t t = 0; t <= length; ++t) ++expected[static_cast<std::size_t>(t / width)];
    std::vector<std::uint64_t> found;
    for (const auto& bucket : history.buckets) found.push_back(bucket.restarts);
    CHECK(found == expected);
    CHECK_FALSE(fleet_picture(history, 60, false).empty());
  }
  FleetTimeline nothing_passed;
  nothing_passed.count_restart();
  CHECK(total_restarts(nothing_passed.history()) == 1);
}

TEST_CASE("the timeline holds a run as long as time itself") {
  FleetTimeline timeline;
  timeline.enter(Standing::running);
  timeline.advance_to(TimePoint::max());
  CHECK(total(timeline.history(), Standing::running) == static_cast<ServiceTime>(TimePoint::max().nanoseconds));
}

TEST_CASE("the worst storm counts services within sixty seconds, both ends included, each once") {
  StormTracker storms;
  storms.fell(0, at(0s));
  storms.fell(1, at(30s));
  storms.fell(1, at(31s));
  storms.fell(2, at(60s));
  CHECK(storms.worst() == WorstStorm{3, at(0s), at(60s)});
  storms.fell(3, at(60s + 1ns));  // service 0 fell too long ago
  CHECK(storms.worst() == WorstStorm{3, at(0s), at(60s)});
  storms.fell(0, at(61s));
  CHECK(storms.worst() == WorstStorm{4, at(31s), at(61s)});
}

TEST_CASE("a storm keeps the fall of a service that was removed, also when another has its slot by then") {
  StormTracker storms;
  storms.fell(0, at(0s));
  storms.fell(1, at(10s));
  storms.forget(0);
  storms.forget(7);         // never fell
  storms.fell(0, at(20s));  // another service
  CHECK(storms.worst() == WorstStorm{3, at(0s), at(20s)});
  storms.fell(2, at(65s));  // the first is out of the window, its successor is not
  CHECK(storms.worst() == WorstStorm{3, at(0s), at(20s)});
  storms.fell(3, at(66s));
  CHECK(storms.worst() == WorstStorm{4, at(10s), at(66s)});
}

TEST_CASE("the worst storm is what trying every window finds, also while services come and go") {
  std::uint64_t random = 1;
  const auto draw = [&random](std::uint64_t below) {
    random = random * 6364136223846793005 + 1442695040888963407;
    return (random >> 33) % below;
  };
  for (int round = 0; round < 200; ++round) {
    StormTracker storms;
    std::vector<std::pair<std::int64_t, std::uint64_t>> falls;  // when, and which service: slot and tenant
    std::vector<std::uint64_t> tenants(6);
    std::int64_t now = 0;
    for (int step = 0; step < 60; ++step) {
      now += static_cast<std::int64_t>(draw(30));
      const auto slot = static_cast<std::uint32_t>(draw(6));
      if (draw(5) == 0) {
        storms.forget(slot);
        ++tenants[slot];
      } else {
        storms.fell(slot, at(std::chrono::seconds{now}));
        falls.emplace_back(now, slot + 100 * tenants[slot]);
      }
    }
    std::size_t worst = 0;
    for (const auto& last : falls) {
      std::set<std::uint64_t> fell;
      for (const auto& [when, who] : falls) {
        if (when <= last.first && last.first - when <= 60) fell.insert(who);
      }
      worst = std::max(worst, fell.size());
    }
    CHECK(storms.worst().services == worst);
  }
}

}  // namespace holdfast::report_test
