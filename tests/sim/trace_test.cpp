// Traces as text: what a line looks like, and what happens to a file that was tampered with.
#include <catch2/catch.hpp>

#include <functional>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <xxhash.h>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/event_log.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::trace_test {

using namespace holdfast::sim;
using namespace std::chrono_literals;

namespace {

// A run in which every kind of event and every kind of chaos occurs, but for those of commands.
std::string trace_of_everything() {
  std::ostringstream out;
  Digest digest;
  TraceWriter writer{out, "every \"kind\"", Seed{9}};
  SupervisorConfig config;
  config.shutdown_timeout = 1s;
  config.backoff = {.base = 0ns, .max = 0ns, .breaker = BreakerPolicy{.max_failures = 2, .window = 1h}};
  Simulation sim{{.seed = {9}, .supervisor = config}, {&digest, &writer}};
  REQUIRE(sim.add({.name = "quote\"d"}));
  REQUIRE(sim.add({.name = "trips"}, {.runs_for = Fixed{1s}, .then = Then::throw_}));
  REQUIRE(
      sim.add({.name = "batch", .policy = {.restart = RestartPolicy::always, .backoff = BackoffPolicy{.base = 101ms}}},
              {.runs_for = Fixed{1s}, .then = Then::end}));
  REQUIRE(sim.add({.name = "late"}, {.on_stop = Takes{Fixed{5s}}}));
  REQUIRE(sim.add({.name = "gone"}));
  BackoffPolicy counts_ends{.breaker = BreakerPolicy{.counts = BreakerCounts::ends}};
  REQUIRE(sim.add(
      {.name = "ruled",
       .policy = {.backoff = counts_ends, .exit_rules = {.clean = {0, 64, 255}, .failure = {128}, .fatal = {78}}}},
      {.runs_for = Fixed{1s}, .then = Then::fail, .exit_status = 128}));
  sim.add_chaos({.at = 2s, .what = Outage{{{"quote\"d"}}, 3s, 1s}});
  sim.add_chaos({.at = 3s, .what = HangWindow{{{"late"}}, 1s}});
  sim.add_chaos({.at = 4s, .what = Storm{{{"late"}}}});
  sim.run_for(6s);
  REQUIRE(sim.supervisor().remove("gone"));
  REQUIRE(sim.supervisor().restart("trips"));
  sim.run_for(500ms);
  sim.supervisor().request_shutdown();
  sim.run_for(10s);
  writer.finish({.reason = EndReason::finished, .at = sim.now(), .counters = sim.supervisor().counters()}, digest);
  return out.str();
}

TraceSummary read(const std::string& text, const std::vector<Observer*>& observers = {}) {
  std::istringstream in{text};
  return read_trace(in, "t.ndjson", observers);
}

std::string refusal_of(const std::string& text) {
  try {
    read(text);
  } catch (const BadInput& bad) {
    return bad.what();
  }
  return "";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a trace holds every kind of event, and reading it gives back its text and its digest") {
  const std::string text = trace_of_everything();
  for (const char* const kind :
       {"\"added\"", "\"warned\"", "\"started\"", "\"running\"", "\"ended\"", "\"backing_off\"", "\"breaker_tripped\"",
        "\"commanded\"", "\"stopping\"", "\"terminated\"", "\"ended_late\"", "\"removed\"", "\"shutdown_requested\"",
        "\"drained\"", "\"storm\"", "\"outage\"", "\"hang\""}) {
    INFO(kind);
    CHECK(text.find(kind) != std::string::npos);
  }
  std::ostringstream out;
  Digest digest;
  TraceWriter writer{out, "every \"kind\"", Seed{9}};
  const TraceSummary summary = read(text, {&digest, &writer});
  writer.finish(summary.end, digest);
  CHECK(out.str() == text);
  CHECK(summary.digest == digest.text());
  CHECK(summary.events == digest.events());
  CHECK(summary.scenario == "every \"kind\"");
  CHECK(summary.seed == Seed{9});
}

TEST_CASE("a trace line shows time, service, event number, run, kind and fields, times in nanoseconds") {
  std::ostringstream out;
  Digest digest;
  TraceWriter writer{out, "one", Seed{1}};
  Simulation sim{{.seed = {1}, .supervisor = {.backoff = {.base = 0ns, .max = 0ns, .breaker = std::nullopt}}},
                 {&digest, &writer}};
  REQUIRE(sim.add({.name = "s"}, {.runs_for = Fixed{1500ms}, .then = Then::fail}));
  sim.run_for(2s);
  writer.finish({}, digest);
  const std::string text = out.str();
  CHECK(text.find("{\"holdfast_trace\":1,\"scenario\":\"one\",\"seed\":1}\n") == 0);
  CHECK(text.find("{\"t_ns\":1500000000,\"service\":\"s\",\"n\":4,\"run\":1,\"kind\":\"ended\",\"outcome\":\"failed\","
                  "\"lasted_ns\":1500000000,\"error\":\"simulated failure\"}\n") != std::string::npos);
  CHECK(text.find(
            "{\"t_ns\":1500000000,\"service\":\"s\",\"n\":5,\"run\":1,\"kind\":\"backing_off\",\"cause\":\"failure\","
            "\"attempt\":1,\"ceiling_ns\":0,\"delay_ns\":0}\n") != std::string::npos);
}

TEST_CASE("whatever stands in a text is read back as it was") {
  for (const std::string_view text : {"quote\"d", "back\\slash", "\\", "two\nlines", "\t\x01\x1f", "größer", "/",
                                      "no UTF-8: \xff", "an escape \" behind the eighth", "the eighth\x1f"}) {
    CAPTURE(text);
    std::ostringstream out;
    Digest digest;
    TraceWriter writer{out, text, Seed{1}};
    const ServicePolicy policy{.restart = RestartPolicy::always, .backoff = BackoffPolicy{}};
    Event event{};
    event.service = {1, 1};
    event.name = text;
    event.name_hash = name_hash(text);
    for (const Event::What& what :
         {Event::What{event::Added{&policy, {}}}, Event::What{event::Warned{"field", text}}}) {
      ++event.n;
      event.what = what;
      digest.on_event(event);
      writer.on_event(event);
    }
    writer.finish({}, digest);
    EventLog log;
    CHECK(read(out.str(), {&log}).scenario == text);
    REQUIRE(log.events().size() == 2);
    CHECK(log.events().back().name == text);
    CHECK(std::get<event::Warned>(log.events().back().what).says == text);
  }
}

TEST_CASE("a trace that was tampered with is refused, with its line") {
  const std::string text = trace_of_everything();
  CHECK(refusal_of(text).empty());
  CHECK(refusal_of("").find("t.ndjson") == 0);
  CHECK(refusal_of("nonsense\n").find("t.ndjson:1") == 0);
  CHECK(refusal_of(text.substr(0, text.rfind("{\"end\""))).find("cut short") != std::string::npos);
  CHECK(refusal_of(replaced(text, "\"holdfast_trace\":1", "\"holdfast_trace\":2")).find("holdfast_trace") !=
        std::string::npos);
  CHECK(refusal_of(replaced(text, "\"kind\":\"started\"", "\"kind\":\"begun\"")).find("begun") != std::string::npos);
  for (const std::string line : {"{\"holdfast_trace\"", "{\"t_ns\":0,\"service\":\"trips\",\"n\":2",
                                 "{\"t_ns\":2000000000,\"ser", "{\"end\"", "{\"spawned\""}) {
    CAPTURE(line);  // a first line, an event, a chaos event, the last line, its counters
    const std::string rest = line.substr(1);
    const std::string other = refusal_of(replaced(text, line, "{\"colour\":1," + rest));
    CHECK(other.starts_with("t.ndjson:"));
    CHECK(other.find(": colour: has no place in this line; allowed here: ") != std::string::npos);
    const auto colon = text.find(':', text.find(line));
    const std::string key = text.substr(text.find(line) + 2, colon - text.find(line) - 3);
    const std::string twice = refusal_of(replaced(text, line, "{\"" + key + "\":7," + rest));
    CHECK(twice.starts_with("t.ndjson:"));
    CHECK(twice.ends_with(": " + key + ": stands twice in this line; allowed is once"));
  }
  CHECK(refusal_of(replaced(text, "\"events\":", "\"events\":1")).find(": events: is 1") != std::string::npos);
  CHECK(refusal_of(replaced(text, "\"kind\":\"started\"", "\"kind\":\"started\"" + std::string(2'000'000, ' ')))
            .ends_with(": is longer than 1048576 bytes, which no line of it is"));
  CHECK(refusal_of(replaced(text, "\"outcome\":\"threw\"", "\"outcome\":\"ran\"")).find("outcome") !=
        std::string::npos);
  // What to_string says of no enumerator is no word either.
  CHECK(refusal_of(replaced(text, "\"outcome\":\"threw\"", "\"outcome\":\"?\"")).find("outcome") != std::string::npos);
  CHECK(refusal_of(replaced(text, "\"lasted_ns\":1000000000", "\"lasted_ns\":1000000001")).find("digest") !=
        std::string::npos);
  CHECK(refusal_of(replaced(text, "\"lasted_ns\":1000000000", "\"lasted_ns\":\"1s\"")).find("lasted_ns") !=
        std::string::npos);
  CHECK(refusal_of(replaced(text, "\"lasted_ns\":1000000000,", "")).find("missing") != std::string::npos);
}

TEST_CASE("exit statuses in a trace that no policy can have are refused") {
  const std::string text = trace_of_everything();
  REQUIRE(text.find("\"clean_statuses\":\"0 64 255\"") != std::string::npos);
  REQUIRE(text.find("\"exit_status\":128") != std::string::npos);
  for (const auto* const wrong : {"0 64 256", "64 0", "0,64", ""}) {
    CHECK_THAT(refusal_of(replaced(text, "0 64 255", wrong)),
               Catch::Contains("clean_statuses: is \"" + std::string{wrong} +
                               "\"; allowed are exit statuses in rising order"));
  }
}

TEST_CASE("a trace from before kills were counted can be read") {
  CHECK(refusal_of(replaced(trace_of_everything(), "\"killed_runs\":0,", "")).empty());
}

TEST_CASE("an event that can only be about a service is refused without one") {
  const std::string head = "{\"holdfast_trace\":1,\"scenario\":\"t\",\"seed\":0}\n";
  for (const char* const kind : {"started", "running", "removed"}) {
    CHECK(refusal_of(head + R"({"t_ns":0,"n":1,"kind":")" + kind + "\"}\n").find("service: is missing") !=
          std::string::npos);
  }
}

TEST_CASE("every field of every event is in the digest") {
  const auto digest_of = [](const Event& event) {
    Digest digest;
    digest.on_event(event);
    return digest.text();
  };
  Event event{};
  event.at = {5};
  event.service = {1, 1};
  event.name = "s";
  event.name_hash = name_hash("s");
  event.n = 3;
  event.run = {2};
  event.what = event::Ended{Outcome::failed, 7ns, "boom"};
  const std::string before = digest_of(event);
  const auto changes = [&](const std::function<void(Event&)>& change) {
    Event changed = event;
    change(changed);
    return digest_of(changed) != before;
  };
  CHECK(changes([](Event& e) { e.at = {6}; }));
  CHECK(changes([](Event& e) { e.name_hash = name_hash("t"); }));
  CHECK(changes([](Event& e) { e.n = 4; }));
  CHECK(changes([](Event& e) { e.run = {3}; }));
  CHECK(changes([](Event& e) { e.what = event::Ended{Outcome::threw, 7ns, "boom"}; }));
  CHECK(changes([](Event& e) { e.what = event::Ended{Outcome::failed, 8ns, "boom"}; }));
  CHECK(changes([](Event& e) { e.what = event::Ended{Outcome::failed, 7ns, "Boom"}; }));
  CHECK(changes([](Event& e) { e.what = event::EndedLate{Outcome::failed, 7ns, "boom"}; }));
  // The slot is where the supervisor keeps it, and nobody's business.
  CHECK_FALSE(changes([](Event& e) { e.service = {2, 5}; }));

  const auto added = [&](bool can_be_killed, std::optional<Duration> stop_grace) {
    const ServicePolicy policy{RestartPolicy::always, BackoffPolicy{}, stop_grace};
    event.what = event::Added{&policy, {}, can_be_killed};
    return digest_of(event);
  };
  const std::set<std::string> of_added{added(false, std::nullopt), added(false, 0ns), added(false, 1ns),
                                       added(true, 1ns)};
  CHECK(of_added.size() == 4);
  const auto killed = [&](Duration after) {
    event.what = event::Killed{after};
    return digest_of(event);
  };
  CHECK(killed(1ns) != killed(2ns));
  const auto of = [&](const Event::What& what) {
    event.what = what;
    return digest_of(event);
  };
  CHECK(std::set<std::string>{of(event::Running{}), of(event::Running{1}), of(event::Running{2})}.size() == 3);
  const auto ended = [&](std::optional<std::uint32_t> status) {
    return of(event::Ended{Outcome::clean, 1s, "", status});
  };
  CHECK(std::set<std::string>{ended(std::nullopt), ended(0), ended(1)}.size() == 3);
  const auto of_policy = [&](const ServicePolicy& policy) { return of(event::Added{&policy, {}}); };
  CHECK(std::set<std::string>{
            of_policy({.backoff = BackoffPolicy{}}),
            of_policy({.backoff = BackoffPolicy{}, .exit_rules = {.clean = {64}}}),
            of_policy({.backoff = BackoffPolicy{}, .exit_rules = {.clean = {65}}}),
            of_policy({.backoff = BackoffPolicy{}, .exit_rules = {.failure = {64}}}),
            of_policy({.backoff = BackoffPolicy{}, .exit_rules = {.fatal = {64}}}),
            of_policy({.backoff = BackoffPolicy{.breaker = BreakerPolicy{.counts = BreakerCounts::ends}}})}
            .size() == 6);
  CHECK(std::set<std::string>{of(event::Drained{DrainOutcome::cut_short}),
                              of(event::Drained{DrainOutcome::cut_short, ShutdownCause::sigint}),
                              of(event::Drained{DrainOutcome::cut_short, ShutdownCause::sigterm})}
            .size() == 3);
}

TEST_CASE("every field of every disturbance is in the digest") {
  const auto digest_of = [](const ChaosEvent& event) {
    Digest digest;
    digest.on_chaos(event);
    return digest.text();
  };
  const ChaosEvent event{{5}, {1, 1}, "s", name_hash("s"), ChaosEvent::Kind::outage, {9}, 3ns, "power"};
  const auto changes = [&](const std::function<void(ChaosEvent&)>& change) {
    ChaosEvent changed = event;
    change(changed);
    return digest_of(changed) != digest_of(event);
  };
  CHECK(changes([](ChaosEvent& e) { e.at = {6}; }));
  CHECK(changes([](ChaosEvent& e) { e.name_hash = name_hash("t"); }));
  CHECK(changes([](ChaosEvent& e) { e.kind = ChaosEvent::Kind::hang; }));
  CHECK(changes([](ChaosEvent& e) { e.until = {10}; }));
  CHECK(changes([](ChaosEvent& e) { e.fails_after = 4ns; }));
  CHECK(changes([](ChaosEvent& e) { e.cause = "Power"; }));
  CHECK_FALSE(changes([](ChaosEvent& e) { e.service = {2, 5}; }));
}

TEST_CASE("the digest is XXH3-128 over the canonical bytes, however they are cut into pieces") {
  // Texts of every length around the sizes of its buffers, and one that is larger than all of them.
  const std::string text(6000, 'x');
  std::vector<std::size_t> lengths{6000};
  for (std::size_t length = 0; length < 300; ++length) lengths.push_back(length);
  Digest digest;
  std::string bytes;
  const auto put = [&bytes](auto number) {
    for (std::size_t i = 0; i < sizeof number; ++i)
      bytes += static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
  };
  Event event{};
  event.at = {77};
  event.n = 5;
  for (const std::size_t length : lengths) {
    event.what = event::StopThrew{std::string_view{text}.substr(0, length)};
    digest.on_event(event);
    put(static_cast<std::uint8_t>(9));  // stop_threw
    put(std::int64_t{77});
    put(std::uint64_t{0});  // no name
    put(std::uint64_t{5});
    put(std::uint64_t{0});  // no run
    put(static_cast<std::uint32_t>(length));
    bytes.append(text, 0, length);
  }
  XXH128_canonical_t expected;
  XXH128_canonicalFromHash(&expected, XXH3_128bits(bytes.data(), bytes.size()));
  std::string expected_text;
  for (const unsigned char byte : expected.digest) {
    expected_text += "0123456789abcdef"[byte >> 4];
    expected_text += "0123456789abcdef"[byte & 15];
  }
  CHECK(digest.events() == lengths.size());
  CHECK(digest.text() == expected_text);
  CHECK(digest.text() == expected_text);  // asking does not change it
}

}  // namespace holdfast::trace_test
