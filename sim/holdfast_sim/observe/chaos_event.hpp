// What the simulation itself did to a service, as those who watch see it.
//
// A kind of event stands here once: its enumerator, which traces and digests number, and its row in describe(). Traces,
// checks, expectations, reports and pictures have the rest from that row. tools/record_reference writes the words into
// the reference of the format and into the fuzzer's dictionary.
#pragma once

#include <cstdint>
#include <string_view>

#include <holdfast/lifecycle.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Chaos reached one service, or its run began to hang by itself, waits for a resource, or has got it. Like every event
// it says nothing about the rest of the fleet.
struct ChaosEvent {
  // A new one stands at the end, because digests have its number.
  enum class Kind : std::uint8_t {
    storm,     // its run crashes now; `until` is now
    outage,    // its run crashes now, and runs that start before `until` fail after `fails_after`
    hang,      // its run neither ends nor obeys before `until`; TimePoint::max(): for ever
    run_hang,  // its present run neither ends nor obeys any more, until it is killed; `until` is TimePoint::max()
    gone,      // its host is off, and the supervisor with it: nothing ends or starts before `until`; then it boots
    waits,   // its present run waits for a resource, and does not work before it is served; `until` is TimePoint::max()
    served,  // its present run has waited, and works from now on; `until` is now
    failing_starts,  // its run goes on, and runs that start before `until` fail after `fails_after`, all or some of
                     // them
    silent,   // its present run gives no sign of life that its watchdog counts any more; `until` is that of the latest
    heard,    // its present run gives its first sign of life, or one after silence; `until` is now
    slow,     // its run goes on, and runs that start before `until` take longer until they are ready, or to stop
    stalled,  // its supervisor stands still, and decides nothing before `until`
    late,     // its supervisor's timer is late: what was due now comes at `until`
    ended_unseen,  // its present run is over, and its supervisor, which stands still, does not know that before `until`
    drain_late     // the deadline of the drain is now, and its supervisor acts on it late, at `until`
  };
  TimePoint at{};
  ServiceId service{};
  std::string_view name{};
  std::uint64_t name_hash = 0;
  Kind kind = Kind::storm;
  TimePoint until{};
  Duration fails_after{0};
  std::string_view cause{};  // "storm", "outage", "hang", what a recorded trace says, or the name of a resource
  // Which entry of the scenario's chaos did it, from 0; kNoEntry: none did, or a trace was read. Traces and digests do
  // not have it: it says who, not what.
  std::uint32_t entry = kNoEntry;

  static constexpr std::uint32_t kNoEntry = UINT32_MAX;
};

// What an event means to those who judge a run and show it. The first six are what chaos does, from now to `until`;
// until then nothing counts as recovered, but for what is only slow. The others are news of the present run, and of the
// timers of the supervisor.
enum class ChaosMeaning : std::uint8_t {
  disturbed,     // it is as up as its run is; it, or what starts, does not go on as ever
  down,          // it is down, whatever its run is
  off,           // it is down and the supervisor with it, so that nothing starts
  hung,          // its run is of no use
  slowed,        // it is as up as its run is, and recovers, but takes longer
  unsupervised,  // it is as up as its run is, and nothing is decided about it
  run_hangs,
  run_waits,
  run_is_served,
  run_is_silent,
  run_is_heard,
  run_is_over,
  timer_is_late,
  drain_is_late
};

struct ChaosDescription {
  std::string_view word;  // in traces and pictures
  ChaosMeaning meaning;
};

constexpr ChaosDescription describe(ChaosEvent::Kind kind) noexcept {
  using Kind = ChaosEvent::Kind;
  switch (kind) {
    case Kind::storm: return {"storm", ChaosMeaning::disturbed};
    case Kind::outage: return {"outage", ChaosMeaning::down};
    case Kind::hang: return {"hang", ChaosMeaning::hung};
    case Kind::run_hang: return {"run_hang", ChaosMeaning::run_hangs};
    case Kind::gone: return {"gone", ChaosMeaning::off};
    case Kind::waits: return {"waits", ChaosMeaning::run_waits};
    case Kind::served: return {"served", ChaosMeaning::run_is_served};
    case Kind::failing_starts: return {"failing_starts", ChaosMeaning::disturbed};
    case Kind::silent: return {"silent", ChaosMeaning::run_is_silent};
    case Kind::heard: return {"heard", ChaosMeaning::run_is_heard};
    case Kind::slow: return {"slow", ChaosMeaning::slowed};
    case Kind::stalled: return {"stalled", ChaosMeaning::unsupervised};
    case Kind::late: return {"late", ChaosMeaning::timer_is_late};
    case Kind::ended_unseen: return {"ended_unseen", ChaosMeaning::run_is_over};
    case Kind::drain_late: return {"drain_late", ChaosMeaning::drain_is_late};
  }
  return {"?", ChaosMeaning::disturbed};
}

constexpr std::string_view to_string(ChaosEvent::Kind kind) noexcept { return describe(kind).word; }
constexpr ChaosMeaning meaning_of(ChaosEvent::Kind kind) noexcept { return describe(kind).meaning; }

}  // namespace holdfast::sim

#pragma GCC visibility pop
