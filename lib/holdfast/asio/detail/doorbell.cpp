#include <holdfast/asio/detail/doorbell.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include <boost/system/system_error.hpp>

namespace holdfast::detail {

namespace {

int make_eventfd() {
  const int number = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (number < 0) throw boost::system::system_error{errno, boost::system::system_category(), "eventfd"};
  return number;
}

}  // namespace

Doorbell::Doorbell(const boost::asio::any_io_executor& executor)
    : descriptor_(executor, make_eventfd()), number_(descriptor_.native_handle()) {}

void Doorbell::ring() const noexcept {
  const int before = errno;  // a signal handler leaves it as it was
  const std::uint64_t one = 1;
  // It fails only after 2^64 - 1 rings without an answer, and then the bell has rung anyway.
  [[maybe_unused]] const auto written = ::write(number_, &one, sizeof one);
  errno = before;
}

void Doorbell::clear() noexcept {
  std::uint64_t rings = 0;
  [[maybe_unused]] const auto got = ::read(number_, &rings, sizeof rings);
}

}  // namespace holdfast::detail
