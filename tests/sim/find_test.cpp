// What a query finds: in a run that was computed by hand, and what is no query.
#include <catch2/catch.hpp>

#include <rapidcheck.h>

#include <array>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include <holdfast_sim/find/find.hpp>
#include <holdfast_sim/find/query.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/present/find_text.hpp>
#include <holdfast_sim/rehearsal.hpp>

namespace holdfast::find_test {

namespace {

using namespace holdfast::sim;
using namespace std::chrono_literals;

// "bad" starts at 0 s, 11 s and 22 s, and its breaker opens with the third failure at 23 s. The outage ends the runs of
// both feeds at 600 s; they start at 610 s and 621 s, and their breakers open at 622 s. "api" runs to the end at 30
// min.
const std::string kByHand = R"(
name = "by hand"
duration = "30min"
seed = 5
[supervisor.backoff]
base = "10s"
max = "10s"
growth = "fixed"
jitter = "none"
cooldown = "1h"
breaker = { max_failures = 3, window = "10min" }
[[fleet]]
name = "feed"
count = 2
[[fleet]]
name = "bad"
runs_for = "1s"
then = "fail"
[[fleet]]
name = "api"
[[chaos]]
at = "10min"
outage = { of = "feed", for = "1h", fails_after = "1s" }
)";

Scenario by_hand() { return parse_scenario(kByHand, "by_hand.toml", "."); }

FindResult found(const std::string& text) {
  const Scenario scenario = by_hand();
  const Query query = parse_query(text);
  return Finder{scenario, query}.find(scenario.seed);
}
std::uint64_t count(const std::string& text) { return found(text).count; }

std::string refused(const std::string& text) {
  const auto roster = roster_of(by_hand());
  try {
    (void)parse_query(text, &roster);
  } catch (const BadQuery& bad) {
    return bad.what();
  }
  return "taken";
}

TEST_CASE("events are found by their kind, service, group and fields") {
  const auto trips = found("breaker_tripped");
  REQUIRE(trips.count == 3);
  REQUIRE(trips.first.size() == 3);
  REQUIRE(trips.first[0].at == TimePoint{} + 23s);
  REQUIRE(trips.first[0].service == "bad");
  REQUIRE(trips.first[2].at == TimePoint{} + 622s);
  REQUIRE(trips.first[2].service == "feed-1");
  REQUIRE(count("breaker_tripped of feed") == 2);
  REQUIRE(count("breaker_tripped of feed-1") == 1);
  REQUIRE(count("ended outcome=failed") == 9);
  REQUIRE(count("ended outcome=failed lasted<2s") == 7);
  REQUIRE(count("ended outcome=failed lasted>1s") == 2);
  REQUIRE(count("ended of feed lasted=1s") == 4);
  REQUIRE(count("outage cause=outage") == 2);
  REQUIRE(count("terminated reason!=circuit_open") == 0);
  REQUIRE(count("breaker_tripped from 23s until 10min") == 1);
  REQUIRE(count("breaker_tripped from 24s until 622s") == 2);
}

TEST_CASE("what comes before an event is of the same service, and its length of time is included") {
  REQUIRE(count("breaker_tripped not preceded by outage within 5min") == 1);
  REQUIRE(found("breaker_tripped not preceded by outage").first[0].service == "bad");
  REQUIRE(count("breaker_tripped preceded by outage within 22s") == 2);
  REQUIRE(count("breaker_tripped preceded by outage within 21999ms") == 0);
  REQUIRE(count("breaker_tripped of feed preceded by breaker_tripped of bad within 10min") == 2);
  REQUIRE(count("breaker_tripped of feed preceded by breaker_tripped of bad within 9min") == 0);
  REQUIRE(count("breaker_tripped preceded by breaker_tripped") == 0);         // each service has one
  REQUIRE(count("breaker_tripped preceded by breaker_tripped of any") == 2);  // an event does not precede itself
}

TEST_CASE("what comes after an event is looked for up to the end of the run") {
  REQUIRE(count("outage followed by breaker_tripped within 22s") == 2);
  REQUIRE(count("outage followed by breaker_tripped within 21s") == 0);
  REQUIRE(count("outage not followed by breaker_tripped within 21s") == 2);
  REQUIRE(count("started of bad followed by breaker_tripped") == 3);
  REQUIRE(count("started of bad followed by breaker_tripped within 1s") == 1);
  REQUIRE(count("breaker_tripped of bad followed by outage") == 0);
  REQUIRE(count("breaker_tripped of bad followed by outage of feed") == 1);
  REQUIRE(count("outage not followed by started of api") == 2);
}

TEST_CASE("what the end came too early for is not decided") {
  const auto early = found("outage not followed by killed within 20min1ns");
  REQUIRE(early.count == 0);
  REQUIRE(early.undecided == 2);
  const auto decided = found("outage not followed by killed within 20min");
  REQUIRE(decided.count == 2);
  REQUIRE(decided.undecided == 0);
}

TEST_CASE("a property is found in the runs where it holds, with the event that decided it") {
  const auto down = found("eventually feed: running 0");
  REQUIRE(down.count == 1);
  REQUIRE(down.first[0].at == TimePoint{} + 10min);
  REQUIRE(down.first[0].number == found("backing_off of feed-1").first[0].number);
  REQUIRE(count("not always feed: running 2") == 1);
  REQUIRE(count("always feed: running at most 2") == 1);
  REQUIRE(count("never api: backing_off at least 1") == 1);
  REQUIRE(count("whenever feed: running at most 1, eventually feed: running 2") == 0);
  REQUIRE(count("not whenever feed: running at most 1, eventually feed: running 2") == 1);
  REQUIRE(count("eventually bad: failures at least 3 within 23s") == 1);
  REQUIRE(count("eventually bad: failures at least 3 within 22s") == 0);  // at 1 s and 23 s: 22 s ago counts no more
}

TEST_CASE("a query in a trace finds the same as in its run") {
  std::stringstream trace;
  (void)rehearse(by_hand(), {.trace = &trace});
  const std::string text = "breaker_tripped not preceded by outage within 5min";
  const Query query = parse_query(text);
  auto of_run = found(text);
  const auto of_trace = find_in_trace(trace, "by_hand.ndjson", query, text);
  REQUIRE(of_trace == of_run);
  std::istringstream none;
  const Query property = parse_query("eventually running 0");
  REQUIRE_THROWS_AS(find_in_trace(none, "by_hand.ndjson", property, "eventually running 0"), BadQuery);
}

TEST_CASE("what is no query is refused with the column and with what would be right") {
  REQUIRE(refused("") ==
          "column 1: looks for nothing; write a kind of event, like \"breaker_tripped of feed\", or a "
          "property, like \"eventually feed: running at most 2\"");
  REQUIRE(refused("breaker_triped")
              .find("column 1: \"breaker_triped\" is not a kind of event; did you mean "
                    "\"breaker_tripped\"?") == 0);
  REQUIRE(refused("kill") == "column 1: \"kill\" may be each of these kinds of event: killed, kill_threw");
  REQUIRE(refused("killed of fed").find("column 11: \"fed\" is no group and no service; did you mean \"feed\"?") == 0);
  REQUIRE(refused("killed of feed-2").find("column 11: \"feed-2\" is no group and no service") == 0);
  REQUIRE(refused("killed of feed-1") == "taken");
  REQUIRE(refused("killed within 5min").find("column 8: \"within\" is not expected here") == 0);
  REQUIRE(refused("killed not") == "column 11: \"not\" needs \"preceded by\" or \"followed by\" and a kind of event");
  REQUIRE(refused("killed preceded outage") == "column 17: \"preceded\" needs \"by\" and a kind of event");
  REQUIRE(refused("killed preceded by") == "column 19: ends too early: a kind of event is expected here");
  REQUIRE(refused("killed preceded by outage within 5").find("column 34: \"5\" is not a length of time; write ") == 0);
  REQUIRE(refused("ended outcom=failed")
              .find("column 7: \"outcom\" is not a field of \"ended\"; did you mean "
                    "\"outcome\"?") == 0);
  REQUIRE(refused("ended outcome=faild")
              .find("column 15: \"faild\" is none of the words of \"outcome\"; did you mean "
                    "\"failed\"?") == 0);
  REQUIRE(refused("ended outcome<failed").find("column 14: \"<\" is for numbers and lengths of time") == 0);
  REQUIRE(refused("started run=1") == "column 9: \"run\" is not a field of \"started\", which has none");
  REQUIRE(refused("killed from 2s until 1s") == "column 22: \"until\" is before \"from\": no event is between them");
  REQUIRE(refused("killed of \"feed") == "column 11: this quotation mark is never closed");
  REQUIRE(refused("eventually runing 0")
              .find("column 12: \"runing\" is nothing that is counted; did you mean "
                    "\"running\"?") == 0);
  REQUIRE(refused("eventually running").find("column 19: ends too early: a whole number") == 0);
  REQUIRE(refused("eventually restarts 3").find("column 22: starts, restarts and failures are counted \"within\"") ==
          0);
  REQUIRE(refused("whenever running 0 eventually running 1").find("column 20: behind the condition of \"whenever\"") ==
          0);
  REQUIRE(refused("eventually running 5 to 3") == "column 20: the smaller number stands first");
}

TEST_CASE("a word of a kind stands for it where no other kind has it") {
  REQUIRE(in_words(parse_query("trip not preceded by outage within 300s")) ==
          "breaker_tripped not preceded by outage within 5min");
}

// Words in any order: mostly no query, and never anything but a BadQuery. Each that is one is read again from its
// words.
TEST_CASE("a query is the same when it is read again from its words") {
  constexpr std::array<std::string_view, 44> kWords{
      "whenever", "always",  "never",  "eventually", "not",    "preceded", "followed", "by",      "within",
      "of",       "any",     "from",   "until",      "before", "in",       "drain",    "at",      "least",
      "most",     "to",      ",",      ":",          "feed",   "\"a b\"",  "5min",     "1s",      "3",
      "1",        "running", "lost",   "restarts",   "ended",  "outcome",  "=",        "!=",      "<",
      ">",        "failed",  "lasted", "outage",     "killed", "drained",  "trip",     "failures"};
  const auto check = [](const std::string& text) {
    try {
      const Query query = parse_query(text);
      const std::string words = in_words(query);
      if (words.find("a b:") == std::string::npos) RC_ASSERT(parse_query(words) == query);
      return true;
    } catch (const BadQuery& bad) {
      RC_ASSERT(bad.column() >= 1 && bad.column() <= text.size() + 1);
      return false;
    }
  };
  for (const std::string text :
       {"killed of \"a b\" not followed by ended outcome=failed of any lasted>1s within 5min from 1s until 2s",
        "not whenever feed: running 1 to 3, lost at most 1, eventually feed: running at least 3 within 5min",
        "never restarts at least 3, failures 1 within 1s, before feed: running 1, from 1s, until 5min, in drain"}) {
    REQUIRE(check(text));
  }
  rc::check([&] {
    std::string text;
    for (const auto word :
         *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, kWords.size()))) {
      text += (text.empty() ? "" : " ") + std::string{kWords[word]};
    }
    (void)check(text);
  });
  rc::check([&](const std::string& text) { (void)check(text); });
}

TEST_CASE("the runs of a sweep are counted with their first examples") {
  FoundInRuns all{2};
  const auto add = [&all](std::uint64_t seed, std::vector<std::uint64_t> numbers) {
    FindResult found{.seed = seed, .count = numbers.size()};
    for (const auto number : numbers) {
      found.first.push_back({.at = TimePoint{} + 1s, .number = number, .service = "feed", .kind = "killed"});
    }
    all.add(found);
  };
  add(1, {});
  add(2, {7, 9, 11});
  add(3, {8});
  add(4, {5, 6});
  REQUIRE(all.runs() == 4);
  REQUIRE(all.runs_with() == 3);
  REQUIRE(all.events() == 6);
  REQUIRE(all.seeds() == std::vector<std::uint64_t>{2, 3, 4});
  const auto examples = all.examples();
  REQUIRE(examples.size() == 2);
  REQUIRE(examples[0].event.number == 7);
  REQUIRE(examples[1].event.number == 8);
  const Searched searched{.scenario = "x",
                          .query = "killed",
                          .first_seed = 1,
                          .last_seed = 4,
                          .found = all,
                          .command = [](auto seed, auto) { return "explain " + std::to_string(seed); }};
  REQUIRE(searched_text(searched) ==
          "x · seeds 1..4\nkilled\n\nfound in 3 of 4 runs, 6 times in all: 1 to 3 in each of them, 2 in the median\n"
          "seeds 2, 3, 4\n\nthe first of the first runs\n  seed 2, 1s: killed of feed\n    explain 2\n"
          "  seed 3, 1s: killed of feed\n    explain 3\n");
  const auto json = boost::json::parse(searched_json(searched));
  REQUIRE(json.at("runs_with").as_int64() == 3);
  REQUIRE(json.at("per_run").at("median").as_int64() == 2);
  REQUIRE(json.at("examples").at(1).at("command").as_string() == "explain 3");
}

}  // namespace

}  // namespace holdfast::find_test
