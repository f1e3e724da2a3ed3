#include <holdfast/asio/detail/alarm.hpp>

#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <boost/system/system_error.hpp>

namespace holdfast::detail {

namespace {

int make_timerfd() {
  const int number = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);  // steady_clock's
  if (number < 0) throw boost::system::system_error{errno, boost::system::system_category(), "timerfd_create"};
  return number;
}

}  // namespace

Alarm::Alarm(const boost::asio::any_io_executor& executor) : descriptor_(executor, make_timerfd()) {}

// Setting the timer also clears an expiration that was not read, so nothing ever reads it.
void Alarm::ring_at(TimePoint since_epoch) noexcept {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t at = std::max<std::int64_t>(since_epoch.nanoseconds, 1);  // 0 would mean never
  const itimerspec once{.it_interval = {}, .it_value = {.tv_sec = at / kSecond, .tv_nsec = at % kSecond}};
  ::timerfd_settime(descriptor_.native_handle(), TFD_TIMER_ABSTIME, &once, nullptr);
}

void Alarm::silence() noexcept {
  const itimerspec never{};
  ::timerfd_settime(descriptor_.native_handle(), 0, &never, nullptr);
  boost::system::error_code ignored;
  descriptor_.cancel(ignored);
}

}  // namespace holdfast::detail
