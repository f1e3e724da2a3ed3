#include <holdfast/recorder.hpp>

#include <cerrno>
#include <cstring>
#include <exception>
#include <ios>
#include <optional>
#include <ostream>
#include <type_traits>
#include <utility>

#include <holdfast/detail/json_object.hpp>
#include <holdfast/detail/text.hpp>
#include <holdfast/event_fields.hpp>
#include <holdfast/version.hpp>

namespace holdfast {

// ---------------------------------------------------------------------------------------------------------------------
// Lines
// ---------------------------------------------------------------------------------------------------------------------

namespace {

// The part of a text that a recording has room for. A byte that is not UTF-8 counts as the U+FFFD that is written for
// it, so that a text that was shortened, written and read is not shortened again.
std::string_view shortened(std::string_view text) noexcept {
  constexpr std::string_view kReplacement = "\ufffd";
  if (text.size() <= kRecordedTextMax / kReplacement.size()) return text;
  std::size_t size = 0, written = 0;
  while (size < text.size()) {
    const std::size_t length = detail::utf8_character(text.substr(size));
    written += length == 0 ? kReplacement.size() : length;
    if (written > kRecordedTextMax) break;
    size += length == 0 ? 1 : length;
  }
  return text.substr(0, size);
}

// One line, in the form of visit_fields: called with each key and its value.
class RecordedLine {
 public:
  template <class Value>
  void operator()(std::string_view key, const Value& value) {
    const std::size_t before = line_.size();
    if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
      object_(key, shortened(value));
    } else {
      object_(key, value);
    }
    if (line_.size() > before) hash_.add(key, object_.latest_value());
  }

  [[nodiscard]] std::string take() {
    object_.close();
    return std::move(line_);
  }
  [[nodiscard]] const detail::FieldsHash& hash() const noexcept { return hash_; }

 private:
  std::string line_;
  detail::FieldsHash hash_;
  detail::JsonObject<detail::Nothing::left_out> object_{line_};
};

void put_service(RecordedLine& line, const Event& event) {
  if (!event.about_supervisor()) line("service", event.name);
  line("n", event.n);
  if (!event.about_supervisor()) line("run", event.run.value);
}

struct InputWord {
  std::string_view operator()(const arrival::Added&) const { return "add"; }
  std::string_view operator()(const arrival::Commanded& what) const { return to_string(what.command); }
  std::string_view operator()(const arrival::Ended&) const { return "end"; }
  std::string_view operator()(const arrival::ShutdownRequested&) const { return "shutdown"; }
  std::string_view operator()(const arrival::DrainEnded&) const { return "end_drain"; }
  std::string_view operator()(const arrival::PidKnown&) const { return "pid"; }
  std::string_view operator()(const arrival::RunWarned&) const { return "warn"; }
  std::string_view operator()(const arrival::SignalIgnored&) const { return "signal_ignored"; }
  std::string_view operator()(const arrival::BecameReady&) const { return "ready"; }
  std::string_view operator()(const arrival::Heard&) const { return "heartbeat"; }
  std::string_view operator()(const arrival::GroupAdded&) const { return "add_group"; }
  std::string_view operator()(const arrival::Reconfigured&) const { return "reconfigure"; }
};

template <class What>
void put_fields(RecordedLine& line, const What& what) {
  if constexpr (std::is_same_v<What, arrival::Added> || std::is_same_v<What, arrival::Reconfigured>) {
    constexpr bool kIsAdded = std::is_same_v<What, arrival::Added>;
    line("restart", what.policy->restart);
    if (what.policy->backoff) visit_backoff(line, *what.policy->backoff);
    line("stop_grace_ns", what.policy->stop_grace);
    if constexpr (kIsAdded) {
      line("can_be_killed", what.can_be_killed);
      line("runs_side_by_side", what.runs_side_by_side);
    }
    visit_policy(line, *what.policy);
  } else if constexpr (std::is_same_v<What, arrival::Ended>) {
    line("slot", what.service.slot);
    line("generation", what.service.generation);
    line("run", what.run.value);
    line("outcome", what.outcome);
    line("error", what.error);
    line("exit_status", what.exit_status);
  } else if constexpr (std::is_same_v<What, arrival::PidKnown>) {
    line("pid", what.pid);
  } else if constexpr (std::is_same_v<What, arrival::BecameReady>) {
    line("slot", what.service.slot);
    line("generation", what.service.generation);
    line("run", what.run.value);
  } else if constexpr (std::is_same_v<What, arrival::Heard>) {
    line("slot", what.service.slot);
    line("generation", what.service.generation);
    line("run", what.run.value);
    line("heard_ns", what.when);
    line("progress", what.progress);
  } else if constexpr (std::is_same_v<What, arrival::RunWarned>) {
    line("slot", what.service.slot);
    line("generation", what.service.generation);
    line("run", what.run.value);
    line("says", what.says);
  } else if constexpr (std::is_same_v<What, arrival::ShutdownRequested> || std::is_same_v<What, arrival::DrainEnded>) {
    if (what.cause != ShutdownCause::requested) line("cause", what.cause);
  } else if constexpr (std::is_same_v<What, arrival::GroupAdded>) {
    line("group", what.group);
    line("strategy", what.policy->strategy);
    if (const auto& intensity = what.policy->intensity) {
      line("max_restarts", intensity->max_restarts);
      line("within_ns", intensity->within);
    }
  } else if constexpr (std::is_same_v<What, arrival::SignalIgnored>) {
    line("cause", what.signal);
  }
}

void put_event(RecordedLine& line, const Event& event) {
  line("t_ns", event.at);
  put_service(line, event);
  visit_what(event.what, [&](const auto& what) {
    line("kind", what.kKind);
    if constexpr (event::HasPolicy<std::remove_cvref_t<decltype(what)>>) {
      visit_backoff(line, *what.policy->backoff);
      visit_with_policy(line, what, *what.policy);
    } else {
      visit_fields(line, what);
    }
  });
}

}  // namespace

std::string recorded_line(const Event& event) {
  RecordedLine line;
  put_event(line, event);
  return line.take();
}

// ---------------------------------------------------------------------------------------------------------------------
// The recorder
// ---------------------------------------------------------------------------------------------------------------------

// A step of the supervisor, from when its scheduler calls it until it returns.
class Recorder::Handler {
 public:
  explicit Handler(Recorder& recorder) noexcept : recorder_(recorder) { recorder_.in_handler_ = true; }
  ~Handler() {
    recorder_.in_handler_ = false;
    if (recorder_.fired_) recorder_.write_step(recorder_.now());
    recorder_.flush();
  }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

 private:
  Recorder& recorder_;
};

Recorder::Recorder(std::ostream& out, Scheduler& scheduler, const SupervisorConfig& config, Seed seed, EventSink& sink,
                   RecordingTrouble* trouble)
    : out_(out), scheduler_(scheduler), sink_(sink), trouble_(trouble), step_at_(scheduler.now()) {
  const ServicePolicy own{.backoff = config.backoff};
  write([&](RecordedLine& line) {
    line("holdfast_recording", 1);
    line("version", version());
    line("seed", seed.value);
    line("t_ns", step_at_);
    line("shutdown_timeout_ns", config.shutdown_timeout);
    line("when_all_terminated", config.when_all_terminated);
    visit_backoff(line, config.backoff);
    line("stop_grace_ns", config.stop_grace);
    if (config.abandoned_runs_max != SupervisorConfig{}.abandoned_runs_max) {
      line("abandoned_runs_max", config.abandoned_runs_max);
    }
    if (config.kill_wait) line("kill_wait_ns", config.kill_wait);
    if (config.restart_limit) {
      line("restart_limit_every_ns", config.restart_limit->every);
      line("restart_limit_burst", config.restart_limit->burst);
    }
    if (config.starting_max) line("starting_max", *config.starting_max);
    visit_policy(line, own);
  });
}

Recorder::~Recorder() {
  write([&](RecordedLine& line) {
    line("end", "closed");
    line("t_ns", now());
    line("events", events_);
    line("undone", undone_);
  });
  flush();
}

// Writes a line that `make` fills. No exception leaves it: a line that cannot be written must not stop the program.
template <class Make>
void Recorder::write(const Make& make) noexcept {
  attempt([&] {
    RecordedLine line;
    make(line);
    check_.take(line.hash());
    line("check", check_.text());
    out_ << line.take() << '\n';
  });
}

// Without a check: a replay compares the events themselves.
void Recorder::write(const Event& event) noexcept {
  attempt([&] {
    RecordedLine line;
    put_event(line, event);
    check_.take(line.hash());
    out_ << line.take() << '\n';
  });
}

void Recorder::flush() noexcept {
  attempt([&] { out_.flush(); });
}

// A stream reports that it has failed, or it or its buffer throws. Only the system may know the reason.
template <class Act>
void Recorder::attempt(const Act& act) noexcept {
  if (has_failed_) return;
  errno = 0;
  try {
    act();
    if (!out_) give_up(errno != 0 ? ::strerrordesc_np(errno) : "the stream has failed");
  } catch (const std::ios_base::failure& failure) {
    give_up(errno != 0 ? ::strerrordesc_np(errno) : failure.what());
  } catch (const std::exception& exception) {
    give_up(exception.what());
  } catch (...) {
    give_up("unknown exception");
  }
}

void Recorder::give_up(std::string_view error) noexcept {
  has_failed_ = true;
  fired_.reset();
  if (trouble_) trouble_->recording_failed_with(error);
}

// What the supervisor is given in order to act: the timer that fired, or the clock where it has moved.
void Recorder::write_step(TimePoint at) {
  const auto fired = std::exchange(fired_, std::nullopt);
  if (!fired && at == step_at_) return;
  step_at_ = at;
  write([&](RecordedLine& line) {
    if (!fired) return line("clock_ns", at);
    line("t_ns", at);
    line("timer", fired->number);
    line("due_ns", fired->due);
  });
}

void Recorder::write_threw(std::string_view input, std::string_view error) {
  write([&](RecordedLine& line) {
    line("t_ns", now());
    line("input", input);
    line("error", error);
  });
}

// Resets in_sink_ also if the sink throws.
class Recorder::InSink {
 public:
  explicit InSink(bool& in_sink) noexcept : in_sink_(in_sink) { in_sink_ = true; }
  ~InSink() { in_sink_ = false; }
  InSink(const InSink&) = delete;
  InSink& operator=(const InSink&) = delete;

 private:
  bool& in_sink_;
};

void Recorder::on_event(const Event& event) {
  write_step(event.at);
  if (const auto* const threw = std::get_if<event::StopThrew>(&event.what)) write_threw("stop_threw", threw->error);
  if (const auto* const threw = std::get_if<event::KillThrew>(&event.what)) write_threw("kill_threw", threw->error);
  write(event);
  ++events_;
  const InSink telling{in_sink_};
  sink_.on_event(event);
}

void Recorder::on_arrival(const Arrival& arrival) {
  const bool came_before = std::holds_alternative<arrival::Heard>(arrival.what);  // the timer that asks for it
  if (fired_ && !came_before) write_step(arrival.at);
  write([&](RecordedLine& line) {
    line("t_ns", arrival.at);
    line("input", std::visit(InputWord{}, arrival.what));
    if (!arrival.name.empty()) line("service", arrival.name);
    std::visit([&](const auto& what) { put_fields(line, what); }, arrival.what);
    if (in_handler_ && !came_before) line("within", in_sink_ ? "sink" : "service");
  });
  if (fired_ && came_before) write_step(arrival.at);  // what the supervisor reads the clock for
  if (!in_handler_) flush();
}

// A replay would have the memory, and decide otherwise. What was written until now is right.
void Recorder::lacked_memory() noexcept {
  if (has_failed_) return;
  flush();
  if (!has_failed_) give_up("there was no memory for a step of the supervisor, which a replay would take");
}

// ---------------------------------------------------------------------------------------------------------------------
// The scheduler
// ---------------------------------------------------------------------------------------------------------------------

// Calls arm(alarm) with what is armed for the timer. If it throws, nothing has happened.
template <class Arm>
void Recorder::arm_for(Timer& timer, TimePoint at, const Arm& arm) {
  std::uint64_t number = 0;
  try {
    number = timers_.arm(timer, at);
  } catch (...) {
    lacked_memory();
    throw;
  }
  try {
    arm(alarms_.try_emplace(number, *this, number).first->second);
  } catch (...) {
    timers_.take_back(timer);
    alarms_.erase(number);  // which is not armed
    lacked_memory();
    throw;
  }
}

void Recorder::arm(Timer& timer, TimePoint at) {
  arm_for(timer, at, [&](Alarm& alarm) { scheduler_.arm(alarm, at); });
}

void Recorder::arm_deadline(Timer& timer, TimePoint at) {
  arm_for(timer, at, [&](Alarm& alarm) { scheduler_.arm_deadline(alarm, at); });
}

bool Recorder::disarm(Timer& timer) noexcept {
  const std::uint64_t number = timers_.disarm(timer);
  if (number == 0) return false;
  const auto alarm = alarms_.find(number);
  if (alarm == alarms_.end()) return true;  // no memory for it
  scheduler_.disarm(alarm->second);
  alarms_.erase(alarm);
  return true;
}

// Called by the alarm of this number, which does nothing after it.
void Recorder::fire(std::uint64_t number) {
  alarms_.erase(number);
  const Handler handler{*this};
  fired_ = {number, timers_.due(number)};
  timers_.fire(number);
}

void Recorder::defer(Task& task) {
  tasks_.push(task);
  defer_turn();
}

void Recorder::defer_turn() {
  if (turn_.queued()) return;
  try {
    scheduler_.defer(turn_);
  } catch (...) {
    lacked_memory();
    throw;
  }
}

bool Recorder::cancel(Task& task) noexcept {
  if (!tasks_.cancel(task)) return false;
  ++undone_;
  if (tasks_.empty()) scheduler_.cancel(turn_);
  return true;
}

// If a task throws, the others run in the next turn.
void Recorder::run_tasks() {
  const Handler handler{*this};
  try {
    while (!tasks_.empty()) tasks_.run_oldest();
  } catch (...) {
    if (!tasks_.empty()) defer_turn();
    throw;
  }
}

}  // namespace holdfast
