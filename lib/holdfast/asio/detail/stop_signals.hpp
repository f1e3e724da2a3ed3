// The signals that ask a program to stop, while a runtime handles them: SIGTERM, SIGINT, and SIGHUP where it has its
// default action.
//
// They are delivered by a signal_set of Asio, so that several runtimes, and signal_sets of the program, get each of
// them. What Asio leaves to others is done here: calls in other threads that a signal interrupts go on (SA_RESTART); a
// mask that was inherited lets them through; and in the end each has the action that it had before, where Asio leaves
// the default one.
//
// One stop often comes as two signals, and a drain may be over between them. So for a second after a signal that was
// heeded another one has no effect, also when nobody handles it any more.
//
// Thread-safety: as of an object of Asio; any number of them in any threads.
#pragma once

#include <array>
#include <chrono>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/signal_set.hpp>
#include <holdfast/event.hpp>

namespace holdfast::detail {

inline constexpr std::chrono::seconds kSameStopMax{1};

ShutdownCause cause_of(int signal) noexcept;

class StopSignals {
 public:
  // Throws boost::system::system_error when the system is out of descriptors.
  explicit StopSignals(const boost::asio::any_io_executor& executor);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // In the calling thread. One thread that lets them through is enough: they are sent to the program.
  void unblock() const noexcept;

  // Calls `handler` with the next signal; it is called with an error when this is destroyed.
  template <class Handler>
  void async_wait(Handler handler) {
    set_.async_wait(std::move(handler));
  }

  // A signal began a shutdown or ended a drain: one that comes within a second from now is the same.
  static void heeded() noexcept;

 private:
  void let_go() noexcept;

  boost::asio::signal_set set_;
  std::array<bool, 3> has_{};  // SIGTERM, SIGINT, SIGHUP
};

}  // namespace holdfast::detail
