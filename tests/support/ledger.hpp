// A ledger of events: from the events alone it works out the phases and the counters, and notes whatever breaks a rule
// that every event stream has to keep. A recorder keeps it, and the events as lines.
#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <holdfast/event.hpp>
#include <holdfast/random.hpp>
#include <holdfast/snapshot.hpp>

#include "lines.hpp"

namespace holdfast::test {

class Ledger {
 public:
  // In real time a run may start later than it was due.
  explicit Ledger(bool real_time = false) : real_time_(real_time) {}

  struct Life {
    std::string name;
    ServiceId id;
    Phase phase = Phase::starting;
    bool first_run_due = true;
    bool run_open = false;   // started and not ended
    bool cut_short = false;  // a restart command came while it backed off
    std::uint64_t n = 0;
    std::uint64_t run = 0;
    std::uint64_t starts = 0;
    std::uint64_t failures = 0;
    std::uint64_t clean_exits = 0;
    std::uint64_t failed_starts = 0;
    std::uint64_t hangs = 0;
    bool limited = false;           // its delay has passed, and it waits for its turn
    bool waits_for_others = false;  // and waits for what it is after
    bool waits_for_group = false;   // and waits for its siblings
    Ready ready = Ready::at_once;
    std::optional<Duration> start_timeout;
    std::optional<Duration> watchdog;
    SignOfLife watchdog_needs = SignOfLife::heartbeat;
    TimePoint ready_at;
    TimePoint began;
    TimePoint due;
    std::optional<StopCause> stop_cause;
    std::optional<Duration> stop_grace;
    std::optional<Duration> grace;  // of the stop that is under way
    bool can_be_killed = false;
    bool killed = false;  // the latest run
    TimePoint stop_asked_at;
    std::uint32_t openings = 0;                         // of its breaker in a row; 0: it is closed
    std::map<std::uint64_t, TimePoint> abandoned_runs;  // while the service went on: when they began, by number
  };

  void enter(const Event& event) {
    expect(event.at >= latest_, event, "time went backwards");
    latest_ = event.at;
    if (event.about_supervisor()) {
      expect(event.n == ++own_events_, event, "an event number was skipped or repeated");
      expect(event.name.empty() && event.name_hash == 0, event, "the supervisor has no name");
      shutting_down_ = shutting_down_ || std::holds_alternative<event::ShutdownRequested>(event.what);
      return;
    }
    expect(event.name_hash == name_hash(event.name), event, "the hash is not the name's");
    if (const auto* const added = std::get_if<event::Added>(&event.what)) return begin(event, *added);
    Life* const life = life_of(event.service);
    if (!life) return note(event, "about a service that is not there");
    expect(event.n == ++life->n, event, "an event number was skipped or repeated");
    expect(event.name == life->name, event, "the name changed");
    std::visit([&](const auto& what) { apply(*life, event, what); }, event.what);
  }

  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] const std::list<Life>& lives() const { return lives_; }
  // Null: it is not present.
  [[nodiscard]] const Life* find(ServiceId id) const { return life_of(id); }
  [[nodiscard]] const Lines& violations() const { return violations_; }

 private:
  [[nodiscard]] Life* life_of(ServiceId id) const {
    const auto found = by_slot_.find(id.slot);
    return found != by_slot_.end() && found->second->id == id ? &*found->second : nullptr;
  }
  void begin(const Event& event, const event::Added& what) {
    expect(event.n == 1, event, "`added` is the first event of a service");
    expect(!life_of(event.service), event, "an id was used twice");
    expect(what.policy != nullptr && what.policy->backoff, event, "no policy is in force");
    expect(event.run == what.runs_before, event, "run numbers do not go on");
    lives_.push_back({.name = std::string{event.name}, .id = event.service, .n = 1, .run = event.run.value});
    lives_.back().stop_grace = what.policy->stop_grace;
    lives_.back().can_be_killed = what.can_be_killed;
    lives_.back().ready = what.policy->ready;
    lives_.back().start_timeout = what.policy->start_timeout;
    lives_.back().watchdog = what.policy->watchdog;
    lives_.back().watchdog_needs = what.policy->watchdog_needs;
    if (what.runs_before.value > 0) lives_.back().abandoned_runs = std::exchange(left_by_[event.service.slot], {});
    by_slot_[event.service.slot] = std::prev(lives_.end());
    ++counters_.spawned;
    ++counters_.active_services;
  }

  void apply(Life&, const Event& event, const event::Added&) { note(event, "added twice"); }
  void apply(Life& life, const Event& event, const event::Reconfigured& what) {
    expect(what.policy != nullptr && what.policy->backoff, event, "no policy is in force");
    expect(life.phase != Phase::terminated, event, "a terminated service is under another policy");
    life.stop_grace = what.policy->stop_grace;
    expect(life.ready == what.policy->ready && life.start_timeout == what.policy->start_timeout &&
               life.watchdog == what.policy->watchdog && life.watchdog_needs == what.policy->watchdog_needs,
           event, "its runs are to show otherwise that they are ready and alive");
  }
  template <event::OnlyInforms What>
  void apply(Life&, const Event&, const What&) {}
  void apply(Life& life, const Event& event, const event::Started&) {
    if (ends_waiting(life)) {
    } else if (life.phase == Phase::backing_off && !life.cut_short) {
      expect(is_when(event.at, life.due), event, "the delay had not passed, or had passed before");
    }
    if (life.phase != Phase::starting) move(life, event, Phase::starting);
    expect(event.run.value == ++life.run, event, "a run number was skipped or repeated");
    expect(!life.run_open, event, "the earlier run is still alive");
    ++life.starts;
    ++counters_.starts;
    if (!life.first_run_due) ++counters_.restarts;
    life.first_run_due = life.cut_short = false;
    life.run_open = true;
    life.began = event.at;
    life.stop_cause.reset();
    life.killed = false;
  }
  void apply(Life& life, const Event& event, const event::Running&) {
    move(life, event, Phase::running);
    expect(life.run_open, event, "no run is alive");
    life.ready_at = event.at;
    if (life.ready == Ready::at_once) {
      expect(event.at == life.began, event, "ready later than started");
    } else if (life.start_timeout && !real_time_) {
      expect(event.at <= life.began + *life.start_timeout, event, "ready after the start_timeout");
    }
  }
  void apply(Life& life, const Event& event, const event::Ended& what) {
    expect(life.run_open, event, "no run is alive");
    const bool starts = life.phase == Phase::starting && life.ready == Ready::notified;
    expect(starts || life.phase == Phase::running || life.phase == Phase::stopping, event, "an end in a wrong phase");
    expect(what.lasted == event.at - life.began, event, "lasted longer or shorter");
    life.run_open = false;
    const bool missed = life.phase == Phase::stopping && has_missed(life);
    if (missed) {
      const std::string right = life.stop_cause == StopCause::watchdog
                                    ? "no " + std::string{in_words(life.watchdog_needs)} + " for " +
                                          to_string(life.watchdog.value_or(Duration{0}))
                                    : "not ready within " + to_string(life.start_timeout.value_or(Duration{0}));
      expect(is_failure(what.outcome) && what.error.starts_with(right), event, "has failed in another way");
    }
    if (life.phase == Phase::stopping && !missed) return;
    if (is_failure(what.outcome)) return count_failure(life);
    ++life.clean_exits;
    ++counters_.clean_exits;
  }
  static bool has_missed(const Life& life) {
    return life.stop_cause == StopCause::start_timeout || life.stop_cause == StopCause::watchdog;
  }
  void count_failure(Life& life) {
    ++life.failures;
    ++counters_.failures;
    if (life.phase == Phase::running || life.stop_cause == StopCause::watchdog) return;
    ++life.failed_starts;
    ++counters_.failed_starts;
  }
  void apply(Life& life, const Event& event, const event::BackingOff& what) {
    move(life, event, Phase::backing_off);
    expect(Duration::zero() <= what.delay && what.delay <= what.ceiling, event, "a delay above its ceiling");
    life.due = event.at + what.delay;
    life.cut_short = false;
    if (what.cause != BackoffCause::breaker_open) return;
    expect(what.attempt == life.openings + 1, event, "reports another number of openings");
    expect(what.delay >= what.ceiling / 2, event, "the breaker is to be open for half the ceiling at least");
    if (life.openings++ == 0) ++counters_.open_breakers;
  }
  void apply(Life&, const Event&, const event::BreakerTripped&) { ++counters_.circuit_breaker_trips; }
  void apply(Life& life, const Event& event, const event::Waiting& what) {
    const bool for_others = what.waits_for == WaitsFor::dependency;
    if (what.waits_for == WaitsFor::group) return waits_for_its_group(life, event, what);
    expect(!(for_others ? life.waits_for_others : life.limited), event, "waits already");
    if (!ends_waiting(life) && life.phase == Phase::backing_off) {
      expect(is_when(event.at, life.due), event, "the delay had not passed, or had passed before");
    }
    expect(for_others ? is_alive(life.phase) && !life.run_open : life.phase == Phase::backing_off, event,
           "would not start anyway");
    expect(what.delay.has_value() == (for_others && life.phase == Phase::backing_off), event,
           "a delay of its first run");
    (for_others ? life.waits_for_others : life.limited) = true;
    if (!for_others) ++counters_.limited_restarts;
    ++counters_.waiting_services;
  }
  void waits_for_its_group(Life& life, const Event& event, const event::Waiting& what) {
    expect(!life.waits_for_group && !what.delay && what.dependency.empty(), event, "waits already, or for others");
    expect(is_alive(life.phase) && !life.run_open, event, "would not start anyway");
    (void)ends_waiting(life);
    life.waits_for_group = true;
    ++counters_.waiting_services;
  }
  // False: it did not wait.
  bool ends_waiting(Life& life) {
    const bool limited = std::exchange(life.limited, false);
    const bool for_group = std::exchange(life.waits_for_group, false);
    if (!std::exchange(life.waits_for_others, false) && !limited && !for_group) return false;
    --counters_.waiting_services;
    return true;
  }
  void apply(Life& life, const Event& event, const event::BreakerClosed& what) {
    expect(what.openings == life.openings && life.openings > 0, event, "after another number of openings");
    life.openings = 0;
    --counters_.open_breakers;
  }
  void apply(Life& life, const Event&, const event::Commanded& what) {
    if (what.command == Command::restart || what.command == Command::reset) life.cut_short = true;
  }
  void apply(Life& life, const Event& event, const event::Stopping& what) {
    if (life.phase == Phase::stopping) {
      const bool goes_on = life.stop_cause == StopCause::restart || life.stop_cause == StopCause::dependency ||
                           life.stop_cause == StopCause::sibling || has_missed(life);
      const bool nobody_asks = what.cause == StopCause::start_timeout || what.cause == StopCause::watchdog;
      expect(goes_on && what.cause != life.stop_cause && !nobody_asks, event, "reported again");
    } else {
      if (what.cause == StopCause::start_timeout) {
        expect(life.phase == Phase::starting && life.run_open && life.start_timeout &&
                   is_when(event.at, life.began + *life.start_timeout),
               event, "not when the start_timeout had passed");
      }
      if (what.cause == StopCause::watchdog) {
        ++life.hangs;
        ++counters_.hangs;
        expect(life.phase == Phase::running && life.run_open && life.watchdog &&
                   event.at >= life.ready_at + *life.watchdog,
               event, "hangs sooner than the watchdog can find out");
      }
      move(life, event, Phase::stopping);
      life.stop_asked_at = event.at;
      life.grace = life.stop_grace;
      ends_waiting(life);
    }
    life.stop_cause = what.cause;
  }
  void apply(Life& life, const Event& event, const event::StopThrew&) {
    expect(life.phase == Phase::stopping, event, "was not asked to stop");
  }
  void apply(Life& life, const Event& event, const event::Killed& what) {
    expect(life.phase == Phase::stopping && life.run_open, event, "no run was asked to stop");
    expect(life.can_be_killed && !life.killed, event, "cannot be killed, or was killed before");
    expect(what.after == event.at - life.stop_asked_at, event, "after another time");
    // In a drain it may be its deadline, or the command to end it.
    expect(shutting_down_ || !life.grace || is_when(event.at, life.stop_asked_at + *life.grace), event,
           "not after the grace");
    life.killed = true;
    ++counters_.killed_runs;
  }
  void apply(Life& life, const Event& event, const event::KillThrew&) {
    expect(life.phase == Phase::stopping && life.killed, event, "was not killed");
  }
  void apply(Life& life, const Event& event, const event::Terminated& what) {
    ends_waiting(life);
    move(life, event, Phase::terminated);
    ++counters_.terminated;
    --counters_.active_services;
    if (std::exchange(life.openings, 0) > 0) --counters_.open_breakers;
    const bool abandoned = what.why.reason == Termination::Reason::abandoned;
    expect(life.run_open == abandoned, event, "exactly the runs that are still alive are abandoned");
    if (abandoned) ++counters_.abandoned_runs;
  }
  void apply(Life& life, const Event& event, const event::Abandoned& what) {
    expect(life.phase == Phase::stopping && life.run_open, event, "no run was asked to stop");
    expect(life.stop_cause == StopCause::restart || life.stop_cause == StopCause::dependency ||
               life.stop_cause == StopCause::sibling || has_missed(life),
           event, "it was to stop for good");
    expect(!life.can_be_killed || life.killed, event, "was to be killed first");
    expect(what.after == event.at - life.stop_asked_at, event, "after another time");
    life.run_open = false;
    life.abandoned_runs[life.run] = life.began;
    ++counters_.abandoned_runs;
    if (has_missed(life)) count_failure(life);
  }
  void apply(Life& life, const Event& event, const event::EndedLate& what) {
    if (const auto old = life.abandoned_runs.extract(event.run.value)) {
      expect(what.lasted == event.at - old.mapped(), event, "lasted longer or shorter");
      return;
    }
    expect(life.phase == Phase::terminated && life.run_open, event, "no abandoned run is alive");
    expect(what.lasted == event.at - life.began, event, "lasted longer or shorter");
    life.run_open = false;
  }
  void apply(Life& life, const Event& event, const event::Removed&) {
    expect(life.phase == Phase::terminated, event, "a service that is alive was forgotten");
    left_by_[life.id.slot] = life.abandoned_runs;
    if (life.run_open) left_by_[life.id.slot][life.run] = life.began;
    const auto at = by_slot_.extract(life.id.slot);
    lives_.erase(at.mapped());
  }
  void apply(Life&, const Event& event, const event::ShutdownRequested&) { note(event, "is not about a service"); }
  void apply(Life&, const Event& event, const event::RecordingFailed&) { note(event, "is not about a service"); }
  void apply(Life&, const Event& event, const event::Drained&) { note(event, "is not about a service"); }
  void apply(Life&, const Event& event, const event::GroupAdded&) { note(event, "is not about a service"); }
  void apply(Life&, const Event& event, const event::GroupLost&) { note(event, "is not about a service"); }

  [[nodiscard]] bool is_when(TimePoint at, TimePoint due) const { return real_time_ ? at >= due : at == due; }

  // Semantics, section 2.2, written out once more: a bug must not be able to agree with itself.
  static bool may_follow(Phase from, Phase to) {
    using enum Phase;
    static const std::map<Phase, std::vector<Phase>> kLegal{{starting, {running, backing_off, stopping, terminated}},
                                                            {running, {backing_off, stopping, terminated}},
                                                            {backing_off, {starting, stopping, terminated}},
                                                            {stopping, {terminated, backing_off, starting}},
                                                            {terminated, {}}};
    for (const Phase legal : kLegal.at(from)) {
      if (legal == to) return true;
    }
    return false;
  }

  void move(Life& life, const Event& event, Phase to) {
    expect(may_follow(life.phase, to), event, "an illegal transition");
    life.phase = to;
  }
  void expect(bool kept, const Event& event, std::string_view says) {
    if (!kept) note(event, says);
  }
  void note(const Event& event, std::string_view says) {
    violations_.push_back(line_of(event) + " <- " + std::string{says});
  }

  bool real_time_;
  std::list<Life> lives_;  // in the order of adding
  std::map<std::uint32_t, std::list<Life>::iterator> by_slot_;
  // Abandoned runs of services that were removed, perhaps to be added again in place, by slot.
  std::map<std::uint32_t, std::map<std::uint64_t, TimePoint>> left_by_;
  bool shutting_down_ = false;
  Counters counters_;
  std::uint64_t own_events_ = 0;
  TimePoint latest_;
  Lines violations_;
};

class Recorder final : public EventSink {
 public:
  explicit Recorder(bool real_time = false) : ledger_(real_time) {}

  void on_event(const Event& event) override {
    lines_.push_back(line_of(event));
    ledger_.enter(event);
    if (const auto* const delay = std::get_if<event::BackingOff>(&event.what)) backoffs.push_back(*delay);
    if (on_each) on_each(event);
  }

  // The lines since the last call.
  Lines take() { return std::exchange(lines_, {}); }
  [[nodiscard]] const Lines& lines() const { return lines_; }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }

  std::vector<event::BackingOff> backoffs;    // every one so far
  std::function<void(const Event&)> on_each;  // for tests that call the supervisor from within an event

 private:
  Lines lines_;
  Ledger ledger_;
};

}  // namespace holdfast::test
