// Events in a log of spdlog: lines, levels, and what happens to a log that fails.
#include <catch2/catch.hpp>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/ostream_sink.h>
#include <holdfast/asio/spdlog_sink.hpp>

#include "support.hpp"

namespace holdfast::test::spdlog_sink_test {
namespace {

Event example(Event::What what) {
  return {.at = TimePoint{} + 1s, .service = {.generation = 1}, .name = "feed {}", .n = 2, .run = {1}, .what = what};
}

class Log {
 public:
  explicit Log(spdlog::level::level_enum level) {
    logger_->set_pattern("%l %v");
    logger_->set_level(level);
  }
  std::string take() {
    std::string text = written_.str();
    written_.str("");
    return text;
  }

 private:
  std::ostringstream written_;
  std::shared_ptr<spdlog::logger> logger_ =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(written_));

 public:
  SpdlogSink sink{logger_};
};

TEST_CASE("each event is one line of the log with its level, taken as it is") {
  Log log{spdlog::level::trace};
  log.sink.on_event(example(event::Started{}));
  log.sink.on_event(example(event::Running{}));
  log.sink.on_event(example(event::Ended{Outcome::failed, 1s, "{0} %v\n"}));
  log.sink.on_event(example(event::BreakerTripped{1, 1}));
  const std::string service = "service=\"feed {}\" run=1 ";
  CHECK(log.take() == "debug event=started " + service + "n=2 at=1s\n" +     //
                          "info event=running " + service + "n=2 at=1s\n" +  //
                          "warning event=ended " + service +
                          "outcome=failed lasted=1s error=\"{0} %v\\n\" n=2 at=1s\n" +  //
                          "error event=breaker_tripped " + service + "failures=1 max_failures=1 n=2 at=1s\n");
}

TEST_CASE("what is below the level of the log is not written") {
  Log log{spdlog::level::warn};
  log.sink.on_event(example(event::Started{}));
  log.sink.on_event(example(event::Running{}));
  CHECK(log.take().empty());
  log.sink.on_event(example(event::StopThrew{"x"}));
  CHECK(log.take() == "warning event=stop_threw service=\"feed {}\" run=1 error=x n=2 at=1s\n");
}

TEST_CASE("a crash loop has fewer lines after the third crash, with a count, and nothing that matters is left out") {
  // Story: a service that crashed ten times a second filled the disk with four lines a crash.
  const auto lines_of = [](spdlog::level::level_enum level, LogLoops loops, int crashes) {
    std::ostringstream written;
    const auto logger =
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(written));
    logger->set_pattern("%v");
    logger->set_level(level);
    SpdlogSink sink{logger, loops};
    for (int i = 0; i < crashes; ++i) {
      sink.on_event(example(event::Started{}));
      sink.on_event(example(event::Running{}));
      sink.on_event(example(event::Ended{Outcome::failed, 10ms, "x"}));
      if (i + 1 < crashes) sink.on_event(example(event::BackingOff{BackoffCause::failure, 1, 1s, 1s}));
    }
    sink.on_event(example(event::BreakerTripped{10, 10}));
    std::vector<std::string> lines;
    std::istringstream in{written.str()};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  };
  CHECK(lines_of(spdlog::level::trace, LogLoops::whole, 1000).size() == 4000);
  const auto debug = lines_of(spdlog::level::trace, LogLoops::counted, 1000);
  CHECK(debug.size() < 100);
  CHECK(debug.back().find("event=breaker_tripped") == 0);
  CHECK(debug.back().find(" unlogged=") != std::string::npos);
  std::uint64_t left_out = 0;
  for (const auto& line : debug) {
    if (const auto at = line.find(" unlogged="); at != std::string::npos) left_out += std::stoull(line.substr(at + 10));
  }
  CHECK(debug.size() + left_out == 4000);                                  // every line is there, or counted
  CHECK(lines_of(spdlog::level::info, LogLoops::counted, 3).size() == 9);  // all of the first three, but `started`
  const auto warnings = lines_of(spdlog::level::warn, LogLoops::counted, 8);
  REQUIRE(warnings.size() == 6);  // the ends 1, 2, 3, 4 and 8, and the trip
  CHECK(warnings[4].find(" unlogged=3 ") != std::string::npos);
}

TEST_CASE("a log that throws does not reach the supervisor") {
  class Broken final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
    void sink_it_(const spdlog::details::log_msg&) override { throw std::runtime_error{"disk full"}; }
    void flush_() override {}
  };
  const auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<Broken>());
  std::string handled;
  logger->set_error_handler([&](const std::string& says) { handled = says; });
  SpdlogSink sink{logger};
  sink.on_event(example(event::Running{}));
  CHECK(handled.find("disk full") != std::string::npos);
}

}  // namespace
}  // namespace holdfast::test::spdlog_sink_test
