// The signals that shut a program down, shared with the rest of the program.
#include <catch2/catch.hpp>

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <holdfast/asio/runtime.hpp>

#include "runtime_parts.hpp"

namespace holdfast::test::runtime_test {

namespace {

using Words = std::vector<std::string>;

TEST_CASE("SIGTERM, SIGINT or SIGHUP shuts a program down") {
  const int signal = GENERATE(SIGTERM, SIGINT, SIGHUP);
  std::signal(SIGHUP, SIG_DFL);  // the tests may run under nohup
  On<event::Running> started{[signal] { std::raise(signal); }};
  Runtime runtime{with({&started})};
  REQUIRE(runtime.add({.name = "engine"}, waits));
  CHECK(runtime.run_until_shutdown().outcome == DrainOutcome::drained);
}

TEST_CASE("a second signal a second later ends the drain at once, and the result names the abandoned services") {
  On<event::Running> started{[] { std::raise(SIGTERM); }, 2};
  Recorder recorder{true};
  Runtime runtime{with({&recorder, &started}, config_of(kAtOnce, 24h))};
  REQUIRE(runtime.add({.name = "deaf"}, is_deaf));
  REQUIRE(runtime.add({.name = "impatient"}, [](Context& ctx) -> net::awaitable<void> {
    co_await ctx.stopped();
    co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
    std::raise(SIGTERM);  // the other half of the first one
    co_await ctx.sleep_for(1s);
    co_await ctx.sleep_for(1ms);
    std::raise(SIGINT);
  }));
  const ShutdownResult result = runtime.run_until_shutdown();
  CHECK(result.outcome == DrainOutcome::cut_short);
  CHECK(result.took >= 1s);
  CHECK(result.abandoned == Words{"deaf"});
  CHECK(result.suggested_exit_status() == 1);
}

TEST_CASE("a signal that follows the program's own request within a second leaves the drain alone") {
  On<event::ShutdownRequested> requested{[] { std::raise(SIGINT); }};
  Runtime runtime{with({&requested}, config_of(kAtOnce, 24h))};
  bool has_cleaned_up = false;
  REQUIRE(runtime.add({.name = "engine"}, [&](Context& ctx) -> net::awaitable<void> {
    runtime.request_shutdown();
    co_await ctx.stopped();
    co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
    co_await ctx.sleep_for(10ms);
    has_cleaned_up = true;
  }));
  CHECK(runtime.run_until_shutdown().outcome == DrainOutcome::drained);
  CHECK(has_cleaned_up);
}

// ThreadSanitizer keeps a signal back until its thread calls something that it replaces. A read() that goes on never
// does.
#ifdef __has_feature
#define KEEPS_SIGNALS_BACK __has_feature(thread_sanitizer)
#else
#define KEEPS_SIGNALS_BACK 0
#endif
#if !KEEPS_SIGNALS_BACK
TEST_CASE("a call that a signal interrupts in another thread goes on") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::atomic<bool> reads = false;
  ssize_t got = -2;
  std::thread reader{[&] {
    char byte = 0;
    reads = true;
    got = ::read(ends[0], &byte, 1);
  }};
  const auto id = reader.native_handle();
  On<event::Running> started{[&] {
    while (!reads) std::this_thread::yield();
    ::pthread_kill(id, SIGTERM);
  }};
  Runtime runtime{with({&started})};
  REQUIRE(runtime.add({.name = "engine"}, waits));
  CHECK(runtime.run_until_shutdown().outcome == DrainOutcome::drained);
  CHECK(::write(ends[1], "x", 1) == 1);
  reader.join();
  CHECK(got == 1);
  ::close(ends[0]);
  ::close(ends[1]);
}

#endif

Runtime* g_runtime = nullptr;

TEST_CASE("a shutdown is asked for from a signal handler") {
  On<event::Running> started{[] { std::raise(SIGUSR1); }};
  Runtime runtime{with({&started})};
  REQUIRE(runtime.add({.name = "engine"}, waits));
  g_runtime = &runtime;
  const auto before = std::signal(SIGUSR1, [](int) { g_runtime->request_shutdown(); });
  CHECK(runtime.run_until_shutdown(Runtime::Signals::left_alone).outcome == DrainOutcome::drained);
  std::signal(SIGUSR1, before);
}

__sighandler_t handler_of(int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler;
}

TEST_CASE("a runtime takes signals and gives them back, also beside signal_sets of the program, in any order") {
  std::this_thread::sleep_for(1s);  // no signal of another test counts as the same stop any more
  std::signal(SIGHUP, SIG_DFL);     // the tests may run under nohup
  for (const bool has_set : {false, true}) {
    for (const bool set_goes_first : {false, true}) {
      CAPTURE(has_set, set_goes_first);
      const auto own = +[](int) {};
      std::signal(SIGTERM, own);
      net::io_context io;
      std::optional<net::signal_set> set;
      if (has_set) set.emplace(io, SIGTERM, SIGHUP);
      std::optional<Runtime> one{std::in_place, io, with({})}, two{std::in_place, io, with({})};
      one->handle_signals();
      two->handle_signals();
      CHECK(handler_of(SIGHUP) != SIG_DFL);
      if (set_goes_first) set.reset();
      one.reset();
      CHECK(handler_of(SIGTERM) != SIG_DFL);
      CHECK(handler_of(SIGTERM) != own);
      two.reset();
      set.reset();
      if (!has_set) CHECK(handler_of(SIGTERM) == own);
      if (has_set) CHECK(handler_of(SIGTERM) == SIG_DFL);  // as Asio leaves it
      CHECK(handler_of(SIGHUP) == SIG_DFL);
      std::signal(SIGTERM, SIG_DFL);
    }
  }
}

TEST_CASE("signals reach every runtime that handles them, and every signal_set of the program") {
  net::io_context io;
  net::signal_set set{io, SIGTERM};
  int got = 0;
  set.async_wait([&](boost::system::error_code, int signal) { got = signal; });
  On<event::Running> both_started{[] { std::raise(SIGTERM); }, 2};
  Runtime one{io, with({&both_started})}, two{io, with({&both_started})};
  REQUIRE(one.add({.name = "engine"}, waits));
  REQUIRE(two.add({.name = "engine"}, waits));
  one.handle_signals();
  two.handle_signals();
  io.run();
  CHECK(one.supervisor().shutdown_result());
  CHECK(two.supervisor().shutdown_result());
  CHECK(got == SIGTERM);
}

}  // namespace

}  // namespace holdfast::test::runtime_test
