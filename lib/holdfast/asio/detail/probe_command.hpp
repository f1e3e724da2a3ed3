// The command of an exec probe: a process of its own, in a group of its own.
//
// It is killed with its group when its time is over, when it has ended, or when it is cancelled. The reaper waits for
// it at the end of a runtime.
//
// Thread-safety: none; on the executor.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <holdfast/asio/detail/launch.hpp>
#include <holdfast/asio/detail/output_tail.hpp>
#include <holdfast/asio/detail/probe_attempt.hpp>
#include <holdfast/asio/detail/read_watch.hpp>
#include <holdfast/asio/detail/reaper.hpp>

namespace holdfast::detail {

class ProbeCommand final : public ProbeAttempt, public Disowned, public std::enable_shared_from_this<ProbeCommand> {
 public:
  ProbeCommand(const boost::asio::any_io_executor& executor, std::vector<std::string> command, Duration timeout,
               const Probed& probed, ProbePlaces::Place place);
  ~ProbeCommand() override;
  ProbeCommand(const ProbeCommand&) = delete;
  ProbeCommand& operator=(const ProbeCommand&) = delete;

  void begin(Done done) override;
  void cancel() noexcept override;
  [[nodiscard]] bool is_over() const noexcept override { return !place_; }

  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept override { return executor_; }
  [[nodiscard]] bool may_end_soon() const noexcept override { return launched_.process.is_open(); }
  [[nodiscard]] int pidfd() const noexcept override { return launched_.process.number(); }
  void reap_if_ended() noexcept override;
  void close() noexcept override;
  [[nodiscard]] std::shared_ptr<void> keep() noexcept override { return weak_from_this().lock(); }

 private:
  void start();
  void await_end();
  void await_output();
  bool read_output();
  void read_what_is_left();
  void on_end();
  void kill() noexcept;
  bool reap() noexcept;
  void let_go() noexcept;
  [[nodiscard]] std::string trouble();
  void finish(const ProbeResult& result);

  const boost::asio::any_io_executor executor_;
  Process process_;
  const std::shared_ptr<const Identity> identity_;
  const Duration timeout_;
  std::optional<ProbePlaces::Place> place_;
  Done done_;
  Launched launched_;
  ReadWatch end_;
  ReadWatch output_;
  boost::asio::steady_timer deadline_;
  OutputTail tail_;
  Reaper& reaper_;
  int status_ = 0;  // as a shell has it
};

}  // namespace holdfast::detail
