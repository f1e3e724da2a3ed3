// A process that is alive: its output is read, its end is waited for, and it is reaped exactly once.
//
// Owned by its service, and by the handlers that wait for it. Signals go to its group, and only before it is reaped:
// afterwards its number may be that of another group.
//
// Thread-safety: none; all on the executor.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <holdfast/asio/detail/launch.hpp>
#include <holdfast/asio/detail/output_tail.hpp>
#include <holdfast/asio/process_service.hpp>
#include <holdfast/service.hpp>

namespace holdfast::detail {

class ChildProcess final : public std::enable_shared_from_this<ChildProcess> {
 public:
  using Ended = std::function<void(Exit)>;

  // `process` outlives it.
  ChildProcess(const boost::asio::any_io_executor& executor, Launched launched, const Process& process, Ended ended);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Begins to read and to wait. `ended` is called once, when the process has been reaped.
  void watch();

  // These two throw std::system_error if the group may not be signalled.
  void ask_to_stop();
  void kill();

  // Kills the group and reaps the process, and nobody is told of the end.
  void put_an_end() noexcept;

 private:
  void await_end();
  void on_end();
  void await_output();
  bool read_output();
  void read_what_is_left();
  Exit reap();
  void signal_group(int signal);
  void close() noexcept;

  Launched launched_;
  const Process& process_;
  Ended ended_;
  boost::asio::posix::stream_descriptor end_;
  boost::asio::posix::stream_descriptor output_;
  OutputTail tail_;
  bool asked_to_stop_ = false;
  bool reaped_ = false;
};

}  // namespace holdfast::detail
