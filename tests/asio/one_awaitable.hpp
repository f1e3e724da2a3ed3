// One supervisor and one awaitable service, in virtual or in real time.
#pragma once

#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/arrival.hpp>
#include <holdfast/asio/awaitable_service.hpp>
#include <holdfast/supervisor.hpp>

#include "support.hpp"
#include "worlds.hpp"

namespace holdfast::test::awaitable_service_test {

class One {
 public:
  template <class F>
  explicit One(std::string world, F function, SupervisorConfig config = config_of(kAtOnce),
               RestartPolicy restart = RestartPolicy::on_failure, ArrivalSink* arrivals = nullptr)
      : world_(make_world(world)), recorder_(world_->is_real()) {
    service_.emplace(world_->scheduler(), "one", std::move(function));
    supervisor_.emplace(world_->scheduler(), config, kSeed, recorder_, arrivals);
    REQUIRE(supervisor_->add({.name = "one", .policy = {.restart = restart}}, *service_));
  }
  ~One() { CHECK(recorder_.ledger().violations() == Lines{}); }
  One(const One&) = delete;
  One& operator=(const One&) = delete;

  bool run_until(const std::function<bool()>& done) { return world_->run_until(done); }
  bool run_until_phase(Phase phase, std::uint64_t run = 0) {
    return run_until([&] { return snapshot().phase == phase && snapshot().run.value >= run; });
  }
  void stop() { REQUIRE(supervisor_->stop("one")); }
  void destroy() {
    service_.reset();
    supervisor_.reset();
  }
  ServiceSnapshot snapshot() { return *supervisor_->snapshot("one"); }
  std::string termination() {
    const auto found = snapshot();
    return found.termination ? to_string(*found.termination, found.last_error) : "not terminated";
  }
  World& world() { return *world_; }
  Supervisor& supervisor() { return *supervisor_; }
  Recorder& recorder() { return recorder_; }

 private:
  std::unique_ptr<World> world_;
  Recorder recorder_;
  std::optional<AwaitableService> service_;
  std::optional<Supervisor> supervisor_;
};

inline std::string any() { return GENERATE(as<std::string>{}, "virtual", "real"); }

}  // namespace holdfast::test::awaitable_service_test
