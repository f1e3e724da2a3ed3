#include <holdfast/up/follower.hpp>

#include <utility>

#include <boost/asio/post.hpp>

namespace holdfast::up {

Follower::Follower(boost::asio::any_io_executor executor, std::shared_ptr<Conversation> client)
    : client_(std::move(client)), executor_(std::move(executor)) {}

void Follower::begin() {
  client_->on_gone([self = weak_from_this()] {
    if (const auto follower = self.lock()) follower->leave();
  });
}

// Whoever has lines may keep this object longer than the executor lives.
void Follower::leave() {
  is_gone_ = true;
  client_ = nullptr;
  const std::lock_guard lock{mutex_};
  executor_.reset();
  pending_ = {};
}

void Follower::push(std::string_view line) {
  const std::lock_guard lock{mutex_};
  if (!executor_) return;
  if (pending_.size() + line.size() > kFollowedMax) {
    ++lost_;
    return;
  }
  if (lost_ > 0) pending_ += "{\"lost\":" + std::to_string(std::exchange(lost_, 0)) + "}\n";
  (pending_ += line) += '\n';
  wake();
}

void Follower::finish() {
  const std::lock_guard lock{mutex_};
  is_finished_ = true;
  wake();
}

// REQUIRES: mutex_ is held.
void Follower::wake() {
  if (!executor_ || std::exchange(is_awake_, true)) return;
  boost::asio::post(*executor_, [self = shared_from_this()] { self->pump(); });
}

// The client takes one portion at a time.
void Follower::pump() {
  if (client_ == nullptr) return;
  std::string portion;
  bool is_last = false;
  {
    const std::lock_guard lock{mutex_};
    portion.swap(pending_);
    if (lost_ > 0) portion += "{\"lost\":" + std::to_string(std::exchange(lost_, 0)) + "}\n";
    is_last = is_finished_;
    if (portion.empty() && !is_last) {
      is_awake_ = false;
      return;
    }
  }
  if (is_last) {
    const auto client = client_;
    leave();
    return client->answer(portion + "{\"end\":true}");
  }
  portion.pop_back();  // say() ends the line
  client_->say(std::move(portion), [self = shared_from_this()] { self->pump(); });
}

}  // namespace holdfast::up
