#include "operator.hpp"

#include <chrono>

namespace soak {

using holdfast::Phase;
using namespace std::chrono_literals;

boost::asio::awaitable<void> Operator::work(holdfast::Context& ctx) {
  const auto began = static_cast<std::uint64_t>(ctx.now().nanoseconds);  // a run that goes on has other dice
  for (Dice dice{seed_, "operator", began}; !supervisor_.is_shutting_down(); co_await ctx.sleep_for(dice.up_to(10ms))) {
    command(dice);
  }
}

void Operator::command(Dice& dice) {
  const bool is_process = size_.processes > 0 && dice.up_to(19) == 0;
  const auto number = static_cast<unsigned>(dice.up_to((is_process ? size_.processes : size_.services) - 1));
  const std::string name = (is_process ? "process-" : "service-") + std::to_string(number);
  const auto service = supervisor_.snapshot(name);
  if (!service) return add_(is_process, number);
  const auto what = dice.up_to(9);
  if (what == 1 && service->phase == Phase::terminated) {
    supervisor_.remove(name).value();
    add_(is_process, number);
  } else if (what > 7 && disturbances_.has(Disturbance::restarts)) {
    disturbances_.happened(Disturbance::restarts);
    command_in_one_instant(dice, name);
  } else if (what == 0) {
    supervisor_.stop(name).value();
  } else {
    static_cast<void>(supervisor_.restart(name));  // refused while it is being stopped for good
  }
}

// Refusals are right: what came first may be for good.
void Operator::command_in_one_instant(Dice& dice, const std::string& name) {
  const auto restart = [&] { static_cast<void>(supervisor_.restart(name)); };
  const auto remove = [&] { static_cast<void>(supervisor_.remove(name)); };
  switch (dice.up_to(6)) {
    case 0: restart(), restart(); return;
    case 1: restart(), remove(); return;
    case 2: remove(), remove(), restart(); return;
    case 3: static_cast<void>(supervisor_.stop(name)), restart(), remove(); return;
    case 4: restart(), static_cast<void>(supervisor_.stop(name)); return;
    case 5: restart(), restart(), restart(), remove(); return;
    default: return restart_a_crowd(dice);
  }
}

void Operator::restart_a_crowd(Dice& dice) {
  for (auto left = dice.up_to(30); left > 0; --left) {
    static_cast<void>(supervisor_.restart("service-" + std::to_string(dice.up_to(size_.services - 1))));
  }
}

}  // namespace soak
