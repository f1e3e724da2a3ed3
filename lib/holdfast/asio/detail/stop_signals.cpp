#include <holdfast/asio/detail/stop_signals.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace holdfast::detail {

namespace {

using Action = struct sigaction;

constexpr std::array<int, 3> kSignals{SIGTERM, SIGINT, SIGHUP};

// One signal, for the whole program.
struct Taken {
  int holders = 0;
  Action former{};  // what it had before the first of them came
};

struct AllTaken {
  std::mutex mutex;
  std::array<Taken, kSignals.size()> of;
};
// Never destroyed: a signal may come when the program ends.
AllTaken& all_taken() {
  static auto* const all = new AllTaken;
  return *all;
}

// What the handler reads. The actions are written while it is not installed.
std::atomic<std::int64_t> g_same_until{0};  // nanoseconds of steady time
std::array<Action, kSignals.size()> g_former{};
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "a signal handler reads it");

std::int64_t steady_ns() noexcept { return std::chrono::steady_clock::now().time_since_epoch().count(); }

bool is_same_stop() noexcept { return steady_ns() < g_same_until.load(); }

std::size_t index_of(int signal) noexcept {
  return static_cast<std::size_t>(std::find(kSignals.begin(), kSignals.end(), signal) - kSignals.begin());
}

// The second signal of a stop has no effect. Any later signal has its action from before the runtime.
extern "C" void holdfast_take_echo(int signal) {
  if (is_same_stop()) return;
  const int before = errno;
  ::sigaction(signal, &g_former[index_of(signal)], nullptr);
  ::raise(signal);  // it comes when this handler has returned
  errno = before;
}

Action action_of(int signal) noexcept {
  Action action{};
  ::sigaction(signal, nullptr, &action);
  return action;
}

bool is_default(const Action& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_DFL;
}

bool is_echo(const Action& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == &holdfast_take_echo;
}

// Asio gives a signal its default action when its last signal_set is gone, and this code sets another one a moment
// later. The signal is blocked in between.
class StopSignalsBlocked {
 public:
  StopSignalsBlocked() noexcept {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : kSignals) ::sigaddset(&set, signal);
    ::pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~StopSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  StopSignalsBlocked(const StopSignalsBlocked&) = delete;
  StopSignalsBlocked& operator=(const StopSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

// REQUIRES: the mutex is held. Leaves the program's own action for SIGHUP alone: it may reload, or ignore it.
bool may_take(const Taken& taken, int signal) noexcept {
  if (signal != SIGHUP || taken.holders > 0) return true;
  const Action now = action_of(signal);
  return is_default(is_echo(now) ? taken.former : now);
}

void take(Taken& taken, int signal, boost::asio::signal_set& set) {
  const Action before = action_of(signal);
  set.add(signal);
  Action now = action_of(signal);
  if (taken.holders++ == 0 && !is_echo(before)) {
    taken.former = before;
    // A signal_set of the program has it already, so the current action means nothing once that set is gone.
    if (before.sa_handler == now.sa_handler) taken.former = Action{};
  }
  now.sa_flags |= SA_RESTART;
  ::sigaction(signal, &now, nullptr);
}

// REQUIRES: the mutex is held, and the signal is blocked in this thread.
void release(Taken& taken, int signal, boost::asio::signal_set& set) noexcept {
  boost::system::error_code ignored;
  set.remove(signal, ignored);
  if (--taken.holders > 0 || !is_default(action_of(signal))) return;  // it is in use elsewhere
  Action then = taken.former;
  if (is_same_stop()) {
    g_former[index_of(signal)] = taken.former;
    then = Action{};
    then.sa_handler = &holdfast_take_echo;
    then.sa_flags = SA_RESTART;
  }
  if (!is_default(then)) ::sigaction(signal, &then, nullptr);
}

}  // namespace

ShutdownCause cause_of(int signal) noexcept {
  switch (signal) {
    case SIGHUP: return ShutdownCause::sighup;
    case SIGINT: return ShutdownCause::sigint;
    default: return ShutdownCause::sigterm;
  }
}

StopSignals::StopSignals(const boost::asio::any_io_executor& executor) : set_(executor) {
  const std::lock_guard lock{all_taken().mutex};
  try {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      if (!may_take(all_taken().of[i], kSignals[i])) continue;
      take(all_taken().of[i], kSignals[i], set_);
      has_[i] = true;
    }
  } catch (...) {  // no memory
    let_go();
    throw;
  }
}

StopSignals::~StopSignals() {
  const std::lock_guard lock{all_taken().mutex};
  let_go();
}

void StopSignals::let_go() noexcept {
  const StopSignalsBlocked blocked;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    if (has_[i]) release(all_taken().of[i], kSignals[i], set_);
  }
}

void StopSignals::unblock() const noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    if (has_[i]) ::sigaddset(&set, kSignals[i]);
  }
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void StopSignals::heeded() noexcept {
  g_same_until.store(steady_ns() + std::chrono::nanoseconds{kSameStopMax}.count());
}

}  // namespace holdfast::detail
