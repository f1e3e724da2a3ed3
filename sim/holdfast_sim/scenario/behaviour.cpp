#include <holdfast_sim/scenario/behaviour.hpp>

namespace holdfast::sim {

std::string_view to_string(Then then) noexcept {
  switch (then) {
    case Then::end: return "end";
    case Then::fail: return "fail";
    case Then::fatal: return "fatal";
    case Then::throw_: return "throw";
    case Then::hang: return "hang";
  }
  return "?";
}

std::string_view to_string(HungHeartbeats heartbeats) noexcept {
  switch (heartbeats) {
    case HungHeartbeats::stop: return "stop";
    case HungHeartbeats::go_on: return "go_on";
  }
  return "?";
}

}  // namespace holdfast::sim
