// What is expected of a fleet once nothing is wrong any more.

#include <catch2/catch.hpp>

#include <string>

#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/rehearsal.hpp>

namespace holdfast::after_heal_test {

using namespace holdfast::sim;

namespace {

// "held: 1s after heal_at"
std::string verdict(const std::string& within, const std::string& rest, const std::string& duration = "1h") {
  const auto result = rehearse(parse_scenario(
      "name = \"t\"\nduration = \"" + duration +
          "\"\nheal_at = \"30s\"\n[supervisor]\nbackoff = { base = \"0s\", max = \"0s\", breaker = \"off\" }\n" + rest +
          "[expect]\nafter_heal_within = \"" + within + "\"\n",
      "t.toml", ""));
  for (const auto& expectation : result.expectations) {
    if (expectation.what == "after_heal_within") return (expectation.held ? "held: " : "missed: ") + expectation.found;
  }
  return "nothing";
}

// Its starts fail after 7 s: at 10 s, 17 s and 24 s, and the one at 31 s is ready at 36 s.
const std::string kOutage =
    "[[fleet]]\nname = \"a\"\nready = \"notified\"\nready_after = \"5s\"\n"
    "[[chaos]]\nat = \"10s\"\noutage = { for = \"40min\", fails_after = \"7s\" }\n";

}  // namespace

TEST_CASE("after the healing all services run within the time that is expected, to the nanosecond") {
  CHECK(verdict("6s", kOutage) == "held: 6s after heal_at");
  CHECK(verdict("5s999ms", kOutage) == "missed: 1 of 1 services were not running 5s999ms after heal_at");
  CHECK(verdict("1min", "[[fleet]]\nname = \"a\"\n") == "held: 0s after heal_at");
}

TEST_CASE("who is done is not expected to run, and who was given up is") {
  const std::string done = "[[fleet]]\nname = \"job\"\nrestart = \"never\"\nruns_for = \"5s\"\nthen = \"end\"\n";
  CHECK(verdict("6s", done + kOutage) == "held: 6s after heal_at");
  CHECK(verdict("1s", done) == "held: all done at 5s");
  const std::string given_up = "[[fleet]]\nname = \"job\"\nrestart = \"never\"\nruns_for = \"5s\"\nthen = \"fail\"\n";
  CHECK(verdict("10min", given_up + kOutage) == "missed: 1 of 2 services were not running 10min after heal_at");
}

TEST_CASE("a fleet that keeps itself down after the healing is found, and one that does not is not") {
  const auto storm = [](const std::string& stale) {
    return "[[resource]]\nname = \"db\"\ntakes = \"100ms\"\nstale = \"" + stale +
           "\"\n[[fleet]]\nname = \"client\"\ncount = 100\nneeds = { resource = \"db\", gives_up_after = \"1s\" }\n"
           "[[chaos]]\nat = \"15s\"\nstorm = {}\n";
  };
  // The resource serves ten a second, and each of a hundred clients gives up after a second and asks again.
  CHECK_THAT(verdict("5min", storm("served"), "6min"), Catch::StartsWith("missed: "));
  CHECK_THAT(verdict("5min", storm("dropped"), "6min"), Catch::StartsWith("held: "));
}

TEST_CASE("a run that ends before the healing shows nothing, and one that ends early is judged at its end") {
  CHECK(verdict("1s", kOutage + "[budget]\nvirtual_time = \"20s\"\n") ==
        "missed: the end of the run at 20s, before heal_at");
  CHECK(verdict("1h", kOutage + "[budget]\nvirtual_time = \"30s500ms\"\n", "2h") ==
        "missed: 1 of 1 services were not running 500ms after heal_at");
}

}  // namespace holdfast::after_heal_test
