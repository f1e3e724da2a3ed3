#include <holdfast/up/log_text.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <utility>

#include <holdfast/detail/text.hpp>

namespace holdfast::up {

namespace {

constexpr std::array<std::string_view, 6> kLogColours{"\x1b[36m", "\x1b[32m", "\x1b[35m",
                                                      "\x1b[34m", "\x1b[33m", "\x1b[96m"};
constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::string_view kFaint = "\x1b[2m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kOwnName = "holdfast";

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string_view word_of(LogStream stream) { return stream == LogStream::output ? "out" : "err"; }

void append_field(std::string& to, std::string_view key, std::string_view value) {
  ((to += ",\"") += key) += "\":";
  to += holdfast::detail::quoted(value);
}

void append_two(std::string& to, int number) {
  to += static_cast<char>('0' + number / 10 % 10);
  to += static_cast<char>('0' + number % 10);
}

}  // namespace

std::string_view LogClock::now() {
  using std::chrono::duration_cast, std::chrono::milliseconds;
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return at(duration_cast<milliseconds>(since).count());
}

std::string_view LogClock::at(std::int64_t milliseconds) {
  if (milliseconds == shown_) return text_;
  shown_ = milliseconds;
  const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm parts{};
  const bool is_local = format_ == LogFormat::terminal;
  is_local ? static_cast<void>(::localtime_r(&seconds, &parts)) : static_cast<void>(::gmtime_r(&seconds, &parts));
  text_.clear();
  if (!is_local) {
    append_two(text_, (parts.tm_year + 1900) / 100);
    append_two(text_, (parts.tm_year + 1900) % 100);
    append_two(text_ += '-', parts.tm_mon + 1);
    append_two(text_ += '-', parts.tm_mday);
    text_ += 'T';
  }
  append_two(text_, parts.tm_hour);
  append_two(text_ += ':', parts.tm_min);
  append_two(text_ += ':', parts.tm_sec);
  const int milli = static_cast<int>(milliseconds % 1000);
  text_ += '.';
  text_ += static_cast<char>('0' + milli / 100);
  append_two(text_, milli % 100);
  if (!is_local) text_ += 'Z';
  return text_;
}

LogLabel::LogLabel(LogFormat format, std::string name, std::size_t number, std::size_t width)
    : format_(format), name_(std::move(name)) {
  if (format_ == LogFormat::json) {
    shown_ = holdfast::detail::quoted(name_);
  } else if (format_ == LogFormat::terminal) {
    shown_.append(kLogColours[number % kLogColours.size()]).append(padded(name_, width)).append(kPlain);
  } else {
    shown_ = name_;
  }
}

void LogLabel::append_line(std::string& to, std::string_view time, LogStream stream, std::string_view line,
                           bool goes_on) const {
  if (format_ == LogFormat::json) {
    ((to += "{\"time\":\"") += time) += "\",\"service\":";
    ((to += shown_) += ",\"stream\":\"") += word_of(stream);
    to += '"';
    append_field(to, "line", line);
    if (goes_on) to += ",\"continues\":true";
    to += "}\n";
    return;
  }
  const bool coloured = format_ == LogFormat::terminal;
  if (coloured) to += kFaint;
  to += time;
  if (coloured) to += kPlain;
  (to += ' ') += shown_;
  to += ' ';
  if (coloured && stream == LogStream::error) to += kRed;
  to += word_of(stream);
  if (goes_on) to += '+';
  if (coloured && stream == LogStream::error) to += kPlain;
  (to += ' ') += line;
  // A program's own colours end with its line.
  if (coloured && line.find('\x1b') != std::string_view::npos) to += kPlain;
  to += '\n';
}

std::string followed_line(std::int64_t milliseconds, std::string_view service, LogStream stream, std::string_view line,
                          bool goes_on) {
  std::string text = "{\"ms\":" + std::to_string(milliseconds);
  append_field(text, "service", service);
  append_field(text, "stream", word_of(stream));
  append_field(text, "line", line);
  if (goes_on) text += ",\"continues\":true";
  return text += '}';
}

std::string followed_own_line(std::int64_t milliseconds, std::string_view service, LogLevel level,
                              std::string_view line) {
  std::string text = "{\"ms\":" + std::to_string(milliseconds);
  if (!service.empty()) append_field(text, "service", service);
  append_field(text, "level", holdfast::to_string(level));
  append_field(text, "line", line);
  return text += '}';
}

void append_own_line(std::string& to, LogFormat format, std::string_view time, LogLevel level, std::string_view service,
                     std::string_view line, std::size_t width) {
  if (format == LogFormat::json) {
    ((to += "{\"time\":\"") += time) += '"';
    if (!service.empty()) append_field(to, "service", service);
    append_field(to, "stream", kOwnName);
    append_field(to, "level", holdfast::to_string(level));
    append_field(to, "line", line);
    to += "}\n";
    return;
  }
  const bool coloured = format == LogFormat::terminal;
  if (coloured) to += kFaint;
  to += time;
  if (coloured) to += kPlain;
  to += ' ';
  to += coloured ? padded(std::string{kOwnName}, width) : std::string{kOwnName};
  to += ' ';
  if (coloured && level == LogLevel::warning) to += kYellow;
  if (coloured && level == LogLevel::error) to += kRed;
  to += holdfast::to_string(level);
  if (coloured) to += kPlain;
  ((to += ' ') += line) += '\n';
}

}  // namespace holdfast::up
