// Scenarios whose verdict, figures or explanation an engineer would act on. The program reported each of them wrongly
// once; what is right is computed by hand.
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include <holdfast_sim/explain/explain.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/scenario/recorded_trace.hpp>

namespace holdfast::verdicts_test {

namespace {

using namespace holdfast::sim;
using namespace std::chrono_literals;

class Rehearsed {
 public:
  explicit Rehearsed(const std::string& text)
      : scenario_(parse_scenario("name = \"by hand\"\n" + text, "by hand.toml", "")), result_(rehearse(scenario_)) {}

  [[nodiscard]] const ReportData& report() const { return result_.report; }
  [[nodiscard]] bool held() const { return result_.verdict() == RehearsalVerdict::held; }
  [[nodiscard]] std::string violations() const {
    std::string text;
    for (const auto& violation : result_.violations) text += violation.says + '\n';
    return text;
  }
  [[nodiscard]] const ExpectationResult& expectation(std::string_view what) const {
    const auto found = std::find_if(result_.expectations.begin(), result_.expectations.end(),
                                    [what](const auto& each) { return each.what == what; });
    REQUIRE(found != result_.expectations.end());
    return *found;
  }
  // The service that the explanation of a missed expectation is about, and the whole chain as one text.
  [[nodiscard]] std::string explained_by(std::string_view what) const {
    const Explained all = explain(scenario_, result_, {});
    for (const auto& one : all.explanations) {
      if (one.what == what) return one.service;
    }
    return "nothing";
  }

 private:
  Scenario scenario_;
  RehearsalResult result_;
};

const std::string kOnceASecond =
    "[supervisor]\nbackoff = { base = \"1s\", max = \"1s\", jitter = \"none\", breaker = { max_failures = 3, window = "
    "\"10min\" } }\n";

}  // namespace

TEST_CASE("a service that can be killed needs no grace of its own to be as its scenario says") {
  const Rehearsed rehearsed{"duration = \"1h\"\n[[fleet]]\nname = \"good\"\non_kill = \"obey\"\n"};
  INFO(rehearsed.violations());
  CHECK(rehearsed.held());
}

TEST_CASE("what has to happen sometimes is not seen by a run that ends before its time begins") {
  const Rehearsed rehearsed{R"(duration = "1h"
[[fleet]]
name = "web"
[[chaos]]
at = "5min"
shutdown = true
[[expect.property]]
name = "a storm"
sometimes = { of = "web", restarts = { min = 30 }, window = "10s" }
from = "10min"
)"};
  const auto& storm = rehearsed.expectation("property.a storm");
  CHECK(storm.seen == false);
  CHECK(storm.found == "the end at 5min, before its time began");
}

TEST_CASE("a service whose host is off does not run") {
  const Rehearsed rehearsed{R"(duration = "1h"
[[fleet]]
name = "db"
count = 3
[[chaos]]
at = "10min"
outage = { of = "db-0", for = "10min", mode = "gone" }
[[expect.property]]
name = "always three"
always = { of = "db", running = 3 }
[[expect.property]]
name = "three again"
always = { of = "db", running = 3 }
from = "20min"
)"};
  const auto& always = rehearsed.expectation("property.always three");
  CHECK_FALSE(always.held);
  CHECK(always.found == "db: running 2 at 10min");
  CHECK(rehearsed.expectation("property.three again").held);
}

TEST_CASE("a service that is started by hand does not answer for what fell before, in that instant either") {
  const Rehearsed rehearsed{R"(duration = "1h"
[supervisor]
backoff = { base = "30s", max = "30s", jitter = "none", breaker = "off" }
[[fleet]]
name = "db"
[[fleet]]
name = "job"
runs_for = "9min50s"
then = "fail"
after = "db"
on_dependency = "stop"
[[chaos]]
at = "10min"
command = { do = "restart" }
)"};
  INFO(rehearsed.violations());
  CHECK(rehearsed.held());
}

TEST_CASE("services that another one takes along fall, and recover when they run again") {
  const Rehearsed storm{R"(duration = "1h"
[[fleet]]
name = "db"
[[fleet]]
name = "web"
count = 100
after = "db"
on_dependency = "restart"
[[chaos]]
at = "10min"
storm = { of = "db" }
[expect]
storm_max = 1
)"};
  CHECK(storm.report().worst_storm.services == 101);
  CHECK(storm.report().after_failures.count == 101);
  CHECK_FALSE(storm.expectation("storm_max").held);

  const Rehearsed for_ever{R"(duration = "10h"
[[fleet]]
name = "db"
[[fleet]]
name = "web"
count = 100
after = "db"
on_dependency = "restart"
[[chaos]]
at = "10min"
command = { of = "db", do = "stop" }
[expect]
recovery_max = "1s"
storm_max = 0
)"};
  CHECK(for_ever.expectation("recovery_max").found == "no recovery: 0 lost, 100 waiting at the end");
  CHECK_FALSE(for_ever.expectation("recovery_max").held);
  CHECK(for_ever.expectation("storm_max").found == "100");  // nobody took db along
}

TEST_CASE("a service that is stopped for good because of another one is lost, and down to the end") {
  const Rehearsed rehearsed{R"(duration = "1h"
[[fleet]]
name = "db"
[[fleet]]
name = "web"
after = "db"
on_dependency = "stop"
[[chaos]]
at = "15min"
storm = { of = "db" }
[expect]
availability_min = 0.9
[[expect.property]]
name = "nobody is lost"
always = { of = "web", lost = 0 }
)"};
  CHECK_FALSE(rehearsed.expectation("availability_min").held);
  const auto web = std::find_if(rehearsed.report().groups.begin(), rehearsed.report().groups.end(),
                                [](const auto& group) { return group.name == "web"; });
  REQUIRE(web != rehearsed.report().groups.end());
  CHECK(web->availability.ppm() == 250'000);  // up for a quarter of the hour
  CHECK(rehearsed.report().losses.count == 1);
  CHECK_FALSE(rehearsed.expectation("property.nobody is lost").held);
  CHECK(rehearsed.explained_by("availability_min") == "web");
}

TEST_CASE("what has to follow is not too late once its time is over") {
  const std::string alone = R"(duration = "100s"
[supervisor]
backoff = { base = "70s", max = "70s", jitter = "none", breaker = "off" }
[[fleet]]
name = "db"
[[chaos]]
at = "10s"
storm = { of = "db" }
[[expect.property]]
name = "failover"
whenever = { of = "db", running = 0 }
eventually = { of = "db", running = 1 }
within = "30s"
until = "20s"
)";
  const std::string with_another = alone + "[[fleet]]\nname = \"x\"\nruns_for = \"25s\"\nthen = \"end\"\n";
  for (const auto& text : {alone, with_another}) {
    const Rehearsed rehearsed{text};
    CHECK(rehearsed.expectation("property.failover").held);
    CHECK(rehearsed.expectation("property.failover").found == "1 time; the latest was too near the end at 20s to tell");
  }
}

TEST_CASE("a lost service that an operator starts again is one service, is not lost, and recovers") {
  const Rehearsed rehearsed{"duration = \"1h\"\n" + kOnceASecond + R"([[fleet]]
name = "web"
count = 10
[[chaos]]
at = "10min"
outage = { of = "web", for = "10min", fails_after = "1s" }
[[chaos]]
at = "30min"
command = { of = "web", do = "restart" }
[expect]
circuit_open = 0
)"};
  const ReportData& report = rehearsed.report();
  CHECK(report.fleet.services == 10);
  CHECK(report.fleet.terminated[static_cast<std::size_t>(Termination::Reason::circuit_open)] == 0);
  CHECK(report.losses.count == 0);
  CHECK(report.started_again == 10);
  CHECK(report.first_losses.empty());
  CHECK(report.lost_at_end == 0);
  CHECK(report.after_outages.lost == 0);
  CHECK(report.after_outages.count == 10);
  CHECK(report.after_outages.max == 10min);  // from the end of the outage at 20 min
  CHECK(rehearsed.held());
}

TEST_CASE("a group is explained by services of its own") {
  Scenario scenario = parse_scenario("name = \"by hand\"\nduration = \"1h\"\n" + kOnceASecond + R"([[fleet]]
name = "feed"
count = 2
[[expect.fleet]]
name = "feed"
availability_min = 0.9999
)",
                                     "by hand.toml", "");
  // A recorded trace brings along a service that is not of the group, and is lost.
  Recorded recorded{.file = "by hand.csv"};
  recorded.trace =
      parse_recorded_trace("entity,from,until,cause\nfeed-77,1min,20min,disk\nfeed-0,5min,6min,net\n", "by hand.csv");
  scenario.chaos.push_back({.what = recorded});
  const RehearsalResult result = rehearse(scenario);
  const Explained all = explain(scenario, result, {});
  REQUIRE_FALSE(all.explanations.empty());
  CHECK(all.explanations.front().service == "feed-0");
}

TEST_CASE("a count that is too high is explained by the first that was too many") {
  const Rehearsed trips{"duration = \"1h\"\n" + kOnceASecond + R"([[fleet]]
name = "web"
count = 5
[[chaos]]
at = "5min"
outage = { of = "web", for = "10min", fails_after = "1s" }
[expect]
circuit_open = 2
)"};
  CHECK(trips.explained_by("circuit_open") == "web-2");

  const Rehearsed abandoned{R"(duration = "1h"
[supervisor]
shutdown_timeout = "10s"
[[fleet]]
name = "good"
count = 3
on_stop = "ignore"
on_kill = "obey"
[[fleet]]
name = "bad"
on_stop = "ignore"
[[chaos]]
at = "5min"
shutdown = true
[expect]
abandoned = 0
)"};
  CHECK(abandoned.explained_by("abandoned") == "bad");

  const Rehearsed clean{R"(duration = "15min"
[[fleet]]
name = "bad"
restart = "always"
runs_for = "10min"
then = "fail"
[[fleet]]
name = "good"
restart = "always"
runs_for = "10min"
then = "end"
[expect]
clean_exits = 0
)"};
  CHECK(clean.explained_by("clean_exits") == "good");
}

TEST_CASE("a storm is explained by the first that went down in it, whatever took it down") {
  const Rehearsed hosts{R"(duration = "1h"
[[fleet]]
name = "web"
count = 10
[[fleet]]
name = "x"
runs_for = "30min"
then = "fail"
[[chaos]]
at = "10min"
outage = { of = "web", for = "5min", mode = "gone" }
[expect]
storm_max = 3
)"};
  CHECK(hosts.explained_by("storm_max") == "web-0");
}

TEST_CASE("a slow recovery is explained by the slowest one") {
  const Rehearsed rehearsed{R"(duration = "2h"
[[fleet]]
name = "often"
runs_for = "1min"
then = "fail"
backoff = { base = "1s", max = "1s", jitter = "none", breaker = "off" }
[[fleet]]
name = "slow"
runs_for = "50min"
then = "fail"
backoff = { base = "50s", max = "50s", jitter = "none", breaker = "off" }
[expect]
recovery_max = "10s"
)"};
  CHECK(rehearsed.explained_by("recovery_max") == "slow");
}

TEST_CASE("a command is explained by the entry that can have given it to that service") {
  const Scenario scenario = parse_scenario(R"(name = "by hand"
duration = "1h"
[[fleet]]
name = "db"
[[fleet]]
name = "web"
[[chaos]]
at = "5min"
command = { of = "db", do = "restart" }
[[chaos]]
at = "10min"
command = { of = "web", do = "restart" }
)",
                                           "by hand.toml", "");
  ExplainOptions options;
  options.event = parse_selector("web commanded");
  const Explained all = explain(scenario, rehearse(scenario), options);
  REQUIRE(all.explanations.size() == 1);
  REQUIRE_FALSE(all.explanations.front().chain.empty());
  CHECK(all.explanations.front().chain.back().says.starts_with("chaos[1]"));
}

}  // namespace holdfast::verdicts_test
