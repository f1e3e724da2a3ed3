#include <holdfast_sim/checks/detail/check_lives.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <holdfast_sim/observe/event_log.hpp>

namespace holdfast::sim::detail {

std::vector<std::string> lines_of(const Life& life, const Past& past, std::uint64_t run) {
  std::vector<std::string> lines;
  std::string_view error = past.last_error.text();
  for (std::uint64_t i = life.n; i >= past.shown_from && i + Life::kShownMax > life.n; --i) {
    const Moment& moment = life.latest[i % Life::kShownMax];
    Event event{.at = moment.at, .service = {.generation = 1}, .name = past.name, .run = {run}, .what = recall(moment)};
    if (auto* const terminated = std::get_if<event::Terminated>(&event.what)) {
      const bool shown = life.last_run_failed && terminated->why.reason != Termination::Reason::abandoned;
      terminated->last_error = shown ? error : std::string_view{};
    }
    if (auto* const ended = std::get_if<event::Ended>(&event.what); ended && is_failure(ended->outcome)) {
      ended->error = std::exchange(error, {});
    }
    lines.push_back(describe(event));
    if (std::holds_alternative<event::Started>(event.what)) --run;
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

std::string Lives::names_of_the_active() const {
  constexpr std::size_t kShown = 3;
  std::string names;
  std::size_t count = 0;
  for (std::size_t i = 0; i < lives.size(); ++i) {
    if (!lives[i].present || lives[i].phase == Phase::terminated) continue;
    if (++count <= kShown) names += (count == 1 ? "" : ", ") + pasts[i].name;
  }
  if (count == 0) return {};
  return count <= kShown ? " (" + names + ')' : fmt::format(" ({} and {} more)", names, count - kShown);
}

}  // namespace holdfast::sim::detail
