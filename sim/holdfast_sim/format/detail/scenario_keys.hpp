// The keys of scenario files: the simulator's own tables, and the file as a whole.
#pragma once

#include <array>

#include <holdfast_sim/format/scenario_schema.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim {

void describe(file::TableOf<ChaosEntry>& table);

}  // namespace holdfast::sim

namespace holdfast::file {

template <>
inline constexpr std::array kEnumerators<sim::Then>{sim::Then::end,    sim::Then::fail, sim::Then::fatal,
                                                    sim::Then::throw_, sim::Then::hang, sim::Then::done};

}  // namespace holdfast::file
