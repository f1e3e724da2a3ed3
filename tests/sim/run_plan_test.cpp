// How a run of a simulated service is planned: every combination of what decides it, against a table.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast_sim/stage/detail/run_plan.hpp>

namespace holdfast::run_plan_test {
namespace {

using namespace holdfast::sim;
using namespace std::chrono_literals;
using End = RunPlan::End;

constexpr TimePoint kNow{1'000'000};
const DrawKey kKey{.seed = {42}, .name = 7, .added_at = TimePoint{5}, .incarnation = 1};

enum class Window { none, past, ends_now, open };
enum class Length { none, fixed, drawn };

TimePoint end_of(Window window) {
  switch (window) {
    case Window::none: return TimePoint::min();
    case Window::past: return kNow - 1ns;
    case Window::ends_now: return kNow;
    case Window::open: return kNow + 1ns;
  }
  return {};
}

std::optional<Distribution> runs_for(Length length) {
  switch (length) {
    case Length::none: return std::nullopt;
    case Length::fixed: return Fixed{10s};
    case Length::drawn: return Exponential{1h};
  }
  return {};
}

// What decides, in words: rows are tried from the top, and a field that a row leaves out may have any value.
struct Row {
  std::optional<bool> off{};       // a window is open in which the host is off
  std::optional<bool> down{};      // an outage is open
  std::optional<bool> is_first{};  // the run is one of those that fail first
  std::optional<Length> length{};
  End end;
  Duration after;
};
const auto kDrawn = Duration{-1};  // stands for the length that the distribution gives

const std::array kTable{
    Row{.off = true, .end = End::silence, .after = 0ns},
    Row{.off = false, .down = true, .end = End::failure_of_outage, .after = 20ms},
    Row{.off = false, .down = false, .is_first = true, .end = End::failure_at_first, .after = 3s},
    Row{.off = false, .down = false, .is_first = false, .length = Length::none, .end = End::never, .after = 0ns},
    Row{.off = false, .down = false, .is_first = false, .length = Length::fixed, .end = End::natural, .after = 10s},
    Row{.off = false, .down = false, .is_first = false, .length = Length::drawn, .end = End::natural, .after = kDrawn},
};

template <class T>
bool fits(const std::optional<T>& field, T value) {
  return !field || *field == value;
}

TEST_CASE("a run is planned as the table says, in every combination of windows, first failures and lengths") {
  std::size_t planned = 0;
  for (const auto off : {Window::none, Window::past, Window::ends_now, Window::open}) {
    for (const auto down : {Window::none, Window::past, Window::ends_now, Window::open}) {
      for (const auto hangs : {Window::none, Window::open}) {  // has no say in how a run is planned
        for (const std::uint64_t first : {0U, 1U, 2U}) {
          for (const auto length : {Length::none, Length::fixed, Length::drawn}) {
            for (const std::uint64_t run : {1U, 2U, 3U}) {
              const Behaviour behaviour{.runs_for = runs_for(length), .fails_first = {.runs = first, .after = 3s}};
              const Suffering suffering{{20ms, "outage"}, end_of(down), end_of(hangs), end_of(off)};
              const auto row = std::find_if(kTable.begin(), kTable.end(), [&](const Row& each) {
                return fits(each.off, off == Window::open) && fits(each.down, down == Window::open) &&
                       fits(each.is_first, run <= first) && fits(each.length, length);
              });
              REQUIRE(row != kTable.end());
              int draws = 0;
              const auto key = [&draws] { return ++draws, kKey; };
              const Duration drawn = sample(Exponential{1h}, draw(kKey, Purpose::run_length, run));
              const RunPlan plan = plan_run(behaviour, &suffering, kNow, key, run);
              CAPTURE(off, down, first, length, run);
              REQUIRE(plan == RunPlan{row->end, row->after == kDrawn ? drawn : row->after});
              REQUIRE(draws == (row->after == kDrawn ? 1 : 0));  // what is not drawn costs none
              ++planned;
              // Whom chaos has not reached has no windows.
              if (off == Window::none && down == Window::none && hangs == Window::none) {
                REQUIRE(plan_run(behaviour, nullptr, kNow, key, run) == plan);
              }
            }
          }
        }
      }
    }
  }
  CHECK(planned == 4 * 4 * 2 * 3 * 3 * 3);
}

StartFault fault(std::string_view name, Window window, std::uint64_t share = Target::kWhole) {
  return {.name = name, .kind = ChaosEvent::Kind::failing_starts, .until = end_of(window), .share = share};
}

TEST_CASE("a run fails of the first open fault that it meets and that makes it fail, and of none in an outage") {
  const auto key = [] { return kKey; };
  Suffering suffering;
  const auto planned = [&](std::uint64_t run) { return plan_run({}, &suffering, kNow, key, run); };
  CHECK(planned(1) == RunPlan{});
  const auto add = [&](StartFault added, std::optional<Duration> fails_after) {
    added.fails_after = fails_after;
    suffering.faults.push_back({added});
  };
  add(fault("works", Window::open), std::nullopt);
  add(fault("over", Window::ends_now), 1s);
  CHECK(planned(1) == RunPlan{});
  add(fault("some", Window::open, Target::kWhole / 2), 2s);
  add(fault("all", Window::open), 3s);
  std::size_t drawn = 0;
  for (std::uint64_t run = 1; run <= 100; ++run) {
    const bool hit = (draw(kKey, Purpose::start_failure, run).high >> 32) < Target::kWhole / 2;
    CHECK(planned(run) == (hit ? RunPlan{End::failure_of_start, 2s} : RunPlan{End::failure_of_start, 3s}));
    drawn += hit ? 1 : 0;
  }
  CHECK(drawn > 30);
  CHECK(drawn < 70);
  suffering.down_until = end_of(Window::open);
  CHECK(planned(1).end == End::failure_of_outage);
}

TEST_CASE("a run behaves as every open fault that it meets changes it, and otherwise as its group") {
  const auto key = [] { return kKey; };
  const Behaviour behaviour{.runs_for = Fixed{10s}};
  Suffering suffering;
  const auto changed = [&](std::uint64_t run) { return changed_behaviour(behaviour, suffering, kNow, key, run); };
  const auto add = [&](StartFault added, std::function<void(Behaviour&, const LastReady&)> changes) {
    added.changes = std::move(changes);
    suffering.faults.push_back({added});
  };
  add(fault("over", Window::ends_now), [](Behaviour& mine, const LastReady&) { mine.then = Then::fatal; });
  add(fault("nothing", Window::open), {});
  CHECK(changed(1) == nullptr);
  add(fault("slow", Window::open), [](Behaviour& mine, const LastReady&) { mine.ready_after = Fixed{5s}; });
  add(fault("deaf", Window::open, Target::kWhole / 2),
      [](Behaviour& mine, const LastReady&) { mine.on_stop = Ignores{}; });
  Behaviour slow = behaviour;
  slow.ready_after = Fixed{5s};
  Behaviour both = slow;
  both.on_stop = Ignores{};
  for (std::uint64_t run = 1; run <= 20; ++run) {
    const bool hit = (draw(kKey, Purpose::start_failure, run).high >> 32) < Target::kWhole / 2;
    REQUIRE(changed(run) != nullptr);
    CHECK(*changed(run) == (hit ? both : slow));
  }
}

TEST_CASE("a run that was served works for as long as it would have without waiting") {
  for (const auto length : {Length::none, Length::fixed, Length::drawn}) {
    const Behaviour behaviour{.runs_for = runs_for(length)};
    for (const std::uint64_t run : {1U, 2U, 3U}) {
      const auto key = [] { return kKey; };
      CHECK(plan_work(behaviour, key, run) == plan_run(behaviour, nullptr, kNow, key, run));
    }
  }
}

TEST_CASE("the draws of a run belong to its service and its number alone") {
  const Behaviour behaviour{.runs_for = Exponential{1h}};
  const auto planned = [&](DrawKey key, std::uint64_t run) {
    return plan_run(
               behaviour, nullptr, kNow, [&] { return key; }, run)
        .after;
  };
  DrawKey other = kKey;
  other.name = 8;
  CHECK(planned(kKey, 1) == planned(kKey, 1));
  CHECK(planned(kKey, 1) != planned(kKey, 2));
  CHECK(planned(kKey, 1) != planned(other, 1));
}

}  // namespace
}  // namespace holdfast::run_plan_test
