#include <holdfast_sim/explain/explain.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include <holdfast/detail/assert.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast_sim/explain/detail/chain.hpp>
#include <holdfast_sim/explain/detail/history.hpp>
#include <holdfast_sim/explain/detail/locator.hpp>
#include <holdfast_sim/explain/detail/lookout.hpp>
#include <holdfast_sim/scenario/roster.hpp>
#include <holdfast_sim/stage/simulation.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>

namespace holdfast::sim {

std::string_view to_string(CauseKind kind) noexcept {
  switch (kind) {
    case CauseKind::outside: return "outside";
    case CauseKind::disturbance: return "disturbance";
    case CauseKind::draw: return "draw";
    case CauseKind::timer: return "timer";
    case CauseKind::event: return "event";
    case CauseKind::command: return "command";
  }
  return "";
}

std::string_view to_string(Explanation::Of of) noexcept {
  switch (of) {
    case Explanation::Of::rule: return "rule";
    case Explanation::Of::stall: return "stall";
    case Explanation::Of::expectation: return "expectation";
    case Explanation::Of::remarkable: return "remarkable";
    case Explanation::Of::event: return "event";
  }
  return "";
}

namespace {

using detail::Found;
using detail::Sought;

constexpr std::uint64_t kSlice = 1 << 16;  // timers

// Which event of the run shows why.
struct Question {
  Explanation explanation;
  std::optional<Sought> sought;  // nullopt: none does
};

class Explainer {
 public:
  Explainer(const Scenario& scenario, const RehearsalResult& result, const ExplainOptions& options)
      : scenario_(scenario), result_(result), options_(options) {}

  Explained explain() {
    explained_ = {
        .scenario = scenario_.name, .seed = result_.seed, .digest = result_.digest, .verdict = result_.verdict()};
    options_.event ? ask_for_event(*options_.event) : ask_what_went_wrong();
    locate();
    tell();
    for (auto& question : questions_) explained_.explanations.push_back(std::move(question.explanation));
    return std::move(explained_);
  }

 private:
  // -- The run, again
  // --------------------------------------------------------------------------------------------------

  // Until `done` holds, asked now and then. False: it was interrupted.
  template <class Done>
  bool repeat(std::vector<Observer*> observers, const Done& done) {
    if (explained_.interrupted) return false;
    Simulation simulation{scenario_, std::move(observers), result_.seed};
    while (!done() && !simulation.run_to_end(kSlice)) {
      if (simulation.now() > result_.report.end.at) break;  // the first run was cut off before
      if (options_.interrupted && options_.interrupted()) {
        explained_.interrupted = true;
        return false;
      }
    }
    return true;
  }

  const detail::Lookout& lookout() {
    if (lookout_) return *lookout_;
    lookout_ = std::make_unique<detail::Lookout>(roster_);
    repeat({lookout_.get()}, [] { return false; });
    lookout_->finish(result_.report.counts_until);
    return *lookout_;
  }

  // -- What is asked
  // ---------------------------------------------------------------------------------------------------

  void ask_for_event(const EventSelector& selector) {
    Question question{.explanation = {.of = Explanation::Of::event, .what = selector.text},
                      .sought = Sought{.number = selector.number.value_or(0),
                                       .service = selector.service,
                                       .kind = selector.kind,
                                       .nth = selector.nth}};
    // Of many services the first one is the cause rather than the last.
    const auto group = roster_.group(selector.service);
    const bool many = selector.service.empty() || (group && roster_.groups()[*group].count);
    if (many && selector.nth == 0) question.sought->nth = 1;
    questions_.push_back(std::move(question));
  }

  void ask_what_went_wrong() {
    for (const Violation& violation : result_.violations) ask_about(violation);
    if (result_.report.end.reason == EndReason::stalled) ask_about_stall();
    if (result_.verdict() == RehearsalVerdict::violated) {
      for (const ExpectationResult& expectation : result_.expectations) {
        if (!expectation.held) ask_about(expectation);
      }
    }
    if (questions_.empty()) ask_for_remarkable();
    while (questions_.size() > options_.explanations_max) {
      explained_.more.push_back(questions_.back().explanation.what);
      questions_.pop_back();
    }
    std::reverse(explained_.more.begin(), explained_.more.end());
  }

  // The first of each rule.
  void ask_about(const Violation& violation) {
    const auto name = std::string{to_string(violation.rule)};
    for (const auto& known : questions_) {
      if (known.explanation.what == name) return;
    }
    questions_.push_back({{.of = Explanation::Of::rule,
                           .what = name,
                           .says = fmt::format("the rule \"{}\" is violated at {}: {}",
                                               rules()[static_cast<std::size_t>(violation.rule)].says,
                                               holdfast::to_string(violation.at), violation.says),
                           .service = violation.service},
                          Sought{.service = violation.service, .until = violation.at}});
  }

  void ask_about_stall() {
    Question question{.explanation = {.of = Explanation::Of::stall,
                                      .what = "stalled",
                                      .says = fmt::format("nothing is left to happen at {}, and services still wait",
                                                          holdfast::to_string(result_.report.end.at))}};
    if (!result_.waiting.empty()) {
      const WaitingService& first = result_.waiting.front();
      question.explanation.about =
          fmt::format("{} is {} since {}.", first.name, to_string(first.phase), detail::human(first.since));
      question.sought = Sought{.service = first.name};
    }
    questions_.push_back(std::move(question));
  }

  void ask_for_remarkable() {
    Question question{.explanation = {.of = Explanation::Of::remarkable, .what = "down longest"}};
    const auto worst = lookout().worst("");
    if (!worst) {
      question.explanation.says = "no service was down at any time";
    } else {
      question.explanation.says =
          worst->lost ? "the service that was lost and down longest" : "the service that was down longest";
      question.sought = about_worst(*worst, question.explanation);
    }
    questions_.push_back(std::move(question));
  }

  // The end of the longest time for which it was down, or its loss.
  static Sought about_worst(const detail::DownTime& worst, Explanation& explanation) {
    explanation.about = fmt::format("{} was down for {} in all", worst.service, detail::human(worst.total));
    if (worst.lost) {
      explanation.about += ", and is lost.";
      return {.service = worst.service, .kind = "terminated"};
    }
    explanation.about +=
        worst.longest == worst.total
            ? fmt::format(", from {} on.", detail::human(worst.from))
            : fmt::format(", {} of it in a row, from {} on.", detail::human(worst.longest), detail::human(worst.from));
    return {.number = worst.number};
  }

  // -- Expectations
  // ----------------------------------------------------------------------------------------------------

  void ask_about(const ExpectationResult& expectation) {
    Question question{
        .explanation = {.of = Explanation::Of::expectation, .what = expectation.what, .says = to_string(expectation)}};
    question.sought = sought_for(expectation, question.explanation);
    questions_.push_back(std::move(question));
  }

  std::optional<Sought> sought_for(const ExpectationResult& expectation, Explanation& explanation) {
    if (const auto* const property = property_of(expectation)) return of_property(expectation, *property, explanation);
    // A name of a group has no dot, or it is that of a count with one: the last part is what is expected.
    const auto dot = expectation.what.rfind('.');
    const std::string group = dot == std::string::npos ? "" : expectation.what.substr(0, dot);
    const std::string name = dot == std::string::npos ? expectation.what : expectation.what.substr(dot + 1);
    if (const auto event = event_counted_by(name)) return of_count(expectation, *event, explanation);
    if (name == "availability_min") return of_worst(group, explanation);
    if (name.starts_with("recovery_")) return of_recovery(expectation, explanation);
    if (name == "down_at_once_max") {
      if (lookout().peak() == 0) return std::nullopt;
      explanation.about = "The last to go down when the most were:";
      return Sought{.number = lookout().peak()};
    }
    if (name == "storm_max") {
      explanation.about = "The first that went down in it:";
      return Sought{.goes_down = true, .nth = 1, .from = result_.report.worst_storm.began};
    }
    if (name == "restarts_a_second_max") {
      const TimePoint at = result_.report.busiest_second.at;
      explanation.about = "The last restart of that second:";
      return Sought{.kind = "started", .again = true, .from = at, .until = at + std::chrono::seconds{1} - Duration{1}};
    }
    if (name == "drained_by" || name == "drain_max") return of_drain(expectation, explanation);
    if (expectation.services.empty()) return std::nullopt;
    explanation.about = "One of them:";
    if (name == "abandoned_services") return Sought{.service = expectation.services.front(), .kind = "terminated"};
    return Sought{.service = expectation.services.front(), .until = expectation.at};
  }

  // Null: it is none.
  [[nodiscard]] const ExpectedProperty* property_of(const ExpectationResult& expectation) const {
    const auto& all = scenario_.expect.properties;
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const auto& each) { return "property." + each.name == expectation.what; });
    return found == all.end() ? nullptr : &*found;
  }

  // What a service did that is in the state, or is not; or else the last that was counted.
  static std::optional<Sought> of_property(const ExpectationResult& expectation, const ExpectedProperty& property,
                                           Explanation& explanation) {
    if (!expectation.services.empty()) {
      explanation.about = "One of them:";
      return Sought{.service = expectation.services.front(), .until = expectation.at};
    }
    const Condition& condition =
        std::visit([](const auto& kind) -> const Condition& { return kind.what; }, property.what);
    for (const std::string_view name : {"starts", "restarts", "failures"}) {
      const auto row = std::find_if(kConditionCounts.begin(), kConditionCounts.end(),
                                    [&](const auto& each) { return each.name == name; });
      if (!(condition.counts.*row->member)) continue;
      auto counted = event_counted_by(name);
      counted->service = condition.of.value_or("");
      counted->until = expectation.at;
      explanation.about = "The last that counted:";
      return counted;
    }
    return std::nullopt;
  }

  // The event that a count counts, and whether it has to be a failure.
  static std::optional<Sought> event_counted_by(std::string_view name) {
    if (name == "spawned") return Sought{.kind = "added"};
    if (name == "starts") return Sought{.kind = "started"};
    if (name == "restarts") return Sought{.kind = "started", .again = true};
    if (name == "failures" || name == "failed_starts") return Sought{.kind = "ended", .failed = true};
    if (name == "clean_exits") return Sought{.kind = "ended"};
    if (name == "circuit_breaker_trips") return Sought{.kind = "breaker_tripped"};
    if (name == "killed_runs") return Sought{.kind = "killed"};
    for (const std::string_view reason :
         {"terminated", "completed", "cancelled", "circuit_open", "failed", "abandoned"}) {
      if (name == reason) return Sought{.kind = "terminated"};
    }
    return std::nullopt;
  }

  // Too many: the first that was too many. Too few: what a service did instead.
  static std::optional<Sought> of_count(const ExpectationResult& expectation, Sought event, Explanation& explanation) {
    if (expectation.cause == "too many") {
      event.service = expectation.exceeded_by;
      event.from = event.until = expectation.at;
      explanation.about = "The first that was too many:";
      return event;
    }
    if (expectation.services.empty()) return std::nullopt;
    explanation.about = "One that does not count, and the last that it did:";
    return Sought{.service = expectation.services.front()};
  }

  std::optional<Sought> of_worst(const std::string& group, Explanation& explanation) {
    const auto worst = lookout().worst(group);
    if (!worst) return std::nullopt;
    explanation.about = "Down longest: ";
    Explanation of_it;
    auto sought = about_worst(*worst, of_it);
    explanation.about += of_it.about;
    return sought;
  }

  // What never recovered took for ever. Else the slowest of all shows it, whichever share was expected to be faster.
  std::optional<Sought> of_recovery(const ExpectationResult& expectation, Explanation& explanation) {
    const auto& slowest = result_.report.slowest;
    if (expectation.cause == "never recovered" || slowest.empty()) return of_worst("", explanation);
    const SlowRecovery& one = slowest.front();
    explanation.about = fmt::format("Slowest to recover: {} took {}, from {} on.", printable(one.service),
                                    detail::human(one.took), detail::human(one.from));
    return Sought{.service = one.service, .from = one.from + one.took, .until = one.from + one.took};
  }

  std::optional<Sought> of_drain(const ExpectationResult& expectation, Explanation& explanation) const {
    if (result_.report.drained_at) return Sought{.kind = "drained"};
    if (expectation.services.empty()) return std::nullopt;
    explanation.about = "One that has not stopped:";
    return Sought{.service = expectation.services.front()};
  }

  // -- Answers
  // ---------------------------------------------------------------------------------------------------------

  void locate() {
    std::vector<Sought> all;
    for (const auto& question : questions_) {
      if (question.sought) all.push_back(*question.sought);
    }
    if (all.empty()) return;
    detail::Locator locator{std::move(all), roster_};
    if (!repeat({&locator}, [] { return false; })) return;
    found_.assign(locator.found().begin(), locator.found().end());
    if (options_.event && found_.front().number == 0) throw BadSelector{what_there_is(*options_.event, locator)};
  }

  // In place of an event that never came.
  [[nodiscard]] std::string what_there_is(const EventSelector& selector, const detail::Locator& locator) const {
    const auto text = file::in_quotes(selector.text);
    if (selector.number)
      return fmt::format("{} is no event: the run has {}, from 1 on", text, detail::counted(locator.events(), "event"));
    if (locator.kinds().empty()) return nobody_is_called(selector, text);
    std::string kinds;
    for (const auto& [kind, count] : locator.kinds()) {
      kinds += fmt::format("{}{} ({})", kinds.empty() ? "" : ", ", kind, detail::human(count));
    }
    const std::string whose = selector.service.empty() ? "the run" : sim::printable(selector.service);
    const auto fitting = found_.front().fitting;
    if (fitting > 0) {
      return fmt::format("{} is no event: of {} there {} only {}", text, selector.kind, fitting == 1 ? "is" : "are",
                         detail::human(fitting));
    }
    return fmt::format("{} is no event; the events of {} are {}", text, whose, kinds);
  }

  [[nodiscard]] std::string nobody_is_called(const EventSelector& selector, const std::string& text) const {
    // A kind that is misspelt was taken for a part of the name.
    if (const auto blank = selector.service.rfind(' '); blank != std::string::npos && selector.kind.empty()) {
      const auto service = selector.service.substr(0, blank);
      if (roster_.group_of(service) || roster_.group(service)) {
        const auto word = std::string_view{selector.service}.substr(blank + 1);
        return fmt::format(
            "{} is no event: {} is no kind of event; {}", text, file::in_quotes(word),
            file::did_you_mean(file::nearest(word, event_kinds()), "there are: " + file::listed(event_kinds(), 40)));
      }
    }
    std::vector<std::string_view> names;
    for (const auto& group : roster_.groups()) names.push_back(group.name);
    std::string near{file::nearest(selector.service, names)};
    if (const auto numbered = file::numbered_name(selector.service)) {
      const std::string_view group = file::nearest(numbered->group, names);
      const auto meant = fmt::format("{}-{}", group, numbered->index);
      if (!group.empty() && meant != selector.service && roster_.group_of(meant)) near = meant;
    }
    return fmt::format("{} is no event: no service or group is called {}; {}", text, file::in_quotes(selector.service),
                       file::did_you_mean(near, "there are: " + file::listed(names)));
  }

  // Repeats the run once more for all of them together.
  void tell() {
    std::deque<detail::History> histories;
    std::vector<Observer*> observers;
    for (const Found& found : found_) {
      const auto& whose = found.service.empty() ? found.gone : found.service;
      observers.push_back(&histories.emplace_back(whose, found.number));
    }
    const auto complete = [&] {
      return std::all_of(histories.begin(), histories.end(), [](const auto& each) { return each.complete(); });
    };
    if (histories.empty() || !repeat(observers, complete)) return;
    std::size_t next = 0;
    for (auto& question : questions_) {
      if (!question.sought) continue;
      const detail::History& history = histories[next];
      const Found& found = found_[next++];
      if (found.number == 0) continue;
      HOLDFAST_ASSERT(!history.happenings().empty() && history.happenings().back().number == found.number,
                      "a run that was repeated is another one");
      tell(question.explanation, found, history);
    }
  }

  void tell(Explanation& explanation, const Found& found, const detail::History& history) {
    auto chain = detail::chain_of(history, scenario_, result_.seed, options_.chaos_lines);
    explanation.service = found.service;
    if (explanation.about.ends_with(':'))
      explanation.about += ' ' + (found.service.empty() ? "the supervisor" : sim::printable(found.service));
    explanation.chain = std::move(chain.links);
    explanation.afterwards = std::move(chain.afterwards);
    explanation.cut = history.cut();
    if (explanation.says.empty()) {
      explanation.says =
          fmt::format("{}{} at {}, event {} of the run", found.service.empty() ? "" : found.service + " ", found.kind,
                      holdfast::to_string(found.at), found.number);
    }
  }

  const Scenario& scenario_;
  const RehearsalResult& result_;
  const ExplainOptions& options_;
  const Roster roster_ = roster_of(scenario_);
  std::unique_ptr<detail::Lookout> lookout_;
  std::vector<Question> questions_;
  std::vector<Found> found_;  // of the questions that seek an event, in their order
  Explained explained_;
};

// All of the run, as far as it goes.
RehearsalResult unjudged(Seed seed) {
  RehearsalResult result{.seed = seed};
  result.report.end.at = TimePoint::max();
  return result;
}

}  // namespace

std::vector<Link> chain_to(const Scenario& scenario, Seed seed, std::uint64_t event, const ExplainOptions& options) {
  ExplainOptions of_event = options;
  of_event.event = EventSelector{.text = std::to_string(event), .number = event};
  try {
    auto explained = Explainer{scenario, unjudged(seed), of_event}.explain();
    return std::move(explained.explanations.front().chain);
  } catch (const BadSelector&) {
    return {};
  }
}

Explained explain(const Scenario& scenario, const RehearsalResult& result, const ExplainOptions& options) {
  return Explainer{scenario, result, options}.explain();
}

}  // namespace holdfast::sim
