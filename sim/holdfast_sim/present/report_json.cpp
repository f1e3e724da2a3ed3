#include <holdfast_sim/present/report_json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include <boost/json.hpp>

#include <holdfast/detail/text.hpp>
#include <holdfast_sim/present/report_text.hpp>
#include <holdfast_sim/report/detail/log_linear_histogram.hpp>

namespace holdfast::sim {

namespace {

namespace json = boost::json;
using holdfast::to_string;

json::value nanoseconds(Duration length) { return length.count(); }
json::value nanoseconds(TimePoint at) { return at.nanoseconds; }
json::value nanoseconds(const std::optional<TimePoint>& at) { return at ? nanoseconds(*at) : json::value{}; }
json::value text(std::string_view text) { return json::string{text.data(), text.size()}; }
json::value milliseconds(ServiceTime time) { return static_cast<std::uint64_t>(time / 1'000'000); }

template <class All, class Make>
json::array each(const All& all, Make&& make) {
  json::array array;
  array.reserve(all.size());
  for (const auto& one : all) array.emplace_back(make(one));
  return array;
}

json::array texts(const std::vector<std::string>& all) {
  return each(all, [](const auto& one) { return text(one); });
}

json::object of(const Availability& availability) {
  return {{"ppm", availability.ppm()},
          {"ideal_ppm", availability.ideal_ppm()},
          {"service_time_ms", milliseconds(availability.time)},
          {"up_ms", milliseconds(availability.up)},
          {"ideal_up_ms", milliseconds(availability.ideal)},
          {"waiting_ms", milliseconds(availability.waiting())},
          {"lost_ms", milliseconds(availability.lost)}};
}

json::object of(const GroupReport& group) {
  json::object terminated;
  for (std::size_t i = 0; i < kTerminationReasons; ++i) {
    terminated[to_string(static_cast<Termination::Reason>(i))] = group.terminated[i];
  }
  return {{"name", text(group.name)},
          {"services", group.services},
          {"starts", group.starts},
          {"restarts", group.restarts},
          {"failures", group.failures},
          {"failed_starts", group.failed_starts},
          {"hangs", group.hangs},
          {"clean_exits", group.clean_exits},
          {"circuit_breaker_trips", group.breaker_trips},
          {"killed_runs", group.killed_runs},
          {"terminated", std::move(terminated)},
          {"availability", of(group.availability)}};
}

json::object of(const Occurrences& occurrences) {
  const bool any = occurrences.count > 0;
  return {{"count", occurrences.count},
          {"first_ns", any ? nanoseconds(occurrences.first) : nullptr},
          {"median_ns", any ? nanoseconds(occurrences.median) : nullptr},
          {"last_ns", any ? nanoseconds(occurrences.last) : nullptr}};
}

json::object of(const Losses& losses, const std::vector<Loss>& first_losses, std::uint64_t started_again) {
  const bool any = losses.count > 0;
  const auto when = [any](TimePoint at) { return any ? nanoseconds(at) : json::value{}; };
  return {
      {"count", losses.count},
      {"started_again", started_again},
      {"first_ns", when(losses.first)},
      {"after_10_percent_ns", when(losses.after_10_percent)},
      {"median_ns", when(losses.median)},
      {"after_90_percent_ns", when(losses.after_90_percent)},
      {"last_ns", when(losses.last)},
      {"first_services", each(first_losses, [](const Loss& loss) {
         return json::object{{"service", text(loss.service)}, {"at_ns", nanoseconds(loss.at)}, {"why", text(loss.why)}};
       })}};
}

json::object of(const Recoveries& recoveries) {
  const bool any = recoveries.count > 0;
  const auto length = [any](Duration took) { return any ? nanoseconds(took) : json::value{}; };
  return {{"count", recoveries.count},
          {"median_ns", length(recoveries.median)},
          {"percentile_90_ns", length(recoveries.percentile_90)},
          {"percentile_99_ns", length(recoveries.percentile_99)},
          {"max_ns", length(recoveries.max)},
          {"never",
           {{"lost", recoveries.lost},
            {"ended", recoveries.ended},
            {"waiting", recoveries.waiting},
            {"ongoing", recoveries.ongoing}}},
          {"overtaken", recoveries.overtaken}};
}

json::object of(const ResourceReport& resource) {
  const auto length = [&](Duration waited) { return resource.served > 0 ? nanoseconds(waited) : json::value{}; };
  return {{"name", text(resource.name)},
          {"waited", resource.waited},
          {"served", resource.served},
          {"in_vain", resource.in_vain},
          {"waiting", resource.waiting},
          {"most_waiting", resource.most_waiting},
          {"most_at_ns", nanoseconds(resource.most_at)},
          {"median_ns", length(resource.median)},
          {"percentile_99_ns", length(resource.percentile_99)},
          {"max_ns", length(resource.max)}};
}

json::object of(const SlowRecovery& recovery) {
  return {{"service", text(recovery.service)},
          {"after", recovery.after_outage ? "outage" : "failure"},
          {"from_ns", nanoseconds(recovery.from)},
          {"took_ns", nanoseconds(recovery.took)}};
}

json::object of(const FleetHistory& history) {
  constexpr std::array<std::string_view, kStandings> kNames{"running", "restarting", "stopping", "lost", "done"};
  json::array buckets;
  for (std::size_t b = 0; b < history.buckets.size(); ++b) {
    const auto& bucket = history.buckets[b];
    const Duration from = history.bucket_width * static_cast<std::int64_t>(b);
    const auto length = static_cast<std::uint64_t>(std::min(history.bucket_width, history.length - from).count());
    json::object average;
    json::object most;
    for (std::size_t i = 0; i < kStandings; ++i) {
      const auto thousandths = length == 0 ? 0 : static_cast<std::uint64_t>(bucket.time[i] * 1000 / length);
      average[kNames[i]] = thousandths;
      most[kNames[i]] = bucket.most[i];
    }
    buckets.push_back(json::object{
        {"from_ns", nanoseconds(from)},
        {"average_thousandths", std::move(average)},
        {"most", std::move(most)},
        {"most_down", bucket.most_down},
        {"fewest_running", bucket.fewest_running == UINT32_MAX ? json::value{} : json::value(bucket.fewest_running)},
        {"restarts", bucket.restarts}});
  }
  return {{"length_ns", nanoseconds(history.length)},
          {"bucket_ns", nanoseconds(history.bucket_width)},
          {"buckets", std::move(buckets)}};
}

json::object storms_of(const ReportData& report) {
  const bool fell = report.worst_storm.services > 0;
  const bool restarted = report.busiest_second.restarts > 0;
  return {{"worst_60_s",
           {{"services", report.worst_storm.services},
            {"began_ns", fell ? nanoseconds(report.worst_storm.began) : nullptr},
            {"last_ns", fell ? nanoseconds(report.worst_storm.last) : nullptr}}},
          {"busiest_second",
           {{"restarts", report.busiest_second.restarts},
            {"at_ns", restarted ? nanoseconds(report.busiest_second.at) : nullptr}}}};
}

json::object of(const Verdict& verdict) {
  return {{"rule", text(to_string(verdict.rule))},
          {"verdict", verdict.violated > 0 ? "violated"
                      : verdict.tested > 0 ? "held"
                                           : "never tested"},
          {"tested", verdict.tested},
          {"violated", verdict.violated}};
}

json::object of(const Violation& violation) {
  return {{"rule", text(to_string(violation.rule))},
          {"service", text(violation.service)},
          {"at_ns", nanoseconds(violation.at)},
          {"says", text(violation.says)},
          {"events", texts(violation.events)}};
}

json::object of(const ExpectationResult& expectation) {
  return {{"what", text(expectation.what)},
          {"expected", text(expectation.expected)},
          {"found", text(expectation.found)},
          {"verdict", expectation.held ? "held" : "violated"},
          {"seen", expectation.seen ? json::value(*expectation.seen) : json::value{}},
          {"at_ns", nanoseconds(expectation.at)},
          {"services", texts(expectation.services)},
          {"more_services", expectation.more_services}};
}

json::object of(const WaitingService& service) {
  return {{"service", text(service.name)},
          {"phase", text(to_string(service.phase))},
          {"since_ns", nanoseconds(service.since)}};
}

json::object of(const RecordedInput& input) {
  return {{"file", text(input.file)},           {"rows", input.rows},
          {"entities", input.entities},         {"zero_length", input.zero_length},
          {"duplicates", input.duplicates},     {"overlapping", input.overlapping},
          {"beyond_duration", input.beyond_end}};
}

json::object of(const ConfigurationWarning& warning) {
  return {{"field", text(warning.field)}, {"says", text(warning.says)}, {"services", warning.services}};
}

json::object of(const Complaint& complaint) {
  return {{"file", text(complaint.file)},
          {"line", complaint.line},
          {"column", complaint.column},
          {"key", text(complaint.key)},
          {"says", text(complaint.says)}};
}

template <class All>
json::array objects(const All& all) {
  return each(all, [](const auto& one) { return of(one); });
}

enum class Outages : std::uint8_t { shown, unknown };

// What a report and the report of a replay have in common. A recording does not show outages.
void add_figures(json::object& root, const ReportData& report, Outages outages) {
  json::object recoveries{{"quantile_error_ppm", LogLinearHistogram::kErrorPpm}};
  if (outages == Outages::shown) recoveries["after_outages"] = of(report.after_outages);
  recoveries["after_failures"] = of(report.after_failures);
  recoveries["slowest"] = objects(report.slowest);
  root["fleet"] = of(report.fleet);
  root["groups"] = objects(report.groups);
  root["recoveries"] = std::move(recoveries);
  root["restarts"] = of(report.restarts);
  root["circuit_breaker_trips"] = of(report.breaker_trips);
  root["lost"] = of(report.losses, report.first_losses, report.started_again);
  root["storms"] = storms_of(report);
}

}  // namespace

std::string report_json(const RehearsalResult& result, std::optional<Duration> wall,
                        const std::vector<Complaint>& warnings) {
  const ReportData& report = result.report;
  json::object root{{"kind", "report"},
                    {"version", kReportJsonVersion},
                    {"scenario", text(report.scenario)},
                    {"seed", result.seed.value},
                    {"verdict", text(to_string(result.verdict()))},
                    {"why", text(verdict_text(result))},
                    {"digest", text(result.digest)},
                    {"end", text(to_string(report.end.reason))},
                    {"virtual_time_ns", nanoseconds(report.end.at)},
                    {"wall_time_ns", wall ? nanoseconds(*wall) : nullptr},
                    {"events", report.events},
                    {"chaos_events", report.chaos_events},
                    {"timers_fired", report.end.timers_fired},
                    {"shutdown_at_ns", nanoseconds(report.shutdown_at)},
                    {"drained_at_ns", nanoseconds(report.drained_at)}};
  add_figures(root, report, Outages::shown);
  root.insert({{"checks", objects(result.rules)},
               {"violations", objects(result.violations)},
               {"expectations", objects(result.expectations)},
               {"waiting", objects(result.waiting)},
               {"more_waiting", result.more_waiting},
               {"resources", objects(report.resources)},
               {"recorded", objects(report.recorded)},
               {"warnings", objects(warnings)},
               {"supervisor_warnings", objects(report.warnings)},
               {"swarm", result.swarm},
               {"verdict_warnings", texts(result.verdict_warnings)},
               {"history", of(report.history)}});
  return holdfast::detail::without_invisible(json::serialize(root)) + '\n';
}

namespace {

json::value of(const std::optional<Difference>& difference) {
  if (!difference) return {};
  return {{"line", difference->line},
          {"says", text(difference->says)},
          {"recorded", text(difference->recorded)},
          {"replayed", text(difference->replayed)}};
}

}  // namespace

std::string replay_json(const ReplayResult& result) {
  const ReportData& report = result.report;
  json::object root{{"kind", "replay"},
                    {"version", kReportJsonVersion},
                    {"recording", text(result.file)},
                    {"recorded_by", text(result.version)},
                    {"seed", result.seed.value},
                    {"verdict", text(result.verdict())},
                    {"difference", of(result.difference)},
                    {"cut_short", result.cut_short},
                    {"lines", result.lines},
                    {"inputs", result.inputs},
                    {"events", result.events},
                    {"timers_fired", result.lateness.timers},
                    {"latest_timer_ns", nanoseconds(result.lateness.most)},
                    {"digest", text(result.digest)},
                    {"recorded_time_ns", nanoseconds(report.end.at)},
                    {"shutdown_at_ns", nanoseconds(report.shutdown_at)},
                    {"drained_at_ns", nanoseconds(report.drained_at)}};
  add_figures(root, report, Outages::unknown);
  root.insert({{"supervisor_warnings", objects(report.warnings)}, {"history", of(report.history)}});
  return holdfast::detail::without_invisible(json::serialize(root)) + '\n';
}

}  // namespace holdfast::sim
