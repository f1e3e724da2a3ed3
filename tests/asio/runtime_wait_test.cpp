// Waiting for a service to terminate.
#include <catch2/catch.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <holdfast/asio/runtime.hpp>

#include "runtime_parts.hpp"

namespace holdfast::test::runtime_wait_test {

namespace {

namespace net = boost::asio;
using runtime_test::is_deaf, runtime_test::waits, runtime_test::with;
using Words = std::vector<std::string>;

// How each wait ended, in order.
struct Told {
  Words words;
  auto as(std::string who) {
    return [this, who = std::move(who)](boost::system::error_code error, Termination why) {
      words.push_back(who + ": " + (error ? error.message() : std::string{to_string(why.reason)}));
    };
  }
};

std::string text_of(const boost::system::error_code& error) { return error.message(); }
const std::string kAborted = text_of(net::error::operation_aborted);
const std::string kNotFound = text_of(net::error::not_found);

net::awaitable<void> ends(Context&) { co_return; }
net::awaitable<void> fails(Context&) {
  throw std::runtime_error{"boom"};
  co_return;
}

TEST_CASE("who waits for a service learns why it has terminated, all of them, and later ones at once") {
  net::io_context io;
  Runtime runtime{io, with({})};
  REQUIRE(runtime.add({.name = "job"}, ends));
  REQUIRE(runtime.add({.name = "broken", .policy = {.restart = RestartPolicy::never}}, fails));
  REQUIRE(runtime.add({.name = "server"}, waits));
  Told told;
  runtime.async_wait("job", told.as("first"));
  runtime.async_wait("job", told.as("second"));
  runtime.async_wait("broken", told.as("third"));
  runtime.async_wait("server", told.as("fourth"));
  CHECK(told.words == Words{});
  io.poll();
  CHECK(told.words == Words{"first: completed", "second: completed", "third: failed"});
  runtime.async_wait("job", told.as("late"));
  CHECK(told.words.size() == 3);
  io.poll();
  CHECK(told.words.back() == "late: completed");
  CHECK(told.words.size() == 4);
  REQUIRE(runtime.supervisor().stop("server"));
  io.poll();
  CHECK(told.words.back() == "fourth: cancelled");
  runtime.request_shutdown();
  io.run();
}

TEST_CASE("a service that is started again has not terminated, by its policy or by a command") {
  net::io_context io;
  Runtime runtime{
      io, with({}, config_of({.base = Duration{0}, .max = Duration{0}, .breaker = BreakerPolicy{.max_failures = 4}}))};
  REQUIRE(runtime.add({.name = "flaky"}, fails));
  REQUIRE(runtime.add({.name = "server"}, waits));
  Termination why;
  std::uint64_t starts = 0;
  runtime.async_wait("flaky", [&](boost::system::error_code error, Termination found) {
    CHECK(!error);
    why = found;
    starts = runtime.supervisor().snapshot("flaky")->starts;
  });
  Told told;
  runtime.async_wait("server", told.as("server"));
  for (int i = 0; i < 1000 && starts == 0; ++i) io.run_one();
  CHECK(why == Termination{.reason = Termination::Reason::circuit_open, .failures = 4, .max_failures = 4});
  CHECK(starts == 4);
  REQUIRE(runtime.supervisor().restart("server"));
  io.poll();
  CHECK(runtime.supervisor().snapshot("server")->starts == 2);
  CHECK(told.words == Words{});
  runtime.request_shutdown();
  io.run();
  CHECK(told.words == Words{"server: cancelled"});
}

TEST_CASE("a service that a command starts again after its end is waited for anew") {
  net::io_context io;
  Runtime runtime{io, with({})};
  REQUIRE(runtime.add({.name = "server"}, waits));
  io.poll();
  REQUIRE(runtime.supervisor().stop("server"));
  io.poll();
  REQUIRE(runtime.supervisor().restart("server"));
  io.poll();
  Told told;
  runtime.async_wait("server", told.as("again"));
  io.poll();
  CHECK(told.words == Words{});
  REQUIRE(runtime.supervisor().remove("server"));
  io.poll();
  CHECK(told.words == Words{"again: cancelled"});
  runtime.request_shutdown();
  io.run();
}

TEST_CASE("nobody waits for a name that no service has, nor for one that was removed") {
  net::io_context io;
  Runtime runtime{io, with({})};
  REQUIRE(runtime.add({.name = "job"}, ends));
  Told told;
  runtime.async_wait("jop", told.as("unknown"));
  io.poll();
  CHECK(told.words == Words{"unknown: " + kNotFound});
  REQUIRE(runtime.supervisor().remove("job"));
  runtime.async_wait("job", told.as("removed"));
  io.poll();
  CHECK(told.words.back() == "removed: " + kNotFound);
  runtime.request_shutdown();
  io.run();
}

TEST_CASE("a service that is abandoned has terminated") {
  net::io_context io;
  Runtime runtime{io, with({})};
  REQUIRE(runtime.add({.name = "deaf"}, is_deaf));
  Told told;
  runtime.async_wait("deaf", told.as("deaf"));
  io.poll();
  runtime.end_drain();
  while (!runtime.supervisor().shutdown_result()) io.run_one();  // the run itself never ends
  io.poll();
  CHECK(told.words == Words{"deaf: abandoned"});
}

TEST_CASE("waiting for a service is cancelled, and ends when the runtime is destroyed") {
  net::io_context io;
  std::optional<Runtime> runtime{std::in_place, io, with({})};
  REQUIRE(runtime->add({.name = "server"}, waits));
  net::cancellation_signal signal;
  Told told;
  runtime->async_wait("server", net::bind_cancellation_slot(signal.slot(), told.as("cancelled")));
  runtime->async_wait("server", told.as("waits"));
  io.poll();
  CHECK(told.words == Words{});
  signal.emit(net::cancellation_type::total);
  io.poll();
  CHECK(told.words == Words{"cancelled: " + kAborted});
  runtime->async_wait("server", told.as("on its way"));
  runtime.reset();
  CHECK(told.words.size() == 1);
  io.run();
  CHECK(told.words == Words{"cancelled: " + kAborted, "on its way: " + kAborted, "waits: " + kAborted});
}

// A handler keeps the service's end alive, which keeps the handlers: the circle has to be broken.
TEST_CASE("what waits is destroyed with an io_context that is never run again") {
  const auto token = std::make_shared<int>();
  {
    net::io_context io;
    Runtime runtime{io, with({})};
    REQUIRE(runtime.add({.name = "server"}, waits));
    runtime.async_wait("server", [token](boost::system::error_code, Termination) {});
    io.poll();
    CHECK(token.use_count() == 2);
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("services and other threads wait for services") {
  Words order;
  std::atomic<bool> asked = false;
  Runtime runtime{with({}, {.when_all_terminated = WhenAllTerminated::return_})};
  REQUIRE(runtime.add({.name = "migration"}, [&](Context& ctx) -> net::awaitable<void> {
    while (!asked) co_await ctx.sleep_for(1ms);
  }));
  REQUIRE(runtime.add({.name = "server", .policy = {.restart = RestartPolicy::never}},
                      [&](Context&) -> net::awaitable<void> {
                        const Termination why = co_await runtime.async_wait("migration", net::use_awaitable);
                        order.emplace_back(to_string(why.reason));
                      }));
  Termination seen{.reason = Termination::Reason::failed};
  std::thread other{[&] {
    auto future = runtime.async_wait("migration", net::use_future);
    asked = true;
    seen = future.get();
  }};
  CHECK(runtime.run_until_shutdown(Runtime::Signals::left_alone).outcome == DrainOutcome::drained);
  other.join();
  CHECK(order == Words{"completed"});
  CHECK(seen == Termination{});
}

}  // namespace

}  // namespace holdfast::test::runtime_wait_test
