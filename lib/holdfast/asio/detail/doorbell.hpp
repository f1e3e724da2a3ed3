// Wakes an executor from any thread and from a signal handler.
//
// A descriptor of the kind eventfd(2): ringing it is one write(), which POSIX allows in a signal handler; Asio's own
// post() takes locks and memory. Several rings before the answer are one.
//
// Thread-safety: ring() anywhere, also in a signal handler; the rest on the executor.
#pragma once

#include <functional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace holdfast::detail {

class Doorbell {
 public:
  // Throws boost::system::system_error if no descriptor is left.
  explicit Doorbell(const boost::asio::any_io_executor& executor);

  void ring() const noexcept;

  // Calls `answer` once, on the executor, when it rings; until then the executor has work. Not called if silenced.
  template <class Answer>
  void await(Answer answer) {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [answer = std::move(answer)](boost::system::error_code error) mutable {
                             if (!error) answer();
                           });
  }
  void clear() noexcept;  // forgets the rings so far
  void silence() noexcept { descriptor_.cancel(); }

 private:
  boost::asio::posix::stream_descriptor descriptor_;
  const int number_;
};

}  // namespace holdfast::detail
