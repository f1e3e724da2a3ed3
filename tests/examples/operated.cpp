// A program as operators see it: its events in a log of spdlog, its state over HTTP. tests/examples/operated_test.py
// runs it.
#include <iostream>
#include <stdexcept>

#include <spdlog/sinks/stdout_sinks.h>
#include <holdfast/asio/runtime.hpp>
#include <holdfast/asio/spdlog_sink.hpp>

using boost::asio::awaitable;
using namespace std::chrono_literals;

namespace {

awaitable<void> engine(holdfast::Context& ctx) { co_await ctx.stopped(); }

awaitable<void> loader(holdfast::Context&) { co_return; }

awaitable<void> feed(holdfast::Context& ctx) {
  co_await ctx.sleep_for(50ms);
  throw std::runtime_error{"connection refused by \"exchange\""};
}

}  // namespace

int main() {
  const auto logger = spdlog::stderr_logger_st("holdfast");
  logger->set_pattern("ts=%Y-%m-%dT%H:%M:%S.%e%z level=%l %v");
  holdfast::SpdlogSink log{logger};

  holdfast::Runtime runtime{{.supervisor = {.backoff = {.max = 100ms, .breaker = std::nullopt}},
                             .sinks = {&log},
                             .endpoint = holdfast::Endpoint{.port = 0}}};
  const holdfast::BackoffPolicy gives_up{
      .base = 1ms, .max = 1ms, .breaker = holdfast::BreakerPolicy{.max_failures = 3}};
  runtime.add({.name = "engine"}, engine).value();
  runtime.add({.name = "loader"}, loader).value();
  runtime.add({.name = "feed"}, feed).value();
  runtime.add({.name = R"(feed "EU" \ é)", .policy = {.backoff = gives_up}}, feed).value();
  std::cout << runtime.endpoint_port() << std::endl;
  return runtime.run_until_shutdown().suggested_exit_status();
}
