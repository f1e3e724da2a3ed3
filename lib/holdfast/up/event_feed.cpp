#include <holdfast/up/event_feed.hpp>

#include <algorithm>
#include <utility>

#include <holdfast/log_line.hpp>

namespace holdfast::up {

void EventFeed::serve(const FollowOrder& order) {
  auto begin = kept_.end();
  for (std::uint32_t found = 0; begin != kept_.begin() && found < order.last;) {
    --begin;
    if (order.wants(begin->service)) ++found;
  }
  for (; begin != kept_.end(); ++begin) {
    if (order.wants(begin->service)) order.to->push(begin->line);
  }
  if (!order.follow) return order.to->finish();
  followers_.push_back(order);
}

void EventFeed::on_event(const Event& event) {
  const auto level = log_level(event);
  if (level < LogLevel::info) return;
  clock_.now();
  KeptEvent made{std::string{event.name}, followed_own_line(clock_.milliseconds(), event.name, level, log_line(event))};
  std::erase_if(followers_, [](const FollowOrder& order) { return order.to->is_gone(); });
  for (const auto& order : followers_) {
    if (order.wants(made.service)) order.to->push(made.line);
  }
  kept_bytes_ += made.line.size() + sizeof made;
  kept_.push_back(std::move(made));
  while (kept_bytes_ > kEventsKeptMax) {
    kept_bytes_ -= kept_.front().line.size() + sizeof made;
    kept_.pop_front();
  }
}

}  // namespace holdfast::up
