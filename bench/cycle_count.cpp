// The crash-loop fleet of restart_cycle_bench without a clock: made to be counted, instruction by instruction, under
// valgrind. tools/count_instructions runs it twice, with different numbers of restarts, and takes the difference.
//
//     cycle_count bare|unobserved|digest|checks|trace RESTARTS SERVICES
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <vector>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/stage/simulation.hpp>

#include "bare_loops.hpp"
#include "crash_loop.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::sim;

void run_bare(std::uint64_t restarts, std::uint32_t services) {
  bench::BareCrashLoop<bench::BareHeap> loop{services};
  for (std::uint64_t i = 0; i < restarts; ++i) loop.step();
}

void run_supervised(std::uint64_t restarts, std::uint32_t services, const std::vector<Observer*>& observers) {
  Simulation simulation{bench::crash_loop(services), observers};
  simulation.run_to_end(2 * restarts);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  const std::string_view what = arguments[1];
  const std::uint64_t restarts = std::strtoull(arguments[2], nullptr, 10);
  const auto services = static_cast<std::uint32_t>(std::strtoul(arguments[3], nullptr, 10));
  Digest digest;
  Checks checks;
  std::ofstream nowhere{"/dev/null"};
  if (what == "bare") {
    run_bare(restarts, services);
  } else if (what == "unobserved") {
    run_supervised(restarts, services, {});
  } else if (what == "digest") {
    run_supervised(restarts, services, {&digest});
  } else if (what == "checks") {
    run_supervised(restarts, services, {&digest, &checks});
  } else if (what == "trace") {
    TraceWriter trace{nowhere, "crash loop", Seed{42}};
    run_supervised(restarts, services, {&digest, &trace});
  } else {
    return 2;
  }
  return 0;
}
