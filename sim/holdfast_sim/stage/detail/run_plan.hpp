// How a run of a simulated service goes, decided when it starts: a pure function of what the service is like, of what
// afflicts it, and of the number of the run.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/scenario/behaviour.hpp>
#include <holdfast_sim/scenario/chaos/strike.hpp>
#include <holdfast_sim/scenario/distribution.hpp>

namespace holdfast::sim {

// Why a service is down and how its starts fail meanwhile.
struct Affliction {
  Duration fails_after{0};
  std::string_view cause{};  // outlives the simulation's services
};

// One that a service has, or has had.
struct OpenFault {
  StartFault fault;
  std::uint64_t runs_before = 0;  // of the service, when it began
  bool shown = false;             // that it is down until then, as it is once a run of its has met one that meets all
};

// What chaos has done to one service. A window is open before its end.
struct Suffering {
  Affliction affliction;  // of the latest outage
  TimePoint down_until = TimePoint::min();
  TimePoint hangs_until = TimePoint::min();
  TimePoint off_until = TimePoint::min();
  TimePoint starts_hang_until = TimePoint::min();
  TimePoint stops_hang_until = TimePoint::min();
  TimePoint run_hangs_until = TimePoint::min();  // the present run, by one of these two
  TimePoint unsupervised_until = TimePoint::min();
  std::vector<OpenFault> faults;                     // each of its own name; those that go first do so
  std::optional<TimePoint> ready_since;              // of the present run, if it is ready
  std::optional<TimePoint> ready_until;              // of the last run that was
  Duration ready_for{0};                             // and how long it had been
  std::string_view fails_of;                         // the fault of which the present run fails, if it does
  std::unique_ptr<Behaviour> changed;                // of the present run; null: it behaves as its group does
  HungHeartbeats heartbeats = HungHeartbeats::stop;  // of the latest hang

  [[nodiscard]] TimePoint hung_until() const noexcept { return std::max(hangs_until, run_hangs_until); }
};

// What a run comes to if nothing disturbs it.
struct RunPlan {
  enum class End : std::uint8_t {
    never,              // it goes on until it is stopped, or crashes
    natural,            // its time is over: what Behaviour::then says
    failure_at_first,   // it is one of the first
    failure_of_outage,  // it started in an outage
    failure_of_start,   // it met a fault
    silence             // its host is off: it does nothing at all until that boots
  };
  End end = End::never;
  Duration after{0};
  friend bool operator==(const RunPlan&, const RunPlan&) = default;
};

// `key` gives the service's key, and is called for what is really drawn: a fixed length needs no draw.
template <class Key>
Duration drawn_length(const Distribution& distribution, Purpose purpose, const Key& key, std::uint64_t run) {
  if (const auto* const fixed = std::get_if<Fixed>(&distribution)) return fixed->value;
  return sample(distribution, draw(key(), purpose, run));
}

// The plan of a run that works: nothing makes it fail, and it has the resource that it needs. A run that has waited for
// its resource works from that moment on, for as long as it would have without waiting.
template <class Key>
RunPlan plan_work(const Behaviour& behaviour, const Key& key, std::uint64_t run) {
  if (!behaviour.runs_for) return {};
  return {RunPlan::End::natural, drawn_length(*behaviour.runs_for, Purpose::run_length, key, run)};
}

// The plan of a run that no chaos disturbs. The run's number never repeats within the service, so neither does a draw.
template <class Key>
RunPlan plan_in_peace(const Behaviour& behaviour, const Key& key, std::uint64_t run) {
  if (run <= behaviour.fails_first.runs) return {RunPlan::End::failure_at_first, behaviour.fails_first.after};
  return plan_work(behaviour, key, run);
}

template <class Key>
bool meets(const OpenFault& open, TimePoint now, const Key& key, std::uint64_t run) {
  const StartFault& fault = open.fault;
  const std::uint64_t start = run - open.runs_before;
  if (now >= fault.until || start < fault.from_start || start > fault.to_start) return false;
  return fault.share == Target::kWhole || (draw(key(), Purpose::start_failure, run).high >> 32) < fault.share;
}

// The fault of which a run fails that starts now; the end: it fails of none.
template <class Faults, class Key>
auto failing_fault(Faults& faults, TimePoint now, const Key& key, std::uint64_t run) {
  return std::find_if(faults.begin(), faults.end(),
                      [&](const OpenFault& open) { return open.fault.fails_after && meets(open, now, key, run); });
}

// How a run behaves that starts now, if not as its group does; else null.
template <class Key>
std::unique_ptr<Behaviour> changed_behaviour(const Behaviour& behaviour, const Suffering& suffering, TimePoint now,
                                             const Key& key, std::uint64_t run) {
  std::unique_ptr<Behaviour> changed;
  const LastReady last{suffering.ready_until ? now - *suffering.ready_until : kDurationMax, suffering.ready_for};
  for (const OpenFault& open : suffering.faults) {
    if (!open.fault.changes || !meets(open, now, key, run)) continue;
    if (!changed) changed = std::make_unique<Behaviour>(behaviour);
    open.fault.changes(*changed, last);
  }
  return changed;
}

// `suffering` is null for a service that chaos has not reached.
template <class Key>
RunPlan plan_run(const Behaviour& behaviour, const Suffering* suffering, TimePoint now, const Key& key,
                 std::uint64_t run) {
  if (suffering != nullptr && now < suffering->off_until) return {RunPlan::End::silence};
  if (suffering != nullptr && now < suffering->down_until)
    return {RunPlan::End::failure_of_outage, suffering->affliction.fails_after};
  if (suffering != nullptr) {
    const auto fault = failing_fault(suffering->faults, now, key, run);
    if (fault != suffering->faults.end()) return {RunPlan::End::failure_of_start, *fault->fault.fails_after};
  }
  return plan_in_peace(behaviour, key, run);
}

}  // namespace holdfast::sim
