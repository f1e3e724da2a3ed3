// Tasks on Slurm: one array of jobs, found by its name.
//
// By name and not by number: a controller that is killed soon after a submission forgets the job and uses its number
// again, and a number that has been forgotten looks like one that never was. And by the ledgers, not by exit codes: a
// job whose node went down has 0:0.

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include <poll.h>

#include <fmt/format.h>
#include <holdfast/file/message_text.hpp>

#include "child.hpp"
#include "engine.hpp"
#include "exit_status.hpp"
#include "terminal.hpp"

namespace holdfast::tools {

namespace {

constexpr int kPollMilliseconds = 500;

// A task of the array, as squeue shows it.
struct Listed {
  std::string id;  // "12_3"
  std::string shard;
  std::string state;
  int wait_status = 0;
  std::string reason;
};

// All others may still run, or run again.
bool is_over(std::string_view state) {
  constexpr std::array kOver{"BOOT_FAIL", "CANCELLED", "COMPLETED",     "DEADLINE", "FAILED",
                             "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY", "REVOKED",  "TIMEOUT"};
  return std::find(kOver.begin(), kOver.end(), state) != kOver.end();
}

// It would wait for an operator for ever. So it is after a controller was killed that had not yet written down that the
// task runs: it starts the task again, and the node refuses.
bool is_held(const Listed& task) {
  return task.state == "REQUEUE_HOLD" || task.reason.find("requeued held") != std::string::npos;
}

// Nothing is said about the tasks by it.
bool does_not_answer(const ChildOutput& answer) {
  if (answer.status > 128) return true;  // a signal, such as that of Ctrl-C, which the terminal sends to it, too
  constexpr std::array kSigns{"Unable to contact",
                              "timed out",
                              "Connection refused",
                              "Zero Bytes were transmitted",
                              "Communication connection failure",
                              "backup controller"};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](const auto* sign) { return answer.output.find(sign) != std::string::npos; });
}

std::string first_line(const std::string& text) { return file::printable(text.substr(0, text.find('\n'))); }

ChildOutput ask(const std::vector<std::string>& words, const std::string& input = "") {
  try {
    return run_child(words, input);
  } catch (const ChildTrouble& trouble) {
    throw EngineTrouble{fmt::format("--on slurm: {}; install the Debian package slurm-client", trouble.what())};
  }
}

class Slurm final : public Engine {
 public:
  void run(const EngineTasks& tasks, const std::vector<std::uint32_t>& shards, const Waiting& waiting) override {
    // A sweep that was killed while it waited finds its tasks; those that end are of no use.
    auto all = listed(tasks, waiting);
    if (over_) return;
    ended_before_.clear();
    for (const auto& task : all) {
      if (is_over(task.state) || task.state == "COMPLETING") ended_before_.insert(task.id);
    }
    if (!any_left(all)) submit(tasks, shards, waiting);
    if (over_) return;
    for (;;) {
      all = listed(tasks, waiting);
      if (over_ || !any_left(all)) break;
      if (!waiting(counts(all))) over_ = true;
      if (over_) break;
      ::poll(nullptr, 0, kPollMilliseconds);
    }
    if (over_) return cancel(tasks);
    judge(all, tasks);
  }

 private:
  [[nodiscard]] bool any_left(const std::vector<Listed>& all) const {
    return std::any_of(all.begin(), all.end(),
                       [this](const auto& task) { return !is_over(task.state) && !ended_before_.contains(task.id); });
  }

  // The controller may be away for a while.
  std::vector<Listed> listed(const EngineTasks& tasks, const Waiting& waiting) {
    for (;;) {
      const auto answer = ask({"squeue", "--noheader", "--array", "--states=all", "--me", "--name", tasks.name,
                               "--Format=JobArrayID:30,ArrayTaskID:12,State:16,exit_code:12,Reason:60"});
      if (answer.ok()) return without_held(parse(answer.output));
      if (!does_not_answer(answer)) {
        throw EngineTrouble{fmt::format("--on slurm: squeue: {}", first_line(answer.output))};
      }
      if (!waiting("Slurm's controller does not answer")) {
        over_ = true;
        return {};
      }
      ::poll(nullptr, 0, kPollMilliseconds);
    }
  }

  static std::vector<Listed> parse(const std::string& output) {
    std::vector<Listed> all;
    std::istringstream lines{output};
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields{line};
      Listed task;
      if (!(fields >> task.id >> task.shard >> task.state >> task.wait_status)) continue;
      std::getline(fields >> std::ws, task.reason);
      task.reason.erase(task.reason.find_last_not_of(' ') + 1);
      all.push_back(std::move(task));
    }
    return all;
  }

  // Such tasks are ended here, so that they are submitted again.
  std::vector<Listed> without_held(std::vector<Listed> all) {
    for (auto& task : all) {
      if (is_over(task.state) || !is_held(task)) continue;
      complain(fmt::format("holdfast: task {} is held ({}); it is taken back, and submitted again\n", task.shard,
                           file::printable(task.reason)));
      ask({"scancel", task.id});
      taken_back_.insert(task.id);
      task.state = "CANCELLED";
    }
    return all;
  }

  void submit(const EngineTasks& tasks, const std::vector<std::uint32_t>& shards, const Waiting& waiting) {
    std::string array;
    for (const auto shard : shards) array += fmt::format("{}{}", array.empty() ? "" : ",", shard);
    // "exec", so that a signal is seen as one.
    const auto script =
        fmt::format("#!/bin/sh\nexec {} --shard \"$SLURM_ARRAY_TASK_ID/{}\"\n", shell_line(tasks.words), tasks.of);
    const std::vector<std::string> words{"sbatch",
                                         "--parsable",
                                         "--requeue",
                                         "--job-name=" + tasks.name,
                                         "--array=" + array,
                                         "--chdir=" + std::filesystem::current_path().string(),
                                         "--output=" + tasks.folder + "/task-%a.out",
                                         "--open-mode=append",
                                         fmt::format("--cpus-per-task={}", tasks.jobs)};
    for (;;) {
      const auto answer = ask(words, script);
      if (answer.ok()) return;
      if (!does_not_answer(answer)) {
        throw EngineTrouble{fmt::format("--on slurm: sbatch: {}", first_line(answer.output))};
      }
      // It may have taken them all the same. Then the name has two arrays, and a task that runs twice does no harm.
      if (!waiting("Slurm's controller does not answer")) {
        over_ = true;
        return;
      }
      ::poll(nullptr, 0, kPollMilliseconds);
    }
  }

  void cancel(const EngineTasks& tasks) const { ask({"scancel", "--me", "--name", tasks.name}); }

  // "3 running, 5 pending (Resources)"
  static std::string counts(const std::vector<Listed>& all) {
    std::map<std::string, unsigned> by_state;
    for (const auto& task : all) {
      if (is_over(task.state)) continue;
      auto state = task.state;
      std::transform(state.begin(), state.end(), state.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (task.state == "PENDING" && task.reason != "None") state += " (" + task.reason + ")";
      ++by_state[state];
    }
    std::string text;
    for (const auto& [state, count] : by_state) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, state);
    return text.empty() ? "no task is left" : file::printable(text);
  }

  // Tasks of earlier arrays of this name are listed, too.
  void judge(const std::vector<Listed>& all, const EngineTasks& tasks) {
    bool cancelled = false;
    for (const auto& task : all) {
      if (task.state == "COMPLETED" || ended_before_.contains(task.id)) continue;
      const auto status = (task.wait_status >> 8) & 0xff;
      if (status == not_trustworthy) {
        complain(fmt::format("holdfast: see {}/task-{}.out\n", file::printable(tasks.folder), task.shard));
        throw TaskNotDeterministic{};
      }
      if (taken_back_.contains(task.id)) continue;
      cancelled = cancelled || task.state == "CANCELLED";
      const auto signal = task.wait_status & 0x7f;
      const auto why = signal != 0   ? fmt::format(", signal {}", signal)
                       : status != 0 ? fmt::format(", status {}", status)
                                     : "";
      // What has not begun has no index of its own any more once it is cancelled.
      if (task.shard.find_first_not_of("0123456789") != std::string::npos) continue;
      complain(fmt::format("holdfast: task {} ended as {}{} ({}); what it printed is in {}/task-{}.out\n", task.shard,
                           file::printable(task.state), why, file::printable(task.reason),
                           file::printable(tasks.folder), task.shard));
    }
    if (cancelled) throw EngineTrouble{"tasks were cancelled; the same command goes on from what is done"};
  }

  std::set<std::string> ended_before_;  // tasks of earlier arrays of this name
  std::set<std::string> taken_back_;    // tasks that were held
  bool over_ = false;                   // the sweep no longer waits
};

}  // namespace

std::unique_ptr<Engine> slurm() { return std::make_unique<Slurm>(); }

}  // namespace holdfast::tools
