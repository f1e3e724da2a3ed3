// Clients that wait until services have come to something: ready after a start, or terminated after a stop.
//
// A service that says when it is ready is waited for until then. Any other one has to run for kSettled, because a
// program that cannot be executed, or that finds its port taken, ends within that time. A service for which a wait for
// ready makes no sense any more is lost: it has terminated, or its breaker has opened. A later try may still succeed
// then, but nobody knows when.
//
// Thread-safety: none; everything happens on the executor.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/event.hpp>

namespace holdfast::up {

inline constexpr std::chrono::milliseconds kSettled{1000};

struct Awaited {
  enum class What : std::uint8_t { ready, end };
  std::string service{};
  What what = What::ready;
  bool says_when_ready = false;
  // A command is on its way to it: what happens before the command reaches it does not count.
  bool from_command = false;
  std::optional<std::chrono::nanoseconds> running_for{};  // it already runs, for so long
  bool is_over = false;                                   // it has already terminated, as it should
};

struct Waited {
  std::vector<std::string> reached{};
  std::vector<std::pair<std::string, std::string>> lost{};  // services, and why
  std::vector<std::string> unfinished{};                    // when the time was over
};

class Waits final : public EventSink {
 public:
  using Over = std::function<void(Waited)>;

  // `over` is called once, from within this call if there is nothing to wait for. Returns what ends the wait without
  // a call, if it still lasts.
  std::function<void()> wait(const boost::asio::any_io_executor& executor, const std::vector<Awaited>& services,
                             std::optional<std::chrono::milliseconds> timeout, Over over);

  void on_event(const Event& event) override;

 private:
  class Wait;
  std::vector<std::shared_ptr<Wait>> waits_;
};

}  // namespace holdfast::up
