// What a kind of chaos can do when its time has come.
//
// The stage implements both classes. A kind sees nothing else of a running simulation, and code that only reads a
// scenario cannot reach one through the kinds that stand in it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/event.hpp>
#include <holdfast/lifecycle.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/observe/chaos_event.hpp>
#include <holdfast_sim/scenario/behaviour.hpp>
#include <holdfast_sim/scenario/distribution.hpp>
#include <holdfast_sim/scenario/drawn_length.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Whom a chaos entry is about.
struct Target {
  std::vector<std::string> of{};  // names of groups and of services; empty: the whole fleet
  // Each service is hit with this probability, in units of 2^-32, by a draw of its own: hit if draw < share.
  std::uint64_t share = kWhole;
  // Drawn under this name instead, so that whatever is of one cohort is hit together; empty: of the entry alone.
  std::string cohort{};
  std::optional<Distribution> spread{};  // each is reached so long after the beginning; nullopt: at once
  static constexpr std::uint64_t kWhole = std::uint64_t{1} << 32;
  friend bool operator==(const Target&, const Target&) = default;
};

// The last run of a service that was ready, when another one starts.
struct LastReady {
  Duration ago = kDurationMax;  // it ended; kDurationMax: there was none
  Duration lasted{0};           // it had been ready
};

struct PolicyChange;  // reconfigure.hpp

// What is wrong with the runs that start on a service before `until`. Of the faults of one name a service has one: the
// one that began last, until the last of them ends.
struct StartFault {
  std::string_view name;  // a literal
  ChaosEvent::Kind kind;  // as which it is reported
  TimePoint until{};      // TimePoint::max(): for ever
  std::string_view cause{};
  // Each of those runs meets it with this probability, in units of 2^-32, by a draw for each run.
  std::uint64_t share = Target::kWhole;
  // Such a run does nothing, and fails after this. nullopt: it works.
  std::optional<Duration> fails_after{};
  bool fatal = false;       // it fails with an error that no restart can fix
  bool goes_first = false;  // it fails of this, and not of a fault that does not go first
  // Only of these of the runs that start after it has begun on the service; 1 is the first.
  std::uint64_t from_start = 1;
  std::uint64_t to_start = kNoLast;
  static constexpr std::uint64_t kNoLast = UINT64_MAX;
  // Such a run behaves as its group does, but for what this changes. Not `needs`, `heartbeat_every`, and whether it can
  // be killed: these belong to the group. Empty: nothing.
  std::function<void(Behaviour&, const LastReady&)> changes{};
  // Called when such a run starts, inside the supervisor's call: it ends no run. The service may be another one than
  // when the fault began on it: one that has terminated and starts again by command keeps what it suffers.
  std::function<void(ServiceId, RunNumber)> at_start{};

  [[nodiscard]] bool meets_every_start() const noexcept {
    return share == Target::kWhole && from_start == 1 && to_start == kNoLast;
  }
};

// What a hang takes hold of.
enum class HangsWhen : std::uint8_t {
  always,    // what the run does now, and what starts
  at_start,  // what starts, from its start on; what runs goes on
  at_stop    // what is asked to stop
};
constexpr std::string_view to_string(HangsWhen when) noexcept {
  switch (when) {
    case HangsWhen::always: return "always";
    case HangsWhen::at_start: return "start";
    case HangsWhen::at_stop: return "stop";
  }
  return "?";
}

// A failure that goes round: what a run that starts does to others.
struct Infection {
  std::shared_ptr<const std::vector<std::string>> others;  // names of services
  std::uint64_t chance = Target::kWhole;                   // that it does it at all, in units of 2^-32
  std::uint32_t hits = 1;                                  // how many of the others it draws, each of all of them
  Duration after{0};                                       // how long after its start
  static constexpr std::uint32_t kHitsMax = 1000;
};

// A simulated service that is hit. Whatever is done to it is reported first, as a ChaosEvent with the cause, which is a
// literal or stands in the entry. Where windows of one sort overlap, the service is afflicted until the last one ends,
// in the way of the one that began last.
class Victim {
 public:
  [[nodiscard]] virtual TimePoint now() const noexcept = 0;
  // A length drawn for it, in this strike.
  virtual Duration draw(const DrawnLength& length) = 0;
  // Its run fails now. Nothing happens, and nothing is reported, if none is alive.
  virtual void crash(std::string_view cause) = 0;
  // Its run fails now, and each run that starts before `until` fails after `fails_after`.
  virtual void begin_outage(TimePoint until, Duration fails_after, std::string_view cause) = 0;
  // Its run goes on.
  virtual void begin(StartFault fault) = 0;
  // Each run of its that starts before `until` makes the runs of others fail. Who is hit has the event, as of a storm.
  virtual void infect(Infection infection, TimePoint until, std::string_view cause) = 0;
  // Its run neither ends nor obeys before `until`; TimePoint::max(): for ever. Or only a run that starts before that,
  // or one that is asked to stop.
  virtual void begin_hang(TimePoint until, HungHeartbeats heartbeats, HangsWhen when) = 0;
  // Its host is off, and the supervisor with it: nothing ends or starts before `until`; then it boots.
  virtual void go_off(TimePoint until, std::string_view cause) = 0;
  // Its operator gives the supervisor a command. The supervisor's own event reports it; if it refuses, nothing happens.
  virtual void command(Command what) = 0;
  // The same with a change of the policy in force.
  virtual void reconfigure(const PolicyChange& change) = 0;

 protected:
  ~Victim() = default;
};

// Targets that are reached one batch after the other. `gap` after one batch the next one follows, if each service of
// the last one is in the phase `done`, or not present any more; else they are looked at again after another `gap`. If
// one has terminated, and `done` is another phase, no other batch follows. REQUIRES: size > 0, gap > 0.
struct Batches {
  std::uint32_t size;
  Duration gap;
  Phase done;
};

// An entry of the timetable at one of its times.
class Strike {
 public:
  using Hit = std::function<void(Victim&)>;

  [[nodiscard]] virtual TimePoint now() const noexcept = 0;
  // Which of its times it is: the number that the kind gave it, or 0.
  [[nodiscard]] virtual std::uint32_t number() const noexcept = 0;
  // A length drawn once for all targets.
  virtual Duration draw(const DrawnLength& length) = 0;
  // Calls `hit` for each service present whom the target means, in the order of adding: now, or each after its part of
  // the spread, if it is present then. A copy of `hit` is kept until then.
  virtual void for_each(const Target& target, const Hit& hit) = 0;
  // The same in batches, whatever the target's spread is.
  virtual void in_batches(const Target& target, const Batches& batches, const Hit& hit) = 0;
  // Calls `hit` for the service of this name, if it is present.
  virtual void find(std::string_view service, const Hit& hit) = 0;
  // The names of the services present whom names mean, in the order of adding.
  [[nodiscard]] virtual std::shared_ptr<const std::vector<std::string>> names_of(
      const std::vector<std::string>& names) const = 0;
  // Adds the services of the fleet whom names mean and that are not present, in the order of adding: now, or each
  // after its part of the spread. The supervisor's own event reports it; if it refuses, nothing happens.
  virtual void add(const std::vector<std::string>& names, const std::optional<DrawnLength>& spread) = 0;
  // A resource has at most so many slots before `until`; TimePoint::max(): for ever. REQUIRES: there is one of this
  // name.
  virtual void limit(std::string_view resource, std::uint32_t slots, TimePoint until) = 0;
  // The supervisor is asked to shut down.
  virtual void request_shutdown() = 0;
  // The supervisor stands still before `until`. Every service has the event.
  virtual void stand_still(TimePoint until) = 0;
  // Each timer of the supervisor that becomes due before `until` is late by a length that is drawn for it;
  // TimePoint::max(): for ever. The service that it is for has the event then; of the drain's deadline every service.
  virtual void be_late(const DrawnLength& by, TimePoint until) = 0;

 protected:
  ~Strike() = default;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
