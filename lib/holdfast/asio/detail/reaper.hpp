// Processes whose services are gone. They were killed, and the reaper reaps them when they end.
//
// There is one for each io_context. While that runs nothing waits for them. At the end of a runtime, or of the
// io_context, the reaper waits for all of them together, within one limit.
//
// Thread-safety: finish() on an executor of the io_context, enter() and leave() anywhere.
#pragma once

#include <mutex>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

namespace holdfast::detail {

class ChildProcess;

// A process without a service, in the list of its reaper. The list allocates no memory.
class Disowned {
 protected:
  Disowned() = default;
  ~Disowned() = default;

 private:
  friend class Reaper;
  ChildProcess* next_disowned_ = nullptr;
  ChildProcess* previous_disowned_ = nullptr;
  bool is_listed_ = false;
};

class Reaper final : public boost::asio::execution_context::service {
 public:
  using key_type = Reaper;
  static boost::asio::execution_context::id id;  // Asio asks for this name

  explicit Reaper(boost::asio::execution_context& context) : service(context) {}
  static Reaper& of(const boost::asio::any_io_executor& executor);

  // A process that was disowned, until it has ended or is destroyed.
  void enter(ChildProcess& child) noexcept;
  void leave(ChildProcess& child) noexcept;

  // Waits for the end of those that belong to this executor, for 2 s at most, and forgets them all. It does not wait
  // for a process that may not be killed, or that a debugger holds.
  void finish(const boost::asio::any_io_executor& executor) noexcept;

 private:
  void shutdown() noexcept override;
  void finish_all(const boost::asio::any_io_executor* executor) noexcept;

  std::mutex mutex_;
  ChildProcess* first_ = nullptr;
};

}  // namespace holdfast::detail
