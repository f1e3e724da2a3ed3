// The results of the rules, and the violations.
//
// Thread-safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/checks/detail/check_lives.hpp>
#include <holdfast_sim/observe/event_log.hpp>

namespace holdfast::sim::detail {

constexpr std::size_t index_of(Rule rule) noexcept { return static_cast<std::size_t>(rule); }

// `test` and `broken` are for one event of one service, `violated` is for everything else.
struct Findings {
  std::array<Verdict, kRuleCount> verdicts{};
  std::vector<Violation> violations;
  std::string shutdown_line;  // the event that requested it, as text; empty before

  Findings() {
    for (std::size_t i = 0; i < kRuleCount; ++i) verdicts[i].rule = static_cast<Rule>(i);
  }

  void tested(Rule rule) noexcept { ++verdicts[index_of(rule)].tested; }

  [[nodiscard]] bool counts_only(Rule rule) noexcept {
    ++verdicts[index_of(rule)].violated;
    return violations.size() >= kViolationsKeptMax;
  }

  void violated(Rule rule, std::string_view service, TimePoint at, std::string says, std::vector<std::string> events) {
    if (counts_only(rule)) return;
    violations.push_back({rule, std::string{service}, at, std::move(says), std::move(events)});
  }

  // `says` makes the text; it is called only if the rule is broken.
  template <class Says>
  bool test(Rule rule, bool holds, Step& step, const Says& says) {
    tested(rule);
    if (!holds) broken(rule, step, says);
    return holds;
  }

  template <class Says>
  [[gnu::noinline, gnu::cold]] void broken(Rule rule, Step& step, const Says& says) {
    step.explained = true;
    if (counts_only(rule)) return;
    auto lines = step.lines();
    if (!shutdown_line.empty() && is_about_shutdown(rule)) lines.insert(lines.begin(), shutdown_line);
    lines.push_back(describe(step.event));
    violations.push_back({rule, std::string{step.event.name}, step.event.at, says(), std::move(lines)});
  }

  static bool is_about_shutdown(Rule rule) noexcept {
    return rule == Rule::never_starts_after_shutdown || rule == Rule::stops_when_asked ||
           rule == Rule::drains_by_its_deadline;
  }
};

}  // namespace holdfast::sim::detail
