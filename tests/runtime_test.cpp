// A supervisor in a program: signals, threads, several on one io_context, and the end of it all.
#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
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
  REQUIRE(runtime.add({.name = "broken", .restart = RestartPolicy::never}, [](Context&) -> net::awaitable<void> {
    throw std::runtime_error{"boom"};
    co_return;
  }));
  const ShutdownResult result = runtime.run_until_shutdown(Runtime::Signals::left_alone);
  CHECK(result.failed == Words{"broken"});
  CHECK(result.suggested_exit_status() == 1);
}

TEST_CASE("SIGTERM or SIGINT shuts a program down") {
  const int signal = GENERATE(SIGTERM, SIGINT);
  On<event::Running> started{[signal] { std::raise(signal); }};
  Runtime runtime{with({&started})};
  REQUIRE(runtime.add({.name = "engine"}, waits));
  CHECK(runtime.run_until_shutdown().outcome == DrainOutcome::drained);
}

TEST_CASE("a second signal ends the drain at once, and the result says who was abandoned") {
  On<event::Running> started{[] { std::raise(SIGTERM); }};
  On<event::Stopping> stopping{[] { std::raise(SIGINT); }};
  Runtime runtime{with({&started, &stopping}, config_of(kAtOnce, 24h))};
  REQUIRE(runtime.add({.name = "deaf"}, is_deaf));
  const ShutdownResult result = runtime.run_until_shutdown();
  CHECK(result.outcome == DrainOutcome::cut_short);
  CHECK(result.abandoned == Words{"deaf"});
  CHECK(result.suggested_exit_status() == 1);
}

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

TEST_CASE("signals reach every runtime that handles them, and have their former effect after the drain") {
  net::io_context io;
  On<event::Running> both_started{[] { std::raise(SIGTERM); }, 2};
  Runtime one{io, with({&both_started})}, two{io, with({&both_started})};
  REQUIRE(one.add({.name = "engine"}, waits));
  REQUIRE(two.add({.name = "engine"}, waits));
  one.handle_signals();
  two.handle_signals();
  io.run();
  CHECK(one.supervisor().shutdown_result());
  CHECK(two.supervisor().shutdown_result());
  struct sigaction now {};
  REQUIRE(sigaction(SIGTERM, nullptr, &now) == 0);
  CHECK(now.sa_handler == SIG_DFL);
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

}  // namespace
}  // namespace holdfast::test::runtime_test
