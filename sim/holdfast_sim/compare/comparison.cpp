#include <holdfast_sim/compare/comparison.hpp>

#include <algorithm>
#include <utility>

#include <holdfast/detail/assert.hpp>

namespace holdfast::sim {

std::string_view to_string(Figure figure) noexcept {
  switch (figure) {
    case Figure::up_time: return "up_time_ns";
    case Figure::availability: return "availability_ppm";
    case Figure::lost: return "lost";
    case Figure::outage_median: return "recovery_after_outages_median_ns";
    case Figure::outage_90: return "recovery_after_outages_90_ns";
    case Figure::outage_99: return "recovery_after_outages_99_ns";
    case Figure::failure_median: return "recovery_after_failures_median_ns";
    case Figure::failure_90: return "recovery_after_failures_90_ns";
    case Figure::failure_99: return "recovery_after_failures_99_ns";
    case Figure::worst_second: return "restarts_in_worst_second";
    case Figure::restarts: return "restarts";
  }
  return "";
}

Better better(Figure figure) noexcept {
  if (figure == Figure::up_time || figure == Figure::availability) return Better::more;
  return figure == Figure::restarts ? Better::neither : Better::less;
}

RunFigures figures_of(const RehearsalResult& result) {
  RunFigures figures;
  const ReportData& report = result.report;
  const auto set = [&](Figure figure, double value) { figures.of[static_cast<std::size_t>(figure)] = value; };
  const auto set_recoveries = [&](Figure median, Figure p90, Figure p99, const Recoveries& recoveries) {
    if (recoveries.count == 0) return;
    set(median, static_cast<double>(recoveries.median.count()));
    set(p90, static_cast<double>(recoveries.percentile_90.count()));
    set(p99, static_cast<double>(recoveries.percentile_99.count()));
  };
  const Availability& availability = report.fleet.availability;
  if (report.fleet.services > 0) {
    set(Figure::up_time, static_cast<double>(availability.up) / static_cast<double>(report.fleet.services));
  }
  if (availability.time > 0) {
    set(Figure::availability, static_cast<double>(availability.up) / static_cast<double>(availability.time) * 1e6);
  }
  set(Figure::lost, static_cast<double>(report.fleet.lost()));
  set_recoveries(Figure::outage_median, Figure::outage_90, Figure::outage_99, report.after_outages);
  set_recoveries(Figure::failure_median, Figure::failure_90, Figure::failure_99, report.after_failures);
  set(Figure::worst_second, static_cast<double>(report.busiest_second.restarts));
  set(Figure::restarts, static_cast<double>(report.fleet.restarts));
  figures.held = result.all_held();
  return figures;
}

const FigureComparison* PolicyComparison::find(Figure figure) const noexcept {
  const auto found =
      std::find_if(figures.begin(), figures.end(), [figure](const auto& one) { return one.figure == figure; });
  return found == figures.end() ? nullptr : &*found;
}

namespace {

// The pairs of one figure.
struct Pairs {
  std::vector<double> a, b, differences;
};

Pairs pairs_of(Figure figure, const std::vector<RunFigures>& a, const std::vector<RunFigures>& b) {
  Pairs pairs;
  const auto index = static_cast<std::size_t>(figure);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto& left = a[i].of[index];
    const auto& right = b[i].of[index];
    if (!left || !right) continue;
    pairs.a.push_back(*left);
    pairs.b.push_back(*right);
    pairs.differences.push_back(*right - *left);
  }
  return pairs;
}

FigureComparison compared(Figure figure, const Pairs& pairs, const std::optional<MeanInterval>& interval) {
  FigureComparison one{figure,   pairs.a.size(), mean_of(pairs.a), mean_of(pairs.b), mean_of(pairs.differences),
                       interval, std::nullopt};
  const double paired = variance_of(pairs.differences);
  if (paired > 0) one.pairing_saves = (variance_of(pairs.a) + variance_of(pairs.b)) / paired;
  return one;
}

void count_verdicts(PolicyComparison& comparison, const std::vector<RunFigures>& a, const std::vector<RunFigures>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto& count = a[i].held ? (b[i].held ? comparison.both_held : comparison.only_a_held)
                            : (b[i].held ? comparison.only_b_held : comparison.neither_held);
    ++count;
  }
  comparison.p_of_verdicts = mcnemar(comparison.only_a_held, comparison.only_b_held);
}

}  // namespace

PolicyComparison compare(const std::vector<RunFigures>& a, const std::vector<RunFigures>& b) {
  HOLDFAST_ASSERT(a.size() == b.size(), "a run without the one of the same seed beside it");
  PolicyComparison comparison{.seeds = a.size()};
  count_verdicts(comparison, a, b);
  comparison.same_in_every_run = comparison.only_a_held + comparison.only_b_held == 0;
  std::vector<Pairs> complete;  // of every seed: they share their resamples
  std::vector<Figure> figures;
  for (std::size_t f = 0; f < kFigures; ++f) {
    const auto figure = static_cast<Figure>(f);
    auto pairs = pairs_of(figure, a, b);
    for (std::size_t i = 0; i < a.size(); ++i) {
      comparison.same_in_every_run = comparison.same_in_every_run && a[i].of[f] == b[i].of[f];
    }
    if (pairs.a.empty()) continue;
    figures.push_back(figure);
    complete.push_back(std::move(pairs));
  }
  std::vector<std::vector<double>> columns;
  columns.reserve(complete.size());
  for (const auto& pairs : complete) columns.push_back(pairs.differences);
  const auto together = bootstrap_means(columns);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    // A figure that some seeds lack is resampled by itself.
    const bool alone = columns[i].size() != columns.front().size();
    comparison.figures.push_back(
        compared(figures[i], complete[i], alone ? bootstrap_means({columns[i]}).front() : together[i]));
  }
  return comparison;
}

}  // namespace holdfast::sim
