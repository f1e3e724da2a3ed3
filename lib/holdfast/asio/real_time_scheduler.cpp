#include <holdfast/asio/real_time_scheduler.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <holdfast/asio/detail/alarm.hpp>
#include <holdfast/asio/detail/timer_loop.hpp>
#include <holdfast/asio/detail/waiting_room.hpp>
#include <holdfast/detail/assert.hpp>

namespace holdfast {

struct RealTimeScheduler::State final : detail::Wakeups, std::enable_shared_from_this<State> {
  explicit State(const boost::asio::any_io_executor& inner)
      : strand(boost::asio::make_strand(inner)), executor(strand), alarm(executor) {}

  [[nodiscard]] TimePoint read_clock() const noexcept override {
    return TimePoint{} + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start);
  }

  void wake_at(TimePoint at) override {
    alarm.ring_at(at + since_epoch());
    if (awaited == 0) await_alarm(&detail::TimerLoop::woke);
  }

  void wake_never() noexcept override {
    awaited = 0;
    alarm.silence();
  }

  void wake_soon() override {
    boost::asio::post(strand, [self = weak_from_this()] {
      const auto state = self.lock();
      if (!state) return;
      state->enter();
      state->loop.turn();
    });
  }

  // Sets the alarm, which the loop does not need meanwhile, to ring at once. Its handler runs after everything that the
  // io_context has queued, after every ready descriptor, and after what both have posted to the strand. Only this line
  // allocates, so that no round can get lost halfway.
  void go_round() override {
    alarm.ring_at(TimePoint{});
    await_alarm(&detail::TimerLoop::went_round);
  }

  void await_alarm(void (detail::TimerLoop::*rung)()) {
    alarm.await([self = weak_from_this(), number = ++wish, rung] {
      const auto state = self.lock();
      if (!state || state->awaited != number) return;  // taken back
      state->awaited = 0;
      state->enter();
      (state->loop.*rung)();
    });
    awaited = wish;
  }

  [[nodiscard]] Duration since_epoch() const noexcept {
    return std::chrono::duration_cast<Duration>(start.time_since_epoch());
  }

  void enter() noexcept { runner.store(std::this_thread::get_id(), std::memory_order_relaxed); }

  // Whether the caller may use the scheduler, by the rules in the header.
  void check_caller() const noexcept {
    if (strand.running_in_this_thread()) return;
    const auto last = runner.load(std::memory_order_relaxed);
    HOLDFAST_ASSERT(last == std::thread::id{} || last == std::this_thread::get_id(),
                    "a scheduler was used outside of its strand while another thread runs it; post to its executor()");
  }

  const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  boost::asio::strand<boost::asio::any_io_executor> strand;
  const boost::asio::any_io_executor executor;
  detail::Alarm alarm;
  std::uint64_t wish = 0;                 // counts the requests to the alarm
  std::uint64_t awaited = 0;              // the number of the pending request; 0: none
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

void RealTimeScheduler::arm_deadline(Timer& timer, TimePoint at) {
  state_->check_caller();
  state_->loop.arm_deadline(timer, at);
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
