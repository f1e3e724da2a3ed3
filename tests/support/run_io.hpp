// Running an io_context in real time until something has happened.
#pragma once

#include <chrono>
#include <functional>

#include <boost/asio/io_context.hpp>

namespace holdfast::test {

inline constexpr std::chrono::seconds kPatience{60};  // turns a hang into a failure

// False if `done` does not hold in time, or never will because nothing is left to run.
inline bool run_until(boost::asio::io_context& io, const std::function<bool()>& done) {
  const auto limit = std::chrono::steady_clock::now() + kPatience;
  io.restart();
  while (!done()) {
    if (io.run_one_until(limit) == 0 && !done()) return false;
  }
  return true;
}

}  // namespace holdfast::test
