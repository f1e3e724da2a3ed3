#pragma once

// Services that do not obey their stop.

#include <functional>
#include <string>
#include <utility>

#include "support.hpp"

namespace holdfast::test::supervisor_grace_test {

// A grace of 2 s for every stop, and time enough for it in a shutdown.
inline SupervisorConfig with_grace(Duration grace = 2s) {
  SupervisorConfig config = config_of(kAtOnce, 30s);
  config.stop_grace = grace;
  return config;
}

// A service that ignores its stop, and what a kill does to it.
inline Script& add_deaf(Fleet& fleet, const std::string& name, std::function<void(Run)> on_kill) {
  auto& service = fleet.script();
  service.on_kill = std::move(on_kill);
  REQUIRE(fleet->add({.name = name}, service));
  fleet.settle();
  (void)fleet.take();
  return service;
}

inline void dies(Run run) { run.end(Exit::failed("killed by force")); }
inline void lives_on(Run) {}

inline void stop(Fleet& fleet, const char* name) {
  REQUIRE(fleet->stop(name));
  fleet.settle();
}

}  // namespace holdfast::test::supervisor_grace_test
