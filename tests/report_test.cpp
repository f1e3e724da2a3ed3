// The report, on histories written by hand: every figure is exact and small enough to be checked on paper.
#include <catch2/catch.hpp>

#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include <holdfast_sim/detail/human_text.hpp>
#include <holdfast_sim/fleet_picture.hpp>
#include <holdfast_sim/fleet_timeline.hpp>
#include <holdfast_sim/log_linear_histogram.hpp>
#include <holdfast_sim/report.hpp>
#include <holdfast_sim/report_json.hpp>
#include <holdfast_sim/report_text.hpp>
#include <holdfast_sim/storm_tracker.hpp>
#include <holdfast_sim/trace.hpp>

namespace holdfast::report_test {

namespace {

using namespace holdfast::sim;
using namespace std::chrono_literals;

TimePoint at(Duration since_zero) { return TimePoint{} + since_zero; }

ServiceTime time(Duration length) { return static_cast<ServiceTime>(length.count()); }

Scenario scenario_of(std::vector<FleetGroup> fleet) {
  Scenario scenario;
  scenario.name = "by hand";
  scenario.fleet = std::move(fleet);
  return scenario;
}

// Tells a report what a supervisor would tell, in seconds.
class History {
 public:
  explicit History(const Scenario& scenario) : report_(scenario) {}

  void tell(Duration when, std::uint32_t slot, std::string_view name, Event::What what) {
    Event event;
    event.at = at(when);
    event.service = {slot, 1};
    event.name = name;
    event.what = what;
    report_.on_event(event);
  }
  void add(Duration when, std::uint32_t slot, std::string_view name, std::uint64_t runs_before = 0) {
    tell(when, slot, name, event::Added{RestartPolicy::on_failure, &policy_, {runs_before}});
  }
  void start(Duration when, std::uint32_t slot, std::string_view name) {
    tell(when, slot, name, event::Started{});
    tell(when, slot, name, event::Running{});
  }
  void end(Duration when, std::uint32_t slot, std::string_view name, Outcome outcome) {
    tell(when, slot, name, event::Ended{outcome, 0s, ""});
  }
  void fail(Duration when, std::uint32_t slot, std::string_view name) {
    end(when, slot, name, Outcome::failed);
    tell(when, slot, name, event::BackingOff{BackoffCause::failure, 1, 1s, 1s});
  }
  void terminate(Duration when, std::uint32_t slot, std::string_view name, Termination why) {
    tell(when, slot, name, event::Terminated{why, "boom"});
  }
  void chaos(Duration when, std::uint32_t slot, std::string_view name, ChaosEvent::Kind kind, TimePoint until) {
    ChaosEvent event;
    event.at = at(when);
    event.service = {slot, 1};
    event.name = name;
    event.kind = kind;
    event.until = until;
    report_.on_chaos(event);
  }
  void outage(Duration when, std::uint32_t slot, std::string_view name, Duration until) {
    chaos(when, slot, name, ChaosEvent::Kind::outage, at(until));
  }
  ReportData over(Duration when) {
    SimulationEnd end;
    end.at = at(when);
    return report_.finish(end);
  }

 private:
  Report report_;
  BackoffPolicy policy_;
};

std::uint64_t total_restarts(const FleetHistory& history) {
  std::uint64_t all = 0;
  for (const auto& bucket : history.buckets) all += bucket.restarts;
  return all;
}

ServiceTime total(const FleetHistory& history, Standing standing) {
  ServiceTime all = 0;
  for (const auto& bucket : history.buckets) all += bucket.time[static_cast<std::size_t>(standing)];
  return all;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// The whole
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("two services and one outage: every figure is as counted by hand") {
  History history{scenario_of({{.name = "feed", .count = 2}})};
  history.add(0s, 0, "feed-0");
  history.add(0s, 1, "feed-1");
  history.start(0s, 0, "feed-0");
  history.start(0s, 1, "feed-1");
  history.outage(10s, 0, "feed-0", 20s);
  history.fail(10s, 0, "feed-0");
  history.start(11s, 0, "feed-0");  // in vain: the outage lasts
  history.fail(12s, 0, "feed-0");
  history.start(25s, 0, "feed-0");
  history.fail(40s, 1, "feed-1");  // of its own
  history.start(43s, 1, "feed-1");
  const ReportData report = history.over(100s);

  CHECK(report.events == 18);
  CHECK(report.chaos_events == 1);
  REQUIRE(report.groups.size() == 1);
  CHECK(report.groups[0].name == "feed");
  CHECK(report.fleet.services == 2);
  CHECK(report.fleet.starts == 5);
  CHECK(report.fleet.restarts == 3);
  CHECK(report.fleet.failures == 3);
  CHECK(report.fleet.clean_exits == 0);

  // feed-0 is up but for 10 s to 25 s, feed-1 but for 40 s to 43 s; nobody could have been up during the outage.
  CHECK(report.fleet.availability.time == time(200s));
  CHECK(report.fleet.availability.up == time(182s));
  CHECK(report.fleet.availability.ideal == time(190s));
  CHECK(report.fleet.availability.waiting() == time(8s));
  CHECK(report.fleet.availability.ppm() == 910'000);
  CHECK(report.fleet.availability.ideal_ppm() == 950'000);

  CHECK(report.after_outages.count == 1);
  CHECK(report.after_outages.max == 5s);
  CHECK(report.after_outages.never() == 0);
  CHECK(report.after_failures.count == 1);
  CHECK(report.after_failures.median == 3s);
  REQUIRE(report.slowest.size() == 2);
  CHECK(report.slowest[0].service == "feed-0");
  CHECK(report.slowest[0].from == at(20s));
  CHECK(report.slowest[0].after_outage);
  CHECK(report.slowest[1].took == 3s);
  CHECK_FALSE(report.slowest[1].after_outage);

  CHECK(report.worst_storm == WorstStorm{2, at(10s), at(40s)});
  CHECK(report.restarts.count == 3);
  CHECK(report.restarts.first == at(11s));
  CHECK(report.restarts.last == at(43s));
  CHECK(report.busiest_second.restarts == 1);
  CHECK(report.busiest_second.at == at(11s));
  CHECK(report.losses.count == 0);

  CHECK(report.history.length == 100s);
  CHECK(total(report.history, Standing::running) == time(182s));
  CHECK(total(report.history, Standing::restarting) == time(18s));
  CHECK(total_restarts(report.history) == 3);
}

TEST_CASE("outages of a service that overlap or touch are one, and are recovered from once") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  history.start(0s, 0, "feed");
  history.outage(10s, 0, "feed", 20s);
  history.fail(10s, 0, "feed");
  history.outage(15s, 0, "feed", 18s);  // within the first
  history.outage(20s, 0, "feed", 30s);  // touches it
  history.start(32s, 0, "feed");
  const ReportData report = history.over(40s);
  CHECK(report.after_outages.count == 1);
  CHECK(report.after_outages.max == 2s);
  CHECK(report.fleet.availability.ideal == time(20s));
  CHECK(report.fleet.availability.up == time(18s));
}

TEST_CASE("a start ends every outage that was over by then, also when another one has begun") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  history.start(0s, 0, "feed");
  history.outage(10s, 0, "feed", 20s);
  history.fail(10s, 0, "feed");
  history.outage(30s, 0, "feed", 40s);
  history.start(50s, 0, "feed");
  const ReportData report = history.over(60s);
  CHECK(report.after_outages.count == 2);
  CHECK(report.after_outages.max == 30s);
  CHECK(report.slowest.at(1).took == 10s);
}

TEST_CASE("a start in the instant in which the outage ends recovers at once, one just before the end does not") {
  for (const auto& [start, recovered] : {std::pair{20s, 0s}, std::pair{19s, 5s}}) {
    History history{scenario_of({{.name = "feed"}})};
    history.add(0s, 0, "feed");
    history.start(0s, 0, "feed");
    history.outage(10s, 0, "feed", 20s);
    history.fail(10s, 0, "feed");
    history.start(start, 0, "feed");
    if (recovered > 0s) {  // a run that began before the end fails after it, and is no recovery
      history.fail(21s, 0, "feed");
      history.start(25s, 0, "feed");
    }
    const ReportData report = history.over(30s);
    CHECK(report.after_outages.count == 1);
    CHECK(report.after_outages.max == recovered);
    CHECK(report.after_failures.count == 0);
  }
}

TEST_CASE("an outage of no length is over in its instant: what counts is the next start") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  history.start(10s, 0, "feed");  // in the same instant, but before it
  history.outage(10s, 0, "feed", 10s);
  history.fail(10s, 0, "feed");
  history.start(14s, 0, "feed");
  const ReportData report = history.over(20s);
  CHECK(report.after_outages.count == 1);
  CHECK(report.after_outages.max == 4s);
  CHECK(report.fleet.availability.ideal == time(20s));
  CHECK(report.fleet.availability.up == time(6s));
}

TEST_CASE("a hang makes a service unavailable while it lasts, and it needs no start afterwards") {
  History history{scenario_of({{.name = "feed", .count = 2}})};
  history.add(0s, 0, "feed-0");
  history.add(0s, 1, "feed-1");
  history.start(0s, 0, "feed-0");
  history.start(0s, 1, "feed-1");
  history.chaos(10s, 0, "feed-0", ChaosEvent::Kind::hang, at(30s));
  history.chaos(50s, 1, "feed-1", ChaosEvent::Kind::hang, TimePoint::max());
  const ReportData report = history.over(100s);
  CHECK(report.fleet.availability.up == time(80s + 50s));
  CHECK(report.fleet.availability.ideal == time(80s + 50s));
  CHECK(report.after_outages.count == 0);
  CHECK(report.after_outages.never() == 0);
  CHECK(report.worst_storm.services == 0);
}

TEST_CASE("lost services go on counting as down, completed and cancelled ones stop counting") {
  History history{scenario_of({{.name = "lost"}, {.name = "done"}})};
  history.add(0s, 0, "lost");
  history.add(0s, 1, "done");
  history.start(0s, 0, "lost");
  history.start(0s, 1, "done");
  history.end(20s, 0, "lost", Outcome::failed);
  history.tell(20s, 0, "lost", event::BreakerTripped{3, 3});
  history.terminate(20s, 0, "lost", {Termination::Reason::circuit_open, 3, 3, 0s});
  history.end(30s, 1, "done", Outcome::clean);
  history.terminate(30s, 1, "done", {Termination::Reason::completed});
  history.outage(60s, 0, "lost", 70s);  // it would have been down then in any case
  const ReportData report = history.over(100s);

  REQUIRE(report.groups.size() == 2);
  CHECK(report.groups[0].availability.time == time(100s));
  CHECK(report.groups[0].availability.up == time(20s));
  CHECK(report.groups[0].availability.ideal == time(90s));
  CHECK(report.groups[0].breaker_trips == 1);
  CHECK(report.groups[0].lost() == 1);
  CHECK(report.groups[1].availability.time == time(30s));
  CHECK(report.groups[1].availability.ppm() == 1'000'000);
  CHECK(report.groups[1].clean_exits == 1);
  CHECK(report.losses.count == 1);
  CHECK(report.losses.median == at(20s));
  REQUIRE(report.first_losses.size() == 1);
  CHECK(report.first_losses[0].service == "lost");
  CHECK(report.first_losses[0].why == "circuit breaker open (3/3 failures)");
  CHECK(report.after_failures.lost == 1);
  CHECK(report.after_outages.never() == 0);
  CHECK(total(report.history, Standing::lost) == time(80s));
  CHECK(total(report.history, Standing::done) == time(70s));
}

TEST_CASE("what never recovers is told apart: lost, ended, still waiting, not over") {
  const Scenario scenario = scenario_of({{.name = "feed", .count = 4}});
  History history{scenario};
  const std::vector<std::string> names{"feed-0", "feed-1", "feed-2", "feed-3"};
  for (std::uint32_t i = 0; i < 4; ++i) {
    history.add(0s, i, names[i]);
    history.start(0s, i, names[i]);
  }
  for (std::uint32_t i = 0; i < 4; ++i) {
    history.outage(10s, i, names[i], i == 3 ? 200s : 20s);
    history.fail(10s, i, names[i]);
  }
  history.terminate(15s, 0, "feed-0", {Termination::Reason::circuit_open, 9, 9, 0s});
  history.terminate(25s, 1, "feed-1", {Termination::Reason::cancelled});
  const ReportData report = history.over(100s);
  CHECK(report.after_outages.count == 0);
  CHECK(report.after_outages.lost == 1);
  CHECK(report.after_outages.ended == 1);
  CHECK(report.after_outages.waiting == 1);
  CHECK(report.after_outages.ongoing == 1);
}

TEST_CASE("a run that ends because it was asked to stop is no failure, and stopping counts as up") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  history.start(0s, 0, "feed");
  history.tell(10s, 0, "feed", event::Stopping{StopCause::stop});
  history.end(14s, 0, "feed", Outcome::failed);
  history.terminate(14s, 0, "feed", {Termination::Reason::cancelled});
  const ReportData report = history.over(20s);
  CHECK(report.fleet.failures == 0);
  CHECK(report.fleet.availability.time == time(14s));
  CHECK(report.fleet.availability.up == time(14s));
  CHECK(total(report.history, Standing::stopping) == time(4s));
}

TEST_CASE("services are put into the group they were named by; the rest came with a recorded trace") {
  Scenario scenario = scenario_of({{.name = "a", .count = 2}, {.name = "a-b"}, {.name = "unused", .count = 1}});
  scenario.chaos.push_back({.what = Recorded{.file = "x.csv"}});
  History history{scenario};
  std::uint32_t slot = 0;
  for (const char* const name : {"a-0", "a-1", "a-b", "17"}) history.add(0s, slot++, name);
  const ReportData report = history.over(1s);
  REQUIRE(report.groups.size() == 3);
  CHECK(report.groups[0].services == 2);
  CHECK(report.groups[1].name == "a-b");
  CHECK(report.groups[1].services == 1);
  CHECK(report.groups[2].name == "recorded");
  CHECK(report.groups[2].services == 1);
}

TEST_CASE("odd rows of a recorded trace and warnings are passed on") {
  Scenario scenario = scenario_of({{.name = "a"}});
  scenario.duration = 10s;
  Recorded recorded{.file = "x.csv"};
  recorded.trace.entities = {"0"};
  recorded.trace.causes = {"power"};
  recorded.trace.failures = {{0, 0, 1s, 1s}, {0, 0, 5s, 6s}, {0, 0, 9s, 12s}};
  recorded.trace.zero_length = 1;
  recorded.trace.overlapping = 2;
  scenario.chaos.push_back({.at = 4s, .what = recorded});
  History history{scenario};
  history.add(0s, 0, "a");
  history.tell(0s, 0, "a", event::Warned{"backoff.max", "is odd"});
  history.tell(0s, 0, "a", event::Warned{"backoff.max", "is odd"});
  const ReportData report = history.over(10s);
  REQUIRE(report.recorded.size() == 1);
  CHECK(report.recorded[0].rows == 3);
  CHECK(report.recorded[0].zero_length == 1);
  CHECK(report.recorded[0].overlapping == 2);
  CHECK(report.recorded[0].beyond_end == 1);
  REQUIRE(report.warnings.size() == 1);
  CHECK(report.warnings[0].services == 2);
}

TEST_CASE("losses are told by when a tenth, half and nine tenths of them had happened") {
  History history{scenario_of({{.name = "feed", .count = 10}})};
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < 10; ++i) names.push_back("feed-" + std::to_string(i));
  for (std::uint32_t i = 0; i < 10; ++i) history.add(0s, i, names[i]);
  for (std::uint32_t i = 0; i < 10; ++i) {
    history.terminate(std::chrono::seconds{i + 1}, i, names[i], {Termination::Reason::failed});
  }
  const Losses losses = history.over(20s).losses;
  CHECK(losses.count == 10);
  CHECK(losses.first == at(1s));
  CHECK(losses.after_10_percent == at(1s));
  CHECK(losses.median == at(5s));
  CHECK(losses.after_90_percent == at(9s));
  CHECK(losses.last == at(10s));
}

TEST_CASE("the ten slowest recoveries are kept, the longest first") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  Duration now = 0s;
  history.start(now, 0, "feed");
  for (int i = 1; i <= 15; ++i) {
    history.fail(now += 1h, 0, "feed");
    history.start(now += std::chrono::seconds{i * 7 % 15 + 1}, 0, "feed");  // 1 to 15 seconds, in some order
  }
  const ReportData report = history.over(now + 1h);
  REQUIRE(report.slowest.size() == kSlowestMax);
  for (int i = 0; i < 10; ++i) CHECK(report.slowest[static_cast<std::size_t>(i)].took == std::chrono::seconds{15 - i});
}

TEST_CASE("a trace that was saved gives the same report as the run itself") {
  Scenario scenario =
      scenario_of({{.name = "feed", .count = 20, .behaviour = {.runs_for = Exponential{10min}}},
                   {.name = "job", .count = 5, .behaviour = {.runs_for = Fixed{1h}, .then = Then::end}}});
  scenario.duration = 2h;
  scenario.chaos.push_back({.at = 10min, .what = Outage{.target = {.of = {"feed"}}, .length = 30s}});
  scenario.chaos.push_back({.at = 20min, .what = HangWindow{.target = {.of = {"feed-3", "job"}}, .length = 5min}});
  scenario.chaos.push_back({.at = 110min, .what = Shutdown{}});

  std::stringstream trace;
  RehearsalResult result = rehearse(scenario, {.trace = &trace});
  const std::string reported = report_json(result);
  Report again{scenario};
  const TraceSummary summary = read_trace(trace, "trace", {&again});
  result.report = again.finish(summary.end);
  CHECK(result.report.after_outages.count + result.report.after_outages.never() == 20);
  CHECK(report_json(result) == reported);
}

// ---------------------------------------------------------------------------------------------------------------------
// Its parts
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a histogram's quantiles are exact below 256 ns and within their stated error above") {
  LogLinearHistogram small;
  for (std::int64_t i = 1; i <= 100; ++i) small.record(Duration{i});
  CHECK(small.quantile(50) == Duration{50});
  CHECK(small.quantile(99) == Duration{99});
  CHECK(small.quantile(100) == Duration{100});
  CHECK(small.quantile(0) == Duration{1});

  for (std::int64_t length = 1; length < INT64_MAX / 3; length = length * 3 + 1) {
    LogLinearHistogram one;
    one.record(Duration{0});
    one.record(Duration{length});
    one.record(Duration::max());
    const auto off = std::abs(one.quantile(50).count() - length);
    CHECK(static_cast<double>(off) <= static_cast<double>(length) * LogLinearHistogram::kErrorPpm / 1e6);
    CHECK(one.min() == 0ns);
    CHECK(one.quantile(100) == Duration::max());
  }
}

TEST_CASE("a histogram counts what is negative as zero") {
  LogLinearHistogram histogram;
  histogram.record(Duration{-5});
  CHECK(histogram.count() == 1);
  CHECK(histogram.max() == 0ns);
}

TEST_CASE("the timeline's buckets merge in pairs when they are full, and nothing is lost") {
  for (const std::int64_t length : {1, 2, 511, 512, 513, 1024, 1025, 5000, 1'000'003}) {
    INFO(length);
    FleetTimeline timeline;
    timeline.enter(Standing::running);
    timeline.enter(Standing::restarting);
    timeline.advance_to(at(Duration{length}));
    const FleetHistory history = timeline.history();
    CHECK(history.length == Duration{length});
    CHECK(history.buckets.size() <= FleetTimeline::kBuckets);
    CHECK((length <= 512 || history.buckets.size() > FleetTimeline::kBuckets / 2));
    const auto width = history.bucket_width.count();
    CHECK(static_cast<std::int64_t>(history.buckets.size()) == (length + width - 1) / width);
    CHECK(total(history, Standing::running) == static_cast<ServiceTime>(length));
    CHECK(history.buckets.back().fewest_running == 1);
  }
}

TEST_CASE("a bucket knows its worst moment, but not what lasted no time") {
  FleetTimeline timeline;
  for (int i = 0; i < 3; ++i) timeline.enter(Standing::running);
  timeline.advance_to(at(10ms));
  const auto move = [&](Standing from, Standing to) {
    timeline.leave(from);
    timeline.enter(to);
  };
  move(Standing::running, Standing::restarting);
  timeline.advance_to(at(10ms + 1ns));
  move(Standing::running, Standing::restarting);
  move(Standing::restarting, Standing::running);
  move(Standing::restarting, Standing::running);
  timeline.advance_to(at(1s));
  FleetBucket all;
  for (const auto& bucket : timeline.history().buckets) all.merge(bucket);
  CHECK(all.most_down == 1);
  CHECK(all.fewest_running == 2);
  CHECK(all.most[static_cast<std::size_t>(Standing::running)] == 3);
  CHECK(all.time[static_cast<std::size_t>(Standing::restarting)] == 1);
}

TEST_CASE("the timeline holds a run as long as time itself") {
  FleetTimeline timeline;
  timeline.enter(Standing::running);
  timeline.advance_to(TimePoint::max());
  CHECK(total(timeline.history(), Standing::running) == static_cast<ServiceTime>(TimePoint::max().nanoseconds));
}

TEST_CASE("the worst storm counts services within sixty seconds, both ends included, each once") {
  StormTracker storms;
  storms.fell(0, at(0s));
  storms.fell(1, at(30s));
  storms.fell(1, at(31s));
  storms.fell(2, at(60s));
  CHECK(storms.worst() == WorstStorm{3, at(0s), at(60s)});
  storms.fell(3, at(60s + 1ns));  // service 0 fell too long ago
  CHECK(storms.worst() == WorstStorm{3, at(0s), at(60s)});
  storms.fell(0, at(61s));
  CHECK(storms.worst() == WorstStorm{4, at(31s), at(61s)});
}

// ---------------------------------------------------------------------------------------------------------------------
// Texts
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("lengths of time are written for people") {
  const std::vector<std::pair<Duration, std::string>> cases{
      {0ns, "0s"},          {7ns, "7ns"},       {999ns, "999ns"},   {1234ns, "1.23us"},
      {12'345ns, "12.3us"}, {999'999ns, "1ms"}, {250ms, "250ms"},   {51'149ms, "51.1s"},
      {59'949ms, "59.9s"},  {59'960ms, "1min"}, {750s, "12min30s"}, {1h, "1h"},
      {3'599'600ms, "1h"},  {76h, "3d4h"},      {24h * 365, "1y"},  {24h * (3 * 365 + 132), "3y132d"},
      {1500ns, "1.5us"},    {10'040ms, "10s"},
  };
  for (const auto& [length, text] : cases) CHECK(sim::detail::human(length) == text);
  CHECK(sim::detail::human(at(59s)) == "59s");
  CHECK(sim::detail::human(at(1h + 5s)) == "1h0min5s");
  CHECK(sim::detail::human(at(24h * 687 + 17h + 5min)) == "687d17h5min");
  CHECK(sim::detail::human(at(24h * 30)) == "30d");
  CHECK(sim::detail::human(ServiceTime{1} << 80) == "38 334 786y");
}

TEST_CASE("counts, shares and long names are written for people") {
  CHECK(sim::detail::human(std::uint64_t{0}) == "0");
  CHECK(sim::detail::human(std::uint64_t{999}) == "999");
  CHECK(sim::detail::human(std::uint64_t{1'234'567}) == "1 234 567");
  CHECK(sim::detail::counted(1, "service") == "1 service");
  CHECK(sim::detail::percent(1'000'000) == "100 %");
  CHECK(sim::detail::percent(999'999) == "99.9999 %");
  CHECK(sim::detail::percent(910'000) == "91 %");
  CHECK(sim::detail::percent(0) == "0 %");
  CHECK(sim::detail::fit("süßes\x1b", 6) == "süßes?");
  CHECK(sim::detail::fit("süßes Ding", 6) == "süßes…");
  CHECK(sim::detail::wrapped({"a", "bb", "ccc"}, 4, 6) == "  a bb\n    ccc\n");
}

TEST_CASE("the picture keeps its width and shows one service down in a thousand") {
  FleetTimeline timeline;
  for (int i = 0; i < 1000; ++i) timeline.enter(Standing::running);
  timeline.advance_to(at(50s));
  timeline.leave(Standing::running);
  timeline.enter(Standing::restarting);
  timeline.advance_to(at(50s + 1ms));
  timeline.leave(Standing::restarting);
  timeline.enter(Standing::running);
  timeline.advance_to(at(100s));
  const std::string picture = fleet_picture(timeline.history(), 60, false);
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = picture.find('\n', begin)) != std::string::npos; begin = end + 1) {
    CHECK(sim::detail::columns(std::string_view{picture}.substr(begin, end - begin)) <= 100);
  }
  CHECK(picture.find("down, worst │") != std::string::npos);
  CHECK(picture.find("at most 1\n") != std::string::npos);
  CHECK(picture.find('\x1b') == std::string::npos);
  CHECK(fleet_picture(timeline.history(), 60, true).find("\x1b[32m") != std::string::npos);
  CHECK(fleet_picture({}, 60, false) == "  no virtual time passed\n");
}

TEST_CASE("the JSON report says what the text says, in whole numbers") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  history.start(0s, 0, "feed");
  history.fail(10s, 0, "feed");
  history.start(12s, 0, "feed");
  RehearsalResult result;
  result.seed = Seed{7};
  result.digest = "0123";
  result.report = history.over(20s);
  const auto json = boost::json::parse(report_json(result, 5ms));
  CHECK(json.at("seed").as_int64() == 7);
  CHECK(json.at("verdict").as_string() == "held");
  CHECK(json.at("digest").as_string() == "0123");
  CHECK(json.at("virtual_time_ns").as_int64() == 20'000'000'000);
  CHECK(json.at("wall_time_ns").as_int64() == 5'000'000);
  CHECK(json.at("fleet").at("availability").at("ppm").as_int64() == 900'000);
  CHECK(json.at("fleet").at("availability").at("waiting_ms").as_int64() == 2'000);
  CHECK(json.at("recoveries").at("after_failures").at("max_ns").as_int64() == 2'000'000'000);
  CHECK(json.at("recoveries").at("after_outages").at("max_ns").is_null());
  CHECK(json.at("history").at("buckets").as_array().size() == result.report.history.buckets.size());

  const std::string text = report_text(result, {.wall = 5ms});
  CHECK(text.find("90 %  with the supervisor's waiting") != std::string::npos);
  CHECK(text.find("digest 0123\nheld\n") != std::string::npos);
}

TEST_CASE("kills are counted for each group, and have a column where somebody was killed") {
  for (const bool killed : {false, true}) {
    History history{scenario_of({{.name = "deaf"}, {.name = "slow"}})};
    history.add(0s, 0, "deaf");
    history.add(0s, 1, "slow");
    history.start(0s, 0, "deaf");
    history.start(0s, 1, "slow");
    history.tell(10s, 0, "deaf", event::Stopping{});
    if (killed) history.tell(15s, 0, "deaf", event::Killed{5s});
    history.terminate(15s, 0, "deaf", {Termination::Reason::cancelled});
    RehearsalResult result;
    result.report = history.over(20s);
    CHECK(result.report.groups[0].killed_runs == (killed ? 1 : 0));
    CHECK(result.report.groups[1].killed_runs == 0);
    const auto json = boost::json::parse(report_json(result, 5ms));
    CHECK(json.at("fleet").at("killed_runs").as_int64() == (killed ? 1 : 0));
    const std::string text = report_text(result, {.wall = 5ms});
    CHECK((text.find("clean exits  trips  kills\n") != std::string::npos) == killed);
    CHECK((text.find("clean exits  trips\n") != std::string::npos) == !killed);
  }
}

TEST_CASE("a run that was cut off says which budget, how far it got and what raises it") {
  History history{scenario_of({{.name = "feed"}})};
  history.add(0s, 0, "feed");
  RehearsalResult result;
  result.report = history.over(20s);
  result.report.end.reason = EndReason::events_budget;
  result.report.end.timers_fired = 1001;
  result.report.end.counters.active_services = 1;
  result.budget.events = 1000;
  CHECK(result.verdict() == RehearsalVerdict::out_of_budget);
  CHECK(
      verdict_text(result) ==
      "out of budget: the budget of 1 000 events is used up (1 001 timers fired, 20s of virtual time, 1 service still "
      "active); the key budget.events of the scenario raises it\n");
  result.report.end.reason = EndReason::time_budget;
  CHECK(verdict_text(result).find("budget.virtual_time") != std::string::npos);
}

TEST_CASE("a stall names the services that wait, and is a violation") {
  History history{scenario_of({{.name = "feed"}})};
  RehearsalResult result;
  result.report = history.over(20s);
  result.report.end.reason = EndReason::stalled;
  result.waiting = {{"feed-3", Phase::stopping, at(15s)}};
  result.more_waiting = 4;
  CHECK(result.verdict() == RehearsalVerdict::violated);
  CHECK(verdict_text(result) ==
        "violated: stalled at 20s: nothing is left to happen, and services still wait:\n"
        "  feed-3 (stopping since 15s), and 4 more\n");
}

}  // namespace holdfast::report_test
