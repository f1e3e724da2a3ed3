#include "seed_pool.hpp"

#include <algorithm>
#include <utility>

#include <holdfast_sim/search/rerun.hpp>

namespace holdfast::tools {

namespace {

constexpr auto kPortionTakes = std::chrono::milliseconds{20};
constexpr std::uint64_t kPortionMax = 4096;
constexpr std::uint64_t kAheadMax = 4;  // portions, for each thread

}  // namespace

SeedPool::SeedPool(const sim::Scenario& scenario, sim::SeedRange seeds, unsigned jobs, Hooks hooks)
    : scenario_(scenario), seeds_(seeds), jobs_(jobs), hooks_(std::move(hooks)) {
  for (unsigned i = 0; i < jobs; ++i) threads_.emplace_back([this] { work(); });
}

SeedPool::~SeedPool() {
  {
    const std::lock_guard lock{mutex_};
    abandoned_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

std::vector<sim::SeedOutcome> SeedPool::next(const std::function<void()>& waiting) {
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

std::optional<SeedPool::Portion> SeedPool::take() {
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

void SeedPool::work() {
  try {
    while (const auto portion = take()) {
      const auto began = Clock::now();
      auto outcomes = rehearse(*portion);
      hand_in(*portion, std::move(outcomes), Clock::now() - began);
    }
  } catch (...) {
    const std::lock_guard lock{mutex_};
    failure_ = std::current_exception();
  }
  changed_.notify_all();
}

std::vector<sim::SeedOutcome> SeedPool::rehearse(const Portion& portion) const {
  std::vector<sim::SeedOutcome> outcomes;
  outcomes.reserve(portion.size);
  std::vector<sim::SeedOutcome> fresh;
  for (std::uint64_t i = 0; i < portion.size && !abandoned_; ++i) {
    const std::uint64_t seed = seeds_.first + portion.index + i;
    if (const auto* const known = hooks_.known ? hooks_.known(seed) : nullptr) {
      outcomes.push_back(*known);
      continue;
    }
    outcomes.push_back(run(seed));
    if (hooks_.twice && hooks_.twice(seed)) check_same(outcomes.back(), run(seed));
    if (hooks_.finished) fresh.push_back(outcomes.back());
  }
  if (!fresh.empty()) hooks_.finished(fresh);
  return outcomes;
}

sim::SeedOutcome SeedPool::run(std::uint64_t seed) const {
  const auto over = [this] { return abandoned_ || hooks_.is_over(); };
  return outcome_of(scenario_,
                    sim::rehearse(scenario_, {.seed = Seed{seed}, .interrupted = over, .with_history = false}));
}

void SeedPool::hand_in(const Portion& portion, std::vector<sim::SeedOutcome> outcomes, Clock::duration took) {
  {
    const std::lock_guard lock{mutex_};
    done_.emplace(portion.number, std::move(outcomes));
    if (took < kPortionTakes && portion.size == portion_size_) portion_size_ = std::min(kPortionMax, 2 * portion_size_);
    if (took > 4 * kPortionTakes) portion_size_ = std::max<std::uint64_t>(1, portion_size_ / 2);
  }
  changed_.notify_all();
}

}  // namespace holdfast::tools
