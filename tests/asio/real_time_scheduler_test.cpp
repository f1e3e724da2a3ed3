// The real-time scheduler on an io_context that refuses what it would need memory for.
#include <catch2/catch.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <thread>
#include <utility>

#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/require.hpp>
#include <holdfast/asio/real_time_scheduler.hpp>

namespace holdfast::real_time_scheduler_test {

namespace net = boost::asio;
using namespace std::chrono_literals;

namespace {

// An executor of an io_context that has memory for so many posts. What runs at once needs none.
class ForgetfulExecutor {
 public:
  ForgetfulExecutor(net::io_context& io, std::shared_ptr<int> posts_left)
      : io_(&io), posts_left_(std::move(posts_left)) {}

  [[nodiscard]] net::execution_context& query(net::execution::context_t) const noexcept { return *io_; }
  [[nodiscard]] ForgetfulExecutor require(net::execution::blocking_t::never_t) const { return with(true); }
  [[nodiscard]] ForgetfulExecutor require(net::execution::blocking_t::possibly_t) const { return with(false); }
  static constexpr net::execution::blocking_t query(net::execution::blocking_t) noexcept {
    return net::execution::blocking.possibly;
  }

  template <class Work>
  void execute(Work&& work) const {
    const auto inner = io_->get_executor();
    if (!posts_ && inner.running_in_this_thread()) return std::decay_t<Work>(std::forward<Work>(work))();
    if (*posts_left_ == 0) throw std::bad_alloc{};
    --*posts_left_;
    net::post(inner, std::forward<Work>(work));
  }

  friend bool operator==(const ForgetfulExecutor& a, const ForgetfulExecutor& b) noexcept {
    return a.io_ == b.io_ && a.posts_ == b.posts_;
  }
  friend bool operator!=(const ForgetfulExecutor& a, const ForgetfulExecutor& b) noexcept { return !(a == b); }

 private:
  [[nodiscard]] ForgetfulExecutor with(bool posts) const {
    ForgetfulExecutor other = *this;
    other.posts_ = posts;
    return other;
  }

  net::io_context* io_;
  std::shared_ptr<int> posts_left_;
  bool posts_ = false;
};

class Bell final : public Timer {
 public:
  explicit Bell(std::function<void()> act) : act_(std::move(act)) {}

 private:
  void fired() override { act_(); }
  std::function<void()> act_;
};

}  // namespace

// Story: a loop that was late went round by two posts. Where the second one found no memory, it counted as on its way
// for ever, and no timer fired any more.
TEST_CASE("a scheduler that is late goes round and fires also where nothing can be posted meanwhile") {
  net::io_context io{1};
  const auto posts_left = std::make_shared<int>(1000);
  RealTimeScheduler scheduler{ForgetfulExecutor{io, posts_left}};
  bool late = false, next = false;
  Bell second{[&] { next = true; }};
  Bell first{[&] {
    late = true;
    scheduler.arm(second, scheduler.now() + 1ms);
  }};
  scheduler.arm(first, TimePoint{});
  while (scheduler.now() < TimePoint{} + 20ms) std::this_thread::yield();  // by far more than TimerLoop::kLate
  *posts_left = GENERATE(0, 1, 2, 3);
  io.run();
  CHECK(late);
  CHECK(next);
}

}  // namespace holdfast::real_time_scheduler_test
