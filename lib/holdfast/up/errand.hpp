// A command that runs beside services: a process of its own, in a group of its own.
//
// It is killed with its group when its time is over, when it has ended, or when somebody wants it to. The reaper waits
// for it at the end of a runtime.
//
// Thread-safety: none; on the executor.
#pragma once

#include <sys/wait.h>

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <holdfast/asio/detail/identity.hpp>
#include <holdfast/asio/detail/launch.hpp>
#include <holdfast/asio/detail/read_watch.hpp>
#include <holdfast/asio/detail/reaper.hpp>
#include <holdfast/asio/process_service.hpp>
#include <holdfast/time.hpp>

namespace holdfast::up {

class ErrandProcess final : public holdfast::detail::Disowned, public std::enable_shared_from_this<ErrandProcess> {
 public:
  // What is wrong with its end: "exit status 3"; empty: nothing.
  using Done = std::function<void(const std::string& trouble)>;

  // REQUIRES: the output of `process` is not captured.
  ErrandProcess(const boost::asio::any_io_executor& executor, Process process, Duration timeout);
  ~ErrandProcess();
  ErrandProcess(const ErrandProcess&) = delete;
  ErrandProcess& operator=(const ErrandProcess&) = delete;

  // Calls `done` once, unless it is given up; not from within. Throws if there is no process.
  void begin(Done done);
  // It ends soon, and is done then.
  void kill() noexcept;
  // The same, but does not call `done`.
  void give_up() noexcept;

  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept override { return executor_; }
  [[nodiscard]] bool may_end_soon() const noexcept override { return launched_.process.is_open(); }
  [[nodiscard]] int pidfd() const noexcept override { return launched_.process.number(); }
  void reap_if_ended() noexcept override;
  void close() noexcept override;
  [[nodiscard]] std::shared_ptr<void> keep() noexcept override { return weak_from_this().lock(); }

 private:
  void await_end();
  void on_end();
  bool reap() noexcept;
  [[nodiscard]] std::string trouble() const;

  const boost::asio::any_io_executor executor_;
  const Process process_;
  const Duration timeout_;
  Done done_;
  holdfast::detail::Launched launched_;
  holdfast::detail::ReadWatch end_;
  boost::asio::steady_timer deadline_;
  holdfast::detail::Reaper& reaper_;
  siginfo_t info_{};
  bool is_known_ = false;  // how it has ended
  bool is_late_ = false;
};

}  // namespace holdfast::up
