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

}  // namespace holdfast::sim
