// How a simulated service behaves: how long its runs last, how they end, and what it does when it is asked to stop.
//
// A plain value. All lengths are virtual time; those that are drawn are drawn for (service, run), so that one
// service's draws depend on nothing but its own name, the time of its adding and the seed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <holdfast/file/enumerators.hpp>
#include <holdfast/file/ratio.hpp>
#include <holdfast/random.hpp>
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
  hang,    // neither end nor obey, for ever
  done     // end cleanly, and for good
};
std::string_view to_string(Then) noexcept;

// What becomes of the heartbeats of a run that hangs.
enum class HungHeartbeats : std::uint8_t {
  stop,
  go_on  // from a part of the program that does not hang. There is no progress all the same
};
std::string_view to_string(HungHeartbeats) noexcept;

// What its runs do when their time is over: always the same, or one of several things, by a draw for each run.
class Ends {
 public:
  struct Part {
    Then then = Then::fail;
    Ratio weight{};  // how often, relative to the others
    friend bool operator==(const Part&, const Part&) = default;
  };

  Ends(Then always) noexcept : always_(always) {}  // NOLINT(google-explicit-constructor): the ordinary case
  // Each weight is above 0, and their sum below 2^31.
  explicit Ends(std::vector<Part> parts) noexcept : parts_(std::move(parts)) {}

  // Empty: always in one way.
  [[nodiscard]] const std::vector<Part>& parts() const noexcept { return parts_; }
  // Of a run that was dealt this; no draw is needed where parts() is empty.
  [[nodiscard]] Then of(const Draw& draw) const noexcept;
  [[nodiscard]] Then always() const noexcept { return always_; }
  friend bool operator==(const Ends&, const Ends&) = default;

 private:
  Then always_ = Then::fail;
  std::vector<Part> parts_{};
};

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
  Ends then = Then::fail;                  // no effect without runs_for
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
  Duration ready_later{0};  // so much is added to it; what chaos sets
  // Once it has failed by itself it is broken for this long, and each run that starts meanwhile fails after
  // `fails_after`. nullopt: it is well again at its next start.
  std::optional<Distribution> recovers_after = std::nullopt;
  Duration fails_after = std::chrono::seconds{1};
  // How often a run gives a sign of life while it is well, which is a heartbeat and progress. nullopt: twice in the
  // length of the watchdog. No effect on a service without a watchdog.
  std::optional<Duration> heartbeat_every = std::nullopt;
  HungHeartbeats hang_heartbeats = HungHeartbeats::stop;  // of a run that hangs by itself
  // What an end by `then` carries, but no exception. nullopt: nothing.
  std::optional<std::uint8_t> exit_status = std::nullopt;
  friend bool operator==(const Behaviour&, const Behaviour&) = default;
};

}  // namespace holdfast::sim

template <>
inline constexpr std::array holdfast::file::kEnumerators<holdfast::sim::HungHeartbeats>{
    holdfast::sim::HungHeartbeats::stop, holdfast::sim::HungHeartbeats::go_on};

#pragma GCC visibility pop
