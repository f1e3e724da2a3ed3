#include <holdfast_sim/replay/detail/recording_reader.hpp>

#include <istream>
#include <utility>
#include <vector>

#include <holdfast/detail/text.hpp>
#include <holdfast/event_fields.hpp>
#include <holdfast_sim/observe/detail/object_reader.hpp>

namespace holdfast::sim::detail {

namespace {

namespace json = boost::json;
using holdfast::to_string;

constexpr std::string_view kKinds =
    "a line of a recording has one of the keys input, timer, clock_ns, kind, end; the first has holdfast_recording";

std::string ns_text(TimePoint at) { return std::to_string(at.nanoseconds); }

// A value as Recorder writes it, whatever its blanks and escapes.
std::string as_recorded(const json::value& value) {
  const json::string* const text = value.if_string();
  return text ? holdfast::detail::quoted({text->data(), text->size()}) : json::serialize(value);
}

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
  ServicePolicy own{.backoff = read_backoff(object)};
  visit_policy(object, own);
  config.backoff = *own.backoff;
  object("stop_grace_ns", config.stop_grace);
  if (object.has("abandoned_runs_max")) object("abandoned_runs_max", config.abandoned_runs_max);
  if (object.has("kill_wait_ns")) object("kill_wait_ns", config.kill_wait);
  if (object.has("restart_limit_every_ns")) {
    auto& limit = config.restart_limit.emplace();
    object("restart_limit_every_ns", limit.every);
    object("restart_limit_burst", limit.burst);
  }
  if (object.has("starting_max")) object("starting_max", config.starting_max.emplace());
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

ShutdownCause signal_of(const ObjectReader& object) {
  auto cause = ShutdownCause::requested;
  object("cause", cause);
  if (is_signal(cause)) return cause;
  throw BadLine{"cause", "is " + in_quotes(to_string(cause)) + R"(; allowed is "SIGHUP", "SIGINT" or "SIGTERM")"};
}

std::string text_of(const ObjectReader& object, std::string_view key) {
  std::string_view text;
  object(key, text);
  return std::string{text};
}

ServicePolicy policy_in(const ObjectReader& object) {
  ServicePolicy policy;
  object("restart", policy.restart);
  if (object.has("base_ns")) policy.backoff = read_backoff(object);
  object("stop_grace_ns", policy.stop_grace);
  visit_policy(object, policy);
  return policy;
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
    case InputKind::pid: return "pid";
    case InputKind::warn: return "warn";
    case InputKind::signal_ignored: return "signal_ignored";
    case InputKind::reset: return "reset";
    case InputKind::ready: return "ready";
    case InputKind::heartbeat: return "heartbeat";
    case InputKind::add_group: return "add_group";
    case InputKind::reconfigure: return "reconfigure";
  }
  return kNoWord;
}

// ---------------------------------------------------------------------------------------------------------------------

RecordingReader::RecordingReader(std::istream& in, std::string file) : source_(in), file_(std::move(file)) {
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

void RecordingReader::read_header() {
  if (!source_.next()) throw BadLine{"", "is empty; a recording begins with a line that says what it is of"};
  const json::value value = object_of(source_.text());
  if (value.is_null()) {
    throw BadLine{"", "is not a JSON object; the first line of a recording has the key holdfast_recording"};
  }
  refuse_repeated_keys(source_.text());
  const ObjectReader object{value.get_object()};
  int format = 0;
  object("holdfast_recording", format);
  if (format != 1) throw BadLine{"holdfast_recording", "is " + std::to_string(format) + "; this program reads 1"};
  header_.version = text_of(object, "version");
  object("seed", header_.seed.value);
  header_.began = clock(object, "t_ns");
  header_.supervisor = config_of(object);
  has_checks_ = object.has("check");
  verify(value.get_object(), object);
}

void RecordingReader::advance() {
  line_.reset();
  if (cut_short_ || complaint_) return;
  try {
    if (source_.next()) {
      read_line();
    } else {
      cut_short_ = !ended_;
    }
  } catch (const BadLine& wrong) {
    line_.reset();
    complaint_ = Complaint{.file = file_, .line = source_.number(), .key = wrong.key, .says = wrong.says};
  }
}

void RecordingReader::read_line() {
  if (ended_) throw BadLine{"", "stands behind the line that says how the recording ended"};
  const json::value value = object_of(source_.text());
  if (value.is_null()) {
    cut_short_ = !source_.has_end();
    if (cut_short_) return;
    throw BadLine{"", "is not a JSON object; " + std::string{kKinds}};
  }
  refuse_repeated_keys(source_.text());
  const json::object& fields = value.get_object();
  const ObjectReader object{fields};
  line_.emplace().number = source_.number();
  line_->text = source_.text();
  if (fields.contains("input")) {
    line_->what = input(object);
  } else if (fields.contains("timer")) {
    line_->what = timer(object);
  } else if (fields.contains("clock_ns")) {
    line_->what = ClockLine{clock(object, "clock_ns")};
  } else if (fields.contains("kind")) {
    line_->what = EventLine{};
    return take_fields(fields);  // the replay finds what else there is
  } else if (fields.contains("end")) {
    line_->what = end(object);
    ended_ = true;
  } else if (fields.contains("holdfast_recording")) {
    throw BadLine{"holdfast_recording", "begins another recording; a file holds one"};
  } else {
    throw BadLine{"", "says nothing; " + std::string{kKinds}};
  }
  verify(fields, object);
}

// Into the check of the lines from here on.
void RecordingReader::take_fields(const json::object& fields) {
  holdfast::detail::FieldsHash hash;
  for (const auto& field : fields) {
    const std::string_view key{field.key().data(), field.key().size()};
    if (key != "check") hash.add(key, as_recorded(field.value()));
  }
  check_.take(hash);
}

// Once all its keys were read that this kind of line has.
void RecordingReader::verify(const json::object& fields, const ObjectReader& object) {
  std::string_view check;
  if (has_checks_) object("check", check);
  object.refuse_other_keys();
  take_fields(fields);
  if (has_checks_ && check != check_.text()) {
    throw BadLine{"check", "is " + in_quotes(check) + ", but that of this line and those above is " +
                               in_quotes(check_.text()) +
                               "; since it was recorded, this line was changed or moved, or one was taken out or put "
                               "in above it"};
  }
}

EndLine RecordingReader::end(const ObjectReader& object) {
  std::string_view how;
  object("end", how);
  if (how != "closed") throw BadLine{"end", "is " + in_quotes(how) + "; allowed is \"closed\""};
  EndLine line{.at = clock(object, "t_ns")};
  object("events", line.events);
  object("undone", line.undone);
  return line;
}

TimePoint RecordingReader::clock(const ObjectReader& object, std::string_view key) {
  TimePoint at;
  object(key, at.nanoseconds);
  if (at < TimePoint{} || at > TimePoint{} + kDurationMax) {
    throw BadLine{std::string{key}, "is " + ns_text(at) + "; allowed is 0 to " + ns_text(TimePoint{} + kDurationMax) +
                                        " nanoseconds, counted from the scheduler's start"};
  }
  if (at < latest_) {
    throw BadLine{std::string{key}, "is " + ns_text(at) + ", but a line above has " + ns_text(latest_) +
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
    throw BadLine{"t_ns", "is " + ns_text(line.at) + ", before due_ns, which is " + ns_text(line.due) +
                              "; a timer fires at its time or later"};
  }
  return line;
}

InputLine RecordingReader::input(const ObjectReader& object) {
  InputLine line{.at = clock(object, "t_ns"), .kind = kind_of(object), .within = within_of(object)};
  switch (line.kind) {
    case InputKind::add:
      line.service = text_of(object, "service");
      object("can_be_killed", line.can_be_killed);
      object("runs_side_by_side", line.runs_side_by_side);
      line.policy = policy_in(object);
      break;
    case InputKind::reconfigure:
      line.service = text_of(object, "service");
      line.policy = policy_in(object);
      break;
    case InputKind::stop:
    case InputKind::restart:
    case InputKind::reset:
    case InputKind::remove: line.service = text_of(object, "service"); break;
    case InputKind::end:
      line.service = text_of(object, "service");
      object("slot", line.id.slot);
      object("generation", line.id.generation);
      object("run", line.run.value);
      object("outcome", line.outcome);
      line.error = text_of(object, "error");
      object("exit_status", line.exit_status);
      break;
    case InputKind::ready:
      line.service = text_of(object, "service");
      object("slot", line.id.slot);
      object("generation", line.id.generation);
      object("run", line.run.value);
      break;
    case InputKind::heartbeat:
      line.service = text_of(object, "service");
      object("slot", line.id.slot);
      object("generation", line.id.generation);
      object("run", line.run.value);
      object("heard_ns", line.heard.nanoseconds);
      object("progress", line.progress);
      if (line.heard > line.at) {
        throw BadLine{"heard_ns", "is " + ns_text(line.heard) + ", after t_ns, which is " + ns_text(line.at) +
                                      "; a sign of life comes before the line that tells it"};
      }
      break;
    case InputKind::stop_threw:
    case InputKind::kill_threw:
      line.error = text_of(object, "error");
      line.within = Within::service;
      break;
    case InputKind::pid:
      line.service = text_of(object, "service");
      object("pid", line.pid);
      break;
    case InputKind::warn:
      line.service = text_of(object, "service");
      object("slot", line.id.slot);
      object("generation", line.id.generation);
      object("run", line.run.value);
      line.error = text_of(object, "says");
      break;
    case InputKind::shutdown:
    case InputKind::end_drain:
      if (object.has("cause")) line.cause = signal_of(object);
      break;
    case InputKind::signal_ignored: line.cause = signal_of(object); break;
    case InputKind::add_group:
      line.group.path = text_of(object, "group");
      object("strategy", line.group.policy.strategy);
      if (object.has("max_restarts")) {
        auto& intensity = line.group.policy.intensity.emplace();
        object("max_restarts", intensity.max_restarts);
        object("within_ns", intensity.within);
      }
      break;
  }
  return line;
}

}  // namespace holdfast::sim::detail
