#include <holdfast/log_filter.hpp>

#include <bit>
#include <utility>
#include <variant>

namespace holdfast {

namespace {

using namespace std::chrono_literals;

constexpr Duration kLoops = 1min;           // a run that lasts this long ends a loop
constexpr std::uint64_t kShownAtFirst = 3;  // ends
constexpr std::uint64_t kShownEach = 64;    // from there on each so many

bool is_shown(std::uint64_t end) {
  return end <= kShownAtFirst || end % kShownEach == 0 || (end < kShownEach && std::has_single_bit(end));
}

}  // namespace

LogFilter::Loop& LogFilter::loop_of(ServiceId service) {
  if (loops_.size() <= service.slot) loops_.resize(service.slot + std::size_t{1});
  Loop& loop = loops_[service.slot];
  if (loop.generation != service.generation) loop = {.generation = service.generation};
  return loop;
}

bool LogFilter::is_left_out(Loop& loop, const Event& event) {
  if (const auto* const end = std::get_if<event::Ended>(&event.what)) {
    if (std::exchange(loop.asked, false) || is_for_good(end->outcome)) return false;
    loop.ends = end->lasted < kLoops ? loop.ends + 1 : 1;
    loop.quiet = !is_shown(loop.ends);
    return loop.quiet;
  }
  if (const auto* const stop = std::get_if<event::Stopping>(&event.what); stop && is_missed_deadline(stop->cause))
    return false;  // nobody has asked for it, and the end that follows is one of the loop
  if (std::holds_alternative<event::Stopping>(event.what) || std::holds_alternative<event::Commanded>(event.what)) {
    loop.asked = std::holds_alternative<event::Stopping>(event.what);
    loop.quiet = false;
    loop.ends = 0;
    return false;
  }
  const bool follows = std::holds_alternative<event::BackingOff>(event.what) ||
                       std::holds_alternative<event::Started>(event.what) ||
                       std::holds_alternative<event::Running>(event.what);
  return follows && loop.quiet;
}

std::optional<std::uint64_t> LogFilter::look_at(const Event& event, bool wanted) {
  if (event.about_supervisor()) return 0;
  Loop& loop = loop_of(event.service);
  if (is_left_out(loop, event)) {
    if (wanted) ++loop.unlogged;
    return std::nullopt;
  }
  return wanted ? std::exchange(loop.unlogged, 0) : 0;
}

}  // namespace holdfast
