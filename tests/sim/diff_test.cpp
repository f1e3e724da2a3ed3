// Where two runs part: on lines written by hand, and on runs of a scenario.
#include <catch2/catch.hpp>

#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/diff/diff.hpp>
#include <holdfast_sim/observe/line_difference.hpp>
#include <holdfast_sim/present/diff_text.hpp>
#include <holdfast_sim/rehearsal.hpp>

namespace holdfast::diff_test {

namespace {

using namespace holdfast::sim;
using namespace std::chrono_literals;

const std::string kHead = "{\"holdfast_trace\":1,\"scenario\":\"by hand\",\"seed\":1}\n";
const std::string kEnd = "{\"end\":\"finished\",\"t_ns\":9,\"timers_fired\":2}\n";

// Of a service at a time.
std::string line(int at, const std::string& service, const std::string& rest) {
  return "{\"t_ns\":" + std::to_string(at) + ",\"service\":\"" + service + "\",\"n\":1,\"run\":1," + rest + "}\n";
}
const std::string kStarted = "\"kind\":\"started\"";
const std::string kFailed = "\"kind\":\"ended\",\"outcome\":\"failed\",\"lasted_ns\":5";
const std::string kClean = "\"kind\":\"ended\",\"outcome\":\"clean\",\"lasted_ns\":5";
const std::string kLost = "\"kind\":\"terminated\",\"reason\":\"circuit_open\"";

Diff diff_of(const std::string& left, const std::string& right, const DiffOptions& options = {}) {
  std::istringstream a{left}, b{right};
  const auto from_a = line_source(a, "a.ndjson");
  const auto from_b = line_source(b, "b.ndjson");
  return diff(*from_a, *from_b, options);
}

TEST_CASE("runs with the same events are the same, whatever their first lines say") {
  const auto events = line(1, "feed-0", kStarted) + line(2, "feed-1", kStarted);
  const auto other_head = "{\"holdfast_trace\":1,\"scenario\":\"another\",\"seed\":2}\n";
  const auto found = diff_of(kHead + events + kEnd, other_head + events + kEnd);
  REQUIRE(found.same());
  REQUIRE(found.common == 2);
  REQUIRE(diff_text(found).find("The same: 2 events") != std::string::npos);
}

TEST_CASE("the first event that differs is named with its keys and with what came before it in the same service") {
  const auto before = line(1, "feed-0", kStarted) + line(2, "feed-1", kStarted);
  const auto found =
      diff_of(kHead + before + line(3, "feed-0", kFailed) + kEnd, kHead + before + line(4, "feed-0", kClean) + kEnd);
  REQUIRE(!found.same());
  REQUIRE(found.common == 2);
  REQUIRE(found.first->event == 3);
  REQUIRE(found.first->left_number == 4);
  REQUIRE(found.first->says == "t_ns: left 3, right 4; outcome: left \"failed\", right \"clean\"");
  REQUIRE(found.first->before ==
          std::vector<std::string>{line(1, "feed-0", kStarted).substr(0, line(1, "feed-0", kStarted).size() - 1)});
}

TEST_CASE("from the first difference on events are counted by group, and services by whether theirs differ") {
  const auto left =
      line(1, "feed-0", kFailed) + line(2, "feed-1", kStarted) + line(3, "engine", kStarted) + line(4, "feed-0", kLost);
  const auto right = line(1, "feed-0", kClean) + line(2, "feed-1", kStarted) + line(3, "engine", kStarted) +
                     line(5, "feed-0", kStarted) + line(6, "feed-2", kStarted);
  const auto found = diff_of(kHead + left + kEnd, kHead + right + kEnd);
  REQUIRE(found.left_events == 4);
  REQUIRE(found.right_events == 5);
  REQUIRE(found.groups.size() == 1);
  REQUIRE(found.groups_alike == 1);
  const auto& feed = found.groups.front();
  REQUIRE(feed.name == "feed");
  REQUIRE(feed.services == 3);
  REQUIRE(feed.different == 2);  // feed-0, and feed-2, which only one run has
  REQUIRE(feed.first_service == "feed-0");
  REQUIRE(feed.first_at == TimePoint{1});
  REQUIRE(feed.left == DiffCounts{3, 1, 1, 1});
  REQUIRE(feed.right == DiffCounts{4, 3, 0, 0});
}

TEST_CASE("another order among services is a difference, but of no service") {
  const auto a = line(1, "feed-0", kStarted), b = line(1, "feed-1", kStarted);
  const auto found = diff_of(kHead + a + b + kEnd, kHead + b + a + kEnd);
  REQUIRE(!found.same());
  REQUIRE(found.groups.empty());
  REQUIRE(diff_text(found).find("only their order among the services differs") != std::string::npos);
}

TEST_CASE("a run that ends earlier differs by what the other has in addition") {
  const auto a = line(1, "feed-0", kStarted), b = line(2, "feed-1", kStarted);
  const auto found = diff_of(kHead + a + kEnd, kHead + a + b + kEnd);
  REQUIRE(found.first->left.empty());
  REQUIRE(found.first->left_number == 0);
  REQUIRE(found.groups.front().different == 1);
  REQUIRE(diff_text(found).find("one run has nothing more") != std::string::npos);
}

TEST_CASE("runs with the same events that end in other ways differ by that") {
  const auto a = line(1, "feed-0", kStarted);
  const auto stalled = "{\"end\":\"stalled\",\"t_ns\":9,\"timers_fired\":2}\n";
  const auto found = diff_of(kHead + a + kEnd, kHead + a + stalled);
  REQUIRE(!found.same());
  REQUIRE(!found.first);
  REQUIRE(found.ends_say == "end: left \"finished\", right \"stalled\"");
}

TEST_CASE("without times what only comes earlier or later is the same") {
  const auto left = line(1, "feed-0", kStarted) + line(2, "feed-0", "\"kind\":\"ended\",\"lasted_ns\":1");
  const auto right = line(3, "feed-0", kStarted) + line(9, "feed-0", "\"kind\":\"ended\",\"lasted_ns\":6");
  REQUIRE(!diff_of(kHead + left, kHead + right).same());
  REQUIRE(diff_of(kHead + left, kHead + right, {.without_times = true}).same());
  const auto other = line(3, "feed-0", kStarted) + line(9, "feed-0", "\"kind\":\"running\"");
  REQUIRE(!diff_of(kHead + left, kHead + other, {.without_times = true}).same());
}

TEST_CASE("of a recording its events count, and not what was recorded between them") {
  const std::string recording = "{\"holdfast_recording\":1,\"version\":\"0.1.0\"}\n{\"clock_ns\":1}\n";
  const auto a = line(1, "feed-0", kStarted);
  REQUIRE(diff_of(recording + a, recording + "{\"clock_ns\":2}\n" + a).same());
}

TEST_CASE("a file that is not a trace, and a line that is not an event, are refused with their places") {
  const auto says = [](const std::string& left, const std::string& right) {
    try {
      (void)diff_of(left, right);
    } catch (const BadInput& bad) {
      return std::string{bad.what()};
    }
    return std::string{};
  };
  REQUIRE(says("hello\n", kHead).find("a.ndjson:1: is neither a trace nor a recording") == 0);
  REQUIRE(says(kHead, "").find("b.ndjson: is neither") == 0);
  REQUIRE(says(kHead + line(1, "feed-0", kStarted), kHead + "{\"kind\":\n") ==
          "b.ndjson:2: is not an event: a JSON object with the time \"t_ns\" is expected");
}

TEST_CASE("what differs between two lines is named key by key, in the order of the lines") {
  REQUIRE(differing_keys(R"({"a":1,"b":2,"c":3})", R"({"a":1,"b":5,"d":4})", "was", "is") ==
          "b: was 2, is 5; c: was 3, is nothing; d: was nothing, is 4");
  REQUIRE(differing_keys(R"({"a":1,"b":2})", R"({"b":2,"a":1})", "was", "is").empty());
}

Scenario small() {
  Scenario scenario;
  scenario.name = "small";
  scenario.seed = {3};
  scenario.duration = 10min;
  scenario.fleet.push_back({.name = "feed", .count = 5, .behaviour = {.runs_for = Exponential{1min}}});
  scenario.fleet.push_back({.name = "engine", .behaviour = {.runs_for = Fixed{50s}}});
  return scenario;
}

TEST_CASE("a run of a scenario is the same as its trace, and another seed differs from the first draw on") {
  const auto scenario = small();
  std::ostringstream trace;
  (void)rehearse(scenario, {.trace = &trace});
  std::istringstream in{trace.str()};
  const auto from_file = line_source(in, "run.ndjson");
  const auto from_run = line_source(scenario, std::nullopt, "small.toml");
  const auto same = diff(*from_file, *from_run);
  REQUIRE(same.same());
  REQUIRE(same.common > 50);
  REQUIRE(same.right == "small.toml, seed 3");
  const auto own = line_source(scenario, std::nullopt, "small.toml");
  const auto other = line_source(scenario, Seed{4}, "small.toml");
  const auto found = diff(*own, *other);
  REQUIRE(found.first);
  REQUIRE(found.groups.size() == 2);
}

// Services are not coupled: what one group's policy does is no other group's difference.
TEST_CASE("another policy of one group is a difference of that group alone") {
  const auto scenario = small();
  auto changed = scenario;
  changed.fleet[1].policy.restart = RestartPolicy::never;
  const auto left = line_source(scenario, std::nullopt, "a");
  const auto right = line_source(changed, std::nullopt, "b");
  const auto found = diff(*left, *right);
  REQUIRE(found.groups.size() == 1);
  REQUIRE(found.groups.front().name == "engine");
  REQUIRE(found.groups_alike == 1);
  const auto json = boost::json::parse(diff_json(found)).as_object();
  REQUIRE(json.at("verdict") == "different");
  REQUIRE(json.at("groups").at(0).at("name") == "engine");
}

TEST_CASE("an interrupted comparison gives what there is so far") {
  auto scenario = small();
  scenario.supervisor.backoff = {.base = 0s, .max = 0s, .breaker = std::nullopt};
  for (auto& group : scenario.fleet) group.behaviour.runs_for = Fixed{100ms};
  const auto left = line_source(scenario, std::nullopt, "a");
  const auto right = line_source(scenario, std::nullopt, "b");
  const auto found = diff(*left, *right, {.interrupted = [] { return true; }});
  REQUIRE(found.interrupted);
  REQUIRE(!found.first);
  REQUIRE(found.common == 4095);
}

}  // namespace

}  // namespace holdfast::diff_test
