#include <holdfast_sim/detail/recording_reader.hpp>

#include <istream>
#include <utility>
#include <vector>

#include <holdfast_sim/detail/object_reader.hpp>

namespace holdfast::sim::detail {

namespace {

namespace json = boost::json;
using holdfast::to_string;

constexpr std::string_view kKinds =
    "a line of a recording has one of the keys input, timer, clock_ns, kind, end; the first has holdfast_recording";

std::string moment(TimePoint at) { return std::to_string(at.nanoseconds); }

// Null: it is none.
json::value object_of(const std::string& text) {
  json::error_code failed;
  json::value value = json::parse(text, failed);
  return failed || !value.is_object() ? json::value{} : value;
}

SupervisorConfig config_of(const ObjectReader& object) {
  SupervisorConfig config;
  object("shutdown_timeout_ns", config.shutdown_timeout);
  object("when_all_terminated", config.when_all_terminated);
  config.backoff = read_policy(object);
  object("stop_grace_ns", config.stop_grace);
  return config;
}

Within within_of(const ObjectReader& object) {
  if (!object.has("within")) return Within::nothing;
  std::string_view word;
  object("within", word);
  if (word == "service") return Within::service;
  if (word == "sink") return Within::sink;
  throw BadLine{"within", "is " + in_quotes(word) + "; allowed is \"service\" or \"sink\", or no such key"};
}

std::string text_of(const ObjectReader& object, std::string_view key) {
  std::string_view text;
  object(key, text);
  return std::string{text};
}

InputKind kind_of(const ObjectReader& object) {
  std::string_view word;
  object("input", word);
  std::string allowed;
  for (std::uint8_t i = 0; to_string(static_cast<InputKind>(i)) != kNoWord; ++i) {
    const auto kind = static_cast<InputKind>(i);
    if (to_string(kind) == word) return kind;
    allowed += (allowed.empty() ? "" : ", ") + std::string{to_string(kind)};
  }
  throw BadLine{"input", "is " + in_quotes(word) + "; allowed is one of " + allowed};
}

}  // namespace

std::string_view to_string(InputKind kind) noexcept {
  switch (kind) {
    case InputKind::add: return "add";
    case InputKind::stop: return "stop";
    case InputKind::restart: return "restart";
    case InputKind::remove: return "remove";
    case InputKind::shutdown: return "shutdown";
    case InputKind::end_drain: return "end_drain";
    case InputKind::end: return "end";
    case InputKind::stop_threw: return "stop_threw";
    case InputKind::kill_threw: return "kill_threw";
  }
  return kNoWord;
}

// ---------------------------------------------------------------------------------------------------------------------

RecordingReader::RecordingReader(std::istream& in, std::string file) : in_(in), file_(std::move(file)) {
  try {
    read_header();
  } catch (const BadLine& wrong) {
    throw bad(1, wrong.key, wrong.says);
  }
  advance();
}

RecordingLine RecordingReader::take() {
  RecordingLine line = std::move(*line_);
  advance();
  return line;
}

void RecordingReader::throw_if_bad() const {
  if (complaint_) throw BadInput{{*complaint_}};
}

BadInput RecordingReader::bad(std::uint32_t line, std::string key, std::string says) const {
  return BadInput{{{.file = file_, .line = line, .key = std::move(key), .says = std::move(says)}}};
}

BadInput RecordingReader::bad_configuration(const ConfigError& error) const {
  std::vector<Complaint> complaints;
  for (const auto& problem : error.problems()) {
    if (problem.severity != Problem::Severity::error) continue;
    complaints.push_back({.file = file_, .line = 1, .key = problem.field, .says = problem.says});
  }
  return BadInput{std::move(complaints)};
}

bool RecordingReader::next_text() {
  if (!std::getline(in_, text_)) return false;
  has_line_end_ = !in_.eof();
  ++number_;
  return true;
}

void RecordingReader::read_header() {
  if (!next_text()) throw BadLine{"", "is empty; a recording begins with a line that says what it is of"};
  const json::value value = object_of(text_);
  if (value.is_null()) {
    throw BadLine{"", "is not a JSON object; the first line of a recording has the key holdfast_recording"};
  }
  const ObjectReader object{value.get_object()};
  int format = 0;
  object("holdfast_recording", format);
  if (format != 1) throw BadLine{"holdfast_recording", "is " + std::to_string(format) + "; this program reads 1"};
  header_.version = text_of(object, "version");
  object("seed", header_.seed.value);
  header_.began = clock(object, "t_ns");
  header_.supervisor = config_of(object);
}

void RecordingReader::advance() {
  line_.reset();
  if (cut_short_ || complaint_) return;
  if (!next_text()) {
    cut_short_ = !ended_;
    return;
  }
  try {
    read_line();
  } catch (const BadLine& wrong) {
    line_.reset();
    complaint_ = Complaint{.file = file_, .line = number_, .key = wrong.key, .says = wrong.says};
  }
}

void RecordingReader::read_line() {
  if (ended_) throw BadLine{"", "stands behind the line that says how the recording ended"};
  const json::value value = object_of(text_);
  if (value.is_null()) {
    cut_short_ = !has_line_end_;
    if (cut_short_) return;
    throw BadLine{"", "is not a JSON object; " + std::string{kKinds}};
  }
  const ObjectReader object{value.get_object()};
  line_.emplace().number = number_;
  line_->text = text_;
  if (object.has("input")) {
    line_->what = input(object);
  } else if (object.has("timer")) {
    line_->what = timer(object);
  } else if (object.has("clock_ns")) {
    line_->what = ClockLine{clock(object, "clock_ns")};
  } else if (object.has("kind")) {
    line_->what = EventLine{};
  } else if (object.has("end")) {
    EndLine end{.at = clock(object, "t_ns")};
    object("events", end.events);
    object("undone", end.undone);
    line_->what = end;
    ended_ = true;
  } else if (object.has("holdfast_recording")) {
    throw BadLine{"holdfast_recording", "begins another recording; a file holds one"};
  } else {
    throw BadLine{"", "says nothing; " + std::string{kKinds}};
  }
}

TimePoint RecordingReader::clock(const ObjectReader& object, std::string_view key) {
  TimePoint at;
  object(key, at.nanoseconds);
  if (at < TimePoint{} || at > TimePoint{} + kDurationMax) {
    throw BadLine{std::string{key}, "is " + moment(at) + "; allowed is 0 to " + moment(TimePoint{} + kDurationMax) +
                                        " nanoseconds, counted from the scheduler's start"};
  }
  if (at < latest_) {
    throw BadLine{std::string{key}, "is " + moment(at) + ", but a line above has " + moment(latest_) +
                                        "; the clock of a supervisor does not go backwards"};
  }
  latest_ = at;
  return at;
}

TimerLine RecordingReader::timer(const ObjectReader& object) {
  TimerLine line{.at = clock(object, "t_ns")};
  object("timer", line.number);
  object("due_ns", line.due.nanoseconds);
  if (line.at < line.due) {
    throw BadLine{"t_ns", "is " + moment(line.at) + ", before due_ns, which is " + moment(line.due) +
                              "; a timer fires at its time or later"};
  }
  return line;
}

InputLine RecordingReader::input(const ObjectReader& object) {
  InputLine line{.at = clock(object, "t_ns"), .kind = kind_of(object), .within = within_of(object)};
  switch (line.kind) {
    case InputKind::add:
      line.service = text_of(object, "service");
      object("restart", line.restart);
      if (object.has("base_ns")) line.backoff = read_policy(object);
      object("stop_grace_ns", line.stop_grace);
      object("can_be_killed", line.can_be_killed);
      break;
    case InputKind::stop:
    case InputKind::restart:
    case InputKind::remove: line.service = text_of(object, "service"); break;
    case InputKind::end:
      line.service = text_of(object, "service");
      object("slot", line.id.slot);
      object("generation", line.id.generation);
      object("run", line.run.value);
      object("outcome", line.outcome);
      line.error = text_of(object, "error");
      break;
    case InputKind::stop_threw:
    case InputKind::kill_threw:
      line.error = text_of(object, "error");
      line.within = Within::service;
      break;
    case InputKind::shutdown:
    case InputKind::end_drain: break;
  }
  return line;
}

}  // namespace holdfast::sim::detail
