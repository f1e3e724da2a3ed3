// How a simulated service behaves: how long its runs last, how they end, and what it does when it is asked to stop.
//
// A plain value. All lengths are virtual time; those that are drawn are drawn for (service, run), so that one
// service's draws depend on nothing but its own name, the time of its adding and the seed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <holdfast/file/enumerators.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/scenario/distribution.hpp>
#include <holdfast_sim/scenario/resource.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// What a run does when its time is over.
enum class Then : std::uint8_t {
  end,     // end cleanly
  fail,    // end with an error
  fatal,   // end with an error that no restart can fix
  throw_,  // throw an exception: `throw` in text
  hang     // neither end nor obey, for ever
};
std::string_view to_string(Then) noexcept;

// What becomes of the heartbeats of a run that hangs.
enum class HungHeartbeats : std::uint8_t {
  stop,
  go_on  // from a part of the program that does not hang. There is no progress all the same
};
std::string_view to_string(HungHeartbeats) noexcept;

// What a run does when it is asked to stop, or is killed.
struct Obeys {
  friend bool operator==(const Obeys&, const Obeys&) = default;
};
struct Ignores {
  friend bool operator==(const Ignores&, const Ignores&) = default;
};
struct Takes {
  Distribution how_long{};
  friend bool operator==(const Takes&, const Takes&) = default;
};
using OnStop = std::variant<Obeys, Takes, Ignores>;

// The first runs of a service fail, whatever comes after.
struct FailsFirst {
  std::uint64_t runs = 0;
  Duration after = std::chrono::seconds{1};  // how long each of them lasts
  friend bool operator==(const FailsFirst&, const FailsFirst&) = default;
};

struct Behaviour {
  std::optional<Distribution> runs_for{};  // nullopt: a run goes on until it is stopped or crashed
  Then then = Then::fail;                  // no effect without runs_for
  FailsFirst fails_first{};
  OnStop on_stop = Obeys{};
  // A kill reaches a run that hangs, too. nullopt: its runs cannot be killed.
  std::optional<OnStop> on_kill = std::nullopt;
  // nullopt: its runs work at once.
  std::optional<Need> needs = std::nullopt;
  // How long a run takes from its start, or from when it has what it needs, until it says that it is ready; nullopt: no
  // time. Its `runs_for` begins then. A run that fails first or in an outage is never ready. No effect on a service
  // that is ready at once.
  std::optional<Distribution> ready_after = std::nullopt;
  // Once it has failed by itself it is broken for this long, and each run that starts meanwhile fails after
  // `fails_after`. nullopt: it is well again at its next start.
  std::optional<Distribution> recovers_after = std::nullopt;
  Duration fails_after = std::chrono::seconds{1};
  // How often a run gives a sign of life while it is well, which is a heartbeat and progress. nullopt: twice in the
  // length of the watchdog. No effect on a service without a watchdog.
  std::optional<Duration> heartbeat_every = std::nullopt;
  HungHeartbeats hang_heartbeats = HungHeartbeats::stop;  // of a run that hangs by itself
  friend bool operator==(const Behaviour&, const Behaviour&) = default;
};

}  // namespace holdfast::sim

template <>
inline constexpr std::array holdfast::file::kEnumerators<holdfast::sim::HungHeartbeats>{
    holdfast::sim::HungHeartbeats::stop, holdfast::sim::HungHeartbeats::go_on};

#pragma GCC visibility pop
