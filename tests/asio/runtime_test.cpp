// A supervisor in a program: signals, threads, several on one io_context, and the end of it all.
#include <catch2/catch.hpp>

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <holdfast/asio/async_sleep.hpp>
#include <holdfast/asio/real_time_scheduler.hpp>
#include <holdfast/asio/runtime.hpp>

#include "support.hpp"

namespace holdfast::test::runtime_test {
namespace {

namespace net = boost::asio;
using Words = std::vector<std::string>;

net::awaitable<void> waits(Context& ctx) { co_await ctx.stopped(); }

// Neither interrupted nor ever done.
net::awaitable<void> is_deaf(Context& ctx) {
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  for (;;) co_await ctx.sleep_for(1h);
}

// Calls back when it sees an event of this kind.
template <class Kind>
class On final : public EventSink {
 public:
  explicit On(std::function<void()> act, int nth = 1) : act_(std::move(act)), left_(nth) {}
  void on_event(const Event& event) override {
    if (std::holds_alternative<Kind>(event.what) && --left_ == 0) act_();
  }

 private:
  std::function<void()> act_;
  int left_;
};

RuntimeConfig with(std::vector<EventSink*> sinks, SupervisorConfig supervisor = config_of(kAtOnce)) {
  return {.supervisor = supervisor, .seed = kSeed, .sinks = std::move(sinks)};
}

TEST_CASE("a program runs until its shutdown is asked for from inside, and its services are drained") {
  Recorder recorder{true};
  Runtime runtime{with({&recorder})};
  REQUIRE(runtime.add({.name = "engine"}, waits));
  REQUIRE(runtime.add({.name = "operator"}, [&](Context& ctx) -> net::awaitable<void> {
    runtime.request_shutdown();
    co_await ctx.stopped();
  }));
  const ShutdownResult result = runtime.run_until_shutdown();
  CHECK(result.outcome == DrainOutcome::drained);
  CHECK(result.suggested_exit_status() == 0);
  CHECK(result.counters.terminated == 2);
  CHECK(recorder.ledger().violations() == Lines{});
  CHECK(runtime.supervisor().snapshot("engine")->phase == Phase::terminated);
}

TEST_CASE("a program with when_all_terminated = return ends when its services have") {
  Runtime runtime{with({}, {.when_all_terminated = WhenAllTerminated::return_})};
  REQUIRE(runtime.add({.name = "job"}, [](Context& ctx) -> net::awaitable<void> { co_await ctx.sleep_for(1ms); }));
  REQUIRE(runtime.add({.name = "broken", .policy = {.restart = RestartPolicy::never}},
                      [](Context&) -> net::awaitable<void> {
                        throw std::runtime_error{"boom"};
                        co_return;
                      }));
  const ShutdownResult result = runtime.run_until_shutdown(Runtime::Signals::left_alone);
  CHECK(result.failed == Words{"broken"});
  CHECK(result.suggested_exit_status() == 1);
}

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

TEST_CASE("shutdown, end of the drain and snapshots are asked for from another thread") {
  std::atomic<bool> running = false;
  On<event::Running> started{[&] {
    running = true;
    running.notify_all();
  }};
  Runtime runtime{with({&started}, config_of(kAtOnce, 24h))};
  REQUIRE(runtime.add({.name = "deaf"}, is_deaf));
  std::shared_ptr<const FleetSnapshot> snapshot;
  std::thread other{[&] {
    running.wait(false);
    snapshot = runtime.async_snapshot(net::use_future).get();
    runtime.request_shutdown();
    runtime.end_drain();
  }};
  const ShutdownResult result = runtime.run_until_shutdown(Runtime::Signals::left_alone);
  other.join();
  CHECK(result.outcome == DrainOutcome::cut_short);
  REQUIRE(snapshot);
  REQUIRE(snapshot->services.size() == 1);
  CHECK(snapshot->services[0].name == "deaf");
  CHECK(snapshot->services[0].phase == Phase::running);
  CHECK(snapshot->counters.active_services == 1);
  CHECK(!snapshot->shutting_down);
}

TEST_CASE("a shutdown that was asked for before the program runs is not lost") {
  Runtime runtime{with({})};
  REQUIRE(runtime.add({.name = "engine"}, waits));
  runtime.request_shutdown();
  CHECK(runtime.run_until_shutdown().outcome == DrainOutcome::drained);
}

TEST_CASE("several runtimes share an io_context, which is done when all have drained") {
  net::io_context io;
  Runtime feeds{io, with({})}, orders{io, with({})};
  REQUIRE(feeds.add({.name = "feed"}, waits));
  REQUIRE(orders.add({.name = "gate"}, waits));
  REQUIRE(orders.add({.name = "feed"}, waits));  // a name of its own
  Words order;
  feeds.async_wait_shutdown([&](boost::system::error_code error, const ShutdownResult& result) {
    CHECK(!error);
    order.push_back("feeds " + std::to_string(result.counters.terminated));
    orders.request_shutdown();
  });
  net::co_spawn(
      io,
      [&]() -> net::awaitable<void> {
        const ShutdownResult result = co_await orders.async_wait_shutdown(net::use_awaitable);
        order.push_back("orders " + std::to_string(result.counters.terminated));
      },
      net::detached);
  feeds.request_shutdown();
  io.run();
  CHECK(order == Words{"feeds 1", "orders 2"});

  bool at_once = false;
  feeds.async_wait_shutdown([&](boost::system::error_code error, const ShutdownResult&) { at_once = !error; });
  CHECK(!at_once);
  io.restart();
  io.run();
  CHECK(at_once);
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

TEST_CASE("waiting for a shutdown is cancelled, and ends when the runtime is destroyed") {
  net::io_context io;
  std::optional<Runtime> runtime{std::in_place, io, with({})};
  net::cancellation_signal signal;
  std::vector<boost::system::error_code> ends;
  const auto note = [&](boost::system::error_code error, const ShutdownResult&) { ends.push_back(error); };
  runtime->async_wait_shutdown(net::bind_cancellation_slot(signal.slot(), note));
  runtime->async_wait_shutdown(note);
  io.poll();
  CHECK(ends.empty());
  signal.emit(net::cancellation_type::total);
  io.poll();
  CHECK(ends.size() == 1);
  runtime->async_wait_shutdown(note);  // on its way when the runtime goes
  std::shared_ptr<const FleetSnapshot> snapshot;
  boost::system::error_code snapshot_error;
  runtime->async_snapshot([&](boost::system::error_code error, std::shared_ptr<const FleetSnapshot> got) {
    snapshot_error = error;
    snapshot = std::move(got);
  });
  runtime.reset();
  io.run();
  REQUIRE(ends.size() == 3);
  for (const auto& error : ends) CHECK(error == net::error::operation_aborted);
  CHECK(snapshot_error == net::error::operation_aborted);
  CHECK(!snapshot);
}

TEST_CASE("a runtime is destroyed in any state, and leaves nothing that keeps its io_context alive") {
  net::io_context io;
  std::optional<Runtime> runtime{std::in_place, io, with({}, config_of({.base = 1h, .max = 1h}, 24h))};
  const auto state = GENERATE(as<std::string>{}, "empty", "never run", "running", "draining", "drained");
  CAPTURE(state);
  if (state != "empty") {
    REQUIRE(runtime->add({.name = "engine"}, waits));
    REQUIRE(runtime->add({.name = "deaf"}, is_deaf));
    REQUIRE(
        runtime->add({.name = "sleeper"}, [](Context& ctx) -> net::awaitable<void> { co_await ctx.sleep_for(1h); }));
    REQUIRE(runtime->add({.name = "broken"}, [](Context&) -> net::awaitable<void> {
      throw std::runtime_error{"boom"};
      co_return;
    }));
    runtime->handle_signals();
  }
  if (state != "empty" && state != "never run") io.poll();
  if (state == "draining" || state == "drained") runtime->request_shutdown();
  if (state == "drained") runtime->end_drain();
  io.poll();
  if (state == "drained") CHECK(runtime->supervisor().shutdown_result());
  runtime.reset();
  io.restart();
  io.run();  // returns
  CHECK(io.stopped());
}

TEST_CASE("an io_context with a run still waiting in it is destroyed after its runtime") {
  Words seen;
  {
    net::io_context io;
    Runtime runtime{io, with({})};
    REQUIRE(runtime.add({.name = "engine"}, [&](Context& ctx) -> net::awaitable<void> {
      struct Witness {
        Words& seen;
        ~Witness() { seen.push_back("unwound"); }
      } const witness{seen};
      net::steady_timer timer{ctx.executor(), 1h};
      co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
      co_await timer.async_wait(net::use_awaitable);
    }));
    io.poll();
    CHECK(seen.empty());
  }
  CHECK(seen == Words{"unwound"});
}

TEST_CASE("a service is let go once it has been removed, and kept when it is restarted in place") {
  Runtime runtime{with({}, {.backoff = kAtOnce})};
  const auto token = std::make_shared<int>(0);
  std::weak_ptr<int> watched = token;
  auto service = [token](Context& ctx) -> net::awaitable<void> { co_await ctx.stopped(); };
  REQUIRE(runtime.add({.name = "feed"}, service));
  REQUIRE(runtime.add({.name = "operator"}, [&](Context& ctx) -> net::awaitable<void> {
    auto& supervisor = runtime.supervisor();
    REQUIRE(supervisor.stop("feed"));
    while (supervisor.snapshot("feed")->phase != Phase::terminated) co_await ctx.sleep_for(1us);
    REQUIRE(supervisor.restart("feed"));
    while (supervisor.snapshot("feed")->phase != Phase::running) co_await ctx.sleep_for(1us);
    const auto held = watched.use_count();
    REQUIRE(supervisor.remove("feed"));
    while (supervisor.snapshot("feed")) co_await ctx.sleep_for(1us);
    co_await ctx.sleep_for(1us);
    CHECK(held >= 3);
    CHECK(watched.use_count() == 2);  // here: `token` and `service`
    runtime.request_shutdown();
  }));
  CHECK(runtime.run_until_shutdown().outcome == DrainOutcome::drained);
}

TEST_CASE("a service of plain callbacks ends its run from another thread, by posting") {
  class Worker final : public Service {
   public:
    explicit Worker(net::any_io_executor executor) : executor_(std::move(executor)) {}
    ~Worker() { thread_.join(); }
    void start(Run run) override {
      thread_ = std::thread{[this, run] { net::post(executor_, [run] { run.end(Exit::clean()); }); }};
    }
    void stop(Run) override {}

   private:
    net::any_io_executor executor_;
    std::thread thread_;
  };
  Runtime runtime{with({}, {.when_all_terminated = WhenAllTerminated::return_})};
  Worker worker{runtime.executor()};
  REQUIRE(runtime.add({.name = "worker"}, worker));
  CHECK(runtime.run_until_shutdown().counters.clean_exits == 1);
}

TEST_CASE("a configuration that is refused throws at construction, and a name that is taken is refused") {
  CHECK_THROWS_AS(Runtime(with({}, {.shutdown_timeout = -1s})), ConfigError);
  Runtime runtime{with({})};
  REQUIRE(runtime.add({.name = "feed"}, waits));
  CHECK(runtime.add({.name = "feed"}, waits).refusal().reason == Refusal::Reason::name_taken);
}

TEST_CASE("a runtime without a seed of its own draws one") {
  const Runtime a, b;
  CHECK(a.seed() != b.seed());
}

// ---------------------------------------------------------------------------------------------------------------------
// Threads
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("an io_context run by several threads: everything of a runtime happens on its strand") {
  net::io_context io;
  Recorder recorder{true};
  std::optional<Runtime> runtime{std::in_place, io, with({&recorder})};
  std::uint64_t unguarded = 0;  // no lock, no atomic: the strand is what keeps it whole
  std::atomic<std::uint64_t> guarded = 0;
  constexpr std::uint64_t kRounds = 200;
  for (int i = 0; i < 8; ++i) {
    REQUIRE(runtime->add({.name = "feed-" + std::to_string(i)}, [&](Context& ctx) -> net::awaitable<void> {
      for (std::uint64_t round = 0; round < kRounds; ++round) {
        ++unguarded;
        ++guarded;
        if (round % 3 == 0) co_await net::post(ctx.executor(), net::use_awaitable);
        if (round % 50 == 0) co_await ctx.sleep_for(10us);
      }
      if (ctx.run().value < 5) throw std::runtime_error{"again"};
      co_await ctx.stopped();
    }));
  }
  std::atomic<std::uint64_t> snapshots = 0;
  std::atomic<int> watchers = 2;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&io] { io.run(); });
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        const auto snapshot = runtime->async_snapshot(net::use_future).get();
        ++snapshots;
        const auto& counters = snapshot->counters;
        if (counters.starts >= 40) break;
        std::this_thread::yield();
      }
      if (--watchers == 0) runtime->request_shutdown();  // the io_context returns, and answers nobody any more
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(unguarded == guarded);
  CHECK(unguarded > 8 * 4 * kRounds);
  CHECK(snapshots >= 2);
  CHECK(runtime->supervisor().counters().failures == 32);
  CHECK(runtime->supervisor().shutdown_result()->outcome == DrainOutcome::drained);
  CHECK(recorder.ledger().violations() == Lines{});
  runtime.reset();
}

TEST_CASE("a runtime whose threads are gone is destroyed by another thread, with runs alive") {
  net::io_context io;
  std::atomic<bool> running = false;
  On<event::Running> started{[&] {
                               running = true;
                               running.notify_all();
                             },
                             2};
  std::optional<Runtime> runtime{std::in_place, io, with({&started})};
  REQUIRE(runtime->add({.name = "engine"}, waits));
  REQUIRE(runtime->add({.name = "deaf"}, is_deaf));
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back([&io] { io.run(); });
  running.wait(false);
  io.stop();
  for (auto& thread : threads) thread.join();
  runtime.reset();
  io.restart();
  io.run();  // returns
}

TEST_CASE("any number of runtimes run in as many threads, and are shut down from outside") {
  std::atomic<int> drained = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      std::atomic<bool> running = false;
      On<event::Running> started{[&] {
        running = true;
        running.notify_all();
      }};
      Runtime runtime{with({&started})};
      if (!runtime.add({.name = "engine"}, waits)) return;
      std::thread other{[&] {
        running.wait(false);
        runtime.request_shutdown();
      }};
      if (runtime.run_until_shutdown(Runtime::Signals::left_alone).outcome == DrainOutcome::drained) ++drained;
      other.join();
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(drained == 4);
}

// ---------------------------------------------------------------------------------------------------------------------
// The scheduler alone
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("an io_context returns when nothing is armed on its scheduler") {
  net::io_context io;
  RealTimeScheduler scheduler{io.get_executor()};
  CHECK(io.run() == 0);
  Words ran;
  Alarm soon{scheduler, scheduler.now() + 1ms, [&] { ran.push_back("soon"); }};
  {
    const Alarm never{scheduler, scheduler.now() + 24h, [&] { ran.push_back("never"); }};
    const Alarm later{scheduler, TimePoint::max(), [&] { ran.push_back("later"); }};
  }
  io.restart();
  io.run();
  CHECK(ran == Words{"soon"});
  boost::system::error_code slept = net::error::operation_aborted;
  async_sleep(scheduler, 1ms, [&](boost::system::error_code error) { slept = error; });
  io.restart();
  io.run();
  CHECK(!slept);
}

TEST_CASE("a sleeper that has its own executor is called there, and keeps it at work") {
  net::io_context io, other;
  RealTimeScheduler scheduler{io.get_executor()};
  std::thread::id called;
  async_sleep(scheduler, 1ms, net::bind_executor(other.get_executor(), [&](boost::system::error_code) {
                called = std::this_thread::get_id();
              }));
  std::thread thread{[&] { other.run(); }};  // does not return before the sleep is over
  const auto id = thread.get_id();
  io.run();
  thread.join();
  CHECK(called == id);
}

TEST_CASE("a scheduler destroyed before its io_context destroys what sleeps on it, uncalled") {
  net::io_context io;
  auto token = std::make_shared<int>(0);
  const std::weak_ptr<int> held = token;
  bool called = false;
  {
    RealTimeScheduler scheduler{io.get_executor()};
    async_sleep(scheduler, 1h, [token = std::move(token), &called](boost::system::error_code) { called = true; });
    CHECK(!held.expired());
  }
  CHECK(held.expired());
  io.run();
  CHECK(!called);
}

// ---------------------------------------------------------------------------------------------------------------------
// Exceptions, and recordings that cannot be written
// ---------------------------------------------------------------------------------------------------------------------

// Throws at the events that a test names.
class Thrower final : public EventSink {
 public:
  explicit Thrower(std::function<bool(const Event&)> at) : at_(std::move(at)) {}
  void on_event(const Event& event) override {
    if (at_(event)) throw std::runtime_error{"no disk"};
  }

 private:
  std::function<bool(const Event&)> at_;
};

std::size_t events_of(const Recorder& recorder, std::string_view kind) {
  return static_cast<std::size_t>(
      std::count_if(recorder.lines().begin(), recorder.lines().end(),
                    [&](const auto& line) { return line.find(std::string{" "}.append(kind)) != std::string::npos; }));
}

TEST_CASE("a sink that throws is reported as that, every other one sees the event, and the program can go on") {
  Recorder before{true}, after{true};
  bool throws = true;
  Thrower thrower{[&](const Event& event) { return throws && kind(event) == "started"; }};
  Runtime runtime{with({&before, &thrower, &after})};
  REQUIRE(runtime.add({.name = "feed"}, [](Context& ctx) -> net::awaitable<void> { co_await ctx.stopped(); }));
  try {
    runtime.run_until_shutdown(Runtime::Signals::left_alone);
    FAIL("nothing was thrown");
  } catch (const SinkError& error) {
    CHECK(std::string{error.what()} == "an event sink threw at a \"started\" event: no disk");
    try {
      std::rethrow_if_nested(error);
      FAIL("nothing is nested");
    } catch (const std::runtime_error& nested) {
      CHECK(std::string{nested.what()} == "no disk");
    }
  }
  CHECK(before.lines() == after.lines());
  CHECK(events_of(after, "started") == 1);
  CHECK(runtime.supervisor().snapshot("feed")->phase == Phase::running);  // its step was finished
  throws = false;
  runtime.request_shutdown();
  const auto result = runtime.run_until_shutdown(Runtime::Signals::left_alone);
  CHECK(result.outcome == DrainOutcome::drained);
  CHECK(events_of(after, "drained") == 1);
}

TEST_CASE("a sink that throws at every event is reported again and again, and nothing stops for it") {
  Recorder after{true};
  Thrower thrower{[](const Event&) { return true; }};
  Runtime runtime{with({&thrower, &after})};
  REQUIRE(runtime.add({.name = "feed"}, [](Context& ctx) -> net::awaitable<void> { co_await ctx.stopped(); }));
  REQUIRE(runtime.add({.name = "deaf"}, [](Context& ctx) -> net::awaitable<void> {
    co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
    for (;;) co_await ctx.sleep_for(1h);
  }));
  runtime.request_shutdown();
  std::size_t thrown = 0;
  for (bool ended = false; !ended;) {
    try {
      const auto result = runtime.run_until_shutdown(Runtime::Signals::left_alone);
      CHECK(result.outcome == DrainOutcome::cut_short);
      ended = true;
    } catch (const SinkError& error) {
      ++thrown;
      CHECK(std::string{error.what()}.starts_with("an event sink threw at a \""));
      if (runtime.supervisor().is_shutting_down()) runtime.end_drain();
    }
  }
  CHECK(thrown > 1);
  CHECK(events_of(after, "drained") == 1);
  CHECK(events_of(after, "terminated") == 2);
}

TEST_CASE(
    "signals work after a sink has thrown, and a runtime is destroyed with an exception that was never rethrown") {
  Recorder after{true};
  Thrower thrower{[](const Event& event) { return kind(event) == "running" || kind(event) == "drained"; }};
  Runtime runtime{with({&thrower, &after})};
  REQUIRE(runtime.add({.name = "feed"}, [](Context& ctx) -> net::awaitable<void> { co_await ctx.stopped(); }));
  CHECK_THROWS_AS(runtime.run_until_shutdown(), SinkError);
  ::raise(SIGTERM);
  CHECK_THROWS_AS(runtime.run_until_shutdown(), SinkError);
  CHECK(runtime.supervisor().shutdown_result());
}

// A buffer that takes so many bytes and then throws.
class Bursting final : public std::streambuf {
 public:
  explicit Bursting(std::size_t bytes) : left_(bytes) {}

 private:
  int_type overflow(int_type byte) override {
    if (left_ == 0) throw std::runtime_error{"the pipe burst"};
    --left_;
    return byte;
  }
  int sync() override {
    if (left_ == 0) throw std::runtime_error{"the pipe burst"};
    return 0;
  }
  std::size_t left_;
};

ShutdownResult run_recorded(std::ostream& out, Recorder& sink, std::string* metrics = nullptr) {
  RuntimeConfig config = with({&sink});
  config.recording = &out;
  if (metrics) config.endpoint = Endpoint{.port = 0};
  Runtime runtime{std::move(config)};
  REQUIRE(runtime.add({.name = "feed"}, [&](Context& ctx) -> net::awaitable<void> {
    if (ctx.run().value < 20) throw std::runtime_error{"again"};
    if (metrics) {
      net::ip::tcp::socket client{ctx.executor()};
      co_await client.async_connect({net::ip::address_v4::loopback(), runtime.endpoint_port()}, net::use_awaitable);
      const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
      co_await net::async_write(client, net::buffer(request), net::use_awaitable);
      boost::system::error_code end;
      co_await net::async_read(client, net::dynamic_buffer(*metrics), net::redirect_error(net::use_awaitable, end));
    }
    runtime.request_shutdown();
  }));
  return runtime.run_until_shutdown(Runtime::Signals::left_alone);
}

TEST_CASE("a recording that cannot be written is reported once, as an event and a metric, and nothing else stops") {
  Recorder sink{true};
  std::string metrics;
  SECTION("a full disk") {
    std::ofstream full{"/dev/full"};
    CHECK(run_recorded(full, sink, &metrics).outcome == DrainOutcome::drained);
    CHECK(events_of(sink, "recording_failed No space left on device") == 1);
  }
  SECTION("a full disk, on a stream that throws") {
    std::ofstream full{"/dev/full"};
    full.exceptions(std::ios::badbit | std::ios::failbit);
    CHECK(run_recorded(full, sink, &metrics).outcome == DrainOutcome::drained);
    CHECK(events_of(sink, "recording_failed No space left on device") == 1);
    full.exceptions(std::ios::goodbit);  // its destructor's business
  }
  SECTION("a buffer that throws, at any byte, whether the stream passes that on or not") {
    const std::size_t bytes = GENERATE(0U, 1U, 300U, 700U, 1500U, 3000U);
    const bool passes_on = GENERATE(false, true);
    CAPTURE(bytes, passes_on);
    Bursting buffer{bytes};
    std::ostream out{&buffer};
    if (passes_on) out.exceptions(std::ios::badbit);
    CHECK(run_recorded(out, sink, &metrics).outcome == DrainOutcome::drained);
    CHECK(events_of(sink, "recording_failed") == 1);
  }
  SECTION("a file that could not be opened") {
    std::ofstream none{"/nowhere/at/all"};
    CHECK(run_recorded(none, sink, &metrics).outcome == DrainOutcome::drained);
    CHECK(events_of(sink, "recording_failed") == 1);
  }
  CHECK(metrics.find("\nholdfast_recording_failed 1\n") != std::string::npos);
  CHECK(events_of(sink, "started") == 20);
}

TEST_CASE("a recording that is written is not reported, and the metric says so") {
  Recorder sink{true};
  std::string metrics;
  std::ostringstream out;
  CHECK(run_recorded(out, sink, &metrics).outcome == DrainOutcome::drained);
  CHECK(events_of(sink, "recording_failed") == 0);
  CHECK(metrics.find("\nholdfast_recording_failed 0\n") != std::string::npos);
  CHECK(out.str().find("\"end\":\"closed\"") != std::string::npos);
}

}  // namespace
}  // namespace holdfast::test::runtime_test
