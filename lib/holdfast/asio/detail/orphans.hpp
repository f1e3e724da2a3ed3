// Children that this program has inherited, as process 1 or as a subreaper. Their parents are gone, and they stay
// zombies until this program reaps them.
//
// Linux does not distinguish an inherited child from one that the program has started itself. So this never reaps a
// process that a runtime has launched. It reaps members of a session or group that a runtime has launched at once. It
// reaps any other child only if the program waits for no children of its own, and only after the child has been dead
// for a while: code that waits for a child has taken it by then.
//
// SIGCHLD belongs to the program: one system call a second asks whether any child has ended. Where the program leaves
// the signal to the runtime, there are such calls only while children end.
//
// Thread-safety: none.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <holdfast/asio/detail/launched.hpp>

namespace holdfast::detail {

class OrphanReaper {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kUnclearMax{2};  // how long code of the program may take to reap its child
  static constexpr std::size_t kReapedMax = 256;         // in one look

  explicit OrphanReaper(bool program_waits_for_children) : program_waits_(program_waits_for_children) {}

  // Reaps every child that may be reaped by now. False: there may be more.
  bool look(Clock::time_point now);
  // Whether there are children that it will reap later, if nobody else does.
  [[nodiscard]] bool awaits_some() const noexcept { return !unclear_.empty(); }

 private:
  bool may_be_reaped(pid_t id, Clock::time_point now);

  const bool program_waits_;
  const KeepsLaunchedGroups keeps_;
  std::vector<std::pair<pid_t, Clock::time_point>> unclear_;  // and when each was first seen dead
  std::vector<std::pair<pid_t, Clock::time_point>> still_unclear_;
};

// A live child that this program has inherited. It began no earlier than `since`, and belongs to no session or group of
// a process that a runtime has launched.
struct Inherited {
  pid_t id = 0;
  std::string name;  // of its program
};
// nullopt: none, or nothing is inherited here. REQUIRES: `since` is a moment ago; the clock may have stood still while
// the machine was suspended.
std::optional<Inherited> inherited_since(std::chrono::steady_clock::time_point since) noexcept;

// Makes this program the one that inherits what its processes leave behind, as long as one of these is alive.
class Subreaper {
 public:
  Subreaper() noexcept;
  ~Subreaper();
  Subreaper(const Subreaper&) = delete;
  Subreaper& operator=(const Subreaper&) = delete;
};

// Looks every second, or a second after SIGCHLD.
class OrphanWatch : public std::enable_shared_from_this<OrphanWatch> {
 public:
  // May throw boost::system::system_error: the signal cannot be had.
  OrphanWatch(const boost::asio::any_io_executor& executor, bool program_waits_for_children, bool takes_sigchld);

  void begin();
  void end() noexcept;  // with a last look

 private:
  void await_signal();
  void look_in(OrphanReaper::Clock::duration pause);
  bool look() noexcept;

  boost::asio::steady_timer timer_;
  std::optional<boost::asio::signal_set> signal_;  // nullopt: it looks every second
  OrphanReaper reaper_;
  bool is_to_look_ = false;
  bool is_over_ = false;
};

}  // namespace holdfast::detail
