// Sweeps on programs that spread work over machines: GNU parallel and Slurm. Each task is "holdfast sweep --shard I/N"
// with its ledger in a folder that all machines see. What the ledgers have is what was done, whatever an engine says: a
// task may be lost, run twice at once, or be reported as finished though its machine went down.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace holdfast::tools {

// An engine is not there or refuses its tasks; what() says what would help.
class EngineTrouble : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A task ended because two runs of one seed differ. Its complaint was printed.
class TaskNotDeterministic : public std::runtime_error {
 public:
  TaskNotDeterministic() : std::runtime_error("two runs of one seed differ, as a task says") {}
};

struct EngineTasks {
  std::string name;                // of this sweep in this folder, and of no other one
  std::string folder;              // for ledgers and whatever the engine writes; it is there
  std::vector<std::string> words;  // of a task, without its shard
  std::uint32_t of = 1;            // shards
  unsigned jobs = 1;               // runs at a time, of each task
};

class Engine {
 public:
  // What the engine is waiting for, in a few words; called a few times a second. False: nothing has to be waited for
  // any more.
  using Waiting = std::function<bool(const std::string& says)>;

  virtual ~Engine() = default;
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Runs the tasks of these shards, and returns when none of them runs or waits any more, or when `waiting` says so:
  // then it ends those that are left. What ended a task that was not successful is printed. Throws EngineTrouble and
  // TaskNotDeterministic.
  virtual void run(const EngineTasks& tasks, const std::vector<std::uint32_t>& shards, const Waiting& waiting) = 0;
};

std::unique_ptr<Engine> gnu_parallel(std::vector<std::string> sshlogins, unsigned jobs);
std::unique_ptr<Engine> slurm();

// "I/N"
std::vector<std::string> task_of(const EngineTasks& tasks, std::uint32_t shard);

}  // namespace holdfast::tools
