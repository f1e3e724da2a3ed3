#include <holdfast_sim/checks/expectations.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <holdfast/detail/enumerators.hpp>
#include <holdfast_sim/checks/detail/property_checks.hpp>
#include <holdfast_sim/observe/detail/taken_down.hpp>
#include <holdfast_sim/scenario/roster.hpp>

namespace holdfast::sim {

using holdfast::to_string;

// ---------------------------------------------------------------------------------------------------------------------
// Counts
// ---------------------------------------------------------------------------------------------------------------------

namespace {

// What is counted, in the order of ExpectedCounts: events up to `terminated`, then services by termination reason.
enum class Count : std::uint8_t {
  spawned,
  starts,
  restarts,
  failures,
  failed_starts,
  clean_exits,
  circuit_breaker_trips,
  killed_runs,
  terminated,
  completed,
  cancelled,
  circuit_open,
  failed,
  abandoned,
};
static_assert(kExpectedCounts.size() == holdfast::detail::enumerators_of<Count>(),
              "a count for each row of the format");

Count count_of(Termination::Reason reason) noexcept {
  switch (reason) {
    case Termination::Reason::completed: return Count::completed;
    case Termination::Reason::cancelled: return Count::cancelled;
    case Termination::Reason::circuit_open: return Count::circuit_open;
    case Termination::Reason::failed: return Count::failed;
    case Termination::Reason::abandoned: return Count::abandoned;
  }
  return Count::completed;
}

constexpr std::size_t index_of(Count count) noexcept { return static_cast<std::size_t>(count); }

// What is counted for the fleet or for one group, and what is expected of it.
struct Tally {
  std::string name;  // empty: the fleet
  ExpectedCounts expected;
  std::array<std::uint64_t, kExpectedCounts.size()> counts{};
  std::array<std::uint64_t, kExpectedCounts.size()> most{};       // of the expectation
  std::array<TimePoint, kExpectedCounts.size()> exceeded_at{};    // when the latest one too many came
  std::array<std::string, kExpectedCounts.size()> exceeded_by{};  // and of which service

  explicit Tally(std::string its_name, const ExpectedCounts& its_expected)
      : name(std::move(its_name)), expected(its_expected) {
    for (std::size_t i = 0; i < kExpectedCounts.size(); ++i) {
      const auto& range = expected.*kExpectedCounts[i].member;
      most[i] = range ? range->max : UINT64_MAX;
    }
  }

  void add(Count count, TimePoint at, const std::string& service) {
    const std::size_t i = index_of(count);
    if (counts[i]++ != most[i]) return;
    exceeded_at[i] = at;
    exceeded_by[i] = service;
  }
  void take_back(Count count) noexcept { --counts[index_of(count)]; }
};

constexpr std::uint32_t kFleet = 0;  // index of its tally
constexpr std::uint32_t kNone = UINT32_MAX;

// A service as far as expectations go.
struct Member {
  std::uint32_t generation = 0;
  std::uint32_t by_name = kNone;     // the tally of its own name
  std::uint32_t by_group = kNone;    // the tally of its group
  std::uint32_t counts = 0;          // a bit for each Count to which it adds
  detail::CountedFor counted_for{};  // by properties
  detail::CountedStates states = 0;
  Phase phase = Phase::starting;
  Termination::Reason reason = Termination::Reason::completed;  // once terminated
  bool present = false;
  bool hangs = false;   // its present run does, by itself
  bool waits = false;   // its present run does, for a resource
  bool is_off = false;  // its host is: its present run ends when the host is on again
  bool ready = false;   // its present run has been
  bool started_before = false;
  bool restart_commanded = false;  // by the latest event
  bool asked_to_stop = false;      // its run was, by somebody: not because it was not ready in time
  bool taken_down = false;         // it was, or its restart was called off, because of another service

  [[nodiscard]] bool runs() const noexcept { return phase == Phase::running && !hangs && !waits && !is_off; }
  // Nobody expects it to run again.
  [[nodiscard]] bool is_done() const noexcept {
    if (phase != Phase::terminated) return false;
    return reason == Termination::Reason::completed || (reason == Termination::Reason::cancelled && !taken_down);
  }
  [[nodiscard]] detail::CountedStates present_states() const noexcept {
    using detail::Counted;
    if (!present) return 0;
    switch (phase) {
      case Phase::starting: return bit_of(Counted::starting);
      case Phase::running: return runs() ? bit_of(Counted::running) : hangs ? bit_of(Counted::hung) : 0;
      case Phase::backing_off: return bit_of(Counted::backing_off);
      case Phase::stopping: return bit_of(Counted::stopping);
      case Phase::terminated: return bit_of(Counted::terminated) | (is_done() ? 0 : bit_of(Counted::lost));
    }
    return 0;
  }
  [[nodiscard]] bool adds_to(std::size_t count) const noexcept { return ((counts >> count) & 1U) != 0; }
};

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Event by event
// ---------------------------------------------------------------------------------------------------------------------

struct ExpectationChecks::State {
  explicit State(const Scenario& scenario)
      : expect(scenario.expect),
        required(required_of(scenario)),
        chaos(reported_of(scenario)),
        reached(scenario.chaos.size()),
        heal_at(scenario.heal_at),
        roster(roster_of(scenario)),
        properties(expect.properties, [this](ExpectationResult& result, std::uint32_t scope, detail::Counted state,
                                             bool in_it) { name_counted(result, scope, state, in_it); }) {
    tallies.emplace_back("", expect.fleet);
    for (const auto& group : expect.groups) {
      tally_by_name.emplace(group.name, static_cast<std::uint32_t>(tallies.size()));
      tallies.emplace_back(group.name, group.counts);
    }
  }

  // -- Names --------------------------------------------------------------------------------------------------------

  // What is expected of this very service; nothing if the name means a group with a count.
  std::uint32_t tally_of_name(const std::string& name) const {
    const auto group = roster.group(name);
    return group && roster.groups()[*group].count ? kNone : tally_named(name);
  }

  // What is expected of the group with a count that it belongs to.
  std::uint32_t tally_of_group(const std::string& name) const {
    const auto group = roster.group_of(name);
    return group && roster.groups()[*group].count ? tally_named(roster.groups()[*group].name) : kNone;
  }

  std::uint32_t tally_named(const std::string& name) const {
    const auto found = tally_by_name.find(name);
    return found == tally_by_name.end() ? kNone : found->second;
  }

  Member* find(ServiceId id) noexcept {
    if (id.slot >= members.size()) return nullptr;
    Member& member = members[id.slot];
    return member.present && member.generation == id.generation ? &member : nullptr;
  }

  void count(Member& member, Count what, TimePoint at) {
    if (!properties.empty()) count_in_windows(member, what, at);
    member.counts |= 1U << index_of(what);
    const std::string& service = names[static_cast<std::size_t>(&member - members.data())];
    tallies[kFleet].add(what, at, service);
    if (member.by_name != kNone) tallies[member.by_name].add(what, at, service);
    if (member.by_group != kNone) tallies[member.by_group].add(what, at, service);
  }

  void count_in_windows(const Member& member, Count what, TimePoint at) {
    using detail::Counted;
    if (what == Count::starts) properties.happened(member.counted_for, Counted::starts, at);
    if (what == Count::restarts) properties.happened(member.counted_for, Counted::restarts, at);
    if (what == Count::failures) properties.happened(member.counted_for, Counted::failures, at);
  }

  // After each change of a service.
  void show_to_properties(Member& member) {
    if (properties.empty()) return;
    const auto states = member.present_states();
    properties.moved(member.counted_for, std::exchange(member.states, states), states);
  }

  void name_counted(ExpectationResult& result, std::uint32_t scope, detail::Counted state, bool in_it) const {
    name(result, [&](const Member& member) {
      const auto& scopes = member.counted_for.scopes;
      const bool is_of_it = member.present && std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
      return is_of_it && ((member.states & bit_of(state)) != 0) == in_it;
    });
  }

  void take_back(Member& member, Count what) noexcept {
    member.counts &= ~(1U << index_of(what));
    tallies[kFleet].take_back(what);
    if (member.by_name != kNone) tallies[member.by_name].take_back(what);
    if (member.by_group != kNone) tallies[member.by_group].take_back(what);
  }

  // -- Events -------------------------------------------------------------------------------------------------------

  void on_event(const Event& event) {
    if (event.at > now) let_pass(event.at);
    if (event.about_supervisor()) {
      if (const auto* const over = std::get_if<event::Drained>(&event.what)) {
        drained_at = event.at;
        outcome = over->outcome;
      }
      if (std::holds_alternative<event::ShutdownRequested>(event.what)) properties.drain(event.at);
      return;
    }
    if (std::holds_alternative<event::Added>(event.what)) return on_added(event);
    Member* const member = find(event.service);
    if (!member) return;
    const bool commanded = std::exchange(member->restart_commanded, false);
    std::visit([&](const auto& what) { on(*member, event, what, commanded); }, event.what);
    show_to_properties(*member);
  }

  void on_added(const Event& event) {
    if (event.service.slot >= members.size()) {
      members.resize(event.service.slot + 1);
      names.resize(event.service.slot + 1);
    }
    std::string& name = names[event.service.slot];
    Member& member = members[event.service.slot];
    const std::uint32_t counts = name == event.name ? member.counts : 0;  // it was restarted in place
    name = event.name;
    member = {.generation = event.service.generation,
              .by_name = tally_of_name(name),
              .by_group = tally_of_group(name),
              .counts = counts,
              .counted_for = counted_for(name),
              .present = true};
    ++present;
    ++active;
    if (!forgotten.empty()) is_there_again(event.name);
    count(member, Count::spawned, event.at);
    show_to_properties(member);
    // All run once it does.
    if (expect.all_running_by && event.at <= TimePoint{} + *expect.all_running_by) all_running_at.reset();
  }

  [[nodiscard]] detail::CountedFor counted_for(const std::string& name) const {
    if (properties.empty()) return {};
    const auto group = roster.group_of(name);
    return properties.counted_for(name, group ? std::string_view{roster.groups()[*group].name} : std::string_view{});
  }

  void set_phase(Member& member, Phase phase) noexcept {
    running -= member.runs();
    active -= phase == Phase::terminated && member.phase != Phase::terminated;
    member.phase = phase;
    running += member.runs();
  }

  void set_working(Member& member, bool hangs, bool waits, bool is_off) noexcept {
    running -= member.runs();
    member.hangs = hangs;
    member.waits = waits;
    member.is_off = is_off;
    running += member.runs();
  }
  void works(Member& member) noexcept { set_working(member, false, false, false); }

  // Expectations have nothing to do with these. They are spelled out, so that the compiler asks about a new kind of
  // event that does more than inform.
  template <event::OnlyInforms What>
  void on(Member&, const Event&, const What&, bool) {}
  void on(Member&, const Event&, const event::Added&, bool) {}
  void on(Member&, const Event&, const event::EndedLate&, bool) {}
  void on(Member&, const Event&, const event::BreakerClosed&, bool) {}
  void on(Member&, const Event&, const event::Reconfigured&, bool) {}
  void on(Member&, const Event&, const event::Waiting&, bool) {}
  void on(Member&, const Event&, const event::ShutdownRequested&, bool) {}
  void on(Member&, const Event&, const event::Drained&, bool) {}
  void on(Member& member, const Event& event, const event::Started&, bool) {
    works(member);
    count(member, Count::starts, event.at);
    if (member.started_before) count(member, Count::restarts, event.at);
    member.started_before = true;
    member.asked_to_stop = member.taken_down = member.ready = false;
    set_phase(member, Phase::starting);
  }
  void on(Member& member, const Event&, const event::Running&, bool) {
    member.ready = true;
    set_phase(member, Phase::running);
  }
  void on(Member& member, const Event& event, const event::Ended& what, bool) {
    works(member);
    if (member.asked_to_stop) return;
    if (!is_failure(what.outcome)) return count(member, Count::clean_exits, event.at);
    count_failure(member, event.at);
  }
  void count_failure(Member& member, TimePoint at) {
    count(member, Count::failures, at);
    if (!member.ready) count(member, Count::failed_starts, at);
  }
  void on(Member& member, const Event&, const event::BackingOff&, bool) { set_phase(member, Phase::backing_off); }
  void on(Member& member, const Event& event, const event::BreakerTripped&, bool) {
    count(member, Count::circuit_breaker_trips, event.at);
  }
  void on(Member& member, const Event& event, const event::Killed&, bool) {
    count(member, Count::killed_runs, event.at);
  }
  void on(Member& member, const Event&, const event::Commanded& what, bool) {
    member.restart_commanded = what.command == Command::restart;
  }
  void on(Member& member, const Event&, const event::Stopping& what, bool) {
    member.asked_to_stop = !is_missed_deadline(what.cause);
    member.taken_down = detail::is_taken_down(what.cause);
    set_phase(member, Phase::stopping);
  }
  // After a restart the next run follows at once. A run that missed a deadline has failed.
  void on(Member& member, const Event& event, const event::Abandoned&, bool) {
    works(member);
    if (!member.asked_to_stop) count_failure(member, event.at);
  }
  void on(Member& member, const Event& event, const event::Terminated& what, bool) {
    if (member.phase == Phase::terminated) return;
    set_phase(member, Phase::terminated);
    member.reason = what.why.reason;
    done += member.is_done();
    last_terminated_at = event.at;
    count(member, Count::terminated, event.at);
    count(member, count_of(what.why.reason), event.at);
    if (what.why.reason == Termination::Reason::abandoned && expect.abandoned_services) {
      abandoned.emplace_back(event.name);
      if (abandoned.size() == 1) first_abandoned_at = event.at;
    }
  }
  void on(Member& member, const Event& event, const event::Removed& what, bool restart_commanded) {
    if (what.forgotten && !member.is_done()) {
      forgotten.insert_or_assign(std::string{event.name}, member);
      member.present = false;
      member.states = 0;  // it goes on counting as what it is
      return;
    }
    if (restart_commanded && member.phase == Phase::terminated) take_back(member, count_of(member.reason));
    if (member.phase != Phase::terminated) --active;
    if (member.runs()) --running;
    done -= member.is_done();
    --present;
    member.present = false;
  }

  // Nobody misses the one that was forgotten any more.
  void is_there_again(std::string_view name) {
    const auto found = forgotten.find(name);
    if (found == forgotten.end()) return;
    --present;
    if (!properties.empty()) properties.moved(found->second.counted_for, found->second.states, 0);
    forgotten.erase(found);
  }

  // -- Limits of time -----------------------------------------------------------------------------------------------

  // The instant `now` is over, and its state holds until `until`, which is not included.
  void let_pass(TimePoint until) {
    look_for_all_running(until);
    look_for_all_well(until);
    decide_limits(until);
    if (!properties.empty()) properties.hold(now, until);
    now = until;
  }

  [[nodiscard]] bool all_are_running() const noexcept { return running == present && spawned() > 0; }
  [[nodiscard]] std::uint64_t spawned() const noexcept { return tallies[kFleet].counts[index_of(Count::spawned)]; }

  void look_for_all_running(TimePoint until) {
    if (!expect.all_running_by || all_running_at || !all_are_running()) return;
    const TimePoint first = std::max(now, disturbed_until);
    if (first < until && first <= TimePoint{} + *expect.all_running_by) all_running_at = first;
  }

  [[nodiscard]] bool all_are_well() const noexcept { return running == present - done && spawned() > 0; }
  [[nodiscard]] TimePoint well_by() const noexcept { return TimePoint{} + *heal_at + *expect.after_heal_within; }

  void look_for_all_well(TimePoint until) {
    if (!expect.after_heal_within || !heal_at || all_well_at || !all_are_well()) return;
    const TimePoint first = std::max(now, TimePoint{} + *heal_at);
    if (first < until && first <= well_by()) all_well_at = first;
  }

  // What must hold at a limit is decided when the instant of the limit is over.
  void decide_limits(TimePoint until) {
    if (expect.all_running_by && !running_result && TimePoint{} + *expect.all_running_by < until) {
      running_result = decide_all_running(TimePoint{} + *expect.all_running_by);
    }
    if (expect.after_heal_within && heal_at && !well_result && well_by() < until) {
      well_result = decide_all_well(well_by());
    }
    if (expect.all_terminated_by && !terminated_result && TimePoint{} + *expect.all_terminated_by < until) {
      terminated_result = decide_all_terminated(TimePoint{} + *expect.all_terminated_by);
    }
  }

  static std::vector<std::size_t> required_of(const Scenario& scenario) {
    std::vector<std::size_t> entries;
    for (std::size_t i = 0; i < scenario.chaos.size(); ++i) {
      if (scenario.chaos[i].required) entries.push_back(i);
    }
    return entries;
  }

  static std::vector<bool> reported_of(const Scenario& scenario) {
    std::vector<bool> reported;
    for (const auto& entry : scenario.chaos) reported.push_back(!entry.required && reaches_services(entry.what));
    return reported;
  }

  void on_chaos(const ChaosEvent& event) {
    if (event.entry < reached.size() && !reached[event.entry]) reached[event.entry] = event.at;
    if (event.at > now) let_pass(event.at);
    switch (meaning_of(event.kind)) {
      case ChaosMeaning::disturbed:
      case ChaosMeaning::down:
      case ChaosMeaning::unsupervised:
      case ChaosMeaning::hung: return on_disturbance(event.at, event.until);
      case ChaosMeaning::off: on_disturbance(event.at, event.until); return on_host_off(event);
      case ChaosMeaning::slowed: return;  // whoever is ready has recovered
      case ChaosMeaning::run_is_over:
      case ChaosMeaning::run_hangs: return on_run_hang(event);
      case ChaosMeaning::run_waits: return on_wait(event, true);
      case ChaosMeaning::run_is_served: return on_wait(event, false);
      case ChaosMeaning::timer_is_late:  // what it decides comes later
      case ChaosMeaning::drain_is_late:
      case ChaosMeaning::run_is_silent:
      case ChaosMeaning::run_is_heard: return;  // what keeps it silent was reported
    }
  }

  // Before its end nothing counts as recovered.
  void on_disturbance(TimePoint at, TimePoint until) {
    if (!expect.all_running_by || at > TimePoint{} + *expect.all_running_by) return;
    disturbed_until = std::max(disturbed_until, until);
    all_running_at.reset();
  }

  // Its run is over, though the supervisor, which is off as well, hears of that only when the host is on again.
  void on_host_off(const ChaosEvent& event) {
    Member* const member = find(event.service);
    if (!member) return;
    set_working(*member, member->hangs, member->waits, true);
    show_to_properties(*member);
  }

  // A run that hangs by itself does not recover: its service is not running until another run begins.
  void on_run_hang(const ChaosEvent& event) {
    Member* const member = find(event.service);
    if (!member) return;
    set_working(*member, true, member->waits, member->is_off);
    show_to_properties(*member);
  }

  // Nor does a service run while it waits for a resource.
  void on_wait(const ChaosEvent& event, bool waits) {
    Member* const member = find(event.service);
    if (!member) return;
    set_working(*member, member->hangs, waits, member->is_off);
    show_to_properties(*member);
  }

  // Names the services for which `shown` holds.
  template <class Shown>
  void name(ExpectationResult& result, const Shown& shown) const {
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].generation != 0 && shown(members[i])) name(result, names[i]);
    }
    for (const auto& [its_name, member] : forgotten) {
      if (shown(member)) name(result, its_name);
    }
  }

  static void name(ExpectationResult& result, const std::string& service) {
    if (result.services.size() < kServicesNamedMax) {
      result.services.push_back(service);
    } else {
      ++result.more_services;
    }
  }

  ExpectationResult decide_all_running(TimePoint at) const {
    ExpectationResult result{.what = "all_running_by", .expected = to_string(*expect.all_running_by), .at = at};
    if (all_running_at) {
      result.held = true;
      result.at = *all_running_at;
      result.found = "at " + to_string(*all_running_at);
    } else if (spawned() == 0) {
      result.found = result.cause = "no service";
    } else if (all_are_running()) {
      result.cause = "disturbed until then";
      result.found = disturbed_until == TimePoint::max()
                         ? "a disturbance that never ends"
                         : "a disturbance that lasts until " + to_string(disturbed_until);
    } else {
      result.cause = "services not running";
      result.found = fmt::format("{} of {} services were not running at {}", present - running, present, to_string(at));
      name(result, [](const Member& member) { return member.present && !member.runs(); });
    }
    return result;
  }

  ExpectationResult decide_all_well(TimePoint at) const {
    ExpectationResult result{.what = "after_heal_within", .expected = to_string(*expect.after_heal_within), .at = at};
    if (all_well_at) {
      result.held = true;
      result.at = *all_well_at;
      result.found = to_string(*all_well_at - (TimePoint{} + *heal_at)) + " after heal_at";
    } else if (spawned() == 0) {
      result.found = result.cause = "no service";
    } else if (at < TimePoint{} + *heal_at && done == present) {
      result.held = true;
      result.found = "all done at " + to_string(at);
    } else if (at < TimePoint{} + *heal_at) {
      result.cause = "disturbed until then";
      result.found = "the end of the run at " + to_string(at) + ", before heal_at";
    } else {
      result.cause = "services not running";
      result.found = fmt::format("{} of {} services were not running {} after heal_at", present - done - running,
                                 present - done, to_string(at - (TimePoint{} + *heal_at)));
      name(result, [](const Member& member) { return member.present && !member.runs() && !member.is_done(); });
    }
    return result;
  }

  ExpectationResult decide_all_terminated(TimePoint at) const {
    ExpectationResult result{.what = "all_terminated_by", .expected = to_string(*expect.all_terminated_by), .at = at};
    if (active == 0) {
      result.held = true;
      result.at = last_terminated_at;
      result.found = "at " + to_string(last_terminated_at);
    } else {
      result.cause = "services not terminated";
      result.found = fmt::format("{} of {} services had not terminated at {}", active, present, to_string(at));
      name(result, [](const Member& member) { return member.present && member.phase != Phase::terminated; });
    }
    return result;
  }

  // -- The end ------------------------------------------------------------------------------------------------------

  void finish(const SimulationEnd& end) {
    let_pass(end.at);
    look_for_all_running(end.at + Duration{1});
    look_for_all_well(end.at + Duration{1});
    if (!properties.empty()) properties.hold(end.at, end.at + Duration{1});
    for (const Tally& tally : tallies) decide_counts(tally, end.at);
    if (expect.all_running_by) add(running_result, [&] { return decide_all_running(end.at); });
    if (expect.after_heal_within && heal_at) add(well_result, [&] { return decide_all_well(end.at); });
    if (expect.all_terminated_by) add(terminated_result, [&] { return decide_all_terminated(end.at); });
    if (expect.drained_by) results.push_back(decide_drained(end.at));
    if (expect.abandoned_services) results.push_back(decide_abandoned(end.at));
    for (auto& result : properties.finish(end.at)) results.push_back(std::move(result));
    for (const std::size_t entry : required) results.push_back(decide_required(entry, end.at));
  }

  template <class Decide>
  void add(const std::optional<ExpectationResult>& decided, const Decide& decide) {
    results.push_back(decided ? *decided : decide());
  }

  void decide_counts(const Tally& tally, TimePoint at) {
    for (std::size_t i = 0; i < kExpectedCounts.size(); ++i) {
      const auto& range = tally.expected.*kExpectedCounts[i].member;
      if (range) results.push_back(decide_count(tally, i, *range, at));
    }
  }

  // Too many: those that count. Too few: those that do not.
  ExpectationResult decide_count(const Tally& tally, std::size_t field, const CountRange& range, TimePoint at) const {
    const std::uint64_t found = tally.counts[field];
    ExpectationResult result{
        .what = (tally.name.empty() ? "" : tally.name + '.') + std::string{kExpectedCounts[field].name},
        .expected = detail::in_words(range),
        .found = std::to_string(found),
        .held = found >= range.min && found <= range.max,
        .at = at};
    if (result.held) return result;
    const bool too_many = found > range.max;
    result.cause = too_many ? "too many" : "too few";
    if (too_many) result.at = tally.exceeded_at[field];
    if (too_many) result.exceeded_by = tally.exceeded_by[field];
    const auto index = static_cast<std::uint32_t>(&tally - tallies.data());
    name(result, [&](const Member& member) {
      const bool is_of_it = index == kFleet || member.by_name == index || member.by_group == index;
      return is_of_it && member.adds_to(field) == too_many;
    });
    return result;
  }

  [[nodiscard]] std::vector<std::size_t> without_effect() const {
    std::vector<std::size_t> entries;
    for (std::size_t i = 0; i < reached.size(); ++i) {
      if (!reached[i] && chaos[i]) entries.push_back(i);
    }
    return entries;
  }

  ExpectationResult decide_required(std::size_t entry, TimePoint at) const {
    const auto& first = reached[entry];
    return {.what = fmt::format("chaos[{}]", entry),
            .expected = "it reaches a service",
            .found = first ? "at " + to_string(*first) : "nobody was reached",
            .held = true,
            .seen = first.has_value(),
            .at = first.value_or(at)};
  }

  ExpectationResult decide_drained(TimePoint at) const {
    ExpectationResult result{.what = "drained_by", .expected = to_string(*expect.drained_by), .at = at};
    if (!drained_at) {
      result.found = result.cause = "no end of a drain";
      name(result, [](const Member& member) { return member.present && member.phase == Phase::stopping; });
      return result;
    }
    result.held = *drained_at <= TimePoint{} + *expect.drained_by;
    if (!result.held) result.cause = "too late";
    result.at = *drained_at;
    result.found = fmt::format("{} at {}", to_string(outcome), to_string(*drained_at));
    return result;
  }

  ExpectationResult decide_abandoned(TimePoint at) const {
    auto expected = *expect.abandoned_services;
    auto found = abandoned;
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    ExpectationResult result{.what = "abandoned_services",
                             .expected = list(expected),
                             .found = list(found),
                             .held = expected == found,
                             .at = found.empty() ? at : first_abandoned_at};
    if (!result.held) result.cause = "other services";
    std::vector<std::string> wrong;
    std::set_symmetric_difference(expected.begin(), expected.end(), found.begin(), found.end(),
                                  std::back_inserter(wrong));
    if (wrong.size() > kServicesNamedMax) {
      result.more_services = wrong.size() - kServicesNamedMax;
      wrong.resize(kServicesNamedMax);
    }
    result.services = std::move(wrong);
    return result;
  }

  static std::string list(const std::vector<std::string>& names) {
    if (names.empty()) return "none";
    std::string text = names.front();
    for (std::size_t i = 1; i < names.size() && i < kServicesNamedMax; ++i) text += ", " + names[i];
    if (names.size() > kServicesNamedMax) text += fmt::format(" and {} more", names.size() - kServicesNamedMax);
    return text;
  }

  const Expectations expect;
  const std::vector<std::size_t> required;        // entries of the chaos
  std::vector<bool> chaos;                        // whether an entry is to be reported if it reaches nobody
  std::vector<std::optional<TimePoint>> reached;  // when each entry first reached a service
  const std::optional<Duration> heal_at;
  std::vector<Tally> tallies;
  std::unordered_map<std::string, std::uint32_t> tally_by_name;  // only looked up, at the adding of a service
  const Roster roster;
  detail::PropertyChecks properties;
  std::vector<Member> members;                           // by slot
  std::vector<std::string> names;                        // by slot
  std::map<std::string, Member, std::less<>> forgotten;  // by their policy after they were lost, and not added since

  TimePoint now;
  std::uint64_t present = 0;
  std::uint64_t active = 0;
  std::uint64_t running = 0;
  std::uint64_t done = 0;
  TimePoint last_terminated_at;
  TimePoint disturbed_until;
  std::optional<TimePoint> all_running_at;
  std::optional<TimePoint> all_well_at;
  std::optional<ExpectationResult> running_result;
  std::optional<ExpectationResult> well_result;
  std::optional<ExpectationResult> terminated_result;
  std::optional<TimePoint> drained_at;
  DrainOutcome outcome = DrainOutcome::drained;
  std::vector<std::string> abandoned;
  TimePoint first_abandoned_at;

  std::vector<ExpectationResult> results;
};

// ---------------------------------------------------------------------------------------------------------------------
// The class
// ---------------------------------------------------------------------------------------------------------------------

std::string to_string(const ExpectationResult& result) {
  const std::string text = fmt::format("{}: expected {}, found {}", result.what, result.expected, result.found);
  return result.services.empty() ? text : fmt::format("{} ({})", text, services_text(result));
}

std::string services_text(const ExpectationResult& result) {
  std::string text;
  for (const auto& service : result.services) text += (text.empty() ? "" : ", ") + service;
  if (result.more_services > 0) text += fmt::format(" and {} more", result.more_services);
  return text;
}

ExpectationChecks::ExpectationChecks(const Scenario& scenario) : state_(std::make_unique<State>(scenario)) {}

ExpectationChecks::~ExpectationChecks() = default;

void ExpectationChecks::on_event(const Event& event) { state_->on_event(event); }

void ExpectationChecks::on_chaos(const ChaosEvent& event) { state_->on_chaos(event); }

void ExpectationChecks::finish(const SimulationEnd& end) { state_->finish(end); }

const std::vector<ExpectationResult>& ExpectationChecks::results() const noexcept { return state_->results; }

std::vector<std::size_t> ExpectationChecks::without_effect() const { return state_->without_effect(); }

bool ExpectationChecks::held() const noexcept {
  return std::all_of(state_->results.begin(), state_->results.end(),
                     [](const ExpectationResult& result) { return result.held; });
}

}  // namespace holdfast::sim
