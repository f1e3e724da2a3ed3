#include <holdfast_sim/detail/figure_expectations.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace holdfast::sim {

namespace {

// "99.9 %"
std::string share_text(std::uint64_t ppm) {
  std::string text = fmt::format("{}.{:04}", ppm / 10'000, ppm % 10'000);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text + " %";
}

class Figures {
 public:
  Figures(const Expectations& expected, const ReportData& report)
      : expected_(expected.figures), groups_(expected.groups), report_(report) {}

  std::vector<ExpectationResult> take() {
    if (expected_.availability_min)
      availability("availability_min", *expected_.availability_min, report_.fleet.availability);
    count("down_at_once_max", expected_.down_at_once_max, report_.most_down);
    count("restarts_a_second_max", expected_.restarts_a_second_max, report_.busiest_second.restarts);
    count("storm_max", expected_.storm_max, report_.worst_storm.services);
    recovery("recovery_median_max", expected_.recovery_median_max, &Recoveries::median_of_all);
    recovery("recovery_p90_max", expected_.recovery_p90_max, &Recoveries::percentile_90_of_all);
    recovery("recovery_p99_max", expected_.recovery_p99_max, &Recoveries::percentile_99_of_all);
    recovery("recovery_max", expected_.recovery_max, &Recoveries::max_of_all);
    drain();
    for (const auto& group : groups_) of_group(group);
    return std::move(results_);
  }

 private:
  void add(std::string_view what, std::string expected, std::string found, bool held, std::string_view cause) {
    results_.push_back({.what = std::string{what},
                        .expected = std::move(expected),
                        .found = std::move(found),
                        .held = held,
                        .cause = held ? std::string_view{} : cause,
                        .at = report_.end.at});
  }

  // Exactly, and not by the millionths that are shown: 0.999 is what is nearest to it in units of 2^-32, so a share
  // that is half a unit lower is equal to it.
  void availability(std::string_view what, std::uint64_t least, const Availability& found) {
    constexpr unsigned kUnit = 32;  // bits after the point
    const bool held = (found.up << (kUnit + 1)) + found.time >= found.time * least * 2;
    constexpr std::uint64_t kHalf = std::uint64_t{1} << (kUnit - 1);
    add(what, "at least " + share_text((least * 1'000'000 + kHalf) >> kUnit), share_text(found.ppm()), held, "too low");
  }

  void of_group(const ExpectedOfGroup& group) {
    if (!group.availability_min) return;
    const auto found = std::find_if(report_.groups.begin(), report_.groups.end(),
                                    [&](const GroupReport& one) { return one.name == group.name; });
    availability(group.name + ".availability_min", *group.availability_min,
                 found == report_.groups.end() ? Availability{} : found->availability);
  }

  void count(std::string_view what, const std::optional<std::uint64_t>& most, std::uint64_t found) {
    if (most) add(what, fmt::format("at most {}", *most), std::to_string(found), found <= *most, "too many");
  }

  // The worse of the two kinds of recovery.
  void recovery(std::string_view what, const std::optional<Duration>& most, Duration Recoveries::*which) {
    if (!most) return;
    const Duration found = std::max(report_.after_outages.*which, report_.after_failures.*which);
    const bool never = found == Duration::max();
    add(what, "at most " + holdfast::to_string(*most), never ? never_text() : holdfast::to_string(found),
        found <= *most && !never, never ? "never recovered" : "too slow");
  }

  [[nodiscard]] std::string never_text() const {
    const auto lost = report_.after_outages.lost + report_.after_failures.lost;
    const auto waiting = report_.after_outages.waiting + report_.after_failures.waiting;
    return fmt::format("no recovery: {} lost, {} waiting at the end", lost, waiting);
  }

  void drain() {
    if (!expected_.drain_max) return;
    const auto expected = "at most " + holdfast::to_string(*expected_.drain_max);
    if (!report_.shutdown_at || !report_.drained_at) {
      return add("drain_max", expected, "no end of a drain", false, "no end of a drain");
    }
    const Duration found = *report_.drained_at - *report_.shutdown_at;
    add("drain_max", expected, holdfast::to_string(found), found <= *expected_.drain_max, "too slow");
  }

  const ExpectedFigures& expected_;
  const std::vector<ExpectedOfGroup>& groups_;
  const ReportData& report_;
  std::vector<ExpectationResult> results_;
};

}  // namespace

std::vector<ExpectationResult> figure_expectations(const Expectations& expected, const ReportData& report) {
  return Figures{expected, report}.take();
}

}  // namespace holdfast::sim
