#include <holdfast_sim/present/report_text.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <holdfast/file/message_text.hpp>
#include <holdfast_sim/present/detail/fleet_picture.hpp>
#include <holdfast_sim/report/detail/log_linear_histogram.hpp>
#include <holdfast_sim/scenario/roster.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim {

namespace {

using detail::counted;
using detail::human;
using detail::percent;
using detail::TextTable;
using holdfast::to_string;

constexpr std::size_t kGroupsShown = 20;
constexpr std::size_t kViolationsShown = 5;
constexpr std::size_t kWarningsShown = 10;

enum class Paint : std::uint8_t { bold, good, bad, dim };

std::string count_of(std::uint64_t count) { return count == 0 ? "–" : human(count); }

// Each line of the text folded. No line feed at the end unless there is one.
std::string all_folded(std::string_view text, std::size_t width) {
  std::string result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    result += detail::folded(text.substr(0, end), width);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (text.empty() && end == result.npos) result.pop_back();
  }
  return result;
}

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
    const bool good = replayed.same() && !replayed.interrupted;
    text_ += painted(replayed.verdict(), good ? Paint::good : Paint::bad);
    line("{}", replayed.interrupted ? ": this is what there is so far" : "");
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
    resources();
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
    const auto text = fmt::format(format, std::forward<Parts>(parts)...);
    for (std::size_t at = 0; at <= text.size();) {  // a heading begins with a line feed
      const auto end = std::min(text.find('\n', at), text.size());
      text_ += detail::folded(std::string_view{text}.substr(at, end - at), options_.width);
      at = end + 1;
    }
  }

  // As it is, however long: what people copy and programs look for.
  template <class... Parts>
  void whole_line(fmt::format_string<Parts...> format, Parts&&... parts) {
    text_ += fmt::format(format, std::forward<Parts>(parts)...) + '\n';
  }

  void heading(std::string_view what) { text_ += '\n' + painted(what, Paint::bold) + '\n'; }

  // Names have more room in a wide terminal.
  std::size_t name_width() const { return std::max<std::size_t>(24, options_.width / 4); }

  void header() {
    line("{}", painted(fit(report_.scenario, options_.width), Paint::bold));
    line("{} · {} of virtual time · seed {} · {}", counted(report_.fleet.services, "service"),
         human(report_.end.at - TimePoint{}), result_.seed.value, ended());
    if (!result_.swarm.empty()) {
      text_ += detail::wrapped(detail::words_of("swarm of this seed: " + result_.swarm), 2, options_.width);
    }
    text_ += '\n';
  }

  void replay_header(const ReplayResult& replayed) {
    line("{}", painted(fit(report_.scenario, options_.width), Paint::bold));
    line("{} · {} recorded by holdfast {} · seed {}{}", counted(report_.fleet.services, "service"),
         human(report_.end.at - TimePoint{}), printable(replayed.version), replayed.seed.value,
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
    const bool any_failed_start =
        report_.fleet.failed_starts > 0;  // only services that say when they are ready have any
    if (any_failed_start) headings.emplace_back("failed starts");
    const bool any_hang = report_.fleet.hangs > 0;  // only services with a watchdog have any
    if (any_hang) headings.emplace_back("hangs");
    TextTable table{headings};
    each_group([&](const GroupReport& group) {
      std::vector<std::string> cells{fit(group.name, name_width()),     count_of(group.services),
                                     percent(group.availability.ppm()), count_of(group.starts),
                                     count_of(group.restarts),          count_of(group.failures),
                                     count_of(group.clean_exits),       count_of(group.breaker_trips)};
      if (any_killed) cells.push_back(count_of(group.killed_runs));
      if (any_failed_start) cells.push_back(count_of(group.failed_starts));
      if (any_hang) cells.push_back(count_of(group.hangs));
      table.add(std::move(cells));
    });
    text_ += '\n' + table.text(0, options_.width);
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
      std::vector<std::string> cells{fit(group.name, name_width())};
      for (const auto reason : kReasons) cells.push_back(count_of(group.terminated_by(reason)));
      table.add(std::move(cells));
    });
    text_ += '\n' + table.text(0, options_.width);
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
    const bool any_lost = fleet.lost > 0;
    line("  {:>10}  with the supervisor's waiting{}", percent(fleet.ppm()), any_lost ? " and the lost services" : "");
    line("  {:>10}  without {}: up at every moment outside of outages and hangs", percent(fleet.ideal_ppm()),
         any_lost ? "either" : "it");
    const ServiceTime each = report_.fleet.services == 0 ? 0 : fleet.waiting() / report_.fleet.services;
    line("  the waiting cost {} of {} of service time, {} a service", human(fleet.waiting()), human(fleet.time),
         human(each));
    if (!any_lost) return;
    line("  the lost services cost {} of it, {} each", human(fleet.lost),
         human(fleet.lost / (report_.losses.count + report_.started_again)));
  }

  void recoveries() {
    heading("recoveries");
    TextTable table{{"", "count", "median", "90 %", "99 %", "longest", "never"}};
    recovery_row(table, "from the end of an outage to the next start", report_.after_outages);
    recovery_row(table, "from any other failure to running again", report_.after_failures);
    text_ += table.text(2, options_.width);
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
      slowest.add({fit(recovery.service, name_width()), human(recovery.took),
                   recovery.after_outage ? "after an outage that ended at" : "after a failure at",
                   human(recovery.from)});
    }
    text_ += slowest.text(4, options_.width);
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
    if (report_.started_again > 0) {
      line("  {} until a command started {} again", counted(report_.started_again, "service"),
           report_.started_again == 1 ? "it" : "them");
    }
    if (lost.count == 0) {
      line("  no service{}", report_.started_again > 0 ? " for good" : "");
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
      table.add({fit(loss.service, name_width()), human(loss.at),
                 fit(loss.why, std::max<std::size_t>(50, options_.width / 2))});
    }
    text_ += table.text(4, options_.width);
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
    const std::size_t indent = options_.width < 60 ? 2 : 4;  // the longest rule fits into 40 columns
    const std::string text = detail::wrapped(rules, indent, options_.width);
    const std::size_t end = text.find(':');
    text_ += "  " + painted(std::string_view{text}.substr(2, end - 2), paint) + text.substr(end);
  }

  void proof(const Violation& violation) {
    line("  {} {}", painted(to_string(violation.rule), Paint::bad), rule_sentence(violation.rule));
    line("    {} at {}: {}", violation.service.empty() ? "the supervisor" : fit(violation.service, 100),
         to_string(violation.at), violation.says);
    for (const auto& event : violation.events) whole_line("      {}", event);
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
    auto columns = wide_columns();
    if (!expectation_table(columns).fits(2, options_.width)) columns = narrow_columns();
    text_ += expectation_table(columns).text(2, options_.width);
    // What the table has no room for.
    for (const auto& expectation : result_.expectations) {
      if (expectation.held) continue;
      const auto cells = cells_of(expectation, columns);
      const bool is_cut = cells[1] != expectation.what || cells[2] != "expected " + expectation.expected ||
                          cells[3] != "found " + expectation.found;
      if (is_cut) {
        line("  {} {}", painted("violated", Paint::bad), to_string(expectation));
      } else if (!expectation.services.empty()) {
        line("  {}: {}", expectation.what, services_text(expectation));
      }
    }
  }

  // How long the cells of an expectation may be: what, expected, found.
  using ExpectationColumns = std::array<std::size_t, 3>;
  [[nodiscard]] ExpectationColumns wide_columns() const {
    return {std::max<std::size_t>(40, options_.width * 2 / 5), std::max<std::size_t>(36, options_.width / 4),
            std::max<std::size_t>(50, options_.width * 3 / 10)};
  }
  // So that the table has room, however long its texts are. Where it would have too little for anything, each
  // expectation is a paragraph with its whole text.
  [[nodiscard]] ExpectationColumns narrow_columns() const {
    constexpr std::size_t kOther = 16;  // the verdict, and what is between the columns
    constexpr std::size_t kLeast = 60;  // of what stands in them
    constexpr std::size_t kWhole = 100'000;
    if (options_.width < kOther + kLeast) return {kWhole, kWhole, kWhole};
    const std::size_t room = options_.width - kOther;
    return {room * 3 / 10, room * 3 / 10, room * 4 / 10};
  }

  [[nodiscard]] TextTable expectation_table(const ExpectationColumns& columns) const {
    TextTable table{{"", "<", "<", "<"}};
    for (const auto& expectation : result_.expectations) table.add(cells_of(expectation, columns));
    return table;
  }

  static std::vector<std::string> cells_of(const ExpectationResult& expectation, const ExpectationColumns& columns) {
    std::string verdict = expectation.held ? "held" : "violated";
    if (expectation.seen) verdict = *expectation.seen ? "seen" : "not seen";
    return {std::move(verdict), fit(expectation.what, columns[0]), fit("expected " + expectation.expected, columns[1]),
            fit("found " + expectation.found, columns[2])};
  }

  // -------------------------------------------------------------------------------------------------------------------

  void resources() {
    if (report_.resources.empty()) return;
    heading("resources");
    for (const auto& resource : report_.resources) {
      line("  {}: {} waited, {} at most at once, at {}", printable(resource.name), counted(resource.waited, "run"),
           human(resource.most_waiting), human(resource.most_at));
      if (resource.served > 0) {
        line("    {} were served, after {} (median), {} (99 %), {} at most", human(resource.served),
             human(resource.median), human(resource.percentile_99), human(resource.max));
      }
      if (resource.in_vain > 0) line("    {} waited in vain: they were over before", human(resource.in_vain));
      if (resource.waiting > 0) line("    {} still waited at the end", human(resource.waiting));
    }
  }

  void recorded() {
    if (report_.recorded.empty()) return;
    heading("recorded input");
    for (const auto& input : report_.recorded) {
      line("  {}: {} of {}", printable(input.file), counted(input.rows, "row"),
           input.entities == 1 ? "1 entity" : human(input.entities) + " entities");
      line("    odd, replayed as they are: {} of zero length, {} exact duplicates, {} that overlap an earlier one",
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

  // The reader of the file has reported most of these warnings already, with their place.
  std::vector<std::string> all_warnings() const {
    std::vector<std::string> all;
    const auto& in_file = options_.warnings;
    all = result_.verdict_warnings;
    for (const auto& warning : in_file) all.push_back(to_string(warning));
    for (const auto& warning : report_.warnings) {
      if (std::any_of(in_file.begin(), in_file.end(),
                      [&](const auto& reported) { return reported.says == warning.says; }))
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
      line("  {}, all as recorded{}", counted(replayed.events, "event"), replayed.interrupted ? " so far" : "");
    } else {
      line("  {} as recorded, then a difference", counted(replayed.events, "event"));
      difference(replayed.file, *replayed.difference);
    }
    if (replayed.cut_short) {
      whole_line("  {}:{}: the recording is cut short here: the line that says how it ended is missing",
                 printable(replayed.file), replayed.lines);
    }
  }

  void difference(const std::string& file, const Difference& found) {
    whole_line("  {} {}:{}: {}", painted("differs", Paint::bad), printable(file), found.line, found.says);
    whole_line("    recorded {}", found.recorded);
    whole_line("    replayed {}", found.replayed.empty() ? "nothing" : found.replayed);
  }

  void footer() {
    text_ += '\n';
    speed();
    line("digest {}", result_.digest);
    const auto verdict = result_.verdict();
    const auto says = verdict == RehearsalVerdict::held ? "held" : verdict_text(result_);
    // A program that looks for the sentence finds it whole unless the terminal is narrow.
    text_ += painted(options_.width < 100 ? all_folded(says, options_.width) : says,
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

std::string interrupted_text(const RehearsalResult& result) {
  const SimulationEnd& end = result.report.end;
  return fmt::format(
      "interrupted: this is what there is so far ({} fired, {} of virtual time); what is expected is not judged\n",
      counted(end.timers_fired, "timer"), human(end.at - TimePoint{}));
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
  if (result.report.end.reason == EndReason::interrupted) return text + interrupted_text(result);
  if (result.verdict() == RehearsalVerdict::out_of_budget) return text + budget_text(result);
  const auto missed =
      static_cast<std::uint64_t>(std::count_if(result.expectations.begin(), result.expectations.end(),
                                               [](const auto& expectation) { return !expectation.held; }));
  if (missed > 0) {
    text += fmt::format("violated: {} of {}\n", human(missed), counted(result.expectations.size(), "expectation"));
  }
  return text;
}

std::string extent_text(const Scenario& scenario) {
  return fmt::format("{}, {}", counted(roster_of(scenario).services(), "service"),
                     scenario.duration ? to_string(*scenario.duration) : "until nothing is left to happen");
}

std::string progress_text(const Progress& progress, Duration wall) {
  const auto passed = progress.at - TimePoint{};
  std::string share;
  if (const auto duration = progress.scenario.duration; duration && duration->count() > 0) {
    share = fmt::format("{:3.0f} %  ",
                        100.0 * static_cast<double>(passed.count()) / static_cast<double>(duration->count()));
  }
  return fmt::format("{}{} of virtual time, {} in {}", share, human(passed), counted(progress.timers_fired, "timer"),
                     human(wall));
}

std::string report_line(const RehearsalResult& result) {
  return fmt::format("{} {}\n", to_string(result.verdict()), result.digest);
}

}  // namespace holdfast::sim
