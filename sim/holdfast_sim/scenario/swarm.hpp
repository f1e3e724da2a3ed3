// What a seed makes of a scenario with `swarm = true`: some of its faults happen, and those are larger or smaller.
//
// A fleet that withstands all faults together may fail under three of them, because the others hide it (Groce et al.,
// "Swarm testing", ISSTA 2012). Each seed tries another choice, which is a pure function of the scenario and the seed,
// and so part of the reproduction.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// What becomes of one entry of the chaos.
struct SwarmChoice {
  bool happens = true;
  std::uint32_t length_percent = 100;  // of what it says
  std::uint32_t share_percent = 100;   // of what it says; a share stays at 1 at most
  friend bool operator==(const SwarmChoice&, const SwarmChoice&) = default;
};

// Whether a seed may switch it off: what an operator or a shutdown does is no fault.
bool is_fault(const Chaos& chaos);

// One for each entry. Without swarm all happen as they are.
std::vector<SwarmChoice> swarm_choices(const Scenario& scenario, Seed seed);

// The entry as it happens.
ChaosEntry chosen(ChaosEntry entry, const SwarmChoice& choice);

// "2 of 3 faults: chaos[0] (storm at 10min, share 59 %), chaos[2] (outage at 1h, for 168 %)". The percentages are of
// what the entry says. Empty without swarm.
std::string swarm_text(const Scenario& scenario, const std::vector<SwarmChoice>& choices);

}  // namespace holdfast::sim

#pragma GCC visibility pop
