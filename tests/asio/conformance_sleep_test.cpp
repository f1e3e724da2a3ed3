// What every scheduler promises about sleeps and its executor, written once and run in both worlds.
#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <holdfast/asio/async_sleep.hpp>

#include "conformance.hpp"

namespace holdfast::test::conformance_test {

namespace {

namespace net = boost::asio;
using Words = std::vector<std::string>;

TEST_CASE("sleeps that end at one instant complete in the order in which they began") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  Words woke;
  const TimePoint at = scheduler.now() + 2ms;
  const auto sleep = [&](std::string name, TimePoint until) {
    async_sleep_until(scheduler, until, [&woke, name](boost::system::error_code error) {
      woke.push_back(error ? name + " aborted" : name);
    });
  };
  sleep("late", at + 1ns);
  sleep("b", at);
  sleep("a", at);
  sleep("past", TimePoint::min());
  CHECK(woke.empty());
  REQUIRE(world->run_until([&] { return woke.size() == 4; }));
  CHECK(woke == Words{"past", "b", "a", "late"});
}

TEST_CASE("a sleep that is cancelled, in whichever way, completes with operation_aborted, posted and once") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  const auto type =
      GENERATE(net::cancellation_type::total, net::cancellation_type::partial, net::cancellation_type::terminal);
  net::cancellation_signal signal;
  int completed = 0;
  boost::system::error_code with;
  async_sleep(scheduler, 1h, net::bind_cancellation_slot(signal.slot(), [&](boost::system::error_code error) {
                ++completed;
                with = error;
              }));
  signal.emit(net::cancellation_type::none);
  world->run_ready();
  CHECK(completed == 0);
  Bell bell{scheduler, [&] {
              signal.emit(type);
              signal.emit(type);
              CHECK(completed == 0);  // posted
            }};
  bell.arm(scheduler.now());
  REQUIRE(world->run_until([&] { return completed > 0; }));
  world->run_ready();
  CHECK(completed == 1);
  CHECK(with == net::error::operation_aborted);
  signal.emit(type);  // too late, and harmless
}

TEST_CASE("whether a sleep expires or is cancelled at one instant is decided by what came first") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  net::cancellation_signal first, second;
  Words ends;
  const auto note = [&](std::string name) {
    return [&ends, name](boost::system::error_code error) { ends.push_back(name + (error ? " aborted" : " expired")); };
  };
  const TimePoint at = scheduler.now() + 2ms;
  async_sleep_until(scheduler, at, net::bind_cancellation_slot(first.slot(), note("before")));
  Bell bell{scheduler, [&] {
              first.emit(net::cancellation_type::total);
              second.emit(net::cancellation_type::total);
            }};
  bell.arm(at);
  async_sleep_until(scheduler, at, net::bind_cancellation_slot(second.slot(), note("after")));
  REQUIRE(world->run_until([&] { return ends.size() == 2; }));
  std::sort(ends.begin(), ends.end());
  CHECK(ends == Words{"after aborted", "before expired"});
}

TEST_CASE("a sleep that races with a message is lost to one that came in time, however late the thread gets to both") {
  const auto world = any_world();
  auto& scheduler = world->scheduler();
  const TimePoint at = scheduler.now() + 2ms;
  Words ends;
  net::cancellation_signal sleep;
  async_sleep_until(scheduler, at, net::bind_cancellation_slot(sleep.slot(), [&](boost::system::error_code error) {
                      ends.push_back(error ? "message" : "timeout");
                    }));
  // A message that takes some steps until it is whole, as one does that is read in pieces.
  std::function<void(int)> read = [&](int pieces_left) {
    if (pieces_left == 0) return sleep.emit(net::cancellation_type::total);
    net::post(scheduler.executor(), [&read, pieces_left] { read(pieces_left - 1); });
  };
  net::post(scheduler.executor(), [&] {
    read(8);
    be_late_for(*world, at + 20ms);
  });
  REQUIRE(world->run_until([&] { return ends.size() == 1; }));
  CHECK(ends == Words{"message"});
}

TEST_CASE("what is posted to the executor runs later, in order, and may post more") {
  const auto world = any_world();
  const auto executor = world->scheduler().executor();
  Words ran;
  net::post(executor, [&] {
    ran.push_back("one");
    net::post(executor, [&] { ran.push_back("three"); });
    CHECK(ran.size() == 1);
  });
  net::post(executor, [&] { ran.push_back("two"); });
  CHECK(ran.empty());
  REQUIRE(world->run_until([&] { return ran.size() == 3; }));
  CHECK(ran == Words{"one", "two", "three"});
}

}  // namespace

}  // namespace holdfast::test::conformance_test
