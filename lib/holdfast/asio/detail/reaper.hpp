// Processes whose services are gone. They were killed, and the reaper reaps them when they end.
//
// There is one for each io_context. While that runs nothing waits for them. At the end of a runtime, or of the
// io_context, the reaper waits for all of them together, within one limit.
//
// Thread-safety: finish() on an executor of the io_context, enter() and leave() anywhere.
#pragma once

#include <memory>
#include <mutex>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

namespace holdfast::detail {

// A process that nobody waits for, in the list of its reaper. The list allocates no memory.
class Disowned {
 public:
  [[nodiscard]] virtual const boost::asio::any_io_executor& executor() const noexcept = 0;
  // It does not, if a debugger holds it or it may not be killed.
  [[nodiscard]] virtual bool may_end_soon() const noexcept = 0;
  [[nodiscard]] virtual int pidfd() const noexcept = 0;
  virtual void reap_if_ended() noexcept = 0;
  // Forgets the process, ended or not, and leaves the list.
  virtual void close() noexcept = 0;
  // Keeps this object alive; null: it is being destroyed.
  [[nodiscard]] virtual std::shared_ptr<void> keep() noexcept = 0;

 protected:
  Disowned() = default;
  ~Disowned() = default;

 private:
  friend class Reaper;
  Disowned* next_disowned_ = nullptr;
  Disowned* previous_disowned_ = nullptr;
  bool is_listed_ = false;
};

class Reaper final : public boost::asio::execution_context::service {
 public:
  using key_type = Reaper;
  static boost::asio::execution_context::id id;  // Asio asks for this name

  explicit Reaper(boost::asio::execution_context& context) : service(context) {}
  static Reaper& of(const boost::asio::any_io_executor& executor);

  // A process that was disowned, until it has ended or is destroyed.
  void enter(Disowned& child) noexcept;
  void leave(Disowned& child) noexcept;

  // Waits for the end of those that belong to this executor, for 2 s at most, and forgets them all. It does not wait
  // for a process that may not be killed, or that a debugger holds.
  void finish(const boost::asio::any_io_executor& executor) noexcept;

 private:
  void shutdown() noexcept override;
  void finish_all(const boost::asio::any_io_executor* executor) noexcept;

  std::mutex mutex_;
  Disowned* first_ = nullptr;
};

}  // namespace holdfast::detail
