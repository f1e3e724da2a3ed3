// Services whose delay has passed and that wait for a limit on restarts: each in its turn.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <set>

#include <fmt/format.h>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/checks/detail/check_findings.hpp>
#include <holdfast_sim/checks/detail/check_lives.hpp>

namespace holdfast::sim::detail {

struct TurnRules {
  Findings& found;
  Counters& counted;
  std::set<std::uint64_t> waiting{};  // numbers of turns
  std::uint64_t latest = 0;
  std::uint64_t for_others = 0;  // services that wait for what they are after

  void others_wait(int more) noexcept {
    for_others += static_cast<std::uint64_t>(more);
    count();
  }
  // It is limited. What it has of its own is far from what the rules look at with every event, so it comes second.
  [[nodiscard]] bool waits(const Past& past) const noexcept { return !waiting.empty() && past.turn != 0; }
  void count() noexcept { counted.waiting_services = waiting.size() + for_others; }

  [[gnu::cold, gnu::noinline]] void begins(Step& step) {
    Life& life = step.life;
    if (!life.reported_overdue && !step.explained) {
      const bool is_due = life.phase == Phase::backing_off && step.past.turn == 0 && step.event.at == life.due;
      found.test(Rule::restarts_in_turn, is_due, step, [&] {
        if (life.phase != Phase::backing_off) return std::string{"waits for its turn, but does not back off"};
        if (life.is_limited()) return std::string{"waits for its turn, and did so before"};
        return fmt::format("waits for its turn at {}, but its delay passes at {}", to_string(step.event.at),
                           to_string(life.due));
      });
    }
    ++counted.limited_restarts;
    if (step.past.turn != 0) return;
    life.due = TimePoint::max();
    step.past.turn = ++latest;
    waiting.insert(latest);
    count();
  }

  // Nobody who has waited longer still waits. REQUIRES: the service is limited.
  [[gnu::cold, gnu::noinline]] void starts(Step& step) {
    const bool is_first = step.past.turn != 0 && step.past.turn == *waiting.begin();
    found.test(Rule::restarts_in_turn, is_first, step,
               [] { return "starts, though others have waited for their turn longer"; });
  }

  [[gnu::cold, gnu::noinline]] void ends(Past& past) {
    waiting.erase(past.turn);
    past.turn = 0;
    count();
  }
};

}  // namespace holdfast::sim::detail
