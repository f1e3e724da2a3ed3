#include "sweep.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <boost/json.hpp>

#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/scenario_reader.hpp>

#include "commands.hpp"
#include "terminal.hpp"

namespace holdfast::tools {

namespace {

// What is kept of one run.
struct SweepRun {
  std::uint64_t seed = 0;
  sim::RehearsalVerdict verdict = sim::RehearsalVerdict::held;
  std::string digest;
  std::string why;  // it is not held, in a few words
};

std::string why(const sim::RehearsalResult& result) {
  if (!result.violations.empty()) return std::string{to_string(result.violations.front().rule)};
  if (result.report.end.reason != sim::EndReason::finished) return std::string{to_string(result.report.end.reason)};
  const auto missed =
      std::find_if(result.expectations.begin(), result.expectations.end(), [](const auto& e) { return !e.held; });
  return missed == result.expectations.end()
             ? std::string{}
             : fmt::format("{}: expected {}, found {}", missed->what, missed->expected, missed->found);
}

// Rehearses one seed after the other in each of its threads, and hands the runs out in the order of the seeds. No
// thread is more than a few runs ahead of what was handed out, so that a long sweep needs no more memory than a short
// one.
class Pool {
 public:
  Pool(const sim::Scenario& scenario, Seeds seeds, unsigned jobs)
      : scenario_(scenario), seeds_(seeds), ahead_max_(std::uint64_t{4} * jobs) {
    for (unsigned i = 0; i < jobs; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Pool() {
    {
      const std::lock_guard lock{mutex_};
      abandoned_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // The run of the next seed; nullopt: there is none. Throws what the run threw.
  std::optional<SweepRun> next() {
    std::unique_lock lock{mutex_};
    if (handed_out_ == count()) return std::nullopt;
    changed_.wait(lock, [&] { return failure_ || done_.contains(handed_out_); });
    if (failure_) std::rethrow_exception(failure_);
    SweepRun run = std::move(done_.extract(handed_out_).mapped());
    ++handed_out_;
    changed_.notify_all();
    return run;
  }

 private:
  [[nodiscard]] std::uint64_t count() const noexcept { return seeds_.last - seeds_.first + 1; }

  // The index of a seed to rehearse.
  std::optional<std::uint64_t> take() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return abandoned_ || taken_ == count() || taken_ < handed_out_ + ahead_max_; });
    if (abandoned_ || taken_ == count()) return std::nullopt;
    return taken_++;
  }

  void work() {
    try {
      while (const auto index = take()) {
        SweepRun run = rehearse(seeds_.after(*index));
        const std::lock_guard lock{mutex_};
        done_.emplace(*index, std::move(run));
        changed_.notify_all();
      }
    } catch (...) {
      const std::lock_guard lock{mutex_};
      failure_ = std::current_exception();
      changed_.notify_all();
    }
  }

  SweepRun rehearse(std::uint64_t seed) const {
    const auto result = sim::rehearse(scenario_, {.seed = Seed{seed}});
    return {seed, result.verdict(), result.digest, result.all_held() ? std::string{} : why(result)};
  }

  const sim::Scenario& scenario_;
  const Seeds seeds_;
  const std::uint64_t ahead_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t taken_ = 0;
  std::uint64_t handed_out_ = 0;
  std::map<std::uint64_t, SweepRun> done_;  // by index, and not handed out
  std::exception_ptr failure_;
  bool abandoned_ = false;
  std::vector<std::thread> threads_;
};

// How many runs came to what.
struct Tally {
  std::array<std::uint64_t, 3> runs{};  // by verdict
  std::optional<std::uint64_t> first_violated;

  void count(const SweepRun& run) {
    ++runs[static_cast<std::size_t>(run.verdict)];
    if (run.verdict == sim::RehearsalVerdict::violated && !first_violated) first_violated = run.seed;
  }
  [[nodiscard]] std::uint64_t of(sim::RehearsalVerdict verdict) const {
    return runs[static_cast<std::size_t>(verdict)];
  }
  [[nodiscard]] int exit_status() const {
    if (of(sim::RehearsalVerdict::violated) > 0) return something_violated;
    return of(sim::RehearsalVerdict::out_of_budget) > 0 ? budget_ran_out : all_held;
  }
};

std::string line(const SweepRun& run) {
  return fmt::format("{} {} {}{}{}\n", run.seed, to_string(run.verdict), run.digest, run.why.empty() ? "" : "  ",
                     run.why);
}

std::string summary(const Tally& tally) {
  using enum sim::RehearsalVerdict;
  std::string text = fmt::format("{} held, {} violated, {} out of budget", tally.of(held), tally.of(violated),
                                 tally.of(out_of_budget));
  if (tally.first_violated) text += fmt::format("; the first violated is seed {}", *tally.first_violated);
  return text + '\n';
}

// One object a line, as in a trace.
std::string json_line(const SweepRun& run) {
  boost::json::object object{
      {"seed", run.seed}, {"verdict", std::string{to_string(run.verdict)}}, {"digest", run.digest}};
  if (!run.why.empty()) object["why"] = run.why;
  return boost::json::serialize(object) + '\n';
}

std::string json_summary(const sim::Scenario& scenario, const Tally& tally) {
  using enum sim::RehearsalVerdict;
  boost::json::object object{{"scenario", scenario.name},
                             {"held", tally.of(held)},
                             {"violated", tally.of(violated)},
                             {"out_of_budget", tally.of(out_of_budget)}};
  if (tally.first_violated) object["first_violated"] = *tally.first_violated;
  return boost::json::serialize(object) + '\n';
}

}  // namespace

int sweep(const SweepArguments& arguments) {
  const auto scenario = sim::read_scenario(arguments.scenario);
  const unsigned jobs = arguments.jobs > 0 ? arguments.jobs : std::max(1U, std::thread::hardware_concurrency());
  Pool pool{scenario, arguments.seeds, jobs};
  Tally tally;
  while (const auto run = pool.next()) {
    tally.count(*run);
    if (!print(arguments.json ? json_line(*run) : line(*run))) return bad_input;
  }
  return print(arguments.json ? json_summary(scenario, tally) : summary(tally)) ? tally.exit_status() : bad_input;
}

}  // namespace holdfast::tools
