// holdfast compare: policies under the same seeds, a rehearsal in each thread. What it prints does not depend on the
// number of threads.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/presets.hpp>
#include <holdfast_sim/compare/comparison.hpp>
#include <holdfast_sim/compare/policy_file.hpp>
#include <holdfast_sim/present/comparison_text.hpp>
#include <holdfast_sim/rehearsal.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "interruption.hpp"
#include "terminal.hpp"

namespace holdfast::tools::compare {

namespace {

constexpr auto kFooter = R"(
A POLICY is a TOML file that has only [supervisor] and [[fleet]] tables with policy keys (name, restart, backoff,
stop_grace). It replaces those of the scenario and runs under the same seeds as the scenario's own policy, so that both
meet the same failures. A POLICY may also be the name of a preset (docker, kubernetes, nomad, otp, runit, s6,
supervisord, systemd), which then is the backoff of every service.

Each figure has the interval that contains its mean difference with 95 % certainty. The last line is the conclusion. It
calls a policy that does the same better or worse in at most 5 % of all comparisons.

Examples:
  holdfast compare FILE patient.toml --seeds 1..200
  holdfast compare FILE patient.toml hasty.toml --seeds 1..200
  holdfast compare FILE systemd kubernetes --seeds 1..200
  holdfast compare FILE patient.toml --seeds 1..200 --json | jq -r .policies[].conclusion

Exit status:
  0    compared
  2    bad input: the scenario, a policy, the command line, or an output that cannot be written
  3    a budget of the scenario cut a run off, so there is no conclusion
  130  Ctrl-C; what is printed is of the seeds until then)";

struct Arguments {
  std::string scenario;
  std::vector<std::string> policies;
  sim::SeedRange seeds;
  unsigned jobs = 0;
  bool json = false;
};
// More would neither fit into memory nor change a conclusion.
constexpr std::uint64_t kSeedsMax = 1'000'000;

// Every scenario under every seed, one seed after the other.
class Runs {
 public:
  Runs(const std::vector<sim::Scenario>& scenarios, sim::SeedRange seeds)
      : scenarios_(scenarios), seeds_(seeds), done_(seeds.last - seeds.first + 1) {}

  void run(unsigned jobs) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < jobs; ++i) threads.emplace_back([this] { work(); });
    for (auto& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
  }

  // The seeds that were run under every policy, from the first on.
  [[nodiscard]] std::size_t complete() const {
    std::size_t count = 0;
    while (count < done_.size() && done_[count].size() == scenarios_.size()) ++count;
    return count;
  }
  [[nodiscard]] bool out_of_budget() const noexcept { return out_of_budget_; }

  [[nodiscard]] std::vector<sim::RunFigures> of(std::size_t scenario) const {
    std::vector<sim::RunFigures> all;
    for (std::size_t i = 0; i < complete(); ++i) all.push_back(done_[i][scenario]);
    return all;
  }

 private:
  void work() {
    try {
      for (;;) {
        const std::size_t index = next_++;
        if (index >= done_.size() || is_over()) return;
        rehearse(index);
      }
    } catch (...) {
      const std::lock_guard lock{mutex_};
      failure_ = std::current_exception();
      failed_ = true;
    }
  }

  [[nodiscard]] bool is_over() const { return failed_ || interrupted(); }

  // Each index belongs to one thread.
  void rehearse(std::size_t index) {
    for (const auto& scenario : scenarios_) {
      const auto result = sim::rehearse(
          scenario,
          {.seed = Seed{seeds_.first + index}, .interrupted = [this] { return is_over(); }, .with_history = false});
      if (result.verdict() == sim::RehearsalVerdict::interrupted) return;
      if (result.verdict() == sim::RehearsalVerdict::out_of_budget) out_of_budget_ = true;
      done_[index].push_back(sim::figures_of(result));
    }
  }

  const std::vector<sim::Scenario>& scenarios_;
  const sim::SeedRange seeds_;
  std::vector<std::vector<sim::RunFigures>> done_;  // by index of the seed, then by scenario
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::atomic<bool> out_of_budget_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

// A file, or the name of a preset that no file has.
sim::Scenario under(const sim::Scenario& scenario, const std::string& policy) {
  const Preset* const preset = find_preset(policy);
  if (preset != nullptr && !std::filesystem::exists(policy)) return sim::with_backoff(scenario, preset->policy);
  return sim::with_policies(scenario, std::filesystem::path{policy});
}

int call(const Arguments& arguments) {
  if (arguments.seeds.last - arguments.seeds.first >= kSeedsMax) {
    throw UsageError{fmt::format("--seeds: at most {} seeds can be compared", kSeedsMax)};
  }
  std::vector<sim::Scenario> scenarios{scenario_from(arguments.scenario)};
  for (const auto& policy : arguments.policies) {
    scenarios.push_back(under(scenarios.front(), policy));
  }
  watch_for_interruption();
  Runs runs{scenarios, arguments.seeds};
  runs.run(arguments.jobs > 0 ? arguments.jobs : std::max(1U, std::thread::hardware_concurrency()));
  const auto complete = runs.complete();
  if (complete == 0) {
    complain("holdfast: interrupted before any seed was run under every policy: there is nothing to compare yet\n");
    return interrupted_status();
  }
  sim::ComparedPolicies compared{.scenario = scenarios.front().name,
                                 .duration = scenarios.front().duration,
                                 .first_seed = arguments.seeds.first,
                                 .last_seed = arguments.seeds.first + (complete - 1),
                                 .interrupted = interrupted(),
                                 .others = {}};
  const auto own = runs.of(0);
  for (std::size_t i = 0; i < arguments.policies.size(); ++i) {
    compared.others.push_back({arguments.policies[i], sim::compare(own, runs.of(i + 1))});
  }
  const bool shown =
      arguments.json ? print_json(sim::comparison_json(compared)) : print(sim::comparison_text(compared, width()));
  if (!shown) return bad_input;
  if (runs.out_of_budget()) {
    complain(
        "holdfast: a run was cut off by a budget of the scenario, so that the figures of the policies are not "
        "comparable; raise [budget]\n");
    return budget_ran_out;
  }
  return interrupted() ? interrupted_status() : all_held;
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("compare", "Run policies under the same seeds and report which is better");
  line->footer(kFooter);
  add_scenario(*line, arguments->scenario);
  line->add_option("POLICY", arguments->policies, "Policies that are laid over it, TOML files or presets")->required();
  add_seeds(
      *line, [arguments](const sim::SeedRange& seeds) { arguments->seeds = seeds; },
      "The first seed and the last, both included")
      ->required();
  add_jobs(*line, arguments->jobs);
  line->add_flag("--json", arguments->json, "Print JSON (lib/docs/reference/json.md)");
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::compare
