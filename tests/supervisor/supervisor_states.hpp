#pragma once

// A service in every state that a command can meet.

#include <initializer_list>

#include "support.hpp"

namespace holdfast::test::supervisor_commands_test {

inline Refusal::Reason reason_of(const Result<Accepted>& result) {
  REQUIRE_FALSE(result);
  return result.refusal().reason;
}

// Every state that a command can meet. `stopping` is three: for good, in order to restart, and by a shutdown.
enum class State { starting, running, backing_off, stopping_for_good, stopping_to_restart, removing, terminated };
inline constexpr std::initializer_list<State> kStates{
    State::starting, State::running,   State::backing_off, State::stopping_for_good, State::stopping_to_restart,
    State::removing, State::terminated};

// Failures are followed by the next run after a second or less.
inline const BackoffPolicy kSlow{.base = 1s, .max = 10s, .cooldown = 1h, .breaker = BreakerPolicy{10, 10h}};

// Brings a fresh service `a` there, with one failure behind it (but in `starting`, which comes before any run).
inline Script& bring(Fleet& fleet, State state) {
  Script& a = fleet.script();
  REQUIRE(fleet->add({.name = "a"}, a));
  if (state == State::starting) return a;
  fleet.pass(5s);
  a.fail("an earlier one");
  fleet.settle();
  if (state != State::backing_off) fleet.pass(1s);
  switch (state) {
    case State::starting:
    case State::running:
    case State::backing_off: break;
    case State::stopping_for_good: REQUIRE(fleet->stop("a")); break;
    case State::stopping_to_restart: REQUIRE(fleet->restart("a")); break;
    case State::removing: REQUIRE(fleet->remove("a")); break;
    case State::terminated: a.end_cleanly(); break;
  }
  fleet.settle();
  fleet.take();
  return a;
}

inline Phase phase_in(State state) {
  switch (state) {
    case State::starting: return Phase::starting;
    case State::running: return Phase::running;
    case State::backing_off: return Phase::backing_off;
    case State::stopping_for_good:
    case State::stopping_to_restart:
    case State::removing: return Phase::stopping;
    case State::terminated: return Phase::terminated;
  }
  return Phase::terminated;
}

// The lines of the events since the last call, without the times.
inline Lines lines_of(Fleet& fleet) {
  Lines lines = fleet.take();
  for (auto& line : lines) line.erase(0, line.find(' ') + 1);
  return lines;
}

}  // namespace holdfast::test::supervisor_commands_test
