// Every file under scenarios/ is run, found by itself: it must hold what it expects, and have the digest that is
// recorded beside it.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::scenarios_test {

namespace {

using namespace holdfast::sim;
namespace fs = std::filesystem;

const fs::path kFolder = fs::path{HOLDFAST_SOURCE_DIR} / "scenarios";

std::vector<fs::path> files(const std::string& extension) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator{kFolder}) {
    if (entry.path().extension() == extension) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string digest_of(const Scenario& scenario, std::optional<Seed> seed = std::nullopt) {
  Digest digest;
  Simulation simulation{scenario, {&digest}, seed};
  simulation.run_to_end();
  return digest.text();
}

std::string trace_of(const Scenario& scenario) {
  std::ostringstream out;
  Digest digest;
  TraceWriter writer{out, scenario.name, scenario.seed};
  Simulation simulation{scenario, {&digest, &writer}};
  simulation.run_to_end();
  writer.finish(simulation.end(), digest);
  return out.str();
}

}  // namespace

TEST_CASE("every scenario holds what it expects and has the digest recorded beside it") {
  std::size_t number = 0;
  for (const auto& file : files(".toml")) {
    INFO(file.filename().string());
    if (HOLDFAST_SLOW_BUILD && ++number % 4 != 1) continue;  // all of them with such a build: tools/compare_builds
    const auto result = rehearse(read_scenario(file));
    CHECK(result.verdict() == RehearsalVerdict::held);
    CHECK(result.digest + '\n' == text_of(fs::path{file}.replace_extension(".digest")));
  }
}

TEST_CASE("every recorded digest belongs to a scenario") {
  for (const auto& file : files(".digest")) {
    INFO(file.filename().string());
    CHECK(fs::exists(fs::path{file}.replace_extension(".toml")));
  }
}

TEST_CASE("every scenario opens with a comment that says what it proves") {
  for (const auto& file : files(".toml")) {
    INFO(file.filename().string());
    const std::string text = text_of(file);
    CHECK(text.substr(0, 2) == "# ");
    CHECK(text.find("Proves") != std::string::npos);
  }
}

TEST_CASE("the same scenario and seed give byte-identical traces, and another seed another digest") {
  for (const char* const name : {"failure_storm.toml", "failure_storm_default_policy.toml", "hangs.toml"}) {
    INFO(name);
    const Scenario scenario = read_scenario(kFolder / name);
    CHECK(trace_of(scenario) == trace_of(scenario));
    CHECK(digest_of(scenario) == digest_of(scenario));
    CHECK(digest_of(scenario, Seed{scenario.seed.value + 1}) != digest_of(scenario));
  }
}

TEST_CASE("a trace that is read back has the digest of its run, and shows the same events") {
  for (const char* const name : {"failure_storm_default_policy.toml", "hangs.toml", "mixed_fleet.toml"}) {
    INFO(name);
    const Scenario scenario = read_scenario(kFolder / name);
    const std::string text = trace_of(scenario);
    std::istringstream in{text};
    std::ostringstream out;
    Digest digest;
    TraceWriter writer{out, scenario.name, scenario.seed};
    const TraceSummary summary = read_trace(in, "trace", {&digest, &writer});
    writer.finish(summary.end, digest);
    CHECK(summary.digest == digest_of(scenario));
    CHECK(out.str() == text);
  }
}

}  // namespace holdfast::scenarios_test
