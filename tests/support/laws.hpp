// A property of scenarios that fails ends in the smallest scenario that breaks it, as a file that can be run.
#pragma once

#include <rapidcheck.h>

#include <functional>
#include <string>

#include <holdfast_sim/format/scenario_writer.hpp>
#include <holdfast_sim/search/shrink.hpp>

namespace holdfast::test {

using Law = std::function<bool(const sim::Scenario&)>;

// Recorded traces have files of their own, so such a scenario stays as it is.
inline std::string smallest_that_breaks(const sim::Scenario& drawn, const Law& law) {
  const auto text = sim::scenario_text(drawn);
  if (!sim::recorded_files(drawn).empty()) return text;
  return sim::smallest_breaker(text, law, {.runs_max = 2000}).text;
}

// Draws from a generator and checks a law. What fails is made smaller by the simulator and not by RapidCheck: draws
// have keys, so that what is taken away changes nothing of the rest.
inline void obeys(const rc::Gen<sim::Scenario>& scenarios, const Law& law) {
  const sim::Scenario drawn = *rc::gen::noShrink(scenarios);
  if (!law(drawn)) RC_FAIL("the smallest scenario that breaks the law:\n\n" + smallest_that_breaks(drawn, law));
}

}  // namespace holdfast::test
