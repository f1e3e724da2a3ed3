// Compact traces: the lines come back to the byte, the bytes are those of the reference, and no damage goes unnoticed.
#include <catch2/catch.hpp>

#include <rapidcheck.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <xxhash.h>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/observe/compact_trace.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/event_log.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/observe/trace_csv.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::compact_trace_test {

namespace {

using namespace holdfast::sim;
using namespace std::chrono_literals;

struct Traces {
  std::string lines;
  std::string compact;
  std::string table;
};

// A run with most kinds of events, and with all that is rare: names and errors with blanks, a policy of its own, exit
// statuses, a restart in place, a late end, a name that is removed and comes back.
Traces run_of_everything() {
  std::ostringstream lines, compact, table;
  Digest digest;
  TraceWriter line_writer{lines, "every \"kind\"", Seed{UINT64_MAX}};
  CompactTraceWriter compact_writer{compact, "every \"kind\"", Seed{UINT64_MAX}};
  TraceCsvWriter csv_writer{table};
  SupervisorConfig config;
  config.shutdown_timeout = 3s;
  config.backoff = {.base = 10ms, .max = 1s, .breaker = BreakerPolicy{.max_failures = 20, .window = 1h}};
  Simulation sim{{.seed = {9}, .supervisor = config}, {&digest, &line_writer, &compact_writer, &csv_writer}};
  REQUIRE(sim.add({.name = "quote\"d, with blanks"}));
  REQUIRE(sim.add({.name = "trips"}, {.runs_for = Fixed{1ms}, .then = Then::throw_}));
  REQUIRE(
      sim.add({.name = "batch", .policy = {.restart = RestartPolicy::always, .backoff = BackoffPolicy{.base = 101ms}}},
              {.runs_for = Fixed{1s}, .then = Then::end}));
  REQUIRE(sim.add({.name = "late", .policy = {.stop_grace = 1s}}, {.on_stop = Takes{Fixed{5s}}}));
  REQUIRE(sim.add({.name = "gone"}));
  const BackoffPolicy counts_ends{.breaker = BreakerPolicy{.counts = BreakerCounts::ends}};
  REQUIRE(sim.add(
      {.name = "ruled",
       .policy = {.backoff = counts_ends, .exit_rules = {.clean = {0, 64, 255}, .failure = {128}, .fatal = {78}}}},
      {.runs_for = Fixed{1s}, .then = Then::fail, .exit_status = 128}));
  sim.add_chaos({.at = 2s, .what = Outage{{{"quote\"d, with blanks"}}, 3s, 1s}});
  sim.add_chaos({.at = 3s, .what = HangWindow{{{"gone"}}, 1s}});
  sim.add_chaos({.at = 4s, .what = Storm{{{"late"}}}});
  sim.run_for(6s);
  REQUIRE(sim.supervisor().restart("late"));
  sim.run_for(10s);
  REQUIRE(sim.supervisor().remove("gone"));
  sim.run_for(1s);
  REQUIRE(sim.add({.name = "gone"}, {.runs_for = Fixed{10ms}, .then = Then::fail}));
  REQUIRE(sim.supervisor().restart("trips"));
  sim.run_for(500ms);
  sim.supervisor().request_shutdown();
  sim.run_for(10s);
  const SimulationEnd end{.at = sim.now(), .timers_fired = 77, .counters = sim.supervisor().counters()};
  line_writer.finish(end, digest);
  compact_writer.finish(end, digest);
  return {lines.str(), compact.str(), table.str()};
}

const Traces& everything() {
  static const Traces traces = run_of_everything();
  return traces;
}

std::string lines_of(const std::string& compact) {
  std::istringstream in{compact};
  std::ostringstream out;
  CompactTraceReader reader{in, "t.hft"};
  Digest digest;
  TraceWriter lines{out, reader.scenario(), reader.seed()};
  const auto summary = reader.read({&digest, &lines});
  lines.finish(summary.end, digest);
  return out.str();
}

// Empty: it is taken.
std::string refusal_of(const std::string& compact) {
  try {
    (void)lines_of(compact);
  } catch (const BadInput& bad) {
    return bad.what();
  }
  return "";
}

void put_32(std::string& text, std::size_t at, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) text[at + i] = static_cast<char>(value >> (8 * i));
}

// The bytes of one block as a whole file, with a checksum that fits.
std::string file_of(const std::string& payload, bool last = true) {
  std::string file{kCompactTraceMagic.begin(), kCompactTraceMagic.end()};
  file += std::string(8, '\0') + payload;
  put_32(file, 8, static_cast<std::uint32_t>(payload.size()) | (last ? 0x80000000 : 0));
  put_32(file, 12, static_cast<std::uint32_t>(XXH3_64bits(payload.data(), payload.size())));
  return file;
}

}  // namespace

TEST_CASE("the lines come back to the byte") {
  REQUIRE(lines_of(everything().compact) == everything().lines);
  REQUIRE(everything().lines.find("\"kind\":\"ended_late\"") != std::string::npos);
  REQUIRE(everything().lines.find("\"kind\":\"removed\"") != std::string::npos);
  REQUIRE(everything().lines.find("\"exit_status\":128") != std::string::npos);
  REQUIRE(everything().compact.size() * 5 < everything().lines.size());
}

// The run: "a" is added, starts, runs, ends 3 ns later with an error, and waits 5 ns of at most 300 ns.
TEST_CASE("the bytes are those of the reference") {
  std::ostringstream out;
  CompactTraceWriter writer{out, "x", Seed{200}};
  Event event{.at = {1000}, .service = {.slot = 4, .generation = 1}, .name = "a", .name_hash = name_hash("a"), .n = 1};
  event.run = {1};
  event.what = event::Started{};
  writer.on_event(event);
  event.n = 2;
  event.what = event::Running{};
  writer.on_event(event);
  event.n = 3;
  event.at = {1003};
  event.what = event::Ended{.outcome = Outcome::failed, .lasted = 3ns, .error = "no"};
  writer.on_event(event);
  event.n = 4;
  event.what = event::BackingOff{.cause = BackoffCause::failure, .attempt = 1, .ceiling = 300ns, .delay = 5ns};
  writer.on_event(event);
  Digest digest;
  writer.finish({}, digest);
  const std::string text = out.str();
  const std::vector<unsigned> expected{
      1,   'x',  200,  1,           // the scenario's name and the seed
      61,  5,    1,    'a',         // service 5 is called "a"
      2,   0x21, 5,    0xe8, 0x03,  // started: service in 1 byte, time in 2, 1000 ns later
      3,   0x0f,                    // running: the same service, at the same time
      4,   0x1f, 3,    0x21, 0,    2,    'n',
      'o',  // ended: 3 ns later; failed, another error, which is new and has 2 bytes
      5,   0x0f, 0x10, 0x21, 5,    0x2c, 0x01,  // backing_off: failure, attempt 1; delay in 1 byte, ceiling in 2
      63,
  };
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO("byte " << i);
    REQUIRE(static_cast<unsigned>(static_cast<unsigned char>(text[16 + i])) == expected[i]);
  }
}

TEST_CASE("a file that is cut short is refused wherever it is, with the byte") {
  const std::string& whole = everything().compact;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    const auto refusal = refusal_of(whole.substr(0, size));
    REQUIRE(refusal.find("t.hft: byte ") == 0);
  }
  REQUIRE(
      refusal_of(whole.substr(0, 12)).find("t.hft: byte 12: the trace is cut short: a block should begin at byte 8") ==
      0);
  REQUIRE(refusal_of(whole.substr(0, 20))
              .find("t.hft: byte 20: the trace is cut short: the block at byte 8 should have ") == 0);
  REQUIRE(refusal_of(whole + 'x').find(": something stands behind the end of the trace") != std::string::npos);
  REQUIRE(refusal_of(file_of("", false)) ==
          "t.hft: byte 16: the block that begins at byte 8 ends in the middle of an event");
}

TEST_CASE("a byte that has changed is noticed wherever it is") {
  const std::string& whole = everything().compact;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned bits : {0x01U, 0x80U, 0xffU}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ bits);
      INFO(at);
      REQUIRE(refusal_of(damaged).find("t.hft: byte ") == 0);
    }
  }
  std::string damaged = whole;
  damaged[100] ^= 1;
  REQUIRE(refusal_of(damaged) == "t.hft: byte 8: the block that begins here is damaged: its checksum is another one");
  damaged = whole;
  damaged[4] = '\n';  // as a program that changes line ends
  REQUIRE(refusal_of(damaged).find("t.hft: byte 4: was changed on its way") == 0);
  damaged = whole;
  damaged[7] = 2;
  REQUIRE(refusal_of(damaged) == "t.hft: byte 7: has version 2; this program reads 1");
  REQUIRE(refusal_of("{\"holdfast_trace\":1}").find("t.hft: byte 0: is no compact trace") == 0);
}

// Damage that no checksum shows: what is read may be another run, and is refused for its digest if for nothing else.
TEST_CASE("bytes that were made up never do any harm") {
  const std::string payload = everything().compact.substr(16);
  const auto refused = [](const std::string& bytes) {
    const auto refusal = refusal_of(file_of(bytes));
    RC_ASSERT(refusal.empty() || refusal.find("t.hft: byte ") == 0);
    return !refusal.empty();
  };
  for (std::size_t size = 0; size < payload.size(); ++size) REQUIRE(refused(payload.substr(0, size)));
  rc::check([&] {
    std::string bytes = payload;
    const auto changes = *rc::gen::inRange(1, 5);
    for (int i = 0; i < changes; ++i) {
      bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = static_cast<char>(*rc::gen::inRange(0, 256));
    }
    (void)refused(bytes);
  });
  rc::check([&](const std::string& bytes) { (void)refused(bytes); });
  const std::string head = "\1x\7";
  REQUIRE(refusal_of(file_of(head + '\2' + '\1' + '\5'))
              .find("has an event of service 5, of which it never said the name") != std::string::npos);
  REQUIRE(refusal_of(file_of(head + '\x3d' + std::string(9, '\xff') + '\1')).find("which no fleet has") !=
          std::string::npos);
  REQUIRE(refusal_of(file_of(head + std::string(11, '\xff'))).find("byte ") != std::string::npos);
}

TEST_CASE("blocks follow each other, and a text longer than a block is read") {
  std::ostringstream lines, compact;
  TraceWriter line_writer{lines, "long", Seed{1}};
  CompactTraceWriter compact_writer{compact, "long", Seed{1}};
  Digest digest;
  const std::string error(200'000, 'e');
  Event event{.service = {.slot = 0, .generation = 3}, .name = "a", .name_hash = name_hash("a")};
  const ServicePolicy policy{.backoff = BackoffPolicy{}};
  const auto both = [&] {
    ++event.n;
    digest.on_event(event);
    line_writer.on_event(event);
    compact_writer.on_event(event);
  };
  event.what = event::Added{.policy = &policy, .runs_before = {}};
  both();
  for (std::uint64_t run = 1; run < 30'000; ++run) {
    event.run = {run};
    event.what = event::Started{};
    both();
    event.at = event.at + Duration{run};
    event.what = event::Ended{
        .outcome = Outcome::failed, .lasted = Duration{run}, .error = run == 9 ? std::string_view{error} : "short"};
    both();
  }
  line_writer.finish({}, digest);
  compact_writer.finish({}, digest);
  REQUIRE(compact.str().size() > 400'000);
  REQUIRE(lines_of(compact.str()) == lines.str());
}

TEST_CASE("observers see the same events from a compact trace as from lines") {
  const auto seen = [](const std::string& text) {
    EventLog log;
    std::istringstream in{text};
    const auto summary = read_trace(in, "t", {&log});
    auto all = log.lines();
    all.push_back(summary.scenario + summary.digest + std::to_string(summary.seed.value));
    return all;
  };
  REQUIRE(seen(everything().compact) == seen(everything().lines));
}

TEST_CASE("a table has a row for each event and the same columns in each") {
  std::istringstream table{everything().table};
  std::string line;
  REQUIRE(std::getline(table, line));
  REQUIRE(line.find("t_ns,service,n,run,kind,chaos,runs_before,") == 0);
  std::size_t rows = 0;
  while (std::getline(table, line)) ++rows;
  std::istringstream lines{everything().lines};
  std::size_t events = 0;
  while (std::getline(lines, line)) ++events;
  REQUIRE(rows == events - 2);
  std::ostringstream out;
  TraceCsvWriter writer{out};
  Event event{.at = {7}, .service = {0, 1}, .name = "a,\"b\"", .n = 2, .run = {1}};
  event.what = event::Ended{.outcome = Outcome::failed, .lasted = 5ns, .error = "no", .exit_status = 3};
  writer.on_event(event);
  const auto row = out.str().substr(out.str().find('\n') + 1);
  REQUIRE(row.find("7,\"a,\"\"b\"\"\",2,1,ended,,,,,,,,failed,5,no,3,") == 0);
}

}  // namespace holdfast::compact_trace_test
