// Events as structured lines in a log of spdlog: log_line.hpp says what a line looks like, and its level.
//
//     holdfast::SpdlogSink log{spdlog::stdout_color_mt("holdfast")};
//     holdfast::Runtime runtime{{.sinks = {&log}}};
//
// A service that crashes all the time does not fill the log: after its third crash it has fewer lines, with a count of
// those left out.
//
// A header only, so that only programs that include it need spdlog, which they compile and link in their own way.
//
// It writes on the runtime's executor: a log that can block (a pipe without a reader, a slow disk) holds up the
// services. Where that matters give it an asynchronous logger that drops rather than waits:
// `spdlog::async_overflow_policy::overrun_oldest`. Exceptions of a logger go to spdlog's own error handler.
//
// Thread-safety: as the logger's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <spdlog/logger.h>
#include <holdfast/log_filter.hpp>
#include <holdfast/log_line.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// What a log shows of a service that crashes all the time.
enum class LogLoops : std::uint8_t {
  counted,  // fewer lines after the third crash, with a count of what was left out (log_filter.hpp)
  whole     // every line
};

class SpdlogSink final : public EventSink {
 public:
  // REQUIRES: `logger` is not null.
  explicit SpdlogSink(std::shared_ptr<spdlog::logger> logger, LogLoops loops = LogLoops::counted)
      : logger_(std::move(logger)), loops_(loops) {}

  void on_event(const Event& event) override {
    const spdlog::level::level_enum level = level_of(log_level(event));
    const bool wanted = logger_->should_log(level);
    const auto unlogged = loops_ == LogLoops::whole ? std::optional<std::uint64_t>{0} : filter_.look_at(event, wanted);
    if (!wanted || !unlogged) return;
    const std::string line = log_line(event, *unlogged);
    logger_->log(level, spdlog::string_view_t{line.data(), line.size()});
  }

 private:
  static spdlog::level::level_enum level_of(LogLevel level) noexcept {
    switch (level) {
      case LogLevel::debug: return spdlog::level::debug;
      case LogLevel::info: return spdlog::level::info;
      case LogLevel::warning: return spdlog::level::warn;
      case LogLevel::error: return spdlog::level::err;
    }
    return spdlog::level::err;
  }

  std::shared_ptr<spdlog::logger> logger_;
  LogLoops loops_;
  LogFilter filter_;
};

}  // namespace holdfast

#pragma GCC visibility pop
