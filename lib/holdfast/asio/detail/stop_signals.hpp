// The signals that ask a program to stop, while a runtime handles them: SIGTERM, SIGINT, and SIGHUP where it has its
// default action.
//
// A signal_set of Asio delivers them, so that several runtimes, and signal_sets of the program, get each of them. This
// code adds what Asio does not do: system calls in other threads that a signal interrupts go on (SA_RESTART); signals
// that an inherited mask blocks are unblocked; and in the end each signal has its earlier action again, where Asio
// would leave the default one.
//
// One stop often comes as two signals, and a drain may be over between them. So another signal within a second after a
// handled one has no effect, even if no runtime handles signals any more.
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
  // Throws boost::system::system_error if no descriptor is left.
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

  // Call it when a signal began a shutdown or ended a drain: one that comes within a second from now is part of the
  // same stop.
  static void heeded() noexcept;

 private:
  void let_go() noexcept;

  boost::asio::signal_set set_;
  std::array<bool, 3> has_{};  // SIGTERM, SIGINT, SIGHUP
};

}  // namespace holdfast::detail
