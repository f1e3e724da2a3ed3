// Scenario files: what good ones become, and what is said about bad ones. tests/bad_scenarios has more of those, and
// bad_scenarios_test.cpp reads them.

#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <holdfast/file/message_text.hpp>
#include <holdfast/presets.hpp>
#include <holdfast_sim/format/scenario_writer.hpp>
#include <holdfast_sim/scenario/recorded_trace.hpp>

#include "scenario_keys.hpp"
#include "scenario_texts.hpp"

namespace holdfast::scenario_reader_test {

namespace {

CountRange exactly(std::uint64_t count) { return {count, count}; }

}  // namespace

TEST_CASE("a scenario that is not a file, or too large a one, is refused before it is read") {
  enter_source_folder();
  CHECK(refusal([] { return read_scenario("tests/no_such_scenario.toml"); }) ==
        "tests/no_such_scenario.toml: does not exist");
  CHECK(refusal([] { return read_scenario("tests"); }) == "tests: is a folder; allowed is a file");
  CHECK(refusal([] { return read_scenario("/dev/zero"); }) == "/dev/zero: is not a regular file");
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
        "x.toml:1:1: \"é\": unknown key; allowed here: name, seed, duration, heal_at, swarm, order, supervisor, group, "
        "fleet, "
        "resource, "
        "chaos, "
        "expect, budget\n"
        "x.toml:2:8: name: is the whole number 3; write \"3\"");
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
TEST_CASE("a message of toml++ is shown with a place in the file and without control characters") {
  CHECK(refusal_of_text("name = \"\"\"\n") ==
        "x.toml:2:1: is not valid TOML: Error while parsing string: encountered end-of-file");
  const std::string nul{"name = i\0\n", 10};
  CHECK_THAT(refusal_of_text(nul), Catch::StartsWith("x.toml:1:") && Catch::Contains("saw 'i\\u0000'"));
}

TEST_CASE("the path of a recorded trace is shown without control characters, and ends at its end") {
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
        "x.toml:3:1: x: unknown key; allowed here: name, seed, duration, heal_at, swarm, order, supervisor, group, "
        "fleet, resource, "
        "chaos, "
        "expect, "
        "budget");
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

TEST_CASE("every value of a scenario arrives") {
  enter_source_folder();
  const auto scenario = parse_every_key();
  CHECK(scenario.name == "every key");
  CHECK(scenario.seed == Seed{9'223'372'036'854'775'807});
  CHECK(scenario.duration == 24h + 2h + 3min + 4s + 5ms + 6us + 7ns);
  CHECK(scenario.heal_at == 24h);

  const auto& supervisor = scenario.supervisor;
  CHECK(supervisor.shutdown_timeout == 45s);
  CHECK(supervisor.when_all_terminated == WhenAllTerminated::return_);
  CHECK(supervisor.stop_grace == 11s);
  CHECK(supervisor.backoff ==
        BackoffPolicy{20ms, 7s, 3min, 5ms, BreakerPolicy{5, 70s, HalfOpenPolicy{20s, 4min, 8s}, BreakerCounts::ends},
                      ExponentialGrowth{Thousandths::of(1.5)}, ProportionalJitter{Thousandths::of(0.1)}});

  CHECK(scenario.budget == Budget{123'456, 240h});
}

TEST_CASE("every value of a fleet arrives") {
  enter_source_folder();
  CHECK(parse_every_key().groups ==
        std::vector<GroupConfig>{{"/gateway", {}},
                                 {"/gateway/feeds", {Strategy::rest_for_one, RestartIntensity{7, 9s}}}});
  const auto fleet = parse_every_key().fleet;
  REQUIRE(fleet.size() == 11);
  CHECK(fleet[0] == FleetGroup{"feed", 1000,
                               ServicePolicy{RestartPolicy::always,
                                             BackoffPolicy{1ms, 1ms, 5min, 100ms, std::nullopt, LinearGrowth{2ms},
                                                           AdditiveJitter{Thousandths::of(0.25)}},
                                             4s, Ready::notified, 6s, 8s, SignOfLife::progress, ExitRules{},
                                             Order{{"batch", "engine"}, {"cache"}, OnDependency::wait, 3s},
                                             "/gateway/feeds", EndsFleet::when_lost, true},
                               Behaviour{Exponential{4h},
                                         Then::fail,
                                         {},
                                         Takes{LogNormal{2s, Ratio::from(0.25)}},
                                         Takes{Uniform{1ms, 2ms}},
                                         Need{"db", Holds::run, 1s},
                                         Exponential{900ms},
                                         0s,
                                         std::nullopt,
                                         1s,
                                         3s}});
  CHECK(fleet[1] == FleetGroup{"engine", std::nullopt, ServicePolicy{RestartPolicy::never},
                               Behaviour{Weibull{Ratio::from(0.5), 5h},
                                         Then::throw_,
                                         {2, 3s},
                                         Ignores{},
                                         Ignores{},
                                         std::nullopt,
                                         std::nullopt,
                                         0s,
                                         Weibull{Ratio::from(2), 70s},
                                         40ms}});
  CHECK(fleet[2] == FleetGroup{"batch", std::nullopt,
                               ServicePolicy{.backoff = BackoffPolicy{10s, 5min, 10min, 10s, std::nullopt,
                                                                      SteppedGrowth{6}, NoJitter{}}},
                               Behaviour{Uniform{1s, 5s}, Then::end, {}, Takes{Fixed{9s}}, Obeys{}}});
  CHECK(fleet[3] == FleetGroup{"solver",
                               1,
                               ServicePolicy{},
                               Behaviour{LogNormal{6h, Ratio::from(2)}, Then::fatal, {}, Obeys{}},
                               {},
                               Joins::later});
  const Ends moody{{{Then::end, Ratio::from(0.25)},
                    {Then::fail, Ratio::from(0.5)},
                    {Then::fatal, Ratio::from(0.0625)},
                    {Then::throw_, Ratio::from(100)},
                    {Then::hang, Ratio::from(1)},
                    {Then::done, Ratio::from(2)}}};
  CHECK(fleet[4] == FleetGroup{"moody", std::nullopt, ServicePolicy{},
                               Behaviour{.runs_for = Fixed{11s}, .then = moody, .exit_status = 9}});
  CHECK(fleet[5] ==
        FleetGroup{"stuck", std::nullopt,
                   ServicePolicy{
                       .backoff = BackoffPolicy{100ms, 60s, 10s, 100ms, std::nullopt, ExponentialGrowth{}, NoJitter{}}},
                   Behaviour{.runs_for = Fixed{10s}, .then = Then::hang, .hang_heartbeats = HungHeartbeats::go_on}});
  CHECK(fleet[6].policy.exit_rules == ExitRules{.clean = {0, 143}, .failure = {9, 10}, .fatal = {78}});
  CHECK(fleet[6].program ==
        file::Program{.command = {"web", "--port", "80${INDEX}", ""},
                      .environment = {{"HOME", "/srv/${NAME}"}, {"EMPTY", ""}},
                      .environment_files = {"web.env", "-${NAME}.env"},
                      .folder = "/srv/${NAME}",
                      .user = "www-data",
                      .group = "www-data",
                      .umask = file::FileModeMask{027},
                      .limits = {.open_files = file::CountLimit{65536},
                                 .processes = file::CountLimit{},
                                 .memory = file::SizeLimit{std::uint64_t{1} << 30},
                                 .locked_memory = file::SizeLimit{0},
                                 .stack = file::SizeLimit{std::uint64_t{8} << 20},
                                 .file_size = file::SizeLimit{},
                                 .core = file::SizeLimit{3}},
                      .stop_signal = {3},
                      .stop_to = file::StopsFirst::process,
                      .log = {file::LogTo::file, "log/${NAME}.log", {std::uint64_t{1} << 20}, 3},
                      .ready = file::ReadyWhen{file::AskedPort{"80${INDEX}"}, 100ms, 2s},
                      .health = file::HealthWhen{file::AskingCommand{{"ask", "--port", "80${INDEX}"}}, 20s, 4s, 5},
                      .before_start = file::Errand{{"migrate", "--to", "80${INDEX}"}, 5min},
                      .after_stop = file::Errand{{"clean", ""}}});
  CHECK(fleet[6].policy.ready == Ready::notified);
  CHECK(fleet[6].policy.watchdog == 104s);
  CHECK(fleet[6].policy.watchdog_needs == SignOfLife::health);
  CHECK(fleet[7].program.ready == file::ReadyWhen{file::AskedPage{"http://127.0.0.1:8080/ready"}, 250ms, 1s});
  CHECK(fleet[7].program.health == file::HealthWhen{file::AskedPage{"http://[::1]/${NAME}"}, 10s, 3s, 3});
  CHECK(fleet[7].policy.watchdog == 33s);
  CHECK(fleet[8].program.ready == file::ReadyWhen{file::AskingCommand{{"pg_isready", "-q"}}, 1s, 1s});
  CHECK(fleet[8].program.health == file::HealthWhen{file::AskedPort{"5432"}, 10s, 3s, 3});
  CHECK(fleet[9].program.ready == file::ReadyWhen{file::OutputText{"listening on"}});
  CHECK(fleet[10].program.ready == file::ReadyWhen{file::OwnDescriptor{4}});
}

TEST_CASE("what a supervisor has in production arrives") {
  enter_source_folder();
  CHECK(parse_every_key().production ==
        file::Production{"every.sock", "127.0.0.1:9464", file::RecordingFolder{"recordings", 3}});
}

TEST_CASE("a file with a command gives up on nobody and stops within ten seconds, unless it says otherwise") {
  const std::string group = "[[fleet]]\nname = \"web\"\n";
  const auto parse = [](const std::string& text) { return parse_scenario("name = \"x\"\n" + text, "x.toml", "."); };
  const auto without = parse(group);
  CHECK(without.supervisor == SupervisorConfig{});
  CHECK(without.fleet[0].behaviour.on_kill == std::nullopt);

  const auto with = parse(group + "command = [\"web\"]\n" + "[[fleet]]\nname = \"db\"\nbackoff = { base = \"1s\" }\n");
  std::vector<Complaint> warnings;
  parse_scenario("name = \"x\"\n" + group + "command = [\"web\"]\n", "x.toml", ".", &warnings);
  CHECK(warnings.empty());
  CHECK(with.supervisor.stop_grace == 10s);
  CHECK(with.supervisor.backoff.breaker == BreakerPolicy{.half_open = HalfOpenPolicy{}});
  CHECK(with.fleet[1].policy.backoff->breaker == BreakerPolicy{.half_open = HalfOpenPolicy{}});
  CHECK(with.fleet[0].behaviour.on_kill == OnStop{Obeys{}});
  CHECK(with.fleet[1].behaviour.on_kill == std::nullopt);

  const auto own = parse("[supervisor]\nstop_grace = \"3s\"\nbackoff = { breaker = { max_failures = 10 } }\n" + group +
                         "command = [\"web\"]\non_kill = \"ignore\"\nbackoff = { breaker = \"off\" }\n");
  CHECK(own.supervisor.stop_grace == 3s);
  CHECK(own.supervisor.backoff.breaker == BreakerPolicy{});
  CHECK(own.fleet[0].policy.backoff->breaker == std::nullopt);
  CHECK(own.fleet[0].behaviour.on_kill == OnStop{Ignores{}});
  for (const auto& scenario : {without, with, own})
    CHECK(parse_scenario(scenario_text(scenario), "y.toml", ".") == scenario);
}

TEST_CASE("a preset is a policy, and what stands beside it replaces its parts") {
  const auto backoff_of = [](const std::string& text) {
    return parse("name = \"x\"\n[[fleet]]\nname = \"a\"\nbackoff = " + text + "\n").fleet[0].policy.backoff.value();
  };
  for (const auto& preset : presets()) CHECK(backoff_of('"' + std::string{preset.name} + '"') == preset.policy);
  BackoffPolicy refined = find_preset("nomad")->policy;
  refined.base = 5s;
  refined.jitter = NoJitter{};
  CHECK(backoff_of("{ base = \"5s\", preset = \"nomad\", jitter = \"none\" }") == refined);
  CHECK(backoff_of("{}") == BackoffPolicy{});
}

TEST_CASE("every value of a resource arrives") {
  enter_source_folder();
  const auto resources = parse_every_key().resources;
  REQUIRE(resources.size() == 2);
  CHECK(resources[0] == Resource{"spare", 20, Exponential{50ms}, 100, ServedNext::newest, Stale::dropped});
  CHECK(resources[1] == Resource{"db", 1, Fixed{0s}, std::nullopt, ServedNext::oldest, Stale::served});
}

TEST_CASE("every value of the chaos arrives") {
  enter_source_folder();
  const auto chaos = parse_every_key().chaos;
  const std::uint64_t whole = Target::kWhole;
  const std::string file = "good_record.csv";
  const RecordedTrace trace{{"0"}, {"Hardware: Memory Dimm"}, {{0, 0, 1min, 2min}}, 0, 0, 0};
  REQUIRE(chaos.size() >= 18);  // the values of another kind stand in the test of what it does
  CHECK(chaos[0] == ChaosEntry{1min, Storm{{{"feed-3", "engine"}, whole / 2, "even"}}});
  CHECK(chaos[1] == ChaosEntry{2min, Outage{{{"feed"}, whole / 8, "canary"}, 90s, 20ms}});
  CHECK(chaos[2] == ChaosEntry{3min, HangWindow{{{"feed"}, whole / 4, "even"}, 1s, HungHeartbeats::go_on}});
  CHECK(chaos[3] == ChaosEntry{4min, HangWindow{{{}, whole}, std::nullopt}});
  CHECK(chaos[4] == ChaosEntry{0s, Recorded{file, "feed", 2s, trace}});
  CHECK(chaos[5] == ChaosEntry{5min, Recorded{file, "", 1s, trace}});
  CHECK(chaos[6] == ChaosEntry{5min, Outage{{}, 72h, 1s, OutageMode::gone}});
  CHECK(chaos[7] == ChaosEntry{0s, Recorded{file, "feed", 1s, trace, OutageMode::gone}});
  CHECK(chaos[8] == ChaosEntry{6min, Outage{{}, 96h, 1s, OutageMode::refusing, Ratio::from(0.375)}});
  CHECK(chaos[9] == ChaosEntry{0s, Recorded{file, "feed", 1s, trace, OutageMode::failing, Ratio::from(0.625)}});
  CHECK(chaos[10] == ChaosEntry{6min, Shutdown{}});
  CHECK(chaos[11] == ChaosEntry{6min, Poison{{{"feed"}, whole / 4, "canary"}, 10min, 30ms, PoisonedThen::fatal}});
  CHECK(chaos[12] == ChaosEntry{0s, Capacity{"db", 3, 90s}, Exponential{70min}, 20h});
  const Target spread_out{.of = {"feed"}, .spread = Uniform{1s, 50s}};
  CHECK(chaos[13] == ChaosEntry{8min,
                                Outage{.target = spread_out, .length = Exponential{2min}, .repairs = Repairs::in_turn},
                                Fixed{1h}});
  CHECK(chaos[14] == ChaosEntry{9min, HangWindow{{.of = {"feed-{0..9}", "s*"}, .spread = Fixed{7s}},
                                                 Exponential{3min},
                                                 HungHeartbeats::stop,
                                                 Repairs::each}});
  CHECK(chaos[15] == ChaosEntry{10min, OperatorCommand{{{"feed"}, whole / 2, "even", Fixed{9s}}, Command::stop}});
  CHECK(chaos[16] == ChaosEntry{.at = 11min, .what = Storm{}, .required = Required{}});
  CHECK(chaos[17] == ChaosEntry{10min, OperatorCommand{{}, Command::reset, Rolling{7, 8s}}});
  CHECK(chaos[22] == ChaosEntry{14min, LateTimers{Exponential{30ms}, 12min}});
  const PolicyChange change{.restart = RestartPolicy::always,
                            .backoff = BackoffPolicy{.base = 3s},
                            .stop_grace = 4s,
                            .exit_rules = ExitRules{.fatal = {78}},
                            .ends_fleet = EndsFleet::when_lost,
                            .forget_when_done = true};
  CHECK(chaos[23] == ChaosEntry{15min, Reconfigure{{{"feed"}, whole / 2, "even", Fixed{9s}}, change}});
  CHECK(chaos[24] == ChaosEntry{15min, Reconfigure{{}, {.restart = RestartPolicy::never}, Rolling{7, 8s}}});
  CHECK(chaos[25] == ChaosEntry{15min, Joining{{"feed", "s*"}, Exponential{6s}}});
}

TEST_CASE("every expectation arrives") {
  enter_source_folder();
  const auto expect = parse_every_key().expect;
  CHECK(expect.fleet == ExpectedCounts{CountRange{1, 2}, exactly(2), exactly(3), exactly(4), exactly(15), exactly(5),
                                       exactly(6), exactly(14), exactly(7), exactly(8), exactly(9),
                                       CountRange{10, UINT64_MAX}, CountRange{0, 11}, CountRange{12, 13}});
  REQUIRE(expect.groups.size() == 2);
  CHECK(expect.groups[0] ==
        ExpectedOfGroup{"feed",
                        ExpectedCounts{exactly(1000), CountRange{1001, 1002}, exactly(1003), exactly(1004),
                                       exactly(1015), exactly(1005), exactly(1006), exactly(1013), exactly(1007),
                                       exactly(1008), exactly(1009), exactly(1010), exactly(1011), exactly(1012)},
                        Target::kWhole / 4 * 3});
  CHECK(expect.groups[1] == ExpectedOfGroup{"feed-7", {}});
  CHECK(expect.all_running_by == 7min);
  CHECK(expect.after_heal_within == 10min);
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
  REQUIRE(scenario.fleet[0].policy.backoff);
  CHECK(*scenario.fleet[0].policy.backoff == BackoffPolicy{.cooldown = 1min});
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

TEST_CASE("a questionable value is reported as a warning with its place, not as a mistake") {
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

TEST_CASE("chaos that can never have an effect is warned of") {
  const auto warnings_of = [](const std::string& chaos) {
    std::vector<Complaint> warnings;
    parse("name = \"idle\"\nduration = \"1h\"\n[[fleet]]\nname = \"a\"\n[[chaos]]\nat = \"1min\"\n" + chaos + "\n",
          &warnings);
    std::vector<std::string> texts;
    for (const auto& warning : warnings) texts.push_back(warning.key + ": " + warning.says);
    return texts;
  };
  using Texts = std::vector<std::string>;
  CHECK(warnings_of("outage = { for = \"1ns\", mode = \"refusing\" }") == Texts{});
  CHECK(warnings_of("outage = { for = \"0s\" }") == Texts{});  // a crash
  CHECK(warnings_of("outage = { for = \"0s\", mode = \"refusing\" }") ==
        Texts{"chaos[0].outage.for: is 0s: no start falls into it, so the outage has no effect"});
  CHECK(warnings_of("poison = { for = \"0s\" }") ==
        Texts{"chaos[0].poison.for: is 0s: no start falls into it, so the poison has no effect"});
  CHECK(warnings_of("poison = {}") == Texts{});
  CHECK(
      warnings_of("outage = { for = \"1min\", repairs = \"each\" }") ==
      Texts{"chaos[0].outage.repairs: is \"each\" beside a fixed length, which is the same for all: it has no effect"});
  CHECK(warnings_of("outage = { for = { exponential = \"1min\" }, repairs = \"each\" }") == Texts{});
  CHECK(warnings_of("outage = { for = \"1min\", repairs = \"in_turn\" }") == Texts{});
  CHECK(warnings_of("hang = { repairs = \"each\" }") ==
        Texts{"chaos[0].hang.repairs: has no effect without \"for\": nothing is repaired"});
  std::vector<Complaint> warnings;
  parse(
      "name = \"late\"\nheal_at = \"1h\"\n[[fleet]]\nname = \"a\"\n[[chaos]]\nat = \"1h\"\nstorm = {}\n"
      "[[chaos]]\nat = \"2h\"\nshutdown = true\n",
      &warnings);
  REQUIRE(warnings.size() == 1);
  CHECK(to_string(warnings[0]) ==
        "x.toml:6:6: chaos[0].at: is 1h, and from the heal_at of 1h on nothing goes wrong: it never happens");
}

TEST_CASE("an entity that is nearly called like a service of the fleet becomes one of its own, with a warning") {
  struct Row {
    std::string entity, says;  // what is said of it; empty: nothing
  };
  const std::string own =
      ", which no service of the fleet is called, so it becomes a service of its own with the "
      "defaults; the services of ";
  const std::string w = own + R"("w" are called "w-0" to "w-4" (x.toml: chaos[0].recorded.file))";
  const std::string solo = own + R"("Solo" are called "Solo" (x.toml: chaos[0].recorded.file))";
  const auto warnings_of = [](const std::vector<std::string>& entities) {
    const auto folder = fs::temp_directory_path() / "holdfast_nearly_called";
    fs::create_directories(folder);
    std::ofstream trace{folder / "trace.csv"};
    trace << "entity,from,until,cause\n";
    for (const auto& entity : entities) trace << entity << ",1s,2s,power\n";
    trace.close();
    std::vector<Complaint> warnings;
    parse_scenario(R"(name = "nearly"
[[fleet]]
name = "w"
count = 5
[[fleet]]
name = "Solo"
[[chaos]]
recorded = { file = "trace.csv" }
)",
                   "x.toml", folder, &warnings);
    std::vector<std::string> texts;
    for (const auto& warning : warnings) texts.push_back(warning.key + ": " + warning.says);
    fs::remove_all(folder);
    return texts;
  };
  for (const auto& [entity, says] : std::vector<Row>{{"W-3", w},
                                                     {"w-5", w},
                                                     {"w-03", w},
                                                     {"w-x", w},
                                                     {"W", w},
                                                     {"w_3", w},
                                                     {"w.3", w},
                                                     {"W 3", w},
                                                     {"w3", w},
                                                     {"solo", solo},
                                                     {"SOLO", solo},
                                                     {"w-3", ""},
                                                     {"Solo", ""},
                                                     {"solo-1", ""},
                                                     {"v-3", ""},
                                                     {"wx", ""},
                                                     {"w3x", ""}}) {
    INFO(entity);
    const auto expected =
        says.empty() ? std::vector<std::string>{} : std::vector{"entity: is \"" + entity + '"' + says};
    CHECK(warnings_of({entity}) == expected);
  }
  const auto several = warnings_of({"v", "W-3", "w-1", "w-77", "SOLO"});
  REQUIRE(several.size() == 1);
  CHECK_THAT(several[0], Catch::StartsWith("entity: is \"W-3\"") && Catch::Contains("(as do 2 more like it); the"));
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
  const auto reference = text_of("lib/docs/reference/scenario_format.md");
  for (const auto& [path, key] : test::listing().keys) {
    INFO(path);
    CHECK_THAT(reference, Catch::Contains(std::string{key->name}));
    for (const auto& form : key->forms) {
      const auto* const word = std::get_if<file::Word>(&form);
      if (word == nullptr) continue;
      for (const auto each : word->words) CHECK_THAT(reference, Catch::Contains("`\"" + std::string{each} + "\"`"));
    }
  }
  const std::string fence = "```toml\n";
  const auto begin = reference.find(fence) + fence.size();
  CHECK(refusal_of_text(reference.substr(begin, reference.find("```", begin) - begin)) == "accepted");
}

}  // namespace holdfast::scenario_reader_test
