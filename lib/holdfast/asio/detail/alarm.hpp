// A timer of the system that stands in one queue with all other descriptors: a timerfd.
//
// epoll lists ready descriptors in the order in which they became ready. What was ready before the alarm rang therefore
// comes before it, even if the program gets to all of it much later. A steady_timer of Asio gives no such order: all of
// them share one descriptor, and every one that is due when Asio looks fires with the first.
//
// Thread-safety: none.
#pragma once

#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <holdfast/asio/detail/compiled_asio.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

class Alarm {
 public:
  // Throws boost::system::system_error if no descriptor is left.
  explicit Alarm(const boost::asio::any_io_executor& executor);

  // `since_epoch`: of std::chrono::steady_clock. Rings at once if that has passed. Replaces the earlier time.
  void ring_at(TimePoint since_epoch) noexcept;
  // Drops the answer and stops the alarm.
  void silence() noexcept;

  // Calls `answer` once it has rung, on the executor; never, if it is silenced before.
  template <class Answer>
  void await(Answer&& answer) {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [answer = std::forward<Answer>(answer)](boost::system::error_code error) mutable {
                             if (!error) answer();
                           });
  }

 private:
  boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace holdfast::detail
