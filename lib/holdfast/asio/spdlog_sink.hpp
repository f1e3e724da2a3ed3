// Events as structured lines in a log of spdlog: log_line.hpp says what a line looks like, and its level.
//
//     holdfast::SpdlogSink log{spdlog::stdout_color_mt("holdfast")};
//     holdfast::Runtime runtime{{.sinks = {&log}}};
//
// A header only, so that spdlog is needed by those who include it and by nobody else: they compile and link it as they
// are used to.
//
// It writes on the runtime's executor: a log that can block (a pipe that nobody reads, a slow disk) holds up the
// services. Where that matters give it an asynchronous logger that drops rather than waits:
// `spdlog::async_overflow_policy::overrun_oldest`. What a logger throws goes to spdlog's own error handler.
//
// Thread-safety: as the logger's.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <spdlog/logger.h>
#include <holdfast/log_line.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

class SpdlogSink final : public EventSink {
 public:
  // REQUIRES: `logger` is not null.
  explicit SpdlogSink(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}

  void on_event(const Event& event) override {
    const spdlog::level::level_enum level = level_of(log_level(event));
    if (!logger_->should_log(level)) return;
    const std::string line = log_line(event);
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
};

}  // namespace holdfast

#pragma GCC visibility pop
