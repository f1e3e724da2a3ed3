// Runtimes on an io_context that several threads run, or in a thread each.
#include <catch2/catch.hpp>

#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <holdfast/asio/runtime.hpp>

#include "runtime_parts.hpp"

namespace holdfast::test::runtime_test {

namespace {

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

}  // namespace

}  // namespace holdfast::test::runtime_test
