#include <holdfast_sim/scenario/behaviour.hpp>

namespace holdfast::sim {

std::string_view to_string(Then then) noexcept {
  switch (then) {
    case Then::end: return "end";
    case Then::fail: return "fail";
    case Then::fatal: return "fatal";
    case Then::throw_: return "throw";
    case Then::hang: return "hang";
    case Then::done: return "done";
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

Then Ends::of(const Draw& draw) const noexcept {
  std::uint64_t all = 0;
  for (const Part& part : parts_) all += part.weight.two_to_minus_32;
  if (all == 0) return always_;
  std::uint64_t place = uniform_up_to(draw, all - 1);
  for (const Part& part : parts_) {
    if (place < part.weight.two_to_minus_32) return part.then;
    place -= part.weight.two_to_minus_32;
  }
  return parts_.back().then;
}

}  // namespace holdfast::sim
