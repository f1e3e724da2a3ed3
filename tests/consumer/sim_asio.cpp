// A program that rehearses a service written for Boost.Asio, and catches what the simulated world refuses.
#include <iostream>

#include <boost/asio/steady_timer.hpp>
#include <holdfast_sim/asio/asio_simulation.hpp>
#include <holdfast_sim/asio/simulated_context.hpp>
#include <holdfast_sim/observe/event_log.hpp>

namespace {

using namespace holdfast;
using namespace holdfast::sim;
using namespace std::chrono_literals;

boost::asio::awaitable<void> feed(Context& ctx) {
  co_await ctx.sleep_for(10s);
  throw std::runtime_error{"feed lost"};
}

bool refuses_the_real_world(AsioSimulation& sim) {
  try {
    const boost::asio::steady_timer timer{sim.executor()};
    return false;
  } catch (const FatalError& refused) {
    return dynamic_cast<const RealWorldRefused*>(&refused) != nullptr;
  }
}

}  // namespace

int main() {
  EventLog log;
  AsioSimulation sim{{.seed = {42}}, {&log}};
  if (!sim.add({.name = "feed"}, feed) || !refuses_the_real_world(sim)) return 1;
  sim.run_for(1min);
  const auto snapshot = *sim.supervisor().snapshot("feed");
  std::cout << describe(log.of("feed").front()) << ", then " << snapshot.failures << " failures\n";
  return snapshot.failures == 5 && snapshot.last_error == "feed lost" ? 0 : 1;
}
