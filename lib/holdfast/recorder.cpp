#include <holdfast/recorder.hpp>

#include <concepts>
#include <ostream>
#include <type_traits>
#include <utility>

#include <holdfast/detail/text.hpp>
#include <holdfast/event_fields.hpp>
#include <holdfast/version.hpp>

namespace holdfast {

// ---------------------------------------------------------------------------------------------------------------------
// Lines
// ---------------------------------------------------------------------------------------------------------------------

namespace {

// One JSON object, in the form of visit_fields: called with each key and its value.
class RecordedLine {
 public:
  void operator()(std::string_view key, std::string_view text) { put(key, detail::quoted(text)); }
  void operator()(std::string_view key, const char* text) { (*this)(key, std::string_view{text}); }
  void operator()(std::string_view key, Duration length) { put(key, std::to_string(length.count())); }
  void operator()(std::string_view key, TimePoint at) { put(key, std::to_string(at.nanoseconds)); }
  // These two are left out where they say nothing.
  void operator()(std::string_view key, const std::optional<Duration>& length) {
    if (length) (*this)(key, *length);
  }
  void operator()(std::string_view key, bool holds) {
    if (holds) put(key, "true");
  }
  template <std::integral Number>
  void operator()(std::string_view key, Number number) {
    put(key, std::to_string(number));
  }
  template <class Word>
  requires std::is_enum_v<Word>
  void operator()(std::string_view key, Word word) { (*this)(key, to_string(word)); }

  [[nodiscard]] std::string take() { return std::move(line_) += '}'; }

 private:
  void put(std::string_view key, std::string_view value) {
    line_ += line_.empty() ? '{' : ',';
    ((((line_ += '"') += key) += "\":") += value);
  }

  std::string line_;
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
};

template <class What>
void put_fields(RecordedLine& line, const What& what) {
  if constexpr (std::is_same_v<What, arrival::Added>) {
    line("restart", what.restart);
    if (what.backoff) visit_policy(line, *what.backoff);
    line("stop_grace_ns", what.stop_grace);
    line("can_be_killed", what.can_be_killed);
  } else if constexpr (std::is_same_v<What, arrival::Ended>) {
    line("slot", what.service.slot);
    line("generation", what.service.generation);
    line("run", what.run.value);
    line("outcome", what.outcome);
    line("error", what.error);
  }
}

}  // namespace

std::string recorded_line(const Event& event) {
  RecordedLine line;
  line("t_ns", event.at);
  put_service(line, event);
  visit_what(event.what, [&](const auto& what) {
    line("kind", what.kKind);
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(what)>, event::Added>) visit_policy(line, *what.backoff);
    visit_fields(line, what);
  });
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
    recorder_.out_.flush();
  }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

 private:
  Recorder& recorder_;
};

Recorder::Recorder(std::ostream& out, Scheduler& scheduler, const SupervisorConfig& config, Seed seed, EventSink& sink)
    : out_(out), scheduler_(scheduler), sink_(sink), step_at_(scheduler.now()) {
  RecordedLine line;
  line("holdfast_recording", 1);
  line("version", version());
  line("seed", seed.value);
  line("t_ns", step_at_);
  line("shutdown_timeout_ns", config.shutdown_timeout);
  line("when_all_terminated", config.when_all_terminated);
  visit_policy(line, config.backoff);
  line("stop_grace_ns", config.stop_grace);
  write(line.take());
}

Recorder::~Recorder() {
  RecordedLine line;
  line("end", "closed");
  line("t_ns", now());
  line("events", events_);
  line("undone", undone_);
  write(line.take());
  out_.flush();
}

void Recorder::write(std::string_view line) { out_ << line << '\n'; }

// What the supervisor is given in order to act: the timer that fired, or the clock where it has moved.
void Recorder::write_step(TimePoint at) {
  RecordedLine line;
  if (const auto fired = std::exchange(fired_, std::nullopt)) {
    line("t_ns", at);
    line("timer", fired->number);
    line("due_ns", fired->due);
  } else if (at != step_at_) {
    line("clock_ns", at);
  } else {
    return;
  }
  step_at_ = at;
  write(line.take());
}

void Recorder::write_threw(std::string_view input, std::string_view error) {
  RecordedLine line;
  line("t_ns", now());
  line("input", input);
  line("error", error);
  write(line.take());
}

void Recorder::on_event(const Event& event) {
  write_step(event.at);
  if (const auto* const threw = std::get_if<event::StopThrew>(&event.what)) write_threw("stop_threw", threw->error);
  if (const auto* const threw = std::get_if<event::KillThrew>(&event.what)) write_threw("kill_threw", threw->error);
  write(recorded_line(event));
  ++events_;
  in_sink_ = true;
  sink_.on_event(event);
  in_sink_ = false;
}

void Recorder::on_arrival(const Arrival& arrival) {
  if (fired_) write_step(arrival.at);
  RecordedLine line;
  line("t_ns", arrival.at);
  line("input", std::visit(InputWord{}, arrival.what));
  if (!arrival.name.empty()) line("service", arrival.name);
  std::visit([&](const auto& what) { put_fields(line, what); }, arrival.what);
  if (in_handler_) line("within", in_sink_ ? "sink" : "service");
  write(line.take());
  if (!in_handler_) out_.flush();
}

// ---------------------------------------------------------------------------------------------------------------------
// The scheduler
// ---------------------------------------------------------------------------------------------------------------------

void Recorder::arm(Timer& timer, TimePoint at) {
  const std::uint64_t number = timers_.arm(timer, at);
  Alarm& alarm = alarms_.try_emplace(number, *this, number).first->second;
  scheduler_.arm(alarm, at);
}

bool Recorder::disarm(Timer& timer) noexcept {
  const std::uint64_t number = timers_.disarm(timer);
  if (number == 0) return false;
  const auto alarm = alarms_.find(number);
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
  if (!turn_.queued()) scheduler_.defer(turn_);
}

bool Recorder::cancel(Task& task) noexcept {
  if (!tasks_.cancel(task)) return false;
  ++undone_;
  if (tasks_.empty()) scheduler_.cancel(turn_);
  return true;
}

void Recorder::run_tasks() {
  const Handler handler{*this};
  while (!tasks_.empty()) tasks_.run_oldest();
}

}  // namespace holdfast
