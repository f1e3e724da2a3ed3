#include "processes.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>
#include <variant>

#include <holdfast/asio/process_service.hpp>

#include "memory.hpp"

namespace soak {

using namespace std::chrono_literals;
namespace event = holdfast::event;
using Lines = std::vector<std::string>;

namespace {

// In turn, by the number of the service.
constexpr std::array<ProcessKind, 14> kKinds{{
    {"obeys", "exec sleep 60"},
    {"takes-half-a-second", "trap 'sleep 0.5; exit 0' TERM; sleep 60 & wait"},
    {"ignores-its-stop", "trap '' TERM; exec sleep 60", {}, false, false},
    {"has-children", "sleep 60 & sleep 60 & wait"},
    {"leaves-a-session-behind", "SOAK_ESCAPED=1 setsid sleep 3 & exec sleep 60"},
    {"daemonizes", "SOAK_ESCAPED=1 setsid sleep 3 & exit 0", "clean"},
    {"leaves-children-behind", "sleep 60 & exit 3", "exit status 3"},
    {"floods", "head -c 2000000 /dev/zero; exit 3", "exit status 3"},
    {"ends-at-once", "exit 0", "clean"},
    {"crashes", "ulimit -c 0; kill -SEGV $$; sleep 60", "killed by signal 11"},
    {"halts-itself", "kill -STOP $$; sleep 60"},
    {"takes-half-a-second", "trap 'sleep 0.5; exit 0' TERM; sleep 60 & wait"},
    {"fails-now-and-then", "sleep 0.$(($$ % 10)); exit 3", "exit status 3"},
    {"cannot-be-run", "", "cannot execute"},
}};
// A stop of the whole control group signals it beside the supervisor: a second signal is the same stop.
constexpr ProcessKind kFlushes{"flushes",
                               "(trap 'trap \"\" TERM; echo asked >>\"$SOAK_FOLDER/asked\"; sleep 0.3; echo flushed "
                               ">>\"$SOAK_FOLDER/flushed\"; exit 0' TERM;"
                               " sleep 60 & wait) | cat",
                               {},
                               true};

// A process may end in the instant in which it is killed, and another thread may be about to say that it has ended. Who
// has been seen to have ended for so long is killed wrongly.
constexpr auto kKnownToHaveEnded = 250ms;
constexpr auto kBetweenLooks = 10ms;

constexpr auto kLongest = 60s;  // what sleeps ends by itself then

holdfast::Process process_of(const ProcessKind& kind, const std::string& folder) {
  if (kind.script.empty()) return {.command = {"no-such-program"}};
  return {.command = {"/bin/sh", "-c", std::string{kind.script}}, .environment = {{"SOAK_FOLDER", folder}}};
}

bool begins_with_one_of(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  for (const auto beginning : beginnings) {
    if (text.starts_with(beginning)) return true;
  }
  return false;
}

// A run that could not begin: no descriptors, or no memory. The process itself did nothing wrong.
bool mentions_scarcity(std::string_view error) {
  return begins_with_one_of(error, {"std::bad_alloc", "it failed, and there was no memory", "cannot make a pipe",
                                    "cannot set up", "cannot copy a descriptor", "cannot fork", "cannot watch"}) ||
         error.find("Too many open files") != std::string_view::npos ||
         error.find("Cannot allocate memory") != std::string_view::npos;
}

// Of this thread, in the order in which they came. 0: none, or no descriptor is left to look.
pid_t latest_child() {
  std::ifstream list{"/proc/thread-self/children"};
  pid_t latest = 0;
  for (pid_t child = 0; list >> child;) latest = child;
  return latest;
}

bool has_ended(pid_t process) {
  if (process == 0) return false;
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == process;
}

}  // namespace

// A process service that notes which process it has.
class ProcessPatient final : public holdfast::Service {
 public:
  ProcessPatient(ProcessWard& ward, std::string name, boost::asio::any_io_executor executor, holdfast::Process process)
      : ward_(ward), name_(std::move(name)), service_(std::move(executor), std::move(process)) {}

  void start(holdfast::Run run) override {
    const pid_t before = latest();
    note_process(0);
    service_.start(run);
    if (const pid_t after = latest(); after != before) note_process(after);
  }
  void stop(holdfast::Run run) override { service_.stop(run); }
  [[nodiscard]] bool can_be_killed() const noexcept override { return service_.can_be_killed(); }
  void kill(holdfast::Run run) override {
    ward_.on_kill(name_);
    service_.kill(run);
  }

 private:
  static pid_t latest() {
    const ReliableMemory reliable;
    return latest_child();
  }
  void note_process(pid_t process) {
    const ReliableMemory reliable;
    auto& life = ward_.lives_[name_];
    life.process = process;
    life.seen_ended.reset();
  }

  ProcessWard& ward_;
  const std::string name_;
  holdfast::ProcessService service_;
};

ProcessWard::ProcessWard() {
  std::string pattern = (std::filesystem::temp_directory_path() / "soak-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw std::system_error{errno, std::generic_category(), pattern};
  folder_ = pattern;
}

ProcessWard::~ProcessWard() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

holdfast::ServiceConfig ProcessWard::config_of(unsigned number) {
  const bool is_hasty = number % kKinds.size() == 2;  // ignores its stop
  return {
      .name = "process-" + std::to_string(number),
      .policy = {.restart = holdfast::RestartPolicy::always,
                 .backoff =
                     holdfast::BackoffPolicy{
                         .base = 500ms, .max = 5s, .cooldown = 3s, .clean_restart_delay = 1s, .breaker = std::nullopt},
                 .stop_grace = is_hasty ? 300ms : 5s}};
}

std::shared_ptr<holdfast::Service> ProcessWard::make(boost::asio::any_io_executor executor, unsigned number,
                                                     bool with_flushes) {
  const std::string name = config_of(number).name;
  const auto& kind = with_flushes && is_a_pipeline(number) ? kFlushes : kKinds[number % kKinds.size()];
  lives_[name] = {.kind = &kind};
  return std::make_shared<ProcessPatient>(*this, name, std::move(executor), process_of(kind, folder_));
}

// As often as anything happens to anybody.
void ProcessWard::look_who_has_ended() {
  const auto now = Clock::now();
  if (now - latest_look_ < kBetweenLooks) return;
  latest_look_ = now;
  for (auto& [name, life] : lives_) {
    if (!life.seen_ended && has_ended(life.process)) life.seen_ended = now;
  }
}

void ProcessWard::on_kill(const std::string& name) {
  const auto& life = lives_[name];
  if (life.seen_ended && has_ended(life.process) && Clock::now() - *life.seen_ended >= kKnownToHaveEnded) {
    complain(name, life, "is killed though its process has ended");
  }
}

void ProcessWard::on_event(const holdfast::Event& event) {
  look_who_has_ended();
  const auto found = lives_.find(event.name);
  if (event.about_supervisor() || found == lives_.end()) return;
  const ReliableMemory reliable;
  auto& [name, life] = *found;
  if (std::holds_alternative<event::Started>(event.what)) {
    ++starts_;
    life.was_asked_to_stop = false;
  } else if (std::holds_alternative<event::Stopping>(event.what)) {
    life.was_asked_to_stop = true;
  } else if (const auto* const warned = std::get_if<event::Warned>(&event.what)) {
    // Not asked by the supervisor to stop, but by somebody else, too long before it was: what is left is killed at
    // once.
    if (life.kind->flushes && warned->says.find("left behind") != std::string_view::npos) ++flushes_cut_off_;
  } else if (std::holds_alternative<event::Killed>(event.what)) {
    ++killed_;
    if (life.kind->is_well_behaved) ++killed_though_well_behaved_;
    if (life.kind->flushes) ++flushes_cut_off_;
  } else if (const auto* const ended = std::get_if<event::Ended>(&event.what)) {
    on_end(name, life, *ended);
  } else if (const auto* const end = std::get_if<event::Terminated>(&event.what);
             end && end->why.reason == holdfast::Termination::Reason::abandoned) {
    if (life.kind->flushes) ++flushes_cut_off_;
  }
}

void ProcessWard::on_end(const std::string& name, Life& life, const event::Ended& ended) {
  life.process = 0;
  const std::string says = ended.outcome == holdfast::Outcome::clean ? "clean" : std::string{ended.error};
  if (says.find("another part of the program has reaped it") != std::string::npos) {
    return complain(name, life, "ended, but its exit status was lost");
  }
  if (says.starts_with("killed by signal 15")) return complain(name, life, "counts as failed though SIGTERM ended it");
  if (life.was_asked_to_stop || ended.lasted >= kLongest || mentions_scarcity(says)) return;
  const auto& expected = life.kind->unasked;
  if (expected.empty() || !says.starts_with(expected)) {
    complain(name, life,
             "ended by itself: " + says + "; expected: " + (expected.empty() ? "it does not" : std::string{expected}));
  }
}

void ProcessWard::complain(const std::string& name, const Life& life, const std::string& says) {
  complaints_.push_back(name + ", which " + std::string{life.kind->name} + ", " + says);
}

Lines ProcessWard::take_complaints() { return std::exchange(complaints_, {}); }

Lines ProcessWard::complaints_at_the_end() {
  Lines lines = take_complaints();
  const auto asked = lines_of("asked");
  const auto flushed = lines_of("flushed");
  if (asked > flushed + flushes_cut_off_) {
    lines.push_back(std::to_string(asked) + " workers were asked to stop and " + std::to_string(flushed) +
                    " flushed, but only " + std::to_string(flushes_cut_off_) + " had no time left");
  }
  return lines;
}

std::uint64_t ProcessWard::lines_of(const std::string& file) const {
  std::ifstream lines{folder_ + '/' + file};
  return static_cast<std::uint64_t>(
      std::count(std::istreambuf_iterator<char>{lines}, std::istreambuf_iterator<char>{}, '\n'));
}

std::string ProcessWard::figures() const {
  return std::to_string(starts_) + " processes, " + std::to_string(killed_) + " killed, of those that obey " +
         std::to_string(killed_though_well_behaved_) + ", " + std::to_string(lines_of("flushed")) + " flushes";
}

// A program that is PID 1 inherits those that left their group; they end with it.
Lines children_left() {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return {};
  if (info.si_pid != 0) return {"the process " + std::to_string(info.si_pid) + " has ended and was not reaped"};
  if (::getpid() == 1) return {};
  return {"the process " + std::to_string(latest_child()) + " is alive"};
}

std::vector<pid_t> zombies() {
  std::vector<pid_t> found;
  for (const auto& thread : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::ifstream list{thread.path() / "children"};
    for (pid_t child = 0; list >> child;) {
      if (has_ended(child)) found.push_back(child);
    }
  }
  return found;
}

}  // namespace soak
