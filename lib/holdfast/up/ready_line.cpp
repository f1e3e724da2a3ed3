#include <holdfast/up/ready_line.hpp>

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace holdfast::up {

namespace {

constexpr std::chrono::seconds kSettlePatience{10};

// Waits for the logs and for the time, whichever is first. The wait for the time keeps it.
struct Settling {
  explicit Settling(const boost::asio::any_io_executor& executor) : patience(executor) {}

  boost::asio::steady_timer patience;
  std::shared_ptr<void> asked{};  // after its end the logs do not call
  std::function<void(bool)> then{};
};

void finish_settling(Settling& settling, bool was_found) {
  settling.patience.cancel();
  settling.asked = nullptr;
  if (settling.then) std::exchange(settling.then, nullptr)(was_found);
}

}  // namespace

std::shared_ptr<void> ReadyLineWatch::find(const std::string& text, std::function<void()> found) {
  was_found_ = std::make_shared<std::atomic<bool>>(false);
  search_ = logs_.find(service_, text, [flag = was_found_, found = std::move(found)] {
    *flag = true;
    found();
  });
  return search_;
}

void ReadyLineWatch::settle(std::function<void(bool)> then) const {
  const auto flag = was_found_;
  const auto settling = std::make_shared<Settling>(executor_);
  settling->then = std::move(then);
  settling->patience.expires_after(kSettlePatience);
  settling->patience.async_wait([settling, flag](boost::system::error_code error) {
    if (!error) finish_settling(*settling, flag && *flag);
  });
  const std::weak_ptr<Settling> weak = settling;
  settling->asked = logs_.after_lines(service_, [weak, flag, executor = executor_] {
    boost::asio::post(executor, [weak, flag] {
      if (const auto self = weak.lock()) finish_settling(*self, flag && *flag);
    });
  });
  if (!settling->asked) {
    boost::asio::post(executor_, [settling, flag] { finish_settling(*settling, flag && *flag); });
  }
}

}  // namespace holdfast::up
