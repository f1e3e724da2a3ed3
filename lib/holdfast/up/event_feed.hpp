// What the supervisor has reported of late, and reports from now on, for clients that ask for it. Every event of level
// info and above, also those that a log of a crash loop leaves out.
//
// Thread-safety: none; everything happens on the executor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <holdfast/event.hpp>
#include <holdfast/up/follow_order.hpp>
#include <holdfast/up/log_text.hpp>

namespace holdfast::up {

inline constexpr std::size_t kEventsKeptMax = std::size_t{128} * 1024;  // bytes of lines

class EventFeed final : public EventSink {
 public:
  void serve(const FollowOrder& order);
  void on_event(const Event& event) override;

 private:
  struct KeptEvent {
    std::string service;
    std::string line;  // as a client gets it
  };

  std::deque<KeptEvent> kept_;
  std::size_t kept_bytes_ = 0;
  std::vector<FollowOrder> followers_;
  LogClock clock_{LogFormat::text};
};

}  // namespace holdfast::up
