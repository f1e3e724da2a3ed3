// Scenario files and recorded traces: what good ones become, and what is said about bad ones.
//
// The broken scenarios stand in tests/bad_scenarios, each with the whole message beside it. Their names are
// "key--rule", and the format itself (scenario_format.hpp) says which of them there have to be.
#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <holdfast_sim/duration_text.hpp>
#include <holdfast_sim/recorded_trace.hpp>
#include <holdfast_sim/scenario_format.hpp>
#include <holdfast_sim/scenario_reader.hpp>

#include "scenario_keys.hpp"

namespace holdfast::scenario_reader_test {

namespace {

using namespace std::chrono_literals;
using namespace holdfast::sim;
namespace fs = std::filesystem;

// Messages name files as they were given: relative to the source folder, so that they are the same everywhere.
const fs::path kBadScenarios = "tests/bad_scenarios";

void enter_source_folder() { fs::current_path(HOLDFAST_SOURCE_DIR); }

std::string text_of(const fs::path& file) {
  std::ifstream stream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

std::set<std::string> names_with_extension(std::string_view extension) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator{kBadScenarios}) {
    if (entry.path().extension() == extension) names.insert(entry.path().stem().string());
  }
  return names;
}

Scenario parse(std::string_view text, std::vector<Complaint>* warnings = nullptr) {
  return parse_scenario(text, "x.toml", "", warnings);
}

// The message with which something is refused, or "accepted".
template <class Read>
std::string refusal(const Read& read) {
  try {
    static_cast<void>(read());
    return "accepted";
  } catch (const BadInput& bad) {
    return bad.what();
  }
}

std::string refusal_of_text(std::string_view text) {
  return refusal([text] { return parse(text); });
}

// A file that is gone at the end of the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_(fs::temp_directory_path() / ("holdfast_scenario_test_" + std::to_string(getpid()))) {
    std::ofstream{path_, std::ios::binary} << text;
  }
  ~TemporaryFile() { fs::remove(path_); }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// ---------------------------------------------------------------------------------------------------------------------
// What a format asks of the folder of broken scenarios
// ---------------------------------------------------------------------------------------------------------------------

// The rules that a form brings with it.
struct RulesOf {
  using Rules = std::vector<std::string>;
  Rules operator()(const format::Text&) const { return {"empty"}; }
  Rules operator()(const format::Name&) const { return {"empty", "control_character", "too_long"}; }
  Rules operator()(const format::Word&) const { return {"word"}; }
  Rules operator()(const format::Length&) const { return {"form", "range"}; }
  Rules operator()(const format::Integer&) const { return {"range"}; }
  Rules operator()(const format::Number&) const { return {"range"}; }
  Rules operator()(const format::True&) const { return {"false"}; }
  Rules operator()(const format::Texts& texts) const {
    return texts.min > 0 ? Rules{"item", "no_items"} : Rules{"item"};
  }
  Rules operator()(const format::LengthPair&) const { return {"item", "items", "form", "range"}; }
  Rules operator()(const format::Inner&) const { return {}; }
  Rules operator()(const format::Tables&) const { return {"item"}; }
};

std::set<std::string> demanded_files() {
  std::set<std::string> demanded;
  const auto listing = format::list_format();
  for (const auto& [path, table] : listing.tables) {
    const std::string name = path.empty() ? "scenario" : path;
    demanded.insert(name + "--unknown_key");
    if (table->choice != format::Table::Choice::free) demanded.insert(name + "--none");
    if (table->choice == format::Table::Choice::exactly_one) demanded.insert(name + "--two");
  }
  for (const auto& [path, key] : listing.keys) {
    demanded.insert(path + "--type");
    if (key->required) demanded.insert(path + "--missing");
    if (!key->needs.empty()) demanded.insert(path + "--alone");
    for (const auto& form : key->forms) {
      for (const auto& rule : std::visit(RulesOf{}, form)) demanded.insert(path + "--" + rule);
    }
  }
  for (const auto rule : format::further_rules()) demanded.emplace(rule);
  return demanded;
}

std::vector<std::string> in_first_only(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::vector<std::string> difference;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(difference));
  return difference;
}

// "fleet[0].of[2]" as "fleet.of"
std::string without_indices(std::string_view text) {
  std::string result;
  bool inside = false;
  for (const char c : text) {
    if (c == '[') inside = true;
    if (!inside) result += c;
    if (c == ']') inside = false;
  }
  return result;
}

// ---------------------------------------------------------------------------------------------------------------------
// A scenario in which every key of the format is set
// ---------------------------------------------------------------------------------------------------------------------

// Of tests/every_key.toml.
std::string every_key() { return text_of("tests/every_key.toml"); }

Scenario parse_every_key() { return parse_scenario(every_key(), "x.toml", kBadScenarios); }

CountRange exactly(std::uint64_t count) { return {count, count}; }

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Bad scenarios
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("every broken scenario is refused with exactly the message beside it") {
  enter_source_folder();
  for (const auto& name : names_with_extension(".toml")) {
    const fs::path file = kBadScenarios / (name + ".toml");
    INFO(file.string());
    CHECK(refusal([&file] { return read_scenario(file); }) + '\n' == text_of(kBadScenarios / (name + ".expected")));
  }
}

TEST_CASE("there is a broken scenario for every rule of the format, and none for anything else") {
  enter_source_folder();
  const auto demanded = demanded_files();
  CHECK(in_first_only(demanded, names_with_extension(".toml")) == std::vector<std::string>{});
  CHECK(in_first_only(names_with_extension(".toml"), demanded) == std::vector<std::string>{});
  CHECK(in_first_only(names_with_extension(".expected"), demanded) == std::vector<std::string>{});
}

TEST_CASE("a broken scenario opens with a comment, and its message names the key that it is named after") {
  enter_source_folder();
  for (const auto& name : names_with_extension(".toml")) {
    INFO(name);
    CHECK(text_of(kBadScenarios / (name + ".toml")).substr(0, 2) == "# ");
    const auto key = name.substr(0, name.find("--"));
    if (key == "scenario" || key == "toml" || key == "recorded_trace" || key == name) continue;
    const auto message = without_indices(text_of(kBadScenarios / (name + ".expected")));
    CHECK_THAT(message, Catch::Contains(": " + key));
  }
}

TEST_CASE("a scenario that is no file, or too large a one, is refused before it is read") {
  enter_source_folder();
  CHECK(refusal([] { return read_scenario("tests/no_such_scenario.toml"); }) ==
        "tests/no_such_scenario.toml: does not exist");
  CHECK(refusal([] { return read_scenario("tests"); }) == "tests: is a folder; allowed is a file");
  CHECK(refusal([] { return read_scenario("/dev/zero"); }) == "/dev/zero: is no ordinary file");
  const std::string comment(kScenarioSizeMax + 1, '#');
  const TemporaryFile file{comment};
  const std::string too_large = ": is 1048577 bytes large; allowed are up to 1048576 bytes";
  CHECK(refusal([&file] { return read_scenario(file.path()); }) == file.path().generic_string() + too_large);
  CHECK(refusal_of_text(comment) == "x.toml" + too_large);
}

TEST_CASE("more groups, chaos or expectations than the format allows are refused, as many as it allows are not") {
  const auto repeated = [](std::size_t times, const auto& entry) {
    std::string text = "name = \"many\"\n[[fleet]]\nname = \"feed\"\ncount = 20000\n";
    for (std::size_t i = 0; i < times; ++i) text += entry(std::to_string(i));
    return text;
  };
  const auto group = [](const std::string& i) { return "[[fleet]]\nname = \"g" + i + "\"\n"; };
  const auto chaos = [](const std::string&) { return "[[chaos]]\nat = \"1s\"\nstorm = {}\n"; };
  const auto expected = [](const std::string& i) { return "[[expect.fleet]]\nname = \"feed-" + i + "\"\n"; };
  CHECK(refusal_of_text(repeated(9'999, group)) == "accepted");
  CHECK(refusal_of_text(repeated(10'000, group)) ==
        "x.toml:2:1: fleet: has 10001 entries; allowed is an array of up to 10000 tables");
  CHECK(refusal_of_text(repeated(10'000, chaos)) == "accepted");
  CHECK(refusal_of_text(repeated(10'001, chaos)) ==
        "x.toml:5:1: chaos: has 10001 entries; allowed is an array of up to 10000 tables");
  CHECK(refusal_of_text(repeated(10'000, expected)) == "accepted");
  CHECK(refusal_of_text(repeated(10'001, expected)) ==
        "x.toml:5:1: expect.fleet: has 10001 entries; allowed is an array of up to 10000 tables");
}

TEST_CASE("two million services in one group are accepted, and one more is not") {
  const auto fleet_of = [](const char* count) {
    return "name = \"many\"\n[[fleet]]\nname = \"feed\"\ncount = " + std::string{count} +
           "\n[expect]\nabandoned_services = [\"feed-1999999\"]\n";
  };
  CHECK(refusal_of_text(fleet_of("2_000_000")) == "accepted");
  CHECK(refusal_of_text(fleet_of("2_000_001")) ==
        "x.toml:4:9: fleet[0].count: is 2000001; allowed is a whole number from 1 to 2000000");
}

TEST_CASE("after a hundred complaints the reader says that there is more") {
  std::string text = "name = \"wrong\"\n";
  for (int i = 0; i < 1000; ++i) text += "key_" + std::to_string(i) + " = 1\n";
  const auto message = refusal_of_text(text);
  CHECK(std::count(message.begin(), message.end(), '\n') == 100);
  CHECK_THAT(message, Catch::EndsWith("\nx.toml: there is more; these are 100 complaints"));
}

TEST_CASE("a column counts bytes, also behind letters that take more than one") {
  CHECK(refusal_of_text("\"é\" = 1\nname = 3\n[[fleet]]\nname = 'a'\n") ==
        "x.toml:1:1: \"é\": unknown key; allowed here: name, seed, duration, supervisor, fleet, chaos, expect, budget\n"
        "x.toml:2:8: name: is the whole number 3; allowed is a text of 1 to 255 bytes");
  CHECK(refusal_of_text("name = 'a'\nfleet = [{ name = \"é\", count = 0 }]\n") ==
        "x.toml:2:33: fleet[0].count: is 0; allowed is a whole number from 1 to 2000000");
}

TEST_CASE("a byte order mark takes no column") {
  const std::string mark = "\xef\xbb\xbf";
  CHECK(refusal_of_text(mark + "nme = 3\n") == refusal_of_text("nme = 3\n"));
  CHECK(refusal_of_text(mark + "name = ?\n") ==
        "x.toml:1:8: is not valid TOML: Error while parsing value: could not determine value type");
  CHECK(refusal_of_text(mark + "[[,\n") == "x.toml:1:3: is not valid TOML: \",\" is out of place here");
}

// These broke the fuzzer's claims (tests/fuzz): the place was behind the end of a line, and the message held the NUL.
TEST_CASE("what toml++ says is told with a place in the file and without control characters") {
  CHECK(refusal_of_text("name = \"\"\"\n") ==
        "x.toml:2:1: is not valid TOML: Error while parsing string: encountered end-of-file");
  const std::string nul{"name = i\0\n", 10};
  CHECK_THAT(refusal_of_text(nul), Catch::StartsWith("x.toml:1:") && Catch::Contains("saw 'i\\u0000'"));
}

TEST_CASE("the path of a recorded trace is told without control characters, and ends at its end") {
  enter_source_folder();
  const auto recorded = [](const std::string& file) {
    return refusal([&file] {
      return parse_scenario("name = 'a'\n[[chaos]]\nrecorded = { file = \"" + file + "\" }\n", "x.toml", kBadScenarios);
    });
  };
  CHECK(recorded("good_record.csv") == "accepted");
  CHECK(recorded("\\u001b[2Jx.csv") ==
        "x.toml:3:21: chaos[0].recorded.file: is \"\\u001b[2Jx.csv\", but tests/bad_scenarios/\\u001b[2Jx.csv does not "
        "exist");
  CHECK(recorded("good_record.csv\\u0000x") ==
        "x.toml:3:21: chaos[0].recorded.file: is \"good_record.csv\\u0000x\", but "
        "tests/bad_scenarios/good_record.csv\\u0000x does not exist");
}

// toml++ held it for impossible that it is asked about these letters: undefined behaviour.
TEST_CASE("a letter that is not ASCII is refused in a bare key") {
  for (const char* const letter : {"é", "ß", "Ω", "я", "ҙ"}) {
    const std::string says = "is not valid TOML: Error while parsing key-value pair: expected '=', saw '";
    CHECK(refusal_of_text("co" + std::string{letter} + "unt = 3\n") == "x.toml:1:3: " + says + letter + "'");
  }
}

TEST_CASE("a value that is as small as the smallest share is still too small") {
  CHECK_THAT(refusal_of_text("name = 'a'\n[[fleet]]\nname = 'a'\n[[chaos]]\nat = '0s'\nstorm = { share = 1e-11 }\n"),
             Catch::EndsWith("chaos[0].storm.share: is 1e-11; allowed is a number above 0 and up to 1"));
  CHECK_THAT(refusal_of_text("name = 'a'\n[[fleet]]\nname = 'a'\n[[chaos]]\nat = '0s'\nstorm = { share = inf }\n"),
             Catch::EndsWith("chaos[0].storm.share: is inf; allowed is a number above 0 and up to 1"));
}

// toml++ limits how deep values are nested but not the parts of a key, and ended the program on these.
TEST_CASE("a key of half a million parts is refused") {
  std::string parts = "a";
  for (int i = 0; i < 500'000; ++i) parts += ".a";
  const std::string says = "a key of more than 64 parts; allowed are up to 64";
  CHECK(refusal_of_text(parts + " = 1\n") == "x.toml:1:129: " + says);
  CHECK(refusal_of_text("[" + parts + "]\n") == "x.toml:1:130: " + says);
  CHECK(refusal_of_text("x = { " + parts + " = 1 }\n") == "x.toml:1:135: " + says);
}

TEST_CASE("dots in texts and comments are no parts of a key") {
  const std::string dots(100, '.');
  CHECK(refusal_of_text("name = \"" + dots + "\\\"" + dots + "\" # " + dots + "\n[[fleet]]\nname = '" + dots + "'\n") ==
        "accepted");
  CHECK_THAT(refusal_of_text("name = \"\"\"\n" + dots + "\n\"" + dots + "\"\"\"\nb = 1\n"),
             !Catch::Contains("64 parts"));
}

// Columns were counted from the beginning of the line for each value: half a million on one line took minutes.
TEST_CASE("a line of half a million values is read in no time") {
  std::string text = "name = 'a'\nfleet = [{ name = 'a' }]\nx = [";
  for (int i = 0; i < 500'000; ++i) text += "1,";
  CHECK(refusal_of_text(text + "]\n") ==
        "x.toml:3:1: x: unknown key; allowed here: name, seed, duration, supervisor, fleet, chaos, expect, budget");
}

// toml++ asserted on these instead of reporting them.
TEST_CASE("a comma or a bracket out of place is refused with its place") {
  CHECK(refusal_of_text("name = \"a\"\nof = [1,}\n") == "x.toml:2:9: is not valid TOML: \"}\" is out of place here");
  CHECK(refusal_of_text("name = \"a\"\n[[,\n") == "x.toml:2:3: is not valid TOML: \",\" is out of place here");
  CHECK(refusal_of_text("name = \"a\"\n[[{x\"\n") == "x.toml:2:3: is not valid TOML: \"{\" is out of place here");
}

TEST_CASE("whatever is done to a scenario, it is read or refused with a message") {
  enter_source_folder();
  const std::string good = every_key();
  rc::prop("one change", [&good] {
    auto text = good;
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto length = *rc::gen::inRange<std::size_t>(0, 20);
    const auto with =
        *rc::gen::element<std::string>("", "\"", "[", "]", "{", "}", "-", "9", "\n", "\xff", "=", ".", ",");
    text.replace(at, length, with);
    RC_ASSERT(!refusal_of_text(text).empty());
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Good scenarios
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("the scenario with every key has every key of the format") {
  enter_source_folder();
  CHECK(test::missing_keys(every_key()) == std::set<std::string>{});
}

TEST_CASE("every value of a scenario arrives") {
  enter_source_folder();
  const auto scenario = parse_every_key();
  CHECK(scenario.name == "every key");
  CHECK(scenario.seed == Seed{9'223'372'036'854'775'807});
  CHECK(scenario.duration == 24h + 2h + 3min + 4s + 5ms + 6us + 7ns);

  const auto& supervisor = scenario.supervisor;
  CHECK(supervisor.shutdown_timeout == 45s);
  CHECK(supervisor.when_all_terminated == WhenAllTerminated::return_);
  CHECK(supervisor.stop_grace == 11s);
  CHECK(supervisor.backoff == BackoffPolicy{20ms, 7s, 3min, 5ms, BreakerPolicy{5, 70s}});

  CHECK(scenario.budget == Budget{123'456, 240h});
}

TEST_CASE("every value of a fleet arrives") {
  enter_source_folder();
  const auto fleet = parse_every_key().fleet;
  REQUIRE(fleet.size() == 5);
  CHECK(fleet[0] ==
        FleetGroup{
            "feed", 1000, RestartPolicy::always, BackoffPolicy{1ms, 1ms, 5min, 100ms, std::nullopt}, 4s,
            Behaviour{
                Exponential{4h}, Then::fail, {}, Takes{LogNormal{2s, Ratio::from(0.25)}}, Takes{Uniform{1ms, 2ms}}}});
  CHECK(fleet[1] == FleetGroup{"engine", std::nullopt, RestartPolicy::never, std::nullopt, std::nullopt,
                               Behaviour{Weibull{Ratio::from(0.5), 5h}, Then::throw_, {2, 3s}, Ignores{}, Ignores{}}});
  CHECK(fleet[2] == FleetGroup{"batch", std::nullopt, RestartPolicy::on_failure, std::nullopt, std::nullopt,
                               Behaviour{Uniform{1s, 5s}, Then::end, {}, Takes{Fixed{9s}}, Obeys{}}});
  CHECK(fleet[3] == FleetGroup{"solver", 1, RestartPolicy::on_failure, std::nullopt, std::nullopt,
                               Behaviour{LogNormal{6h, Ratio::from(2)}, Then::fatal, {}, Obeys{}}});
  CHECK(fleet[4] == FleetGroup{"stuck", std::nullopt, RestartPolicy::on_failure, std::nullopt, std::nullopt,
                               Behaviour{Fixed{10s}, Then::hang, {}, Obeys{}}});
}

TEST_CASE("every value of the chaos arrives") {
  enter_source_folder();
  const auto chaos = parse_every_key().chaos;
  const std::uint64_t whole = Target::kWhole;
  const std::string file = "good_record.csv";
  const RecordedTrace trace{{"0"}, {"Hardware: Memory Dimm"}, {{0, 0, 1min, 2min}}, 0, 0, 0};
  REQUIRE(chaos.size() == 7);
  CHECK(chaos[0] == ChaosEntry{1min, Storm{{{"feed-3", "engine"}, whole / 2}}});
  CHECK(chaos[1] == ChaosEntry{2min, Outage{{{"feed"}, whole / 8}, 90s, 20ms}});
  CHECK(chaos[2] == ChaosEntry{3min, HangWindow{{{"feed"}, whole / 4}, 1s}});
  CHECK(chaos[3] == ChaosEntry{4min, HangWindow{{{}, whole}, std::nullopt}});
  CHECK(chaos[4] == ChaosEntry{0s, Recorded{file, "feed", 2s, trace}});
  CHECK(chaos[5] == ChaosEntry{5min, Recorded{file, "", 1s, trace}});
  CHECK(chaos[6] == ChaosEntry{6min, Shutdown{}});
}

TEST_CASE("every expectation arrives") {
  enter_source_folder();
  const auto expect = parse_every_key().expect;
  CHECK(expect.fleet == ExpectedCounts{CountRange{1, 2}, exactly(2), exactly(3), exactly(4), exactly(5), exactly(6),
                                       exactly(14), exactly(7), exactly(8), exactly(9), CountRange{10, UINT64_MAX},
                                       CountRange{0, 11}, CountRange{12, 13}});
  REQUIRE(expect.groups.size() == 2);
  CHECK(
      expect.groups[0] ==
      ExpectedOfGroup{"feed", ExpectedCounts{exactly(1000), CountRange{1001, 1002}, exactly(1003), exactly(1004),
                                             exactly(1005), exactly(1006), exactly(1013), exactly(1007), exactly(1008),
                                             exactly(1009), exactly(1010), exactly(1011), exactly(1012)}});
  CHECK(expect.groups[1] == ExpectedOfGroup{"feed-7", {}});
  CHECK(expect.all_running_by == 7min);
  CHECK(expect.all_terminated_by == 8min);
  CHECK(expect.drained_by == 9min);
  CHECK(expect.abandoned_services == std::vector<std::string>{"feed-999", "stuck", "0"});
}

TEST_CASE("what a scenario leaves out has the defaults of the library") {
  const auto scenario = parse("name = \"small\"\n[[fleet]]\nname = \"a\"\n[supervisor]\nbackoff = { breaker = {} }\n");
  CHECK(scenario.seed == Seed{0});
  CHECK(scenario.duration == std::nullopt);
  CHECK(scenario.supervisor.shutdown_timeout == SupervisorConfig{}.shutdown_timeout);
  CHECK(scenario.supervisor.when_all_terminated == WhenAllTerminated::wait);
  CHECK(scenario.supervisor.backoff == BackoffPolicy{});
  REQUIRE(scenario.fleet.size() == 1);
  CHECK(scenario.fleet[0] == FleetGroup{.name = "a"});
  CHECK(scenario.chaos.empty());
  CHECK(scenario.expect == Expectations{});
  CHECK(scenario.budget == Budget{});
}

TEST_CASE("a policy of a group begins at the library's defaults, not at the supervisor's") {
  const auto scenario = parse(R"(name = "own policy"
[supervisor]
backoff = { base = "1s", breaker = "off" }
[[fleet]]
name = "a"
backoff = { cooldown = "1min" }
)");
  REQUIRE(scenario.fleet[0].backoff);
  CHECK(*scenario.fleet[0].backoff == BackoffPolicy{.cooldown = 1min});
}

TEST_CASE("a recorded trace without a group brings its own services, also for others to name") {
  enter_source_folder();
  CHECK(refusal_of_text(R"(name = "recorded only"
[[chaos]]
recorded = { file = "tests/bad_scenarios/record_of_four.csv" }
[[chaos]]
at = "1s"
storm = { of = ["node", "3"] }
[[expect.fleet]]
name = "0"
)") == "accepted");
}

TEST_CASE("what is questionable is a warning with its place, and no complaint") {
  std::vector<Complaint> warnings;
  parse(R"(name = "questionable"
[[fleet]]
name = "a"
backoff = { breaker = { max_failures = 3, window = "1min" } }
)",
        &warnings);
  REQUIRE(warnings.size() == 1);
  CHECK(to_string(warnings[0]) ==
        "x.toml:4:11: fleet[0].backoff.cooldown: leaves a band: runs that last more than 30s and less than 5min before "
        "they fail neither open the breaker (3 failures within 1min) nor reset the backoff");
}

TEST_CASE("the shipped scenarios are read") {
  enter_source_folder();
  for (const auto& entry : fs::directory_iterator{"scenarios"}) {
    if (entry.path().extension() != ".toml") continue;
    INFO(entry.path().string());
    CHECK(refusal([&entry] { return read_scenario(entry.path()); }) == "accepted");
  }
}

TEST_CASE("the reference names every key and every word of the format, and its example is a scenario") {
  enter_source_folder();
  const auto reference = text_of("scenarios/README.md");
  for (const auto& [path, key] : format::list_format().keys) {
    INFO(path);
    CHECK_THAT(reference, Catch::Contains(std::string{key->name}));
    for (const auto& form : key->forms) {
      const auto* const word = std::get_if<format::Word>(&form);
      if (word == nullptr) continue;
      for (const auto each : word->words) CHECK_THAT(reference, Catch::Contains("`\"" + std::string{each} + "\"`"));
    }
  }
  const std::string fence = "```toml\n";
  const auto begin = reference.find(fence) + fence.size();
  CHECK(refusal_of_text(reference.substr(begin, reference.find("```", begin) - begin)) == "accepted");
}

// ---------------------------------------------------------------------------------------------------------------------
// Lengths of time
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a length of time is read back from its text") {
  rc::prop("any from zero to the longest", [] {
    const Duration length{*rc::gen::inRange<std::int64_t>(0, kDurationMax.count() + 1)};
    RC_ASSERT(parse_duration(to_string(length)) == length);
  });
  rc::prop("small multiples of every unit", [] {
    const Duration unit = *rc::gen::element<Duration>(1ns, 1us, 1ms, 1s, 1min, 1h, 24h);
    const Duration length = unit * *rc::gen::inRange(0, 200);
    RC_ASSERT(parse_duration(to_string(length)) == length);
  });
  CHECK(parse_duration(to_string(kDurationMax)) == kDurationMax);
}

TEST_CASE("lengths of time that are accepted") {
  const std::vector<std::pair<std::string_view, Duration>> rows{
      {"0s", 0s},
      {"0d", 0s},
      {"0h0min", 0s},
      {"250ms", 250ms},
      {"1h30min", 90min},
      {"90min", 90min},
      {"007s", 7s},
      {"5000000000ns", 5s},
      {"36500d", kDurationMax},
      {"3153600000s", kDurationMax},
      {"1d1ns", 24h + 1ns},
      {"00000000000000000000000000000001us", 1us},
  };
  for (const auto& [text, length] : rows) {
    INFO(text);
    CHECK(parse_duration(text) == length);
    CHECK(fault_of_duration(text) == std::nullopt);
  }
}

TEST_CASE("lengths of time that are refused, and why") {
  using enum DurationFault;
  const std::vector<std::pair<std::string_view, DurationFault>> rows{
      {"", form},
      {"s", form},
      {"5", form},
      {"5 s", form},
      {" 5s", form},
      {"5s ", form},
      {"5sec", form},
      {"5m", form},
      {"1.5s", form},
      {"+5s", form},
      {"1e3s", form},
      {"5S", form},
      {"5µs", form},
      {"1min1h", form},
      {"1s1s", form},
      {"1h-5min", form},
      {"0", form},
      {"--5s", form},
      {"-", form},
      {"5sx", form},
      {"36500d1ns", too_long},
      {"36501d", too_long},
      {"18446744073709551616ns", too_long},
      {"99999999999999999999999999d", too_long},
      {"-5s", negative},
      {"-36501d", negative},
      {"-0s", negative},
  };
  for (const auto& [text, fault] : rows) {
    INFO(text);
    CHECK(parse_duration(text) == std::nullopt);
    CHECK(fault_of_duration(text) == fault);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Recorded traces
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a recorded trace is ordered by time, and names are numbered as they come") {
  const auto trace = parse_recorded_trace(
      "# Comment, with a comma\n#\nentity,from,until,cause\n"
      "b,5min,6min,late\n"
      "a,1min,2min,Hardware: Dimm, the left one\n"
      "b,1min,3min,late\r\n"
      "a,0s,0s,\n",
      "x.csv");
  CHECK(trace.entities == std::vector<std::string>{"b", "a"});
  CHECK(trace.causes == std::vector<std::string>{"late", "Hardware: Dimm, the left one", ""});
  CHECK(trace.failures ==
        std::vector<Failure>{{1, 2, 0s, 0s}, {1, 1, 1min, 2min}, {0, 0, 1min, 3min}, {0, 0, 5min, 6min}});
  CHECK(trace.zero_length == 1);
  CHECK(trace.duplicates == 0);
  CHECK(trace.overlapping == 0);
}

TEST_CASE("what is odd in a recorded trace is counted, once under each heading that fits, and kept") {
  const auto trace = parse_recorded_trace(
      "entity,from,until,cause\n"
      "a,1min,10min,x\n"
      "a,2min,3min,x\n"    // within the first: overlapping
      "a,9min,12min,x\n"   // begins before the first has ended, though after the second: overlapping
      "a,12min,13min,x\n"  // begins as the one before ends: not overlapping
      "a,1min,10min,x\n"   // again: duplicate and overlapping
      "a,1min,10min,y\n"   // another cause: no duplicate, but overlapping
      "b,1min,10min,x\n"   // another entity
      "b,20min,20min,x\n"  // zero length
      "b,20min,20min,x\n"  // zero length and duplicate; nothing is down, so nothing overlaps
      "c,1min,2min,x",
      "x.csv");
  CHECK(trace.failures.size() == 10);
  CHECK(trace.zero_length == 2);
  CHECK(trace.duplicates == 2);
  CHECK(trace.overlapping == 4);
}

TEST_CASE("the shipped recorded traces are as odd as their description says") {
  enter_source_folder();
  struct Row {
    const char* file;
    std::size_t rows, entities;
    std::uint64_t zero_length, duplicates, overlapping;
  };
  const std::vector<Row> rows{
      {"scenarios/data/lanl_system_18.csv", 3972, 964, 0, 5, 12},
      {"scenarios/data/lanl_system_18_planned.csv", 25, 7, 0, 0, 0},
      {"scenarios/data/lanl_system_2.csv", 5915, 49, 0, 4, 15},
      {"scenarios/data/lanl_system_2_planned.csv", 1189, 48, 0, 2, 6},
  };
  for (const auto& row : rows) {
    INFO(row.file);
    const auto trace = read_recorded_trace(row.file);
    CHECK(trace.failures.size() == row.rows);
    CHECK(trace.entities.size() == row.entities);
    CHECK(trace.zero_length == row.zero_length);
    CHECK(trace.duplicates == row.duplicates);
    CHECK(trace.overlapping == row.overlapping);
  }
}

TEST_CASE("a recorded trace of a million rows is read, and one row more is refused") {
  std::string text = "entity,from,until,cause\n";
  for (std::size_t i = 0; i < kRecordedRowsMax; ++i) text += "a,1s,2s,\n";
  const auto trace = parse_recorded_trace(text, "x.csv");
  CHECK(trace.failures.size() == kRecordedRowsMax);
  CHECK(trace.duplicates == kRecordedRowsMax - 1);
  text += "a,1s,2s,\n";
  CHECK(refusal([&text] { return parse_recorded_trace(text, "x.csv"); }) ==
        "x.csv:1000002:1: is row 1000001; allowed are up to 1000000 rows");
}

TEST_CASE("recorded traces of one scenario have a million rows together at most, however often a file is named") {
  std::string csv = "entity,from,until,cause\n";
  for (std::size_t i = 0; i < kRecordedRowsMax / 2; ++i) csv += "0,1s,2s,\n";
  const TemporaryFile file{csv};
  const auto folder = file.path().parent_path();
  const std::string entry =
      "[[chaos]]\nrecorded = { file = \"" + file.path().filename().string() + "\", of = \"a\" }\n";
  const std::string twice = "name = \"large\"\n[[fleet]]\nname = \"a\"\ncount = 1\n" + entry + entry;
  CHECK(refusal([&] { return parse_scenario(twice, "x.toml", folder); }) == "accepted");
  CHECK(refusal([&] { return parse_scenario(twice + entry, "x.toml", folder); }) ==
        "x.toml:10:21: chaos[2].recorded.file: brings the rows of all recorded chaos to 1500000; allowed are up to "
        "1000000 together");
}

TEST_CASE("a recorded trace that is wrong in every row is refused with a hundred complaints") {
  std::string text = "entity,from,until,cause\n";
  for (int i = 0; i < 1000; ++i) text += "a,1,2s,\n";
  const auto message = refusal([&text] { return parse_recorded_trace(text, "x.csv"); });
  CHECK(std::count(message.begin(), message.end(), '\n') == 100);
  CHECK_THAT(message, Catch::StartsWith("x.csv:2:3: from: is \"1\"; allowed is a length of time: "));
  CHECK_THAT(message, Catch::EndsWith("\nx.csv: there is more; these are 100 complaints"));
}

TEST_CASE("a recorded trace that cannot be read is refused") {
  enter_source_folder();
  CHECK(refusal([] { return read_recorded_trace("scenarios/data/none.csv"); }) ==
        "scenarios/data/none.csv: does not exist");
  CHECK(refusal([] { return read_recorded_trace("scenarios/data"); }) ==
        "scenarios/data: is a folder; allowed is a file");
}

}  // namespace holdfast::scenario_reader_test
