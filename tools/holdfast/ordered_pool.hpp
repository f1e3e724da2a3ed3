// Something done for each of many seeds, in threads, and handed out in the order of the seeds.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <holdfast_sim/search/sweep.hpp>

namespace holdfast::tools {

// A thread takes a few seeds at a time, as many as take it a moment, so that threads do not wait for each other where a
// run takes microseconds. No thread is more than a few such portions ahead of what was handed out: a long sweep needs
// no more memory than a short one.
template <class Outcome>
class OrderedPool {
 public:
  // So many seeds from the first on, in their order; called in all threads. Once `abandoned` says true, nobody wants
  // the rest.
  using Work = std::function<std::vector<Outcome>(std::uint64_t first, std::uint64_t count,
                                                  const std::function<bool()>& abandoned)>;

  OrderedPool(sim::SeedRange seeds, unsigned jobs, Work work) : seeds_(seeds), jobs_(jobs), work_(std::move(work)) {
    for (unsigned i = 0; i < jobs; ++i) threads_.emplace_back([this] { go_on(); });
  }
  ~OrderedPool() {
    {
      const std::lock_guard lock{mutex_};
      abandoned_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  OrderedPool(const OrderedPool&) = delete;
  OrderedPool& operator=(const OrderedPool&) = delete;

  // The outcomes of the next seeds; empty: there are none. Throws what the work threw. While it waits it calls
  // `waiting` a few times a second.
  std::vector<Outcome> next(const std::function<void()>& waiting) {
    std::unique_lock lock{mutex_};
    const auto all_handed_out = [&] { return taken_ == seeds_.size() && portions_handed_out_ == portions_taken_; };
    while (!all_handed_out() && !failure_ && !done_.contains(portions_handed_out_)) {
      changed_.wait_for(lock, std::chrono::milliseconds{100});
      lock.unlock();
      waiting();
      lock.lock();
    }
    if (failure_) std::rethrow_exception(failure_);
    if (all_handed_out()) return {};
    auto outcomes = std::move(done_.extract(portions_handed_out_).mapped());
    ++portions_handed_out_;
    lock.unlock();
    changed_.notify_all();
    return outcomes;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kPortionTakes = std::chrono::milliseconds{20};
  static constexpr std::uint64_t kPortionMax = 4096;
  static constexpr std::uint64_t kAheadMax = 4;  // portions, for each thread
  struct Portion {
    std::uint64_t number = 0;  // of the portion
    std::uint64_t index = 0;   // of its first seed
    std::uint64_t size = 0;
  };

  void go_on() {
    try {
      while (const auto portion = take()) {
        const auto began = Clock::now();
        auto outcomes = work_(seeds_.first + portion->index, portion->size, [this] { return abandoned_.load(); });
        hand_in(*portion, std::move(outcomes), Clock::now() - began);
      }
    } catch (...) {
      const std::lock_guard lock{mutex_};
      failure_ = std::current_exception();
    }
    changed_.notify_all();
  }

  std::optional<Portion> take() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] {
      return abandoned_ || taken_ == seeds_.size() || portions_taken_ < portions_handed_out_ + kAheadMax * jobs_;
    });
    if (abandoned_ || taken_ == seeds_.size()) return std::nullopt;
    // Small ones towards the end, so that no thread is left alone with much.
    const std::uint64_t fair = (seeds_.size() - taken_) / (std::uint64_t{2} * jobs_);
    const Portion portion{portions_taken_, taken_, std::max<std::uint64_t>(1, std::min(portion_size_, fair))};
    ++portions_taken_;
    taken_ += portion.size;
    return portion;
  }

  void hand_in(const Portion& portion, std::vector<Outcome> outcomes, Clock::duration took) {
    {
      const std::lock_guard lock{mutex_};
      done_.emplace(portion.number, std::move(outcomes));
      if (took < kPortionTakes && portion.size == portion_size_) {
        portion_size_ = std::min(kPortionMax, 2 * portion_size_);
      }
      if (took > 4 * kPortionTakes) portion_size_ = std::max<std::uint64_t>(1, portion_size_ / 2);
    }
    changed_.notify_all();
  }

  const sim::SeedRange seeds_;
  const unsigned jobs_;
  const Work work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t taken_ = 0;  // seeds
  std::uint64_t portions_taken_ = 0;
  std::uint64_t portions_handed_out_ = 0;
  std::uint64_t portion_size_ = 1;
  std::map<std::uint64_t, std::vector<Outcome>> done_;  // by the portion's number, and not handed out
  std::exception_ptr failure_;
  std::atomic<bool> abandoned_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::tools
