// What the tests of the supervisor share: a fleet in virtual time whose runs are ended by hand, and a recorder of all
// events that the supervisor reports.
//
// The recorder keeps each event as a short line (lines.hpp), and a ledger of them (ledger.hpp). A Fleet compares the
// ledger with the supervisor when it is destroyed, so every test checks it.
#pragma once

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/supervisor.hpp>
#include <holdfast_sim/stage/virtual_scheduler.hpp>

#include "ledger.hpp"

namespace holdfast::test {

using namespace std::chrono_literals;

inline constexpr Seed kSeed{20'240'229};

// No breaker, so nothing is questionable about it; failures are followed by the next run in the same instant.
inline constexpr BackoffPolicy kAtOnce{.base = 0ns, .max = 0ns, .breaker = std::nullopt};

inline BackoffPolicy at_once_with_breaker(std::uint32_t max_failures, Duration window = 10min) {
  return {.base = 0ns, .max = 0ns, .cooldown = 1min, .breaker = BreakerPolicy{max_failures, window}};
}

inline SupervisorConfig config_of(BackoffPolicy backoff, Duration shutdown_timeout = 30s) {
  return {.shutdown_timeout = shutdown_timeout, .backoff = backoff};
}

// Does nothing by itself; its runs are ended by hand. It remembers each run and each call.
class Script final : public Service {
 public:
  void start(Run run) override {
    runs.push_back(run);
    calls.push_back("start " + std::to_string(run.number().value));
    if (on_start) on_start(run);
  }
  void stop(Run run) override {
    calls.push_back("stop " + std::to_string(run.number().value));
    if (on_stop) on_stop(run);
  }
  [[nodiscard]] bool can_be_killed() const noexcept override { return on_kill != nullptr; }
  void kill(Run run) override {
    calls.push_back("kill " + std::to_string(run.number().value));
    on_kill(run);
  }

  [[nodiscard]] bool runs_side_by_side() const noexcept override { return side_by_side; }

  void end(Exit exit) const { runs.back().end(std::move(exit)); }
  void end_cleanly() const { end(Exit::clean()); }
  void fail(std::string error = "boom") const { end(Exit::failed(std::move(error))); }

  bool side_by_side = false;
  std::vector<Run> runs;
  Lines calls;
  std::function<void(Run)> on_start;
  std::function<void(Run)> on_stop;
  std::function<void(Run)> on_kill;  // empty: it cannot be killed
};

// Lets time pass; timers that are due by then fire, those of the last instant included.
inline void let_pass(sim::VirtualScheduler& scheduler, Duration time) {
  scheduler.run_tasks();
  const TimePoint end = scheduler.now() + time;
  while (scheduler.fire_next(end)) {
  }
  scheduler.advance_to(end);
}

class Fleet {
 public:
  explicit Fleet(SupervisorConfig config = config_of(kAtOnce), Seed seed = kSeed) {
    supervisor_.emplace(scheduler, config, seed, recorder);
    settle();
  }
  ~Fleet() {
    if (supervisor_) check();
    CHECK(recorder.ledger().violations() == Lines{});
  }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  Supervisor& operator*() { return *supervisor_; }
  Supervisor* operator->() { return &*supervisor_; }
  void destroy_supervisor() { supervisor_.reset(); }

  // A service for add(); it outlives the supervisor.
  Script& script() { return scripts_.emplace_back(); }

  // Adds a service and lets it start.
  Script& add(std::string name, RestartPolicy restart = RestartPolicy::on_failure,
              std::optional<BackoffPolicy> backoff = std::nullopt) {
    Script& service = script();
    const auto added =
        supervisor_->add({.name = std::move(name), .policy = {.restart = restart, .backoff = backoff}}, service);
    REQUIRE(added);
    settle();
    return service;
  }

  // Lets the supervisor act on what was asked, without a timer firing.
  void settle() { scheduler.run_tasks(); }

  void pass(Duration time) { let_pass(scheduler, time); }
  // The same, but what is due at the last instant is left to fire.
  void pass_until_just_before(TimePoint end) {
    settle();
    while (scheduler.fire_next(end - 1ns)) {
    }
    scheduler.advance_to(end);
  }
  // Fires the timers that are due now.
  void pass_nothing() { pass(0s); }

  Lines take() { return recorder.take(); }
  ServiceSnapshot snapshot(std::string_view name) const {
    auto found = supervisor_->snapshot(name);
    REQUIRE(found);
    return *found;
  }
  std::string phase(std::string_view name) const { return std::string{to_string(snapshot(name).phase)}; }
  std::string termination(std::string_view name) const {
    const auto found = snapshot(name);
    return found.termination ? to_string(*found.termination, found.last_error) : "not terminated";
  }

  // The supervisor and its events say the same. It is asked while nothing is queued.
  void check() {
    settle();
    const Ledger& ledger = recorder.ledger();
    CHECK(supervisor_->counters() == ledger.counters());
    const auto snapshots = supervisor_->snapshots();
    CHECK(snapshots.size() == supervisor_->service_count());
    REQUIRE(snapshots.size() == ledger.lives().size());
    for (const auto& snapshot : snapshots) {
      CAPTURE(snapshot.name);
      const auto* const life = ledger.find(snapshot.id);
      REQUIRE(life);
      CHECK(snapshot.name == life->name);
      CHECK(snapshot.phase == life->phase);
      CHECK(snapshot.run.value == life->run);
      CHECK(snapshot.starts == life->starts);
      CHECK(snapshot.failures == life->failures);
      CHECK(snapshot.clean_exits == life->clean_exits);
      CHECK(snapshot.failed_starts == life->failed_starts);
      CHECK(snapshot.hangs == life->hangs);
      if (!life->waits_for_others && !life->waits_for_group) {
        CHECK(snapshot.next_start.has_value() == (life->phase == Phase::backing_off && !life->limited));
      }
      CHECK(snapshot.waits_for == (life->waits_for_others  ? std::optional{WaitsFor::dependency}
                                   : life->waits_for_group ? std::optional{WaitsFor::group}
                                   : life->limited         ? std::optional{WaitsFor::restart_limit}
                                                           : std::nullopt));
      if (snapshot.next_start && !life->waits_for_others) CHECK(*snapshot.next_start == life->due);
    }
  }

  sim::VirtualScheduler scheduler;
  Recorder recorder;

 private:
  std::deque<Script> scripts_;
  std::optional<Supervisor> supervisor_;
};

// Runs `act` when its time comes, like a service's own timer would.
class Alarm final : public Timer {
 public:
  Alarm(Scheduler& scheduler, TimePoint at, std::function<void()> act) : scheduler_(scheduler), act_(std::move(act)) {
    scheduler.arm(*this, at);
  }
  ~Alarm() { scheduler_.disarm(*this); }

 private:
  void fired() override { act_(); }

  Scheduler& scheduler_;
  std::function<void()> act_;
};

}  // namespace holdfast::test

namespace Catch {

template <>
struct StringMaker<holdfast::Duration> {
  static std::string convert(holdfast::Duration duration) { return holdfast::to_string(duration); }
};
template <>
struct StringMaker<holdfast::TimePoint> {
  static std::string convert(holdfast::TimePoint at) { return "at " + holdfast::to_string(at); }
};
template <>
struct StringMaker<holdfast::Phase> {
  static std::string convert(holdfast::Phase phase) { return std::string{holdfast::to_string(phase)}; }
};
template <>
struct StringMaker<holdfast::Counters> {
  static std::string convert(const holdfast::Counters& c) {
    std::string text = "{";
    for (const auto& [name, value] :
         {std::pair{"spawned", c.spawned}, std::pair{"starts", c.starts}, std::pair{"restarts", c.restarts},
          std::pair{"failures", c.failures}, std::pair{"clean_exits", c.clean_exits},
          std::pair{"circuit_breaker_trips", c.circuit_breaker_trips}, std::pair{"terminated", c.terminated},
          std::pair{"killed_runs", c.killed_runs}, std::pair{"abandoned_runs", c.abandoned_runs},
          std::pair{"active_services", c.active_services}, std::pair{"open_breakers", c.open_breakers},
          std::pair{"failed_starts", c.failed_starts}, std::pair{"hangs", c.hangs},
          std::pair{"limited_restarts", c.limited_restarts}, std::pair{"waiting_services", c.waiting_services}}) {
      text += std::string{" "} + name + ' ' + std::to_string(value);
    }
    return text + " }";
  }
};

}  // namespace Catch
