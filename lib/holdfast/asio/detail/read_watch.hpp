// Waits until a descriptor can be read. Where the kernel has no watch left, it looks every 20 ms instead.
//
// Thread-safety: none; on the executor.
#pragma once

#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace holdfast::detail {

class ReadWatch {
 public:
  explicit ReadWatch(const boost::asio::any_io_executor& executor) : watch_(executor), tick_(executor) {}
  ~ReadWatch() { stop(); }
  ReadWatch(const ReadWatch&) = delete;
  ReadWatch& operator=(const ReadWatch&) = delete;

  // Calls ready(error) once: when the descriptor can perhaps be read, or with an error after stop(). Throws if there is
  // no memory. REQUIRES: the same descriptor each time, which stays open until stop().
  template <class Ready>
  void wait(int descriptor, Ready ready) {
    if (begin(descriptor)) {
      watch_.async_wait(boost::asio::posix::stream_descriptor::wait_read, std::move(ready));
    } else {
      tick_.expires_after(kPause);
      tick_.async_wait(std::move(ready));
    }
  }

  // Leaves the descriptor open, which is another's.
  void stop() noexcept try {
    tick_.cancel();
    if (watch_.is_open()) watch_.release();
  } catch (const std::exception&) {
  }

 private:
  static constexpr std::chrono::milliseconds kPause{20};

  bool begin(int descriptor) {
    if (watch_.is_open()) return true;
    boost::system::error_code error;
    watch_.assign(descriptor, error);
    return !error;
  }

  boost::asio::posix::stream_descriptor watch_;
  boost::asio::steady_timer tick_;
};

}  // namespace holdfast::detail
