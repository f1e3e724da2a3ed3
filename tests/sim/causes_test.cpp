// Why something happened: chains whose every time is computed by hand.
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/explain/detail/history.hpp>
#include <holdfast_sim/explain/explain.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/present/explain_text.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::causes_test {

namespace {

using namespace holdfast::sim;
using Lines = std::vector<std::string>;

// Waits of 1s, 2s, 4s, … so that every time can be written down.
constexpr std::string_view kOutage = R"(
name = "by hand"
duration = "1h"
[supervisor.backoff]
base = "1s"
jitter = "none"
breaker = { max_failures = 4, window = "1min" }
[[fleet]]
name = "feed"
count = 2
[[chaos]]
at = "10min"
outage = { of = "feed-1", for = "1min", fails_after = "100ms" }
[expect]
circuit_open = 0
)";

Scenario scenario_of(std::string_view text) { return parse_scenario(text, "by hand.toml", ""); }

Explained explained(std::string_view text, const std::string& event = "") {
  const Scenario scenario = scenario_of(text);
  ExplainOptions options;
  if (!event.empty()) options.event = parse_selector(event);
  return explain(scenario, rehearse(scenario), options);
}

Lines lines_of(const std::vector<Link>& chain) {
  Lines lines;
  for (const Link& link : chain) lines.push_back(to_string(link.at) + "  " + link.says);
  return lines;
}

Lines chain_of(std::string_view text, const std::string& event = "") {
  const auto all = explained(text, event);
  REQUIRE_FALSE(all.explanations.empty());
  return lines_of(all.explanations.front().chain);
}

std::string replaced(std::string_view text, std::string_view old, std::string_view with) {
  std::string result{text};
  const auto at = result.find(old);
  REQUIRE(at != std::string::npos);
  return result.replace(at, old.size(), with);
}

std::string message_of(std::string_view text, const std::string& event) {
  try {
    (void)explained(text, event);
  } catch (const BadSelector& bad) {
    return bad.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an outage that is longer than the breaker's patience leads to the loss, failure by failure") {
  const auto all = explained(kOutage);
  REQUIRE(all.explanations.size() == 1);
  const auto& lost = all.explanations.front();
  REQUIRE(lost.says == "circuit_open: expected 0, found 1 (feed-1)");
  REQUIRE(lost.about == "The first that was too many: feed-1");
  REQUIRE(lines_of(lost.chain) ==
          Lines{"10min  chaos[0]: an outage begins; until 11min each start fails after 100ms",
                "10min  run 1 fails with it, after 10min: \"outage\"", "10min  failure 1 in a row: it waits 1s",
                "10min1s  run 2 begins, although the outage lasts until 11min",
                "10min1s100ms  run 2 fails after 100ms, because it began within the outage: \"outage\"",
                "10min3s200ms  1 more like it, the last at 10min3s200ms, after waits of 2s",
                "10min3s200ms  failure 3 in a row: it waits 4s",
                "10min7s200ms  run 4 begins, although the outage lasts until 11min",
                "10min7s300ms  run 4 fails after 100ms, because it began within the outage: \"outage\"",
                "10min7s300ms  the breaker opens: 4 failures within 7.3s, and max_failures is 4 within 1min",
                "10min7s300ms  it is given up: circuit breaker open (4/4 failures)"});
  REQUIRE(lost.afterwards == "What made it fail was over at 11min, 52.7s later.");
}

TEST_CASE("a link has what brought it about, its entry of chaos and its number in the run") {
  const auto chain = explained(kOutage, "feed-1 started #2").explanations.front().chain;
  REQUIRE(chain.size() == 4);
  REQUIRE(chain[0].by == CauseKind::disturbance);
  REQUIRE(chain[0].chaos == 0);
  REQUIRE(chain[1].by == CauseKind::disturbance);
  REQUIRE(chain[2].by == CauseKind::draw);
  REQUIRE(chain[3].by == CauseKind::timer);
  REQUIRE(chain[3].kind == "started");
  REQUIRE(chain[3].run == 2);
  const auto by_number = explained(kOutage, std::to_string(chain[3].number));
  REQUIRE(lines_of(by_number.explanations.front().chain) == lines_of(chain));
}

TEST_CASE("the lines of the file stand beside the entries of chaos") {
  const Scenario scenario = scenario_of(kOutage);
  const auto all = explain(scenario, rehearse(scenario), {.chaos_lines = chaos_lines(kOutage, "by hand.toml")});
  REQUIRE(all.explanations.front().chain.front().line == 11);
  REQUIRE(all.explanations.front().chain.front().says.starts_with("chaos[0] (line 11): an outage begins"));
}

TEST_CASE("a hang leads from its beginning over the watchdog and the kill to the failure") {
  REQUIRE(chain_of(R"(
name = "hang"
duration = "1h"
[supervisor]
stop_grace = "5s"
[[fleet]]
name = "worker"
watchdog = "10s"
on_kill = "obey"
[[chaos]]
at = "9min"
hang = { for = "5s" }
[[chaos]]
at = "10min1s"
hang = {}
[expect]
killed_runs = 0
failures = 0
)",
                   "worker ended #1") ==
          Lines{"10min1s  chaos[1]: it hangs for ever",
                "10min5s  its run gives no sign of life any more; the latest was at 10min",
                "10min10s  run 1 has given no sign of life for 10s (watchdog), and is asked to stop",
                "10min15s  run 1 is killed: it has not stopped within 5s",
                "10min15s  run 1 ends by the kill: \"no heartbeat for 10s: simulated kill\""});
}

TEST_CASE("a start that takes too long is explained by how long it would have taken") {
  REQUIRE(chain_of(R"(
name = "slow"
duration = "1min"
[[fleet]]
name = "db"
ready = "notified"
ready_after = "40s"
start_timeout = "30s"
[expect]
failed_starts = 0
)") == Lines{"0s  the service is added", "0s  run 1 begins, its first",
             "30s  run 1 is not ready within its start_timeout of 30s, and is asked to stop: ready_after is 40s",
             "30s  run 1 has failed with that: \"not ready within 30s\""});
}

TEST_CASE("a restart that waits for its turn says how many waited before it") {
  REQUIRE(chain_of(R"(
name = "limited"
duration = "1h"
[supervisor]
restart_limit = { every = "10s", burst = 1 }
backoff = { base = "0s", max = "0s", breaker = "off" }
[[fleet]]
name = "web"
count = 4
[[chaos]]
at = "1min"
storm = {}
[expect]
recovery_max = "20s"
)") == Lines{"1min  chaos[0]: its run is made to fail: \"storm\"", "1min  run 1 fails with it, after 1min: \"storm\"",
             "1min  failure 1 in a row: it waits 0s",
             "1min  it waits for its turn: restart_limit lets one service start in 10s, 1 at once, and 2 other "
             "services wait already",
             "1min30s  run 2 begins, after 30s in the queue", "1min30s  run 2 is running"});
}

TEST_CASE("a missed availability is explained by the service that was down longest") {
  const auto all = explained(R"(
name = "available"
duration = "1h"
[supervisor]
backoff = { base = "1s", jitter = "none", breaker = "off" }
[[fleet]]
name = "a"
[[fleet]]
name = "b"
[[chaos]]
at = "10min"
storm = { of = "a" }
[[chaos]]
at = "20min"
outage = { of = "b", for = "2500ms", fails_after = "1s" }
[expect]
availability_min = 0.9999
)");
  const auto& missed = all.explanations.front();
  REQUIRE(missed.about == "Down longest: b was down for 3s in all, 2s of it in a row, from 20min2s on.");
  REQUIRE(lines_of(missed.chain) ==
          Lines{"20min  chaos[1]: an outage begins; until 20min2s500ms each start fails after 1s",
                "20min  run 1 fails with it, after 20min: \"outage\"", "20min  failure 1 in a row: it waits 1s",
                "20min1s  run 2 begins, although the outage lasts until 20min2s500ms",
                "20min2s  run 2 fails after 1s, because it began within the outage: \"outage\"",
                "20min2s  failure 2 in a row: it waits 2s", "20min4s  run 3 begins", "20min4s  run 3 is running"});
}

TEST_CASE("a bound on the whole fleet is explained by the event that passed it, or that ended what took too long") {
  const auto all = explained(R"(
name = "fleet"
duration = "1h"
[supervisor]
backoff = { base = "1s", jitter = "none" }
[[fleet]]
name = "web"
count = 3
on_stop = { takes = "5s" }
[[chaos]]
at = "1min"
storm = {}
[[chaos]]
at = "30min"
shutdown = true
[expect]
down_at_once_max = 1
restarts_a_second_max = 1
storm_max = 1
drain_max = "1s"
)");
  Lines ends;
  for (const auto& one : all.explanations) {
    REQUIRE_FALSE(one.chain.empty());
    const Link& last = one.chain.back();
    ends.push_back(one.what + "  " + to_string(last.at) + "  " + last.service + "  " + last.kind);
  }
  REQUIRE(ends == Lines{"down_at_once_max  1min  web-2  ended", "restarts_a_second_max  1min1s  web-2  started",
                        "storm_max  1min  web-0  ended", "drain_max  30min5s    drained"});
}

TEST_CASE("a failure of its own is a draw, and a row of them is one chain") {
  constexpr std::string_view kFlapping = R"(
name = "flapping"
duration = "1h"
[supervisor.backoff]
base = "1s"
max = "1s"
jitter = "none"
breaker = { max_failures = 3, window = "1h" }
[[fleet]]
name = "feed"
runs_for = "1min"
then = "fail"
)";
  REQUIRE(chain_of(kFlapping) ==
          Lines{"1min  run 1 fails by itself after 1min, as runs_for says: \"simulated failure\"",
                "1min  failure 1 in a row: it waits 1s", "1min1s  run 2 begins",
                "2min1s  run 2 fails by itself after 1min, as runs_for says: \"simulated failure\"",
                "2min1s  failure 2 in a row: it waits 1s", "2min2s  run 3 begins",
                "3min2s  run 3 fails by itself after 1min, as runs_for says: \"simulated failure\"",
                "3min2s  the breaker opens: 3 failures within 2min2s, and max_failures is 3 within 1h",
                "3min2s  it is given up: circuit breaker open (3/3 failures)"});
  // One failure alone has nothing before it.
  REQUIRE(chain_of(kFlapping, "feed ended #2") ==
          Lines{"2min1s  run 2 fails by itself after 1min, as runs_for says: \"simulated failure\""});
}

TEST_CASE("a host that boots starts its service by command, and a shutdown comes from its entry") {
  constexpr std::string_view kHost = R"(
name = "host"
duration = "1h"
[[fleet]]
name = "node"
[[chaos]]
at = "10min"
outage = { for = "5min", mode = "gone" }
[[chaos]]
at = "30min"
shutdown = true
)";
  REQUIRE(chain_of(kHost, "node started") ==
          Lines{"10min  chaos[0]: its host goes off until 15min, and the supervisor with it",
                "15min  its host is on again, and starts it",
                "15min  run 1 is asked to stop, because of the command \"restart\"", "15min  run 1 stops",
                "15min  run 2 begins"});
  REQUIRE(chain_of(kHost, "node terminated") ==
          Lines{"30min  chaos[1]: the supervisor is asked to shut down, within 30s",
                "30min  run 2 is asked to stop, because of the shutdown", "30min  run 2 stops",
                "30min  it has stopped, as it was asked to"});
  const auto drained = chain_of(kHost, "drained");
  REQUIRE(drained.size() == 5);
  REQUIRE(drained.back() == "30min  the shutdown is over: every service has stopped");
}

TEST_CASE("a run that waits for a resource says what has taken it away") {
  REQUIRE(chain_of(R"(
name = "resource"
duration = "30s"
[supervisor]
backoff = { base = "0s", max = "0s", breaker = "off" }
[[resource]]
name = "db"
slots = 1
takes = "0s"
[[fleet]]
name = "web"
needs = { resource = "db", gives_up_after = "5s" }
[[chaos]]
at = "10s"
capacity = { of = "db", slots = 0 }
[[chaos]]
at = "10s"
storm = {}
)",
                   "web ended #2") == Lines{"10s  chaos[1]: its run is made to fail: \"storm\"",
                                            "10s  run 1 fails with it, after 10s: \"storm\"",
                                            "10s  failure 1 in a row: it waits 0s", "10s  run 2 begins",
                                            "10s  its run waits for \"db\", which has 0 slots because of chaos[0]",
                                            "15s  run 2 gives up waiting, after 5s: \"simulated: gave up on db\""});
}

TEST_CASE("a bad configuration is the cause of what starts with it") {
  const auto chain = chain_of(replaced(kOutage, "outage = { of = \"feed-1\", for", "poison = { of = \"feed-1\", for") +
                                  "[[chaos]]\nat = \"10min30s\"\nstorm = { of = \"feed-1\" }\n",
                              "feed-1 breaker_tripped");
  REQUIRE(chain.front() ==
          "10min  chaos[0]: its configuration is bad from now on; until 11min each start fails after 100ms");
  REQUIRE(chain.at(4) == "10min31s  run 2 begins, while starts fail until 11min");
  REQUIRE(chain.at(5) == "10min31s100ms  run 2 fails after 100ms, because it began while starts fail: \"poison\"");
}

TEST_CASE("what comes late because the supervisor's timer does is explained by that") {
  constexpr std::string_view kDrain = R"(
name = "by hand"
[supervisor]
shutdown_timeout = "10s"
stop_grace = "1h"
restart_limit = { every = "20s", burst = 1 }
backoff = { base = "1s", max = "1s", jitter = "none", breaker = "off" }
[[fleet]]
name = "s"
count = 2
on_stop = "ignore"
[[chaos]]
at = "1s"
storm = {}
[[chaos]]
at = "5s"
late_timers = { by = "2s" }
[[chaos]]
at = "1min"
shutdown = true
)";
  REQUIRE(chain_of(kDrain, "s-1 started #2") ==
          Lines{"1s  chaos[0]: its run is made to fail: \"storm\"", "1s  run 1 fails with it, after 1s: \"storm\"",
                "1s  failure 1 in a row: it waits 1s",
                "2s  it waits for its turn: restart_limit lets one service start in 20s, 1 at once",
                "22s  chaos[1]: the supervisor's timer is late; what is due now comes at 24s",
                "24s  run 2 begins, after 22s in the queue"});
  REQUIRE(chain_of(kDrain, "s-1 terminated") ==
          Lines{"1min  chaos[2]: the supervisor is asked to shut down, within 10s",
                "1min  run 2 is asked to stop, because of the shutdown",
                "1min10s  chaos[1]: the supervisor is late; the deadline of the drain, which is now, comes at 1min12s",
                "1min12s  it is given up: abandoned after 12s"});
}

TEST_CASE("what an operator changes is explained by the entry, where only one can have done it") {
  constexpr std::string_view kChanges = R"(
name = "by hand"
duration = "1min"
[[fleet]]
name = "web"
count = 2
joins = "later"
[[chaos]]
at = "10s"
add = { of = "web-0" }
[[chaos]]
at = "20s"
reconfigure = { of = "web", stop_grace = "5s" }
[[chaos]]
at = "30s"
add = {}
[[chaos]]
at = "40s"
reconfigure = { of = "web-1", stop_grace = "6s" }
)";
  REQUIRE(chain_of(kChanges, "web-0 added") == Lines{"10s  chaos[0]: an operator adds the service"});
  REQUIRE(chain_of(kChanges, "web-1 added") == Lines{"30s  chaos[2]: an operator adds the service"});
  REQUIRE(chain_of(kChanges, "web-0 reconfigured") == Lines{"20s  chaos[1]: an operator gives it another policy"});
  REQUIRE(chain_of(kChanges, "web-1 reconfigured") == Lines{"40s  an operator gives it another policy"});
}

TEST_CASE("a property of the course of the run is explained by the event that broke it") {
  const auto course = [](std::string_view property) {
    return chain_of(replaced(kOutage, "circuit_open = 0\n", "[[expect.property]]\nname = \"restarts\"\n") +
                    std::string{property});
  };
  // At that instant feed-1 has crashed, and waits.
  REQUIRE(course("always = { of = \"feed\", running = 2 }\n").back() == "10min  failure 1 in a row: it waits 1s");
  REQUIRE(course("never = { restarts = { min = 2 }, window = \"1min\" }\n").back() ==
          "10min3s100ms  run 3 begins, although the outage lasts until 11min");
}

TEST_CASE("a violated rule is explained by the event that violated it") {
  const Scenario scenario = scenario_of(kOutage);
  RehearsalResult result = rehearse(scenario);
  result.violations.push_back({.rule = Rule::time_never_goes_backwards,
                               .service = "feed-1",
                               .at = TimePoint{} + std::chrono::minutes{10} + std::chrono::seconds{1},
                               .says = "by hand"});
  const auto all = explain(scenario, result);
  REQUIRE(all.explanations.front().of == Explanation::Of::rule);
  REQUIRE(all.explanations.front().chain.back().kind == "running");
  REQUIRE(all.explanations.front().chain.back().run == 2);
}

TEST_CASE("where everything held, what was most remarkable is explained") {
  const auto all = explained(replaced(kOutage, "for = \"1min\"", "for = \"2s\""));
  REQUIRE(all.verdict == RehearsalVerdict::held);
  REQUIRE(all.explanations.front().of == Explanation::Of::remarkable);
  REQUIRE(all.explanations.front().chain.back().says == "run 3 is running");
}

TEST_CASE("no more than so many are explained, and the others are named") {
  const Scenario scenario =
      scenario_of(std::string{kOutage} + "circuit_breaker_trips = 0\nterminated = 0\nfailures = 0\nrestarts = 0\n");
  const auto all = explain(scenario, rehearse(scenario), {.explanations_max = 2});
  REQUIRE(all.explanations.size() == 2);
  REQUIRE(all.more.size() == 3);
}

TEST_CASE("an explanation is the same each time, and who keeps a history changes no run") {
  const Scenario scenario = scenario_of(kOutage);
  const auto result = rehearse(scenario);
  REQUIRE(explained_json(explain(scenario, result)) == explained_json(explain(scenario, result)));
  Digest digest;
  sim::detail::History history{"feed-1", UINT64_MAX};
  Simulation simulation{scenario, {&history, &digest}};
  REQUIRE(simulation.run_to_end());
  REQUIRE(digest.text() == result.digest);
}

TEST_CASE("of more events than are kept the beginning of the row and the latest stay") {
  const auto all = explained(R"(
name = "long"
duration = "10min"
[supervisor]
backoff = { base = "1ms", max = "1ms", jitter = "none", breaker = "off" }
[[fleet]]
name = "feed"
[[chaos]]
at = "1min"
outage = { for = "1min", fails_after = "1ms" }
)");
  const auto& longest = all.explanations.front();
  REQUIRE(longest.cut);
  REQUIRE(longest.chain.front().chaos == 0);
  REQUIRE(longest.chain.at(1).says == "run 1 fails with it, after 1min: \"outage\"");
  // A cycle takes 2 ms, so 30 000 runs fail after the first: all of them but the first and the last are folded.
  REQUIRE(longest.chain.at(5).folded == 29'998);
  REQUIRE(longest.chain.back().run == 30'002);
}

TEST_CASE("an event that never came is answered with what there is") {
  REQUIRE(
      message_of(kOutage, "fed-1 terminated") ==
      R"("fed-1 terminated" is no event: no service or group is called "fed-1"; did you mean "feed-1"? There are: feed)");
  REQUIRE(message_of(kOutage, "feed-0 terminated") ==
          R"("feed-0 terminated" is no event; the events of feed-0 are added (1), started (1), running (1))");
  REQUIRE(message_of(kOutage, "feed-1 started #9") ==
          R"("feed-1 started #9" is no event: of started there are only 4)");
  REQUIRE(message_of(kOutage, "feed-1 terminatd")
              .starts_with(
                  R"("feed-1 terminatd" is no event: "terminatd" is no kind of event; did you mean "terminated"? )"));
  REQUIRE(message_of(kOutage, "999") == R"("999" is no event: the run has 23 events, from 1 on)");
}

TEST_CASE("a selector is a service, a kind and a number, and a name may have blanks") {
  const auto whole = parse_selector("my feed breaker_tripped #2");
  REQUIRE(whole.service == "my feed");
  REQUIRE(whole.kind == "breaker_tripped");
  REQUIRE(whole.nth == 2);
  REQUIRE(parse_selector("drained").service.empty());
  REQUIRE(parse_selector("drained").kind == "drained");
  REQUIRE(parse_selector(" my feed ").service == "my feed");
  REQUIRE(parse_selector("17").number == 17);
  for (const auto* const bad : {"", " ", "0", "feed #2", "feed ended #0", "feed ended #x"}) {
    REQUIRE_THROWS_AS(parse_selector(bad), BadSelector);
  }
}

TEST_CASE("a chain is shortened in its middle, where it says least") {
  const auto chain = explained(kOutage).explanations.front().chain;
  const auto few = shortened(chain, 6);
  REQUIRE(few.size() == 6);
  REQUIRE(few.front().says == chain.front().says);
  REQUIRE(few.back().says == chain.back().says);
  REQUIRE(std::any_of(few.begin(), few.end(), [](const Link& link) { return link.kind == "breaker_tripped"; }));
  REQUIRE(std::none_of(few.begin(), few.end(), [](const Link& link) { return link.kind == "started"; }));
}

TEST_CASE("text of a chain stays within sixty columns") {
  const std::string text = explained_text(explained(kOutage), {.width = 60});
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = text.find('\n', begin);
    REQUIRE(end - begin <= 62);  // an ellipsis has three bytes
    begin = end + 1;
  }
}

TEST_CASE("what an operator does is a cause, named where only one entry can have done it") {
  constexpr std::string_view kStopped = R"(
name = "by hand"
duration = "1h"
[[fleet]]
name = "feed"
count = 2
[[chaos]]
at = "10min"
command = { of = "feed-1", do = "stop" }
)";
  CHECK(chain_of(kStopped, "feed-1 terminated") ==
        Lines{"10min  chaos[0]: an operator gives it the command \"stop\"",
              "10min  run 1 is asked to stop, because of the command \"stop\"", "10min  run 1 stops",
              "10min  it has stopped, as it was asked to"});
  const std::string more = std::string{kStopped} + "[[chaos]]\nat = \"5min\"\n";
  CHECK(chain_of(more + "command = { of = \"feed-0\", do = \"stop\" }\n", "feed-1 commanded") ==
        Lines{"10min  chaos[0]: an operator gives it the command \"stop\""});
  CHECK(chain_of(more + "command = { of = \"feed\", do = \"stop\" }\n", "feed-1 commanded").back() ==
        "10min  an operator gives it the command \"stop\"");
  CHECK(chain_of(more + "command = { of = \"fe*-1\", do = \"stop\" }\n", "feed-1 commanded #1") ==
        Lines{"5min  chaos[1]: an operator gives it the command \"stop\""});
}

}  // namespace holdfast::causes_test
