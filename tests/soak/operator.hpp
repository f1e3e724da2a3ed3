// The operator of a soaked fleet: restarts, stops, removes and adds services at random, by day and by night.
//
// Thread-safety: none; all on the runtime's executor.
#pragma once

#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <holdfast/asio/context.hpp>
#include <holdfast/supervisor.hpp>

#include "disturbances.hpp"
#include "patients.hpp"

namespace soak {

// How many services of each kind there are.
struct Size {
  unsigned services;   // service-0 …
  unsigned processes;  // process-0 …
};

class Operator {
 public:
  using Add = std::function<void(bool is_process, unsigned number)>;

  // All of it outlives the operator.
  Operator(holdfast::Supervisor& supervisor, Disturbances& disturbances, holdfast::Seed seed, Size size, Add add)
      : supervisor_(supervisor), disturbances_(disturbances), seed_(seed), size_(size), add_(std::move(add)) {}

  boost::asio::awaitable<void> work(holdfast::Context& ctx);

 private:
  void command(Dice& dice);
  void command_in_one_instant(Dice& dice, const std::string& name);
  void restart_a_crowd(Dice& dice);

  holdfast::Supervisor& supervisor_;
  Disturbances& disturbances_;
  const holdfast::Seed seed_;
  const Size size_;
  const Add add_;
};

}  // namespace soak
