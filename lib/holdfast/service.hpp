// The interface of a supervised service, and how a run reports its end to the supervisor.
//
// Thread-safety: none; everything happens on the scheduler's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <holdfast/lifecycle.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {
struct ServiceRecord;
}

#pragma GCC visibility push(default)

namespace holdfast {

class Supervisor;

// The text of an error: immutable, shared, cheap to copy. A literal is not copied and nothing is allocated for it.
// It has fewer than 2^32 bytes.
class Error {
 public:
  Error() = default;
  explicit Error(std::string_view text);
  Error(const Error& other) noexcept : text_(other.text_), size_(other.size_), is_owned_(other.is_owned_) {
    if (is_owned_) keep();
  }
  Error(Error&& other) noexcept : text_(other.text_), size_(other.size_), is_owned_(other.is_owned_) {
    other.become_empty();
  }
  Error& operator=(const Error& other) noexcept { return *this = Error{other}; }
  Error& operator=(Error&& other) noexcept {
    if (this == &other) return *this;
    if (is_owned_) let_go();
    text_ = other.text_;
    size_ = other.size_;
    is_owned_ = other.is_owned_;
    other.become_empty();
    return *this;
  }
  ~Error() {
    if (is_owned_) let_go();
  }

  // REQUIRES: `text` outlives every copy of the error, as a string literal does.
  static Error literal(std::string_view text) noexcept;

  // The exception being handled: its what(), or "unknown exception" if it is not a std::exception. Nested exceptions
  // (std::throw_with_nested) give the whole chain, outermost first: "cannot reach the exchange: connection refused".
  // If there is no memory for the text, a literal says so.
  // REQUIRES: called from within a catch block.
  static Error from_current_exception() noexcept;

  [[nodiscard]] std::string_view text() const noexcept { return {text_, size_}; }

 private:
  void keep() const noexcept;
  void let_go() const noexcept;
  void become_empty() noexcept {
    size_ = 0;
    is_owned_ = false;
  }

  const char* text_ = nullptr;
  std::uint32_t size_ = 0;
  bool is_owned_ = false;  // the number of its owners precedes the text
};

// How a run ended, as a value. It may carry an exit status, of which the policy may say what it means (ExitRules).
class Exit {
 public:
  static Exit clean() noexcept { return Exit{Outcome::clean, {}}; }
  // There is nothing left to do: the service has completed, whatever its policy.
  static Exit done() noexcept { return Exit{Outcome::done, {}}; }
  static Exit failed(Error error) noexcept { return Exit{Outcome::failed, std::move(error)}; }
  static Exit failed(std::string_view error) { return failed(Error{error}); }
  // An error that no restart can fix: the service terminates, whatever its policy.
  static Exit fatal(Error error) noexcept { return Exit{Outcome::fatal, std::move(error)}; }
  static Exit fatal(std::string_view error) { return fatal(Error{error}); }
  // An exception that has left the run.
  static Exit threw(Error error) noexcept { return Exit{Outcome::threw, std::move(error)}; }
  // REQUIRES: called from within a catch block.
  static Exit from_current_exception() noexcept { return Exit{Outcome::threw, Error::from_current_exception()}; }

  // With a number of the service's own, or the exit status of a process (128 + n if signal n ended it).
  [[nodiscard]] Exit with_status(std::uint8_t status) && noexcept {
    status_ = status;
    return std::move(*this);
  }

  [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }
  [[nodiscard]] bool is_clean() const noexcept { return outcome_ == Outcome::clean; }
  [[nodiscard]] const Error& error() const noexcept { return error_; }
  // kNoStatus: it carries none.
  [[nodiscard]] std::int16_t status() const noexcept { return status_; }
  static constexpr std::int16_t kNoStatus = -1;
  // Leaves the exit without it.
  [[nodiscard]] Error take_error() noexcept { return std::move(error_); }

 private:
  Exit(Outcome outcome, Error error) noexcept : error_(std::move(error)), outcome_(outcome) {}

  [[no_unique_address]] Error error_;
  Outcome outcome_;
  std::int16_t status_ = kNoStatus;
};

// Somebody who waits until the supervisor is asked to shut down: Run::await_shutdown() says how. It stays where it is
// while it waits.
class ShutdownWaiter {
 public:
  ShutdownWaiter() noexcept = default;
  ShutdownWaiter(const ShutdownWaiter&) = delete;
  ShutdownWaiter& operator=(const ShutdownWaiter&) = delete;

  // Called once, within the supervisor's loop: after the event `shutdown_requested`, and before any service is asked to
  // stop for it. What it asks of the supervisor, or of runs, is queued.
  virtual void shutdown_requested() noexcept = 0;

  // It is no longer to be called. It may wait again later.
  void leave() noexcept {
    before_->after_ = after_;
    after_->before_ = before_;
    before_ = after_ = this;
  }
  [[nodiscard]] bool waits() const noexcept { return after_ != this; }

 protected:
  ~ShutdownWaiter() { leave(); }

 private:
  friend class Supervisor;
  ShutdownWaiter* before_ = this;
  ShutdownWaiter* after_ = this;
};

// One run of one service; start() receives it. It is a value: copy it, keep it, use it at any later time while the
// supervisor exists.
class Run {
 public:
  Run() = default;

  [[nodiscard]] ServiceId service() const noexcept { return service_; }
  [[nodiscard]] RunNumber number() const noexcept { return number_; }

  // The run has ended. The end is queued, and the supervisor never acts on it before the current handler returns. Only
  // the first end of a run counts. The end of an abandoned run is reported in an event, with the number of that run,
  // and changes nothing else. REQUIRES: this Run came from a supervisor.
  void end(Exit exit) const noexcept;

  // This run is the process of the operating system with this number. `running` and snapshots show it. Call it from
  // within start(), at most once; elsewhere it does nothing.
  // REQUIRES: this Run came from a supervisor.
  void set_pid(std::uint32_t pid) const;

  // The run is ready: under `ready = notified` (policy.hpp) the service is `running` from then on. It is queued like
  // other inputs, and counts from the call. Only the first call counts. A call after the run was asked to stop, or was
  // abandoned, is reported in an event and changes nothing; a call after its end does nothing at all, nor does one
  // under `ready = at_once`.
  // REQUIRES: this Run came from a supervisor.
  void ready() const noexcept;

  // A sign of life for the watchdog of its service (policy.hpp). It counts from the call, and costs little more than a
  // look at the clock. A call while the service is not `running` does nothing, nor does one without a watchdog, or if
  // that needs progress.
  // REQUIRES: this Run came from a supervisor.
  void heartbeat() const noexcept;

  // How far the run has got, in whatever it counts. A number above the highest that it has reported is a sign of life;
  // any other is none, so that a loop that turns without getting anywhere is found. A run's first number is one.
  // Otherwise as heartbeat().
  // REQUIRES: this Run came from a supervisor.
  void progress(std::uint64_t reached) const noexcept;

  // The watchdog of its service; nullopt: it has none.
  // REQUIRES: this Run came from a supervisor, from within start().
  [[nodiscard]] std::optional<Duration> watchdog() const noexcept;

  // Whether its service is ready only when ready() says so.
  // REQUIRES: this Run came from a supervisor, from within start().
  [[nodiscard]] bool says_when_ready() const noexcept;

  // Whether the run is being stopped because it missed a deadline, its start timeout or its watchdog. Its end is a
  // failure then, whatever it returns; an error that it returns may say more.
  // REQUIRES: this Run came from a supervisor.
  [[nodiscard]] bool missed_a_deadline() const noexcept;

  // Whether the supervisor has been asked to shut down. A run that is asked to stop only after others (policy.hpp,
  // `after`) can tell from it that its turn will come. False once the run is over.
  // REQUIRES: this Run came from a supervisor.
  [[nodiscard]] bool shutdown_requested() const noexcept;

  // Waits until the supervisor is asked to shut down, in the order of these calls. Under `after` (policy.hpp) that
  // comes before the turn of a run that others depend on: it may turn new work away while they still need it. (Who is
  // stopped with its group is stopped at once; there is nothing to wait for before that.) False: the supervisor has
  // been asked already, or the run is over, and `waiter` does not wait. It waits on when the run ends; leave() ends
  // that, and so does its destruction, or that of the supervisor. REQUIRES: this Run came from a supervisor, and
  // `waiter` does not wait.
  bool await_shutdown(ShutdownWaiter& waiter) const noexcept;

  // Reports something that an operator should know, as a `warned` event; it is queued like other inputs. It changes
  // nothing else, and is ignored once this run has ended. The text is one sentence for people, without the service's
  // name.
  // REQUIRES: this Run came from a supervisor.
  void warn(std::string_view says) const;

  // A hint that this run is about to end.
  // REQUIRES: this Run came from a supervisor.
  void ends_soon() const noexcept;

 private:
  friend class Supervisor;
  [[nodiscard]] bool is_over() const noexcept;
  Run(detail::ServiceRecord& record, ServiceId service, RunNumber number) noexcept
      : record_(&record), service_(service), number_(number) {}

  detail::ServiceRecord* record_ = nullptr;  // stays where it is as long as the supervisor, also when it is forgotten
  ServiceId service_;
  RunNumber number_;
};

// A named unit of work. The supervisor calls start() for each run, and never while an earlier run is still alive,
// unless runs_side_by_side().
//
// Every callback may throw and may call the supervisor; what it asks for is queued.
class Service {
 public:
  // Begins a run and returns promptly; the run goes on until run.end() is called. An exception out of here ends the
  // run as a failure.
  virtual void start(Run run) = 0;

  // Asks `run` to end soon; the supervisor waits for its end. An exception from here becomes an event, and the run
  // counts as one that did not obey.
  virtual void stop(Run run) = 0;

  // Whether kill() can end a run that does not obey. The answer never changes.
  [[nodiscard]] virtual bool can_be_killed() const noexcept { return false; }

  // `run` was asked to stop and has not ended within its stop_grace: end it by force. Called once, and only if
  // can_be_killed(). An exception from here becomes an event, and the run counts as one that did not obey.
  virtual void kill(Run) {}

  // Whether each run is an instance of its own, so that a new run may begin while an abandoned one is still alive.
  // stop() and kill() then name the run that they are about. The answer never changes.
  [[nodiscard]] virtual bool runs_side_by_side() const noexcept { return false; }

  // Whether the creator of these objects makes sure that none is added twice. The supervisor then need not remember
  // which objects it has, which takes about ten bytes each. The answer never changes.
  [[nodiscard]] virtual bool is_added_once() const noexcept { return false; }

 protected:
  ~Service() = default;
};

}  // namespace holdfast

#pragma GCC visibility pop
