// A real run on Boost.Asio, with real time, crashing coroutines, commands from outside and a shutdown, is recorded and
// replayed in virtual time. It waits for events, never for a time to pass.
#include <catch2/catch.hpp>

#include <cstdint>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <holdfast/asio/runtime.hpp>
#include <holdfast_sim/format/scenario_writer.hpp>
#include <holdfast_sim/observe/event_log.hpp>
#include <holdfast_sim/replay/incident.hpp>
#include <holdfast_sim/replay/replay.hpp>

namespace holdfast::recorded_runtime_test {

namespace {

using namespace std::chrono_literals;
namespace net = boost::asio;

// Keeps the events, and calls back at the n-th of a kind.
class Log final : public EventSink {
 public:
  void on_event(const Event& event) override {
    log_.on_event(event);
    if (on_each) on_each(event);
  }
  [[nodiscard]] std::vector<std::string> lines() const { return log_.lines(); }

  std::function<void(const Event&)> on_each;

 private:
  sim::EventLog log_;
};

void expect_the_same(const std::string& recording, const Log& log) {
  sim::EventLog again;
  sim::Incident incident;
  std::istringstream in{recording};
  const auto result = sim::replay(in, "run.ndjson", {.observers = {&again, &incident}});
  if (result.difference) {
    FAIL(result.difference->line << ": " << result.difference->says << "\nrecorded " << result.difference->recorded
                                 << "\nreplayed " << result.difference->replayed);
  }
  CHECK_FALSE(result.cut_short);
  CHECK(again.lines() == log.lines());
  CHECK(result.events > 0);
  CHECK_NOTHROW(sim::scenario_text(incident.scenario(result, "run.csv", sim::Mended::early)));
}

net::awaitable<void> crashes(Context& ctx) {
  co_await ctx.sleep_for(Duration{static_cast<std::int64_t>(ctx.run().value % 3) * 100'000});
  throw std::runtime_error{"run " + std::to_string(ctx.run().value)};
}

net::awaitable<void> waits(Context& ctx) { co_await ctx.stopped(); }

// Neither interrupted nor ever done.
net::awaitable<void> is_deaf(Context& ctx) {
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  for (;;) co_await ctx.sleep_for(1h);
}

TEST_CASE("a program that crashes, restarts, is commanded and shut down is replayed event for event") {
  std::ostringstream recording;
  Log log;
  {
    Runtime runtime{{.supervisor = {.backoff = {.base = 1ms, .max = 3ms, .breaker = std::nullopt}},
                     .sinks = {&log},
                     .recording = &recording}};
    for (int i = 0; i < 20; ++i) REQUIRE(runtime.add({.name = "feed-" + std::to_string(i)}, crashes));
    REQUIRE(runtime.add({.name = "engine", .policy = {.restart = RestartPolicy::always}}, waits));
    REQUIRE(runtime.add({.name = "risk", .policy = {.restart = RestartPolicy::never}}, is_deaf));
    // From outside, from a service's coroutine, and from within the sink.
    REQUIRE(runtime.add({.name = "operator", .policy = {.restart = RestartPolicy::always}},
                        [&](Context& ctx) -> net::awaitable<void> {
                          (void)runtime.supervisor().restart("engine");
                          (void)runtime.supervisor().remove("feed-0");
                          (void)runtime.add({.name = "feed-0"}, crashes);
                          co_await ctx.sleep_for(1ms);
                        }));
    int crashed = 0;
    log.on_each = [&](const Event& event) {
      if (!std::holds_alternative<event::BackingOff>(event.what)) return;
      if (++crashed == 100) (void)runtime.supervisor().stop("feed-1");
      if (crashed == 300) net::post(runtime.executor(), [&] { (void)runtime.supervisor().restart("feed-1"); });
      if (crashed == 600) runtime.request_shutdown();
      if (crashed == 600) runtime.end_drain();
    };
    const auto result = runtime.run_until_shutdown();
    CHECK(result.outcome == DrainOutcome::cut_short);
  }
  expect_the_same(recording.str(), log);
}

TEST_CASE("a runtime waits a second for the runs that a drain has killed, unless its configuration says otherwise") {
  for (const bool given : {false, true}) {
    std::ostringstream recording;
    RuntimeConfig config{.recording = &recording};
    if (given) config.supervisor.kill_wait = 7ms;
    const Runtime runtime{config};
    const std::string says = given ? "\"kill_wait_ns\":7000000," : "\"kill_wait_ns\":1000000000,";
    CHECK(recording.str().find(says) != std::string::npos);
  }
}

TEST_CASE("two runtimes on one io_context are each replayed from a recording of their own") {
  std::ostringstream recordings[2];
  Log logs[2];
  {
    net::io_context io;
    const auto config = [&](int i) {
      return RuntimeConfig{.supervisor = {.backoff = {.base = 0ns, .max = 0ns, .breaker = std::nullopt}},
                           .sinks = {&logs[i]},
                           .recording = &recordings[i]};
    };
    Runtime first{io, config(0)}, second{io, config(1)};
    for (auto* const runtime : {&first, &second}) {
      REQUIRE(runtime->add({.name = "feed"}, crashes));
      REQUIRE(runtime->add({.name = "engine"}, waits));
    }
    int crashed = 0;
    logs[0].on_each = [&](const Event& event) {
      if (!std::holds_alternative<event::Ended>(event.what) || event.name != "feed" || ++crashed != 50) return;
      first.request_shutdown();
      second.request_shutdown();
    };
    io.run();
  }
  expect_the_same(recordings[0].str(), logs[0]);
  expect_the_same(recordings[1].str(), logs[1]);
}

TEST_CASE("a runtime that is destroyed in the midst of it leaves a whole recording") {
  std::ostringstream recording;
  Log log;
  {
    Runtime runtime{{.sinks = {&log}, .recording = &recording}};
    REQUIRE(runtime.add({.name = "engine"}, waits));
  }
  CHECK(log.lines().empty());
  std::istringstream in{recording.str()};
  const auto result = sim::replay(in, "run.ndjson");
  CHECK(result.same());
  CHECK_FALSE(result.cut_short);
  CHECK(result.inputs == 1);
}

}  // namespace

}  // namespace holdfast::recorded_runtime_test
