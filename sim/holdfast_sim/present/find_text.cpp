#include <holdfast_sim/present/find_text.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <boost/json.hpp>

#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>
#include <holdfast_sim/text/wording.hpp>

namespace holdfast::sim {

namespace {

constexpr std::size_t kSeedsNamedMax = 20;

std::string runs_sentence(const Searched& searched) {
  const FoundInRuns& found = searched.found;
  const auto runs = detail::counted(found.runs(), "run");
  if (found.runs_with() == 0) return found.runs() == 1 ? "not found" : fmt::format("found in none of {}", runs);
  auto in = found.runs() == 1 ? std::string{"found"}
                              : fmt::format("found in {} of {}", detail::human(found.runs_with()), runs);
  if (!searched.of_events) return in;
  const auto& per_run = found.per_run();
  const auto times = fmt::format("{}{} {}", found.runs() == 1 ? " " : ", ", detail::human(found.events()),
                                 found.events() == 1 ? "time" : "times");
  if (found.runs_with() == 1) return in + times;
  if (per_run.least() == per_run.most()) {
    return fmt::format("{}{} in all: {} in each of them", in, times, detail::human(per_run.least()));
  }
  return fmt::format("{}{} in all: {} to {} in each of them, {} in the median", in, times,
                     detail::human(per_run.least()), detail::human(per_run.most()), detail::human(per_run.up_to(50)));
}

std::string seeds_sentence(const FoundInRuns& found) {
  std::string text = found.runs_with() == 1 ? "seed" : "seeds";
  const auto& seeds = found.seeds();
  const std::size_t named = std::min(kSeedsNamedMax, seeds.size());
  for (std::size_t i = 0; i < named; ++i) text += fmt::format("{} {}", i == 0 ? "" : ",", seeds[i]);
  if (found.runs_with() > named) text += fmt::format(" and {} more", detail::human(found.runs_with() - named));
  return text;
}

// "12.5s: killed of feed-3", or of a property "12.5s: db: running 1 at 12.5s (db-2)", if it says more than when.
std::string when_and_what(const FoundEvent& event) {
  auto at = detail::moment(event.at);
  const auto service = printable(event.service);
  if (!event.kind.empty()) return fmt::format("{}: {}{}{}", at, event.kind, service.empty() ? "" : " of ", service);
  if (event.says.starts_with("at ")) return at;
  return fmt::format("{}: {}{}{}{}", at, event.says, service.empty() ? "" : " (", service, service.empty() ? "" : ")");
}

}  // namespace

std::string searched_text(const Searched& searched, std::size_t width) {
  const FoundInRuns& found = searched.found;
  std::string text;
  const auto line = [&](const std::string& words) { text += detail::folded(words, width); };
  line(searched.first_seed == searched.last_seed
           ? fmt::format("{} · seed {}", printable(searched.scenario), searched.first_seed)
           : fmt::format("{} · seeds {}..{}", printable(searched.scenario), searched.first_seed, searched.last_seed));
  line(printable(searched.query));
  text += '\n';
  line(runs_sentence(searched));
  if (found.runs_with() > 0 && found.runs() > 1) line(seeds_sentence(found));
  if (found.undecided() > 0) {
    line(fmt::format("{} more came too near the end of their runs to tell", detail::human(found.undecided())));
  }
  if (found.cut_off() > 0) {
    line(fmt::format("a budget cut off {}: what would have come later is not counted",
                     detail::counted(found.cut_off(), "run")));
  }
  if (searched.interrupted) line("interrupted: there were more seeds to look through");
  const auto examples = found.examples();
  if (examples.empty()) return text;
  text += found.runs() == 1 ? "\nthe first\n" : "\nthe first of the first runs\n";
  for (const auto& [seed, event] : examples) {
    const auto of_seed = found.runs() == 1 ? std::string{} : fmt::format("seed {}, ", seed);
    line(fmt::format("  {}{}", of_seed, when_and_what(event)));
    const auto command = searched.command && event.number > 0 ? searched.command(seed, event.number) : std::string{};
    if (!command.empty()) text += fmt::format("    {}\n", command);
  }
  return text;
}

std::string searched_json(const Searched& searched) {
  const FoundInRuns& found = searched.found;
  boost::json::array examples;
  for (const auto& [seed, event] : found.examples()) {
    const auto command = searched.command ? searched.command(seed, event.number) : std::string{};
    examples.push_back(boost::json::object{{"seed", seed},
                                           {"at_ns", event.at.nanoseconds},
                                           {"number", event.number},
                                           {"service", printable(event.service)},
                                           {"event", event.kind},
                                           {"says", event.says},
                                           {"command", command}});
  }
  boost::json::value per_run;
  if (found.runs_with() > 0) {
    const auto& counts = found.per_run();
    per_run = boost::json::object{{"least", counts.least()}, {"median", counts.up_to(50)}, {"most", counts.most()}};
  }
  boost::json::array seeds(found.seeds().begin(), found.seeds().end());
  const boost::json::object object{{"kind", "search"},
                                   {"version", kReportJsonVersion},
                                   {"scenario", printable(searched.scenario)},
                                   {"query", searched.query},
                                   {"first_seed", searched.first_seed},
                                   {"last_seed", searched.last_seed},
                                   {"interrupted", searched.interrupted},
                                   {"runs", found.runs()},
                                   {"runs_with", found.runs_with()},
                                   {"runs_cut_off", found.cut_off()},
                                   {"events", found.events()},
                                   {"undecided", found.undecided()},
                                   {"per_run", std::move(per_run)},
                                   {"seeds", std::move(seeds)},
                                   {"examples", std::move(examples)}};
  return boost::json::serialize(object) + '\n';
}

}  // namespace holdfast::sim
