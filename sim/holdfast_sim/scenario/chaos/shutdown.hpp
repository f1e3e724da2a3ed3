// A shutdown: the supervisor is asked for it.
#pragma once

#include <string_view>

#include <holdfast_sim/scenario/chaos/strike.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct Shutdown {
  static constexpr std::string_view kKey = "shutdown";
  static constexpr std::string_view kHelp = "the supervisor is asked to shut down";
  static constexpr bool kReachesNobody = true;

  friend bool operator==(const Shutdown&, const Shutdown&) = default;

  void strike(Strike& strike) const { strike.request_shutdown(); }
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
