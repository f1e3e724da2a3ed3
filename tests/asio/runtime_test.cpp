// A supervisor in a program: its life, several on one io_context, and the end of it all.
#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <new>
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
#include <holdfast/asio/runtime.hpp>

#include "runtime_parts.hpp"

namespace holdfast::test::runtime_test {

namespace {

using Words = std::vector<std::string>;

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

// An executor of a program whose memory is short now and then.
struct Reluctant {
  net::io_context* io;
  int* refusals;  // left

  [[nodiscard]] Reluctant require(net::execution::blocking_t::never_t) const noexcept { return *this; }
  template <class Function>
  void execute(Function&& function) const {
    if (*refusals > 0) {
      --*refusals;
      throw std::bad_alloc{};
    }
    net::post(*io, std::forward<Function>(function));
  }
  friend bool operator==(const Reluctant& a, const Reluctant& b) noexcept {
    return a.io == b.io && a.refusals == b.refusals;
  }
  friend bool operator!=(const Reluctant& a, const Reluctant& b) noexcept { return !(a == b); }
};

// All handlers after it were lost, the one of run_until_shutdown among them, so that the program did not end.
TEST_CASE("a handler whose executor has no memory to take the call keeps nobody else from the end of the shutdown") {
  net::io_context io;
  Runtime runtime{io, with({})};
  REQUIRE(runtime.add({.name = "engine"}, waits));
  int refusals = 1, lost = 0, called = 0;
  runtime.async_wait_shutdown(
      net::bind_executor(Reluctant{&io, &refusals}, [&](boost::system::error_code, const ShutdownResult&) { ++lost; }));
  runtime.async_wait_shutdown([&](boost::system::error_code error, const ShutdownResult& result) {
    CHECK_FALSE(error);
    CHECK(result.outcome == DrainOutcome::drained);
    ++called;
  });
  io.poll();
  runtime.request_shutdown();
  io.restart();
  io.run();
  CHECK(refusals == 0);
  CHECK(called == 1);
  CHECK(lost == 0);
}

// The handler was lost, and whoever waited for the snapshot waited for ever.
TEST_CASE("snapshots come later to handlers whose executor has no memory to take the call") {
  net::io_context io;
  Runtime runtime{io, with({})};
  REQUIRE(runtime.add({.name = "engine"}, waits));
  int refusals = 5;
  std::vector<boost::system::error_code> answers;
  for (int i = 0; i < 3; ++i) {
    runtime.async_snapshot(net::bind_executor(
        Reluctant{&io, &refusals}, [&](boost::system::error_code error, std::shared_ptr<const FleetSnapshot> got) {
          answers.push_back(error);
          REQUIRE(got);
          CHECK(got->services.size() == 1);
        }));
  }
  while (answers.size() < 3) REQUIRE(io.run_one_for(60s) == 1);
  CHECK(answers == std::vector<boost::system::error_code>(3));
  CHECK(refusals == 0);
}

TEST_CASE(
    "a handler whose request for a snapshot gets lost is called with operation_aborted, unless the runtime is gone") {
  // As Asio loses what it has no memory to queue.
  struct Loses final : detail::SnapshotSource {
    void take_snapshot(std::shared_ptr<detail::SnapshotRequest>) override {}
    [[nodiscard]] bool gives_snapshots() const noexcept override { return is_there; }
    bool is_there = true;
  };
  net::io_context io;
  const auto source = std::make_shared<Loses>();
  source->is_there = GENERATE(true, false);
  int answers = 0;
  detail::TakeSnapshot{}(
      [&](boost::system::error_code error, const std::shared_ptr<const FleetSnapshot>& got) {
        CHECK(error == net::error::operation_aborted);
        CHECK_FALSE(got);
        ++answers;
      },
      io.get_executor(), source);
  io.run();
  CHECK(answers == (source->is_there ? 1 : 0));
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

}  // namespace

}  // namespace holdfast::test::runtime_test
