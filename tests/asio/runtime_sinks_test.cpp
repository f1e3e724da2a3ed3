// Event sinks that throw, and recordings that cannot be written.
#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <holdfast/asio/runtime.hpp>

#include "runtime_parts.hpp"

namespace holdfast::test::runtime_test {

namespace {

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
