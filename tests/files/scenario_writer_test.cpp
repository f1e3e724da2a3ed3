// Scenarios and recorded traces, written and read: nothing is lost, and what no file can say is refused.
#include <rapidcheck.h>

#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <holdfast/file/toml_text.hpp>
#include <holdfast_sim/format/recorded_trace_writer.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/format/scenario_writer.hpp>

#include "generated_scenarios.hpp"
#include "scenario_keys.hpp"

namespace holdfast::scenario_writer_test {

namespace {

using namespace holdfast::sim;
using namespace holdfast::test;
namespace fs = std::filesystem;

const fs::path kSource = HOLDFAST_SOURCE_DIR;

// A folder that is gone at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(fs::temp_directory_path() / ("holdfast_writer_test_" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Written with its recorded traces into the folder, and read again.
Scenario written_and_read(const Scenario& scenario, const fs::path& folder) {
  for (const auto& file : recorded_files(scenario)) std::ofstream{folder / file.path, std::ios::binary} << file.text;
  std::ofstream{folder / "x.toml", std::ios::binary} << scenario_text(scenario);
  return read_scenario(folder / "x.toml");
}

template <class Write>
std::string refusal(const Write& write) {
  try {
    static_cast<void>(write());
    return "written";
  } catch (const BadInput& bad) {
    return bad.what();
  }
}

std::string refusal_of(const Scenario& scenario) {
  return refusal([&] { return scenario_text(scenario); });
}

Scenario small() { return {.name = "small", .fleet = {{.name = "a"}}}; }

}  // namespace

TEST_CASE("a scenario survives being written and read, whatever is in it") {
  const TemporaryFolder folder;
  rc::prop("every key, with every value", [&] {
    const Scenario drawn = *any_scenario();
    const std::string text = scenario_text(drawn);
    RC_LOG() << text << '\n';
    const Scenario read = written_and_read(drawn, folder.path());
    RC_ASSERT(read == drawn);
    RC_ASSERT(scenario_text(read) == text);
  });
}

// The same ones every time: a sample of those above lacks some rare key now and then. A key that any_scenario() does
// not know is added to what it drew.
TEST_CASE("scenarios that are made up have every key, sooner or later, and survive with it") {
  constexpr int kSize = 100;  // RapidCheck's largest
  const TemporaryFolder folder;
  std::set<const file::Key*> keys;
  for (std::uint64_t seed = 1; seed <= 1000 && missing_keys(keys).size() > 1; ++seed) {
    const Scenario drawn = any_scenario()(rc::Random{seed}, kSize).value();
    for (const auto& file : recorded_files(drawn))
      std::ofstream{folder.path() / file.path, std::ios::binary} << file.text;
    auto document = file::Value<Scenario>::write(drawn);
    add_absent_key(document, seed);
    try {
      const auto read = parse_scenario(file::toml_text(document), "x.toml", folder.path());
      const auto text = scenario_text(read);
      CHECK(parse_scenario(text, "x.toml", folder.path()) == read);
      keys.merge(keys_of(text));
    } catch (const BadInput&) {
      keys.merge(keys_of(scenario_text(drawn)));  // the key does not go with what was drawn
    }
  }
  CHECK(missing_keys(keys) == std::set<std::string>{"supervisor.backoff.preset"});  // the whole policy is written
}

TEST_CASE("the scenarios that the laws are about survive being written and read") {
  const TemporaryFolder folder;
  rc::prop("but for an order of rows that no file has", [&] {
    Scenario drawn = *runnable_scenario();
    drawn.seed.value /= 2;
    drawn.supervisor.when_all_terminated = WhenAllTerminated::return_;
    std::erase_if(drawn.chaos, [](const auto& entry) { return std::holds_alternative<Recorded>(entry.what); });
    for (auto& group : drawn.fleet) {
      if (!group.behaviour.runs_for) group.behaviour.then = Behaviour{}.then;
      if (group.behaviour.fails_first.runs == 0) group.behaviour.fails_first = {};
    }
    RC_ASSERT(written_and_read(drawn, folder.path()) == drawn);
  });
}

TEST_CASE("the scenario with every key is written with every key that it has") {
  const auto folder = kSource / "tests/bad_scenarios";
  std::ifstream in{kSource / "tests/files/every_key.toml"};
  const std::string every_key{std::istreambuf_iterator<char>{in}, {}};
  const Scenario scenario = parse_scenario(every_key, "x.toml", folder);
  const std::string text = scenario_text(scenario);
  auto keys = keys_of(every_key);
  std::erase_if(keys,
                [](const file::Key* key) { return key->name == "preset"; });  // the policy that it names is written
  CHECK(keys_of(text) == keys);
  CHECK(parse_scenario(text, "x.toml", folder) == scenario);
}

TEST_CASE("every shipped scenario survives being read, written and read") {
  for (const auto& entry : fs::directory_iterator{kSource / "scenarios"}) {
    if (entry.path().extension() != ".toml") continue;
    INFO(entry.path().string());
    const Scenario scenario = read_scenario(entry.path());
    const std::string text = scenario_text(scenario);
    const Scenario read = parse_scenario(text, "x.toml", kSource / "scenarios");
    CHECK(read == scenario);
    CHECK(scenario_text(read) == text);
    for (const auto& file : recorded_files(scenario)) {
      CHECK(parse_recorded_trace(file.text, file.path) == read_recorded_trace(kSource / "scenarios" / file.path));
    }
  }
}

TEST_CASE("a scenario is laid out as people write it, without what has its default") {
  Scenario scenario{
      .name = "say \"hello\"\\",
      .seed = {42},
      .duration = 30min,
      .supervisor = {.shutdown_timeout = 5s, .backoff = {.base = 1s, .breaker = std::nullopt}},
      .fleet = {{.name = "feed",
                 .count = 1000,
                 .behaviour = {.runs_for = Exponential{4h}, .on_stop = Takes{Uniform{1s, 5s}}}},
                {.name = "engine", .policy = {.restart = RestartPolicy::never, .backoff = BackoffPolicy{}}}},
      .chaos = {{.at = 5min, .what = Outage{.target = {.of = {"feed"}}, .length = 90s}},
                {.at = 6min, .what = Storm{.target = {.of = {"feed", "engine"}, .share = 1ULL << 31}}},
                {.at = 7min, .what = HangWindow{}},
                {.at = 7min, .what = Outage{.length = 2h, .mode = OutageMode::gone}},
                {.at = 0s, .what = Recorded{.file = "data/x.csv"}},
                {.at = 8min, .what = Shutdown{}}},
      .expect = {.fleet = {.starts = CountRange{1, UINT64_MAX}, .terminated = CountRange{0, 0}},
                 .groups = {{"feed", {.failures = CountRange{0, 3}}}, {"engine", {}}},
                 .drained_by = 10min,
                 .abandoned_services = std::vector<std::string>{}},
      .budget = {.events = 1000}};
  CHECK(scenario_text(scenario) == R"(name = "say \"hello\"\\"
seed = 42
duration = "30min"

[supervisor]
shutdown_timeout = "5s"
backoff = { base = "1s", breaker = "off" }

[[fleet]]
name = "feed"
count = 1000
runs_for = { exponential = "4h" }
then = "fail"
on_stop = { takes = { uniform = ["1s", "5s"] } }

[[fleet]]
name = "engine"
restart = "never"
backoff = {}

[[chaos]]
at = "5min"
outage = { of = "feed", for = "1min30s" }

[[chaos]]
at = "6min"
storm = { of = ["feed", "engine"], share = 0.5 }

[[chaos]]
at = "7min"
hang = {}

[[chaos]]
at = "7min"
outage = { for = "2h", mode = "gone" }

[[chaos]]
recorded = { file = "data/x.csv" }

[[chaos]]
at = "8min"
shutdown = true

[expect]
starts = { min = 1 }
terminated = 0
drained_by = "10min"
abandoned_services = []

[[expect.fleet]]
name = "feed"
failures = { max = 3 }

[[expect.fleet]]
name = "engine"

[budget]
events = 1000
)");
}

TEST_CASE("what no scenario file can say is refused in the reader's words") {
  CHECK(refusal_of(small()) == "written");
  Scenario scenario = small();
  scenario.seed.value = 9'223'372'036'854'775'808ULL;
  scenario.fleet[0].behaviour.then = Then::hang;
  scenario.fleet[0].behaviour.fails_first.after = 5s;
  scenario.duration = -5s;
  scenario.chaos = {{.at = 0s, .what = Storm{.target = {.share = 0}}}};
  CHECK(refusal_of(scenario) ==
        "scenario \"small\": seed: is the text \"9223372036854775808\"; allowed is a whole number from 0 to "
        "9223372036854775807\n"
        "scenario \"small\": duration: is \"-5s\"; allowed is 1ns to 36500d\n"
        "scenario \"small\": fleet[0].fails_first.runs: is 0; allowed is a whole number from 1 to 9223372036854775807\n"
        "scenario \"small\": fleet[0].then: stands alone; it needs \"runs_for\" beside it\n"
        "scenario \"small\": chaos[0].storm.share: is 0.0; allowed is a number above 0 and up to 1");
}

TEST_CASE("a name that is not UTF-8 is not written, and a scenario that is too large neither") {
  Scenario scenario = small();
  scenario.chaos = {{.at = 0s, .what = Storm{.target = {.of = {"\xff"}}}}};
  CHECK_THAT(refusal_of(scenario), Catch::Contains("is not valid TOML"));
  scenario = small();
  for (int i = 0; i < 9'999; ++i) {
    scenario.fleet.push_back({.name = std::string(200, 'n') + std::to_string(i)});
  }
  CHECK_THAT(refusal_of(scenario), Catch::Contains("bytes large; allowed are up to 1048576 bytes"));
}

// ---------------------------------------------------------------------------------------------------------------------
// Recorded traces
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a recorded trace survives being written and read, whatever the order of its rows") {
  rc::prop("names come up in the order of their numbers", [] {
    const auto text = any::recorded_rows({"a", "b", "é\"", "d", "e"});
    const auto trace = parse_recorded_trace(text, "x.csv");
    const auto written = recorded_trace_text(trace, "x.csv");
    RC_LOG() << text << written;
    RC_ASSERT(parse_recorded_trace(written, "x.csv") == trace);
  });
}

TEST_CASE("rows are written in order of time, but for those that bring up a name first") {
  const std::string text =
      "entity,from,until,cause\n"
      "b,2s,3s,x\n"
      "a,1s,2s,y\n"
      "a,2s,2s,\n"
      "b,3s,4s,x\n"
      "b,1h,2h,\n";
  CHECK(recorded_trace_text(parse_recorded_trace(text, "x.csv"), "x.csv") == text);
}

TEST_CASE("a recorded trace that no file becomes is refused") {
  const RecordedTrace good{{"a", "b"}, {""}, {{0, 0, 1s, 2s}, {1, 0, 1s, 2s}}, 0, 0, 0};
  const auto refused = [](const RecordedTrace& trace) {
    return refusal([&trace] { return recorded_trace_text(trace, "x.csv"); });
  };
  CHECK(refused(good) == "written");
  auto trace = good;
  trace.failures = {{1, 0, 1s, 2s}, {0, 0, 1s, 2s}};
  CHECK(refused(trace) == "x.csv: cannot be written: no file becomes this trace");
  trace = good;
  trace.entities.emplace_back("never fails");
  CHECK(refused(trace) == "x.csv: cannot be written: no file becomes this trace");
  trace = good;
  trace.duplicates = 1;
  CHECK(refused(trace) == "x.csv: cannot be written: no file becomes this trace");
  trace = good;
  trace.failures[1].entity = 2;
  CHECK(refused(trace) == "x.csv: cannot be written: no file becomes this trace");
  trace = good;
  trace.entities[1] = "a,b";
  CHECK_THAT(refused(trace), Catch::StartsWith("x.csv:3:"));
}

TEST_CASE("a file that is named twice is written once, and two traces under one name are refused") {
  const auto trace = parse_recorded_trace("entity,from,until,cause\na,1s,2s,\n", "x.csv");
  Scenario scenario = small();
  scenario.chaos = {{.at = 0s, .what = Recorded{.file = "x.csv", .trace = trace}},
                    {.at = 1s, .what = Recorded{.file = "./x.csv", .trace = trace}}};
  REQUIRE(recorded_files(scenario).size() == 1);
  CHECK(recorded_files(scenario)[0].path == "x.csv");
  CHECK(recorded_files(scenario)[0].text == "entity,from,until,cause\na,1s,2s,\n");
  std::get<Recorded>(scenario.chaos[1].what).trace.failures[0].until = 3s;
  CHECK_THAT(refusal([&] { return recorded_files(scenario); }), Catch::Contains("two different traces"));
}

}  // namespace holdfast::scenario_writer_test
