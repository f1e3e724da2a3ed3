// Many seeds of one scenario, a rehearsal in each thread, handed out in the order of the seeds.
#pragma once

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
#include <vector>

#include <holdfast_sim/search/seed_outcome.hpp>
#include <holdfast_sim/search/sweep.hpp>

namespace holdfast::tools {

// A thread takes a few seeds at a time, as many as take it a moment, so that threads do not wait for each other where a
// run takes microseconds. No thread is more than a few such portions ahead of what was handed out: a long sweep needs
// no more memory than a short one.
class SeedPool {
 public:
  struct Hooks {
    // Asked in all threads; true ends every run.
    std::function<bool()> is_over;
    // The outcome of a seed that need not be run; null: it must be. Called in all threads.
    std::function<const sim::SeedOutcome*(std::uint64_t seed)> known = {};
    // Called in all threads with what was just run, long before it is handed out perhaps.
    std::function<void(const std::vector<sim::SeedOutcome>&)> finished = {};
    // A seed whose run is made twice and compared. Called in all threads.
    std::function<bool(std::uint64_t seed)> twice = {};
  };
  // `scenario` outlives the pool.
  SeedPool(const sim::Scenario& scenario, sim::SeedRange seeds, unsigned jobs, Hooks hooks);
  ~SeedPool();
  SeedPool(const SeedPool&) = delete;
  SeedPool& operator=(const SeedPool&) = delete;

  // The next seeds; empty: there are none. Runs that `is_over` ended are interrupted. Throws what a run or a hook
  // threw, and RunsDiffer. While it waits it calls `waiting` a few times a second.
  std::vector<sim::SeedOutcome> next(const std::function<void()>& waiting);

 private:
  using Clock = std::chrono::steady_clock;
  struct Portion {
    std::uint64_t number = 0;  // of the portion
    std::uint64_t index = 0;   // of its first seed
    std::uint64_t size = 0;
  };

  void work();
  std::optional<Portion> take();
  std::vector<sim::SeedOutcome> rehearse(const Portion& portion) const;
  sim::SeedOutcome run(std::uint64_t seed) const;
  void hand_in(const Portion& portion, std::vector<sim::SeedOutcome> outcomes, Clock::duration took);

  const sim::Scenario& scenario_;
  const sim::SeedRange seeds_;
  const unsigned jobs_;
  const Hooks hooks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t taken_ = 0;  // seeds
  std::uint64_t portions_taken_ = 0;
  std::uint64_t portions_handed_out_ = 0;
  std::uint64_t portion_size_ = 1;
  std::map<std::uint64_t, std::vector<sim::SeedOutcome>> done_;  // by the portion's number, and not handed out
  std::exception_ptr failure_;
  std::atomic<bool> abandoned_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::tools
