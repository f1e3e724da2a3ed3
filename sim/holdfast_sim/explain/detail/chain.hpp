// The chain of events that leads to the last one of a history.
//
// Thread-safety: a pure function, safe anywhere.
#pragma once

#include <cstdint>
#include <vector>

#include <holdfast_sim/explain/detail/history.hpp>
#include <holdfast_sim/explain/explain.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

namespace holdfast::sim::detail {

// The chain, and what of it goes on after the end of it. The text of its sentences is made here. `lines` as in
// ExplainOptions. REQUIRES: the history is complete, and its last event belongs to it.
struct Chain {
  std::vector<Link> links;
  std::string afterwards;
};
Chain chain_of(const History& history, const Scenario& scenario, Seed seed, const std::vector<std::uint32_t>& lines);

}  // namespace holdfast::sim::detail
