// A live process. This reads its output, waits for its end, and reaps it exactly once.
//
// The end of the process is not yet the end of its run. After a stop the run lasts until the whole group has ended.
// Without one the outcome is decided a moment later, when a stop that came at the same time has been seen; then the
// rest of the group is killed.
//
// Its service and the handlers that wait for it own it. Nothing here blocks. Once the process exists, no failure (no
// watch, no memory) ends its run before it: a timer looks at the process instead.
//
// Thread-safety: none; all on the executor.
#pragma once

#include <sys/types.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <holdfast/asio/detail/killed_group.hpp>
#include <holdfast/asio/detail/launch.hpp>
#include <holdfast/asio/detail/notify_socket.hpp>
#include <holdfast/asio/detail/output_tail.hpp>
#include <holdfast/asio/detail/probing.hpp>
#include <holdfast/asio/detail/process_group.hpp>
#include <holdfast/asio/detail/reaper.hpp>
#include <holdfast/asio/process_service.hpp>
#include <holdfast/service.hpp>

namespace holdfast::detail {

class ChildProcess final : public std::enable_shared_from_this<ChildProcess>, public Disowned {
 public:
  using Ended = std::function<void(Exit)>;

  ChildProcess(const boost::asio::any_io_executor& executor, std::shared_ptr<const Process> process, Run run,
               Ended ended);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Starts the process, and begins to read and to wait. `ended` is called once, when the run is over, possibly from
  // within ask_to_stop(). Throws if there is no process; then it is not called.
  void start(const std::shared_ptr<const Identity>& identity, const FindLine& find_line);

  [[nodiscard]] const Run& run() const noexcept { return run_; }
  // What its probes say; empty: all is well.
  [[nodiscard]] std::string trouble() const { return probing_ ? probing_->now() : std::string{}; }

  // REQUIRES: `ended` was called.
  [[nodiscard]] ProcessEnd how_it_ended() const noexcept {
    const bool has_exited = end_info_.si_code == CLD_EXITED;
    return {.status = has_exited ? end_info_.si_status : 0,
            .signal = has_exited ? 0 : end_info_.si_status,
            .has_dumped = end_info_.si_code == CLD_DUMPED};
  }

  // To the process alone; false: it has ended. Throws like the two below.
  [[nodiscard]] bool send(int number) const;

  // These two throw std::system_error if the supervisor may not signal the process or its group.
  void ask_to_stop();
  void kill();

  // Kills the group without reporting its end. It is reaped as soon as it has ended.
  void disown() noexcept;

  // For the end of the program (reaper.hpp). It does not wait for a killed process that a debugger holds, or that may
  // not be killed.
  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept override { return executor_; }
  [[nodiscard]] bool may_end_soon() const noexcept override {
    return !main_has_ended_ && launched_.process.is_open() && !refused_ && !is_held_;
  }
  [[nodiscard]] int pidfd() const noexcept override { return launched_.process.number(); }
  void reap_if_ended() noexcept override;
  void close() noexcept override;
  [[nodiscard]] std::shared_ptr<void> keep() noexcept override { return weak_from_this().lock(); }

 private:
  enum class State : unsigned char {
    running,
    deciding,         // the process has ended; was that a failure, or part of a stop?
    waits_for_group,  // it has ended after a stop, others of its group have not
    kills_group,      // it has ended, and others of its group were killed
    over
  };
  // What became of the rest of the group that was to be killed after the end of the process.
  enum class Remains : unsigned char { none, killed, unkillable };
  using Clock = std::chrono::steady_clock;

  void begin_probing() noexcept;
  void stop_probing() noexcept;
  void watch() noexcept;
  bool watch_end() noexcept;
  bool watch_output() noexcept;
  void await_end();
  void on_end();
  void on_main_ended();
  void decide_after_turns(int turns);
  void on_decided();
  void end_unasked(bool left_behind);
  void await_group();
  void kill_group();
  void signal_who_missed_it(const std::vector<GroupMember>& members);
  void finish();
  void await_tick();
  void look_again_in(Clock::duration pause) noexcept;
  void look_at_what_is_not_watched();
  void on_tick();
  void poll_group();
  [[nodiscard]] bool needs_socket() const noexcept;
  [[nodiscard]] bool says_it_is_well() const noexcept;
  void launch_with_socket(const Identity& identity);
  bool watch_notifications() noexcept;
  void await_notification();
  bool read_notification();
  void read_notifications_left();
  void on_message(const NotifySocket::Message& message);
  void on_notification(const Notification& what);
  [[nodiscard]] bool is_of_its_group(pid_t sender) const noexcept;
  [[nodiscard]] std::string told() const;
  [[nodiscard]] std::string told_by_itself() const;
  void await_output();
  void await_more_output() noexcept;
  void append_output(std::string_view piece) noexcept;
  bool read_output();
  void read_what_is_left();
  bool reap() noexcept;
  [[nodiscard]] bool group_is_gone();
  [[nodiscard]] bool only_zombies_are_left();
  [[nodiscard]] bool may_be_a_stop() const noexcept;
  [[nodiscard]] bool takes_part_in_shutdown() const noexcept;
  [[nodiscard]] std::uint8_t exit_status() const noexcept;
  [[nodiscard]] Exit verdict() const;
  [[nodiscard]] Exit verdict_or_less() const noexcept;
  void warn(const std::string& says) const noexcept;
  void warn_once(bool& warned, const std::string& says) const noexcept;
  void warn_of_background(bool left_behind) noexcept;
  int signal_group(int number) const noexcept;
  void signal(int number);
  [[noreturn]] void refuse(int number, int error) const;

  // Of a process that says when it is ready.
  struct Notifications {
    explicit Notifications(const boost::asio::any_io_executor& executor) : watch(executor) {}
    NotifySocket socket;
    boost::asio::posix::stream_descriptor watch;  // knows the descriptor, which is the socket's
    std::string status;                           // the latest, as it came
    bool warned_of_stranger = false;
    bool warned_of_length = false;
    bool warned_of_main = false;
  };

  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<const Process> process_;
  const Run run_;
  Ended ended_;
  Launched launched_;
  std::unique_ptr<Notifications> notifications_;  // or null
  std::shared_ptr<Probing> probing_;              // or null
  boost::asio::posix::stream_descriptor end_;
  boost::asio::posix::stream_descriptor output_;
  boost::asio::steady_timer tick_;
  Reaper& reaper_;
  OutputTail tail_;
  Clock::time_point began_;
  Clock::time_point ended_at_;
  KilledGroup group_;         // also what the looks say that come before a kill
  Clock::duration pause_{0};  // between two looks at the group
  siginfo_t end_info_{};
  State state_ = State::running;
  Remains remains_ = Remains::none;
  int zombies_seen_ = 0;   // in so many looks in a row all that was left of the group were zombies
  bool has_group_ = true;  // false: its group has had no member since the process was reaped
  bool end_is_watched_ = true;
  bool output_is_watched_ = true;
  bool notifications_are_watched_ = true;
  bool output_is_over_ = false;
  bool main_has_ended_ = false;
  bool status_is_known_ = false;
  bool asked_to_stop_ = false;
  bool missed_a_deadline_ = false;  // that is why
  bool ended_in_shutdown_ = false;  // before its turn to be asked had come
  bool looked_for_a_stop_ = false;  // after its end
  bool killed_ = false;             // by a kill, not by a stop
  bool refused_ = false;            // it may not be killed
  bool is_held_ = false;            // it has ended, and its tracer still holds it
};

}  // namespace holdfast::detail
