// The two worlds, for tests that have to hold in both: virtual time, and real time on an io_context.
//
// A test in real time waits for events, never for a length of time; the limit of run_until() only turns a hang into a
// failure.
#pragma once

#include <catch2/catch.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <holdfast/asio/executor_scheduler.hpp>
#include <holdfast/asio/real_time_scheduler.hpp>
#include <holdfast_sim/asio/asio_simulation.hpp>

#include "run_io.hpp"

namespace holdfast::test {

class World {
 public:
  virtual ~World() = default;
  virtual ExecutorScheduler& scheduler() = 0;
  // Runs until `done` holds. False if it does not in time.
  virtual bool run_until(const std::function<bool()>& done) = 0;
  // Runs what is ready now.
  virtual void run_ready() = 0;
  // Everything that stands on the scheduler has been destroyed: so does the world.
  [[nodiscard]] virtual bool is_real() const = 0;
};

class VirtualWorld final : public World {
 public:
  ExecutorScheduler& scheduler() override { return sim_.executor_scheduler(); }
  bool run_until(const std::function<bool()>& done) override { return sim_.run_until(done, sim_.now() + kPatience); }
  void run_ready() override { sim_.scheduler().run_tasks(); }
  [[nodiscard]] bool is_real() const override { return false; }

 private:
  sim::AsioSimulation sim_{sim::SimulationConfig{}};
};

class RealWorld final : public World {
 public:
  ExecutorScheduler& scheduler() override { return scheduler_; }
  bool run_until(const std::function<bool()>& done) override { return test::run_until(io_, done); }
  void run_ready() override {
    io_.restart();
    io_.poll();
  }
  [[nodiscard]] bool is_real() const override { return true; }

 private:
  boost::asio::io_context io_{1};
  RealTimeScheduler scheduler_{io_.get_executor()};
};

inline std::unique_ptr<World> make_world(const std::string& name) {
  if (name == "virtual") return std::make_unique<VirtualWorld>();
  return std::make_unique<RealWorld>();
}

}  // namespace holdfast::test
