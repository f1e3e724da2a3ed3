#include <holdfast/asio/real_time_scheduler.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <holdfast/asio/detail/timer_loop.hpp>
#include <holdfast/asio/detail/waiting_room.hpp>
#include <holdfast/detail/assert.hpp>

namespace holdfast {

struct RealTimeScheduler::State final : detail::Wakeups, std::enable_shared_from_this<State> {
  explicit State(const boost::asio::any_io_executor& inner)
      : strand(boost::asio::make_strand(inner)), executor(strand), alarm(strand) {}

  [[nodiscard]] TimePoint read_clock() const noexcept override {
    return TimePoint{} + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start);
  }

  void wake_at(TimePoint at) override {
    const TimePoint since_epoch = at + std::chrono::duration_cast<Duration>(start.time_since_epoch());  // saturates
    alarm.expires_at(std::chrono::steady_clock::time_point{Duration{since_epoch.nanoseconds}});
    alarm.async_wait([self = weak_from_this(), wish = ++wish](boost::system::error_code) {
      const auto state = self.lock();
      if (!state || state->wish != wish) return;  // replaced or taken back
      state->runner.store(std::this_thread::get_id(), std::memory_order_relaxed);
      state->loop.woke();
    });
  }

  void wake_never() noexcept override {
    ++wish;
    alarm.cancel();
  }

  void wake_soon() override {
    boost::asio::post(strand, [self = weak_from_this()] {
      const auto state = self.lock();
      if (!state) return;
      state->runner.store(std::this_thread::get_id(), std::memory_order_relaxed);
      state->loop.turn();
    });
  }

  // Whether the caller can be alone with the scheduler; see the rules of the header.
  void check_caller() const noexcept {
    if (strand.running_in_this_thread()) return;
    const auto last = runner.load(std::memory_order_relaxed);
    HOLDFAST_ASSERT(last == std::thread::id{} || last == std::this_thread::get_id(),
                    "a scheduler was used outside of its strand while another thread runs it; post to its executor()");
  }

  const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  boost::asio::strand<boost::asio::any_io_executor> strand;
  const boost::asio::any_io_executor executor;
  boost::asio::steady_timer alarm;
  std::uint64_t wish = 0;                 // the number of the latest wake_at()
  std::atomic<std::thread::id> runner{};  // that ran the latest turn
  detail::TimerLoop loop{*this};
};

RealTimeScheduler::RealTimeScheduler(const boost::asio::any_io_executor& executor)
    : state_(std::make_shared<State>(executor)) {}

RealTimeScheduler::~RealTimeScheduler() { close_sleepers(); }

TimePoint RealTimeScheduler::now() const noexcept { return state_->loop.now(); }

void RealTimeScheduler::arm(Timer& timer, TimePoint at) {
  state_->check_caller();
  state_->loop.arm(timer, at);
}

bool RealTimeScheduler::disarm(Timer& timer) noexcept { return state_->loop.disarm(timer); }

void RealTimeScheduler::defer(Task& task) {
  state_->check_caller();
  state_->loop.defer(task);
}

bool RealTimeScheduler::cancel(Task& task) noexcept { return state_->loop.cancel(task); }

const boost::asio::any_io_executor& RealTimeScheduler::executor() const noexcept { return state_->executor; }

bool RealTimeScheduler::running_in_this_thread() const noexcept { return state_->strand.running_in_this_thread(); }

}  // namespace holdfast
