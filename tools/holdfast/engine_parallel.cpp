// Tasks on GNU parallel, on this machine or over ssh.
//
// Its own --resume is not used: it goes by numbers of commands, takes half a line of its log for a finished command,
// and leaves out those that failed. The ledgers say what is missing.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
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

// The columns of its log: sequence number, host, start, time, bytes sent, bytes received, exit status, signal, command.
struct Logged {
  std::string host;
  int status = 0;
  int signal = 0;
};

std::vector<Logged> logged(const std::string& log) {
  std::vector<Logged> all;
  std::ifstream in{log};
  std::string line;
  std::getline(in, line);  // names of the columns
  while (std::getline(in, line) && !in.eof()) {
    std::istringstream fields{line};
    Logged task;
    std::string skipped;
    if (fields >> skipped >> task.host >> skipped >> skipped >> skipped >> skipped >> task.status >> task.signal) {
      all.push_back(task);
    }
  }
  return all;
}

class GnuParallel final : public Engine {
 public:
  GnuParallel(std::vector<std::string> sshlogins, unsigned jobs) : sshlogins_(std::move(sshlogins)), jobs_(jobs) {
    check_is_there();
  }

  void run(const EngineTasks& tasks, const std::vector<std::uint32_t>& shards, const Waiting& waiting) override {
    const auto log = tasks.folder + "/parallel.log";
    std::error_code error;
    std::filesystem::remove(log, error);
    std::vector<std::string> words{"parallel", "--will-cite", "--joblog", log};
    if (jobs_ > 0) words.insert(words.end(), {"--jobs", std::to_string(jobs_)});
    for (const auto& login : sshlogins_) words.insert(words.end(), {"--sshlogin", login});
    if (!sshlogins_.empty()) words.insert(words.end(), {"--workdir", std::filesystem::current_path().string()});
    words.emplace_back(":::");
    // Whole commands, not a pattern and its arguments: in these nothing is replaced.
    for (const auto shard : shards) words.push_back(shell_line(task_of(tasks, shard)));
    follow(words, fmt::format("{} tasks on GNU parallel", shards.size()), waiting);
    judge(logged(log));
  }

 private:
  static void check_is_there() {
    try {
      if (run_child({"parallel", "--version"}).output.starts_with("GNU parallel")) return;
      throw EngineTrouble{"--on parallel: \"parallel\" is another program here; install the Debian package parallel"};
    } catch (const ChildTrouble& trouble) {
      throw EngineTrouble{fmt::format("--on parallel: {}; install the Debian package parallel", trouble.what())};
    }
  }

  static void follow(const std::vector<std::string>& words, const std::string& says, const Waiting& waiting) {
    Child parallel{words};
    constexpr int kMilliseconds = 200;
    while (parallel.runs()) {
      if (!waiting(says)) {
        // The first one lets what runs come to its end, the second one ends it.
        parallel.send(SIGTERM);
        ::poll(nullptr, 0, kMilliseconds);
        parallel.send(SIGTERM);
        return;
      }
      ::poll(nullptr, 0, kMilliseconds);
    }
  }

  static void judge(const std::vector<Logged>& tasks) {
    for (const auto& task : tasks) {
      if (task.status == not_trustworthy) throw TaskNotDeterministic{};
      if (task.status == 0 && task.signal == 0) continue;
      complain(fmt::format(
          "holdfast: a task on {} ended with {}\n", task.host == ":" ? "this machine" : file::printable(task.host),
          task.signal != 0 ? fmt::format("signal {}", task.signal) : fmt::format("status {}", task.status)));
    }
  }

  const std::vector<std::string> sshlogins_;
  const unsigned jobs_;
};

}  // namespace

std::unique_ptr<Engine> gnu_parallel(std::vector<std::string> sshlogins, unsigned jobs) {
  return std::make_unique<GnuParallel>(std::move(sshlogins), jobs);
}

}  // namespace holdfast::tools
