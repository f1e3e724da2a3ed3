// What becomes of the processes of a group after its SIGKILL, judged by looks at them. Pure functions of values.
#pragma once

#include <algorithm>
#include <chrono>

namespace holdfast::detail {

struct KilledGroup {
  using Clock = std::chrono::steady_clock;

  Clock::time_point killed_at;
  Clock::time_point looked_at;          // the beginning of the last look that counted, which found somebody alive
  bool only_runnable_are_left = false;  // all whom that look found run, or wait for a processor
  int blind_looks = 0;                  // in a row, for which there was no descriptor
};

enum class KilledGroupFate : unsigned char {
  undecided,
  unkillable,  // it lives on
  unseen,      // there is no way to see it
};

// How long a killed group may take to disappear.
constexpr std::chrono::seconds kKilledGroupMax{1};
// The same while all that is left of it waits for a processor to die on, on a machine with much to do.
constexpr std::chrono::seconds kDyingGroupMax{30};
// In a row: it has been blind for a while, and not only been stopped.
constexpr int kBlindLooksMax = 10;

// What counts is the time between the kill and a look that found somebody alive, and not the time until now: this
// program itself may have been stopped since.
[[nodiscard]] inline KilledGroupFate fate_of(const KilledGroup& group, KilledGroup::Clock::time_point now) noexcept {
  if (now - group.killed_at < kKilledGroupMax) return KilledGroupFate::undecided;
  const auto may_take = group.only_runnable_are_left ? kDyingGroupMax : kKilledGroupMax;
  if (group.looked_at - group.killed_at >= may_take) return KilledGroupFate::unkillable;
  return group.blind_looks >= kBlindLooksMax ? KilledGroupFate::unseen : KilledGroupFate::undecided;
}

// Whether a look that began then says anything new. One that began before the end of the leader, or before the kill,
// may have seen processes that were alive only then; one that began with the last look is that look.
[[nodiscard]] inline bool is_new_look(KilledGroup::Clock::time_point began, KilledGroup::Clock::time_point leader_ended,
                                      const KilledGroup& group) noexcept {
  return began > std::max({leader_ended, group.looked_at, group.killed_at});
}

}  // namespace holdfast::detail
