// The real-time scheduler on an io_context, without a supervisor.
#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <holdfast/asio/async_sleep.hpp>
#include <holdfast/asio/real_time_scheduler.hpp>

#include "runtime_parts.hpp"

namespace holdfast::test::runtime_test {

namespace {

using Words = std::vector<std::string>;

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
