#include <holdfast_sim/report_text.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <holdfast_sim/detail/human_text.hpp>
#include <holdfast_sim/detail/message_text.hpp>
#include <holdfast_sim/fleet_picture.hpp>
#include <holdfast_sim/log_linear_histogram.hpp>

namespace holdfast::sim {

namespace {

using detail::counted;
using detail::fit;
using detail::human;
using detail::percent;
using detail::TextTable;
using holdfast::to_string;

constexpr std::size_t kGroupsShown = 20;
constexpr std::size_t kViolationsShown = 5;
constexpr std::size_t kWarningsShown = 10;
constexpr std::size_t kNameWidth = 24;

enum class Paint : std::uint8_t { bold, good, bad, dim };

std::string count_of(std::uint64_t count) { return count == 0 ? "–" : human(count); }

class TextReport {
 public:
  TextReport(const RehearsalResult& result, const ReportTextOptions& options)
      : result_(result), report_(result.report), options_(options) {}

  std::string replay(const ReplayResult& replayed) {
    replay_header(replayed);
    picture();
    groups();
    heading("availability");
    line("  {:>10}  with the supervisor's waiting", percent(report_.fleet.availability.ppm()));
    recoveries();
    losses();
    storms();
    warnings();
    replayed_events(replayed);
    line("\ndigest {}", replayed.digest);
    line("{}",
         painted(replayed.same() ? "as recorded" : "not as recorded", replayed.same() ? Paint::good : Paint::bad));
    return std::move(text_);
  }

  std::string text() {
    header();
    picture();
    groups();
    availability();
    recoveries();
    losses();
    storms();
    rules();
    expectations();
    recorded();
    warnings();
    footer();
    return std::move(text_);
  }

 private:
  std::string painted(std::string_view text, Paint paint) const {
    if (!options_.colours) return std::string{text};
    constexpr std::array<std::string_view, 4> kCodes{"1", "32", "1;31", "2"};
    return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(paint)], text);
  }

  template <class... Parts>
  void line(fmt::format_string<Parts...> format, Parts&&... parts) {
    text_ += fmt::format(format, std::forward<Parts>(parts)...) + '\n';
  }

  void heading(std::string_view what) { text_ += '\n' + painted(what, Paint::bold) + '\n'; }

  void header() {
    line("{}", painted(fit(report_.scenario, options_.width), Paint::bold));
    line("{} · {} of virtual time · seed {} · {}", counted(report_.fleet.services, "service"),
         human(report_.end.at - TimePoint{}), result_.seed.value, ended());
    text_ += '\n';
  }

  void replay_header(const ReplayResult& replayed) {
    line("{}", painted(fit(report_.scenario, options_.width), Paint::bold));
    line("{} · {} recorded by holdfast {} · seed {}{}", counted(report_.fleet.services, "service"),
         human(report_.end.at - TimePoint{}), detail::printable(replayed.version), replayed.seed.value,
         report_.shutdown_at ? " · shut down at " + human(*report_.shutdown_at) : "");
    text_ += '\n';
  }

  std::string ended() const {
    if (!report_.shutdown_at) return std::string{to_string(report_.end.reason)};
    return fmt::format("{}, shut down at {}", to_string(report_.end.reason), human(*report_.shutdown_at));
  }

  void picture() { text_ += fleet_picture(report_.history, options_.width, options_.colours); }

  // -------------------------------------------------------------------------------------------------------------------

  void groups() {
    std::vector<std::string> headings{"group",    "services", "availability", "starts",
                                      "restarts", "failures", "clean exits",  "trips"};
    const bool any_killed = report_.fleet.killed_runs > 0;  // only services with a stop_grace can be
    if (any_killed) headings.emplace_back("kills");
    TextTable table{headings};
    each_group([&](const GroupReport& group) {
      std::vector<std::string> cells{fit(group.name, kNameWidth),       count_of(group.services),
                                     percent(group.availability.ppm()), count_of(group.starts),
                                     count_of(group.restarts),          count_of(group.failures),
                                     count_of(group.clean_exits),       count_of(group.breaker_trips)};
      if (any_killed) cells.push_back(count_of(group.killed_runs));
      table.add(std::move(cells));
    });
    text_ += '\n' + table.text(0);
    more_groups();
    terminated();
  }

  void terminated() {
    if (std::all_of(report_.fleet.terminated.begin(), report_.fleet.terminated.end(), [](auto n) { return n == 0; })) {
      line("{}", "no service terminated");
      return;
    }
    std::vector<std::string> headings{"terminated"};
    for (const auto reason : kReasons) headings.emplace_back(to_string(reason));
    TextTable table{headings};
    each_group([&](const GroupReport& group) {
      std::vector<std::string> cells{fit(group.name, kNameWidth)};
      for (const auto reason : kReasons) cells.push_back(count_of(group.terminated_by(reason)));
      table.add(std::move(cells));
    });
    text_ += '\n' + table.text(0);
  }

  static constexpr std::array<Termination::Reason, kTerminationReasons> kReasons{
      Termination::Reason::completed, Termination::Reason::cancelled, Termination::Reason::circuit_open,
      Termination::Reason::failed, Termination::Reason::abandoned};

  template <class Show>
  void each_group(Show&& show) const {
    const std::size_t shown = std::min(report_.groups.size(), kGroupsShown);
    for (std::size_t i = 0; i < shown; ++i) show(report_.groups[i]);
    if (report_.groups.size() == 1) return;
    GroupReport all = report_.fleet;
    all.name = "all";
    show(all);
  }

  void more_groups() {
    if (report_.groups.size() <= kGroupsShown) return;
    line("({} more are in the JSON report and in \"all\")", counted(report_.groups.size() - kGroupsShown, "group"));
  }

  // -------------------------------------------------------------------------------------------------------------------

  void availability() {
    const Availability& fleet = report_.fleet.availability;
    heading("availability");
    line("  {:>10}  with the supervisor's waiting", percent(fleet.ppm()));
    line("  {:>10}  without it: up at every moment outside of outages and hangs", percent(fleet.ideal_ppm()));
    const ServiceTime each = report_.fleet.services == 0 ? 0 : fleet.waiting() / report_.fleet.services;
    line("  the waiting cost {} of {} of service time, {} a service", human(fleet.waiting()), human(fleet.time),
         human(each));
  }

  void recoveries() {
    heading("recoveries");
    TextTable table{{"", "count", "median", "90 %", "99 %", "longest", "never"}};
    recovery_row(table, "from the end of an outage to the next start", report_.after_outages);
    recovery_row(table, "from any other failure to running again", report_.after_failures);
    text_ += table.text(2);
    if (report_.after_outages.count + report_.after_failures.count > 0) {
      line("  {}", painted("90 % took no longer than …; these figures are off by at most 0.4 %, the longest is exact",
                           Paint::dim));
    }
    never("outages", report_.after_outages);
    never("other failures", report_.after_failures);
    if (report_.slowest.empty()) return;
    text_ += "  the slowest\n";
    TextTable slowest{{"", "", "<", "<"}};
    for (const auto& recovery : report_.slowest) {
      slowest.add({fit(recovery.service, kNameWidth), human(recovery.took),
                   recovery.after_outage ? "after an outage that ended at" : "after a failure at",
                   human(recovery.from)});
    }
    text_ += slowest.text(4);
  }

  static void recovery_row(TextTable& table, std::string what, const Recoveries& of) {
    if (of.count == 0) {
      table.add({std::move(what), "–", "", "", "", "", count_of(of.never())});
      return;
    }
    table.add({std::move(what), human(of.count), human(of.median), human(of.percentile_90), human(of.percentile_99),
               human(of.max), count_of(of.never())});
  }

  void never(std::string_view what, const Recoveries& of) {
    if (of.never() == 0) return;
    std::vector<std::string> why;
    const auto add = [&](std::uint64_t count, std::string_view says) {
      if (count > 0) why.push_back(fmt::format("{} {}", human(count), says));
    };
    add(of.lost, "with the service lost,");
    add(of.ended, "with the service done or stopped,");
    add(of.waiting, "still waiting at the end,");
    add(of.ongoing, "not over at the end,");
    why.back().pop_back();
    why.insert(why.begin(), fmt::format("{} never recovered from:", what));
    text_ += detail::wrapped(why, 4, options_.width);
  }

  // -------------------------------------------------------------------------------------------------------------------

  void losses() {
    heading("lost");
    const Losses& lost = report_.losses;
    if (lost.count == 0) {
      line("  no service");
      return;
    }
    const auto of_all = fmt::format("{} of {}", human(lost.count), counted(report_.fleet.services, "service"));
    if (lost.first == lost.last) {
      line("  {} at {}", of_all, human(lost.first));
    } else {
      line("  {}, the first at {}, the last at {}", of_all, human(lost.first), human(lost.last));
      line("  10 % of them were lost by {}, 50 % by {}, 90 % by {}", human(lost.after_10_percent), human(lost.median),
           human(lost.after_90_percent));
    }
    TextTable table{{"", "<", "<"}};
    for (const auto& loss : report_.first_losses) {
      table.add({fit(loss.service, kNameWidth), human(loss.at), fit(loss.why, 50)});
    }
    text_ += table.text(4);
    if (lost.count > report_.first_losses.size())
      line("    and {} more", human(lost.count - report_.first_losses.size()));
  }

  void storms() {
    heading("storms");
    const WorstStorm& storm = report_.worst_storm;
    if (storm.services == 0) {
      line("  no service went down");
    } else if (storm.last == storm.began) {
      line("  the worst 60 s: {} went down in one instant, at {}", counted(storm.services, "service"),
           human(storm.began));
    } else {
      line("  the worst 60 s: {} went down within {}, from {} on", counted(storm.services, "service"),
           human(storm.last - storm.began), human(storm.began));
    }
    occurrences("restart", report_.restarts);
    if (report_.restarts.count > 0) {
      line("  the busiest second: {} in the one from {} on", counted(report_.busiest_second.restarts, "restart"),
           human(report_.busiest_second.at));
    }
    occurrences("breaker trip", report_.breaker_trips);
  }

  void occurrences(std::string_view what, const Occurrences& of) {
    if (of.count == 0) {
      line("  no {}", what);
    } else if (of.count == 1) {
      line("  {} at {}", counted(of.count, what), human(of.first));
    } else {
      line("  {}: the first at {}, half of them by about {}, the last at {}", counted(of.count, what), human(of.first),
           human(of.median), human(of.last));
    }
  }

  // -------------------------------------------------------------------------------------------------------------------

  void rules() {
    std::vector<std::string> held, never, violated;
    for (const auto& rule : result_.rules) {
      auto& words = rule.violated > 0 ? violated : rule.tested > 0 ? held : never;
      words.push_back(std::string{to_string(rule.rule)} + ',');
    }
    heading("checks");
    verdict("held", Paint::good, held);
    verdict("never tested", Paint::dim, never);
    verdict("violated", Paint::bad, violated);
    for (std::size_t i = 0; i < std::min(result_.violations.size(), kViolationsShown); ++i)
      proof(result_.violations[i]);
    std::uint64_t all = 0;
    for (const auto& rule : result_.rules) all += rule.violated;
    if (const auto shown = std::min(result_.violations.size(), kViolationsShown); all > shown) {
      line("  and {} more; the JSON report shows up to {}", human(all - shown), kViolationsKeptMax);
    }
  }

  void verdict(std::string_view what, Paint paint, std::vector<std::string>& rules) {
    if (rules.empty()) return;
    rules.back().pop_back();
    rules.insert(rules.begin(), fmt::format("{} {}:", rules.size(), what));
    const std::string text = detail::wrapped(rules, 4, options_.width);
    const std::size_t end = text.find(':');
    text_ += "  " + painted(std::string_view{text}.substr(2, end - 2), paint) + text.substr(end);
  }

  void proof(const Violation& violation) {
    line("  {} {}", painted(to_string(violation.rule), Paint::bad), rule_sentence(violation.rule));
    line("    {} at {}: {}", violation.service.empty() ? "the supervisor" : fit(violation.service, 100),
         to_string(violation.at), violation.says);
    for (const auto& event : violation.events) line("      {}", event);
  }

  static std::string rule_sentence(Rule rule) {
    return fmt::format("({})", sim::rules()[static_cast<std::size_t>(rule)].says);
  }

  void expectations() {
    heading("expectations");
    if (result_.expectations.empty()) {
      line("  the scenario states none");
      return;
    }
    TextTable table{{"", "<", "<", "<"}};
    for (const auto& expectation : result_.expectations) {
      table.add({expectation.held ? "held" : "violated", fit(expectation.what, 40),
                 fit("expected " + expectation.expected, 36), fit("found " + expectation.found, 50)});
    }
    text_ += table.text(2);
    for (const auto& expectation : result_.expectations) {
      if (!expectation.held) line("  {} {}", painted("violated", Paint::bad), to_string(expectation));
    }
  }

  // -------------------------------------------------------------------------------------------------------------------

  void recorded() {
    if (report_.recorded.empty()) return;
    heading("recorded input");
    for (const auto& input : report_.recorded) {
      line("  {}: {} of {}", detail::printable(input.file), counted(input.rows, "row"),
           input.entities == 1 ? "1 entity" : human(input.entities) + " entities");
      line("    odd, and replayed as they are: {} of zero length, {} exact duplicates, {} that overlap an earlier one",
           human(input.zero_length), human(input.duplicates), human(input.overlapping));
      if (input.beyond_end > 0)
        line("    {} would begin after the scenario's duration", counted(input.beyond_end, "row"));
    }
  }

  void warnings() {
    const auto all = all_warnings();
    if (all.empty()) return;
    heading("warnings");
    for (std::size_t i = 0; i < std::min(all.size(), kWarningsShown); ++i) {
      text_ += detail::wrapped(detail::words_of(all[i]), 4, options_.width);
    }
    if (all.size() > kWarningsShown) line("  and {} more", human(all.size() - kWarningsShown));
  }

  // The supervisor tells much of what the reader of the file, who knows where it stands, has told already.
  std::vector<std::string> all_warnings() const {
    std::vector<std::string> all;
    const auto& in_file = options_.warnings;
    all.reserve(in_file.size());
    for (const auto& warning : in_file) all.push_back(to_string(warning));
    for (const auto& warning : report_.warnings) {
      if (std::any_of(in_file.begin(), in_file.end(), [&](const auto& told) { return told.says == warning.says; }))
        continue;
      const auto whose = warning.services == 0 ? "" : fmt::format(" (of {})", counted(warning.services, "service"));
      all.push_back(fmt::format("{} {}{}", warning.field, warning.says, whose));
    }
    return all;
  }

  void replayed_events(const ReplayResult& replayed) {
    heading("replay");
    line("  {} and {} were given to the supervisor again", counted(replayed.inputs, "input"),
         counted(replayed.lateness.timers, "timer"));
    if (replayed.lateness.timers > 0) {
      line("  the latest timer fired {} after its time, at {}", human(replayed.lateness.most),
           human(replayed.lateness.at));
    }
    if (!replayed.difference) {
      line("  {}, all as recorded", counted(replayed.events, "event"));
    } else {
      line("  {} as recorded, then a difference", counted(replayed.events, "event"));
      difference(replayed.file, *replayed.difference);
    }
    if (replayed.cut_short) {
      line("  {}:{}: the recording is cut short here: the line that says how it ended is missing",
           detail::printable(replayed.file), replayed.lines);
    }
  }

  void difference(const std::string& file, const Difference& found) {
    line("  {} {}:{}: {}", painted("differs", Paint::bad), detail::printable(file), found.line, found.says);
    line("    recorded {}", found.recorded);
    line("    replayed {}", found.replayed.empty() ? "nothing" : found.replayed);
  }

  void footer() {
    text_ += '\n';
    speed();
    line("digest {}", result_.digest);
    const auto verdict = result_.verdict();
    text_ += painted(verdict == RehearsalVerdict::held ? "held" : verdict_text(result_),
                     verdict == RehearsalVerdict::held ? Paint::good : Paint::bad);
    if (text_.back() != '\n') text_ += '\n';
  }

  void speed() {
    const std::uint64_t events = report_.events + report_.chaos_events;
    const Duration virtual_time = report_.end.at - TimePoint{};
    if (!options_.wall) {
      line("{} of virtual time, {}, {}", human(virtual_time), counted(events, "event"),
           counted(report_.end.timers_fired, "timer"));
      return;
    }
    const double seconds = std::max(static_cast<double>(options_.wall->count()), 1.0) / 1e9;
    line("{} of virtual time in {}: {} times as fast", human(virtual_time), human(*options_.wall),
         rounded(static_cast<double>(virtual_time.count()) / 1e9 / seconds));
    line("{} ({} a second), {} fired", counted(events, "event"), rounded(static_cast<double>(events) / seconds),
         counted(report_.end.timers_fired, "timer"));
  }

  // To three digits.
  static std::string rounded(double number) {
    if (number < 100) return fmt::format("{:.3g}", number);
    double scale = 1;
    while (number / scale >= 1000) scale *= 10;
    // NOLINTNEXTLINE(bugprone-incorrect-roundings): libm has no place here, and nothing is negative
    const auto leading = static_cast<std::uint64_t>(number / scale + 0.5);
    return human(static_cast<std::uint64_t>(static_cast<double>(leading) * scale));
  }

  const RehearsalResult& result_;
  const ReportData& report_;
  const ReportTextOptions& options_;
  std::string text_;
};

std::string budget_text(const RehearsalResult& result) {
  const SimulationEnd& end = result.report.end;
  const bool events = end.reason == EndReason::events_budget;
  const auto reached = fmt::format("{} fired, {} of virtual time, {} still active", counted(end.timers_fired, "timer"),
                                   human(end.at - TimePoint{}), counted(end.counters.active_services, "service"));
  if (events) {
    return fmt::format(
        "out of budget: the budget of {} events is used up ({}); the key budget.events of the scenario raises it\n",
        human(result.budget.events), reached);
  }
  return fmt::format(
      "out of budget: the budget of {} of virtual time is used up ({}); the key budget.virtual_time of the scenario "
      "raises it\n",
      to_string(result.budget.virtual_time), reached);
}

std::string stall_text(const RehearsalResult& result) {
  std::vector<std::string> names;
  for (const auto& service : result.waiting) {
    names.push_back(
        fmt::format("{} ({} since {}),", fit(service.name, 60), to_string(service.phase), human(service.since)));
  }
  if (result.more_waiting > 0) {
    names.push_back(fmt::format("and {} more", human(result.more_waiting)));
  } else if (!names.empty()) {
    names.back().pop_back();
  }
  return fmt::format("stalled at {}: nothing is left to happen, and services still wait:\n",
                     human(result.report.end.at)) +
         detail::wrapped(names, 2, 100);
}

}  // namespace

std::string report_text(const RehearsalResult& result, const ReportTextOptions& options) {
  return TextReport{result, options}.text();
}

std::string replay_text(const ReplayResult& result, const ReportTextOptions& options) {
  const RehearsalResult events_only{.seed = result.seed, .report = result.report};
  return TextReport{events_only, options}.replay(result);
}

std::string verdict_text(const RehearsalResult& result) {
  std::string text;
  std::uint64_t broken = 0;
  for (const auto& rule : result.rules) broken += rule.violated;
  if (broken > 0) text += fmt::format("violated: {} of the supervisor's rules\n", counted(broken, "violation"));
  if (result.report.end.reason == EndReason::stalled) text += "violated: " + stall_text(result);
  if (result.verdict() == RehearsalVerdict::out_of_budget) return text + budget_text(result);
  const auto missed =
      static_cast<std::uint64_t>(std::count_if(result.expectations.begin(), result.expectations.end(),
                                               [](const auto& expectation) { return !expectation.held; }));
  if (missed > 0) {
    text += fmt::format("violated: {} of {}\n", human(missed), counted(result.expectations.size(), "expectation"));
  }
  return text;
}

std::string report_line(const RehearsalResult& result) {
  return fmt::format("{} {}\n", to_string(result.verdict()), result.digest);
}

}  // namespace holdfast::sim
