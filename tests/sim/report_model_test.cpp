// The report beside a plain model of it: every figure is computed once more from the whole history of a run, by lists
// of intervals and by trying every instant, for thousands of generated scenarios.
#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <holdfast_sim/report/report.hpp>
#include <holdfast_sim/stage/simulation.hpp>

#include "generated_scenarios.hpp"

namespace holdfast::report_model_test {

using namespace holdfast::sim;
using namespace holdfast::test;
using namespace std::chrono_literals;

namespace {

// One thing that was seen, reduced to what figures are made of.
struct Seen {
  TimePoint at;
  std::size_t life;  // whose
  std::string kind;
  Phase phase = Phase::starting;  // from now on
  bool about_phase = false;
  bool failed = false;  // of ended
  bool lost = false;    // of terminated
  TimePoint until;      // of chaos
};

class Recorder final : public Observer {
 public:
  void on_event(const Event& event) override {
    Seen seen{.at = event.at, .life = life_of(event), .kind = std::string{kind(event)}};
    const std::map<std::string, Phase> phases{{"added", Phase::starting},    {"started", Phase::starting},
                                              {"running", Phase::running},   {"backing_off", Phase::backing_off},
                                              {"stopping", Phase::stopping}, {"terminated", Phase::terminated}};
    if (const auto phase = phases.find(seen.kind); phase != phases.end()) {
      seen.about_phase = true;
      seen.phase = phase->second;
    }
    if (const auto* const stopping = std::get_if<event::Stopping>(&event.what)) {
      const bool by_another = stopping->cause == StopCause::dependency || stopping->cause == StopCause::sibling ||
                              stopping->cause == StopCause::dependency_stop || stopping->cause == StopCause::group_lost;
      by_another ? (void)taken_down.insert(seen.life) : (void)taken_down.erase(seen.life);
    }
    if (seen.kind == "started") taken_down.erase(seen.life);
    if (const auto* const ended = std::get_if<event::Ended>(&event.what)) {
      seen.failed = is_failure(ended->outcome);
    }
    if (const auto* const terminated = std::get_if<event::Terminated>(&event.what)) {
      const auto reason = terminated->why.reason;
      seen.lost = reason == Termination::Reason::circuit_open || reason == Termination::Reason::failed ||
                  reason == Termination::Reason::abandoned ||
                  (reason == Termination::Reason::cancelled && taken_down.contains(seen.life));
    }
    if (event.about_supervisor()) {
      if (const auto* const shutdown = std::get_if<event::ShutdownRequested>(&event.what)) {
        asked_for = shutdown->cause != ShutdownCause::all_terminated;
      }
      if (seen.kind == "drained" && asked_for) drained = event.at;
      return;
    }
    all.push_back(seen);
  }
  void on_chaos(const ChaosEvent& event) override {
    if (meaning_of(event.kind) == ChaosMeaning::unsupervised) return;  // about the supervisor
    all.push_back(
        {.at = event.at,
         .life = lives.at(event.service.slot),
         .kind = event.kind == ChaosEvent::Kind::gone ? "chaos outage" : "chaos " + std::string{to_string(event.kind)},
         .until = event.until});
  }

  // A slot may have another service after one that was forgotten.
  std::size_t life_of(const Event& event) {
    if (std::holds_alternative<event::Added>(event.what)) {
      lives[event.service.slot] = names.size();
      names.emplace_back(event.name);
    }
    return event.about_supervisor() ? 0 : lives.at(event.service.slot);
  }

  std::vector<Seen> all;
  std::map<std::uint32_t, std::size_t> lives;  // by slot, the present one
  std::vector<std::string> names;              // of lives
  std::set<std::size_t> taken_down;            // lives whose latest stop was because of another service
  bool asked_for = false;                      // the shutdown, by somebody
  std::optional<TimePoint> drained;            // by such a one
};

struct Interval {
  TimePoint from, until;  // until is not in it
};
bool in(const std::vector<Interval>& all, TimePoint at) {
  return std::any_of(all.begin(), all.end(), [at](const Interval& one) { return one.from <= at && at < one.until; });
}

// What became of one service.
struct History {
  std::vector<Seen> seen;
  std::vector<Interval> outages;  // joined where they overlap or touch
  std::vector<Interval> hangs;
  std::vector<Interval> running;     // a run was alive and had been ready, in running or stopping
  std::vector<Interval> unrepaired;  // from the end of an outage to the next start
  std::optional<TimePoint> lost_at, done_at;
  std::optional<TimePoint> there_again_at;  // another one of its name
};

constexpr TimePoint kEver = TimePoint::max();

void find_outages(History& history) {
  for (const Seen& seen : history.seen) {
    if (seen.kind != "chaos outage") continue;
    auto& all = history.outages;
    if (!all.empty() && seen.at <= all.back().until) {
      all.back().until = std::max(all.back().until, seen.until);
    } else {
      all.push_back({seen.at, seen.until});
    }
  }
}

// A run, also if a supervisor that stands still does not know it yet.
bool is_over_with(const Seen& seen) {
  return seen.kind == "ended" || seen.kind == "terminated" || seen.kind == "chaos ended_unseen";
}

void find_hangs(History& history) {
  bool alive = false;
  for (std::size_t i = 0; i < history.seen.size(); ++i) {
    const Seen& seen = history.seen[i];
    if (seen.kind == "started") alive = true;
    if (is_over_with(seen)) alive = false;
    if (seen.kind == "chaos hang") history.hangs.push_back({seen.at, seen.until});
    // A run that was abandoned may begin to hang as well: the service has no part in it any more.
    if (seen.kind != "chaos run_hang" || !alive) continue;
    const auto over =
        std::find_if(history.seen.begin() + static_cast<std::ptrdiff_t>(i), history.seen.end(), is_over_with);
    history.hangs.push_back({seen.at, over == history.seen.end() ? kEver : over->at});
  }
}

void find_running(History& history) {
  bool alive = false, ready = false;
  Phase phase = Phase::starting;
  std::optional<TimePoint> since;
  for (const Seen& seen : history.seen) {
    if (seen.kind == "started") alive = true;
    if (is_over_with(seen)) alive = false;
    if (seen.about_phase) phase = seen.phase;
    if (seen.kind == "started" || seen.kind == "running") ready = seen.kind == "running";
    const bool runs = alive && ready && (phase == Phase::running || phase == Phase::stopping);
    if (runs && !since) since = seen.at;
    if (!runs && since) {
      history.running.push_back({*since, seen.at});
      since.reset();
    }
    if (seen.kind == "terminated") (seen.lost ? history.lost_at : history.done_at) = seen.at;
  }
  if (since) history.running.push_back({*since, kEver});
}

// The order within an instant counts: a start that was seen before the outage began is no recovery from it.
std::optional<TimePoint> next_start(const History& history, const Interval& outage) {
  bool begun = false;
  for (const Seen& seen : history.seen) {
    if (seen.kind == "chaos outage" && seen.at >= outage.from && seen.at <= outage.until) begun = true;
    if (seen.kind == "chaos outage" && seen.at == outage.until) continue;
    if (begun && seen.kind == "started" && seen.at >= outage.until) {
      // Another entry of the same union in that very instant crashes this run again.
      const bool hit_again = std::any_of(history.seen.begin(), history.seen.end(), [&](const Seen& later) {
        return &later > &seen && later.kind == "chaos outage" && later.at == seen.at && later.at <= outage.until;
      });
      if (!hit_again) return seen.at;
    }
  }
  return std::nullopt;
}

void find_unrepaired(History& history) {
  for (const Interval& outage : history.outages) {
    const auto start = next_start(history, outage);
    history.unrepaired.push_back({outage.until, start.value_or(kEver)});
  }
}

struct Model {
  std::vector<History> services;
  TimePoint over;  // nobody counts from here on
};

Model model_of(const Recorder& recorded, const Scenario& scenario, const SimulationEnd& end) {
  Model model;
  model.services.resize(recorded.names.size());
  for (const Seen& seen : recorded.all) {
    model.services[seen.life].seen.push_back(seen);
    if (seen.kind != "added") continue;
    for (std::size_t i = 0; i < seen.life; ++i) {
      auto& before = model.services[i].there_again_at;
      if (!before && recorded.names[i] == recorded.names[seen.life]) before = seen.at;
    }
  }
  for (History& history : model.services) {
    find_outages(history);
    find_hangs(history);
    find_running(history);
    find_unrepaired(history);
  }
  const bool cut_off = end.reason != EndReason::finished && end.reason != EndReason::stalled;
  model.over = cut_off ? end.at : std::max(end.at, TimePoint{} + *scenario.duration);
  if (recorded.drained) model.over = *recorded.drained;
  return model;
}

// Between two neighbouring instants nothing changes, so it is asked once how the service stood.
Availability availability_of(const History& history, const Model& model, TimePoint run_over) {
  std::set<TimePoint> instants{model.over, std::min(run_over, model.over)};
  const auto mark = [&](const std::vector<Interval>& all) {
    for (const Interval& one : all) instants.insert({one.from, one.until});
  };
  mark(history.outages);
  mark(history.hangs);
  mark(history.running);
  mark(history.unrepaired);
  for (const Seen& seen : history.seen) instants.insert(seen.at);
  if (history.there_again_at) instants.insert(*history.there_again_at);
  Availability result;
  for (auto at = instants.begin(); std::next(at) != instants.end() && *at < model.over; ++at) {
    if (history.done_at && *at >= *history.done_at) break;
    if (history.there_again_at && *at >= *history.there_again_at) break;
    const bool lost = history.lost_at && *at >= *history.lost_at;
    if (*at >= run_over && !lost) break;
    const auto length = static_cast<ServiceTime>((*std::next(at) - *at).count());
    const bool disturbed = in(history.outages, *at) || in(history.hangs, *at);
    result.time += length;
    if (!disturbed) result.ideal += length;
    if (!disturbed && lost) result.lost += length;
    if (!disturbed && in(history.running, *at) && !in(history.unrepaired, *at)) result.up += length;
  }
  return result;
}

std::map<std::int64_t, std::uint64_t> restarts_by(const Model& model, std::int64_t width) {
  std::map<std::int64_t, std::uint64_t> counts;
  for (const History& history : model.services) {
    bool first = true;
    for (const Seen& seen : history.seen) {
      if (seen.kind != "started") continue;
      if (!first) ++counts[seen.at.nanoseconds / width];
      first = false;
    }
  }
  return counts;
}

std::uint64_t most(const std::map<std::int64_t, std::uint64_t>& counts) {
  std::uint64_t found = 0;
  for (const auto& [at, count] : counts) found = std::max(found, count);
  return found;
}

}  // namespace

TEST_CASE("every figure of availability is what a plain model computes from the whole history") {
  std::uint64_t with_losses = 0, cut_off = 0, early = 0, hanging = 0;
  rc::prop("availability, restarts in their buckets, the busiest second and the losses", [&] {
    Scenario scenario = *runnable_scenario();
    // The model knows no service that is removed, or that comes back after its end.
    for (auto& entry : scenario.chaos) {
      if (auto* const command = std::get_if<OperatorCommand>(&entry.what)) command->what = Command::stop;
    }
    if (*rc::gen::inRange(0, 4) == 0) scenario.budget.events = 30;
    Report report{scenario};
    Recorder recorder;
    Simulation simulation{scenario, {&recorder, &report}};
    simulation.run_to_end();
    const SimulationEnd end = simulation.end();
    const ReportData found = report.finish(end);
    const Model model = model_of(recorder, scenario, end);

    Availability all;
    std::uint64_t lost = 0, missed = 0;
    for (const History& history : model.services) {
      all += availability_of(history, model, end.at);
      lost += history.lost_at.has_value();
      missed += history.lost_at && !history.there_again_at;
      hanging += std::any_of(history.seen.begin(), history.seen.end(),
                             [](const Seen& seen) { return seen.kind == "chaos run_hang"; });
    }
    RC_ASSERT(found.fleet.availability.time == all.time);
    RC_ASSERT(found.fleet.availability.ideal == all.ideal);
    RC_ASSERT(found.fleet.availability.lost == all.lost);
    RC_ASSERT(found.fleet.availability.up == all.up);
    RC_ASSERT(found.losses.count == lost);
    RC_ASSERT(found.lost_at_end == missed);

    RC_ASSERT(found.busiest_second.restarts == most(restarts_by(model, 1'000'000'000)));
    const auto in_buckets = restarts_by(model, found.history.bucket_width.count());
    for (std::size_t i = 0; i < found.history.buckets.size(); ++i) {
      const auto there = in_buckets.find(static_cast<std::int64_t>(i));
      RC_ASSERT(found.history.buckets[i].restarts == (there == in_buckets.end() ? 0 : there->second));
    }
    const auto buckets_needed = in_buckets.empty() ? 0 : in_buckets.rbegin()->first + 1;
    RC_ASSERT(buckets_needed <= static_cast<std::int64_t>(found.history.buckets.size()));

    with_losses += lost > 0;
    cut_off += end.reason == EndReason::events_budget;
    early += end.at < TimePoint{} + 10s;
  });
  CHECK(with_losses > 0);
  CHECK(early > 0);
  CHECK(hanging > 0);
  CHECK(cut_off > 0);
}

}  // namespace holdfast::report_model_test
