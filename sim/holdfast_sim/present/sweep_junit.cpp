#include <holdfast_sim/present/sweep_text.hpp>

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include <holdfast_sim/present/detail/html_text.hpp>

namespace holdfast::sim {

namespace {

// For an attribute or an element. What XML cannot say at all is escaped in our own way.
std::string xml(std::string_view text) { return detail::html(text); }

class Suite {
 public:
  explicit Suite(const SweepSummary& summary)
      : plan_(summary.plan), failures_(summary.sweep.failures()), runs_(summary.sweep.runs()) {
    for (const auto& rule : rules()) test(FailureReason::Kind::rule, "rule ", rule.name);
    const auto missing = is_vacuous(summary) ? never_seen(plan_, summary.sweep) : std::vector<std::string>{};
    for (const auto& name : plan_.expectations) {
      if (std::find(missing.begin(), missing.end(), name) != missing.end()) {
        never(name);
      } else {
        test(FailureReason::Kind::expectation, "expectation ", name);
      }
    }
    test(FailureReason::Kind::stalled, "does not stall", "");
    for (const auto* const budget : {"events_budget", "time_budget"}) {
      test(FailureReason::Kind::budget, "keeps within the ", budget);
    }
    if (summary.corpus != nullptr) {
      for (const auto& verdict : summary.corpus->judged) kept(*summary.corpus, verdict);
    }
    if (summary.end == SweepSummary::End::interrupted) interrupted(summary);
  }

  [[nodiscard]] std::uint64_t tests() const noexcept { return tests_; }
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_; }
  [[nodiscard]] std::uint64_t errors() const noexcept { return errors_; }
  [[nodiscard]] std::string text() const {
    return fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n{}  </testsuite>\n",
                       xml(plan_.scenario), tests_, failed_, errors_, cases_);
  }

 private:
  void test(FailureReason::Kind kind, std::string_view begins, std::string_view what) {
    begin(fmt::format("{}{}", begins, what));
    std::string found;
    std::string first;
    for (const auto& group : failures_) {
      if (group.reason.kind != kind || group.reason.what != what) continue;
      const auto says = fmt::format("{} of {} seeds: {}", group.count, runs_, to_string(group.reason));
      if (first.empty()) first = says;
      found += fmt::format("{}\nseed {}: {}\n{}\n", xml(says), group.smallest_seed, xml(group.says),
                           xml(repeat_command(plan_, group.smallest_seed)));
    }
    if (found.empty()) {
      cases_ += "/>\n";
      return;
    }
    ++failed_;
    cases_ += fmt::format(">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n", xml(first), found);
  }

  void never(const std::string& name) {
    begin("expectation " + name);
    ++failed_;
    cases_ += fmt::format(">\n      <failure message=\"seen in none of {} seeds\"/>\n    </testcase>\n", runs_);
  }

  void kept(const CorpusSummary& corpus, const CorpusVerdict& verdict) {
    const auto file = corpus.folder + '/' + verdict.kept.file;
    begin("corpus " + file);
    if (verdict.says.empty()) {
      cases_ += "/>\n";
      return;
    }
    ++failed_;
    cases_ += fmt::format(">\n      <failure message=\"{}\">{}\nholdfast run {}\n</failure>\n    </testcase>\n",
                          xml(to_string(verdict.status)), xml(verdict.says), xml(file));
  }

  void begin(const std::string& name) {
    ++tests_;
    cases_ += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", xml(plan_.file), xml(name));
  }

  void interrupted(const SweepSummary& summary) {
    begin("runs every seed");
    ++errors_;
    cases_ += fmt::format(">\n      <error message=\"interrupted after {} of {} seeds\"/>\n    </testcase>\n", runs_,
                          summary.plan.seeds.size());
  }

  const SweepPlan& plan_;
  const std::vector<FailureGroup> failures_;
  const std::uint64_t runs_;
  std::uint64_t tests_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t errors_ = 0;
  std::string cases_;
};

}  // namespace

std::string sweep_junit(const std::vector<SweepSummary>& summaries) {
  std::string suites;
  std::uint64_t tests = 0;
  std::uint64_t failed = 0;
  std::uint64_t errors = 0;
  for (const auto& summary : summaries) {
    const Suite suite{summary};
    suites += suite.text();
    tests += suite.tests();
    failed += suite.failed();
    errors += suite.errors();
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"holdfast sweep\" tests=\"{}\" failures=\"{}\" "
      "errors=\"{}\">\n{}</testsuites>\n",
      tests, failed, errors, suites);
}

}  // namespace holdfast::sim
