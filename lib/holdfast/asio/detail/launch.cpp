#include <holdfast/asio/detail/launch.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <holdfast/asio/detail/launched.hpp>

namespace holdfast::detail {

namespace {

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::runtime_error{"cannot " + what + ": " + std::generic_category().message(error)};
}

// ---------------------------------------------------------------------------------------------------------------------
// Texts
// ---------------------------------------------------------------------------------------------------------------------

bool has_name(std::string_view entry, std::string_view name) {
  return entry.size() > name.size() && entry.substr(0, name.size()) == name && entry[name.size()] == '=';
}

// "NAME=value", inherited ones first; of two with one name the last counts.
std::vector<std::string> environment_of(const Process& process) {
  std::vector<std::string> entries;
  for (char** inherited = environ; process.inherit_environment && inherited && *inherited; ++inherited) {
    entries.emplace_back(*inherited);
  }
  for (const auto& [name, value] : process.environment) {
    if (name == kWatchdogLength) {  // an inherited WATCHDOG_PID means another process, perhaps this one
      std::erase_if(entries, [](const std::string& entry) { return has_name(entry, "WATCHDOG_PID"); });
    }
    std::erase_if(entries, [&name = name](const std::string& entry) { return has_name(entry, name); });
    entries.emplace_back(name).append(1, '=').append(value);
  }
  return entries;
}

// The paths to try, in order.
std::vector<std::string> candidates(const std::string& program, const std::vector<std::string>& environment) {
  if (program.find('/') != std::string::npos) return {program};
  std::string_view path = "/bin:/usr/bin";
  for (const auto& entry : environment) {
    if (has_name(entry, "PATH")) path = std::string_view{entry}.substr(5);
  }
  std::vector<std::string> found;
  for (;;) {
    const std::size_t end = std::min(path.find(':'), path.size());
    const std::string_view folder = path.substr(0, end);
    found.push_back((folder.empty() ? std::string{"."} : std::string{folder}) + '/' + program);
    if (end == path.size()) return found;
    path.remove_prefix(end + 1);
  }
}

// In the form of execve(). It points to the texts, which must stay in place.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

unsigned descriptors_max() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<unsigned>(std::min<rlim_t>(limit.rlim_cur, 1U << 20));
}

// ---------------------------------------------------------------------------------------------------------------------
// Descriptors
// ---------------------------------------------------------------------------------------------------------------------

// Not one of stdin, stdout and stderr, which the process replaces.
Descriptor above_stdio(Descriptor descriptor) {
  if (descriptor.number() > STDERR_FILENO) return descriptor;
  Descriptor moved{::fcntl(descriptor.number(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
  if (!moved.is_open()) fail("copy a descriptor", errno);
  return moved;
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

// Reading from it does not block.
Pipe make_pipe(const char* what_for) {
  std::array<int, 2> numbers{};
  if (::pipe2(numbers.data(), O_CLOEXEC) != 0) fail(std::string{"make a pipe for "} + what_for, errno);
  Descriptor read{numbers[0]};
  Descriptor write{numbers[1]};
  Pipe pipe{above_stdio(std::move(read)), above_stdio(std::move(write))};
  if (::fcntl(pipe.read.number(), F_SETFL, O_NONBLOCK) != 0) fail("set up a pipe", errno);
  return pipe;
}

Descriptor copy_of(int descriptor) {
  Descriptor copy{::fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
  if (!copy.is_open()) fail("use descriptor " + std::to_string(descriptor) + " for its output", errno);
  return copy;
}

// ---------------------------------------------------------------------------------------------------------------------
// Memory that a new process and the supervisor share
// ---------------------------------------------------------------------------------------------------------------------

constexpr std::size_t kAreaBytes = std::size_t{32} * 1024;
constexpr std::size_t kAreasKept = 8;  // unused ones

// A mapping: this at its beginning, the stack of the new process at its end. Shared, so that a process with a copy of
// the memory can say what went wrong, too.
struct Area {
  int in_use;  // cleared by the kernel when the process leaves the memory
  Trouble trouble;

  [[nodiscard]] void* stack_end() noexcept { return reinterpret_cast<std::byte*>(this) + kAreaBytes; }
};

// Shared by all threads. It is never destroyed: a process may still use its area when this program ends.
struct Launches {
  std::mutex mutex;
  std::vector<std::shared_ptr<LaunchPlan>> plans;  // whose processes may still use this memory
  std::vector<Area*> areas;                        // for reuse
};
Launches& launches() {
  static auto* const all = new Launches;
  return *all;
}

// REQUIRES: the mutex is held.
Area* take_area(Launches& all) {
  Area* area = nullptr;
  if (all.areas.empty()) {
    void* const memory = ::mmap(nullptr, kAreaBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("get memory for its start", errno);
    area = static_cast<Area*>(memory);
  } else {
    area = all.areas.back();
    all.areas.pop_back();
  }
  *area = {.in_use = 1, .trouble = {}};
  return area;
}

// REQUIRES: the mutex is held, and no process uses the area any more.
void give_back(Launches& all, Area* area) noexcept {
  if (all.areas.size() < kAreasKept && all.areas.capacity() >= kAreasKept) {
    all.areas.push_back(area);
  } else {
    ::munmap(area, kAreaBytes);
  }
}

// The kernel keeps an exit status only for a parent that does not ignore SIGCHLD, and a program may be started with it
// ignored.
void let_exit_statuses_be_kept() {
  struct sigaction action {};
  if (::sigaction(SIGCHLD, nullptr, &action) != 0) return;
  const bool is_ignored = (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN;
  if (!is_ignored && (action.sa_flags & SA_NOCLDWAIT) == 0) return;
  if (is_ignored) action.sa_handler = SIG_DFL;
  action.sa_flags &= ~SA_NOCLDWAIT;
  ::sigaction(SIGCHLD, &action, nullptr);
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// The plan
// ---------------------------------------------------------------------------------------------------------------------

// What a new process reads in this memory, among it a copy of the whole environment.
struct LaunchTexts {
  LaunchTexts(const Process& process, Identity given)
      : environment(environment_of(process)),
        paths(candidates(process.command.front(), environment)),
        command(process.command),
        folder(process.folder),
        input(process.input),
        output_file(process.output_file),
        identity(std::move(given)) {
    limits.reserve(process.limits.size());
    for (const ProcessLimit& limit : process.limits) {
      limits.push_back({limit.resource, {limit.soft, limit.hard}});
    }
  }

  const std::vector<std::string> environment;
  const std::vector<std::string> paths;
  const std::vector<std::string> command;
  const std::string folder;
  const std::string input;
  const std::string output_file;
  const Identity identity;
  std::vector<ResourceLimit> limits;
  const std::vector<char*> candidate_pointers = pointers_to(paths);
  const std::vector<char*> arguments = pointers_to(command);
  const std::vector<char*> environment_pointers = pointers_to(environment);
};

// Everything that a new process needs. The texts are kept until the process has left this memory, the rest until it has
// ended.
class LaunchPlan {
 public:
  // A process with a copy of this memory has its own copy of the plan.
  ~LaunchPlan() {
    if (area_) ::munmap(area_, kAreaBytes);
  }
  LaunchPlan(const LaunchPlan&) = delete;
  LaunchPlan& operator=(const LaunchPlan&) = delete;
  LaunchPlan(const Process& process, Identity identity, int output, int error_output, int ready)
      : texts_(std::make_unique<const LaunchTexts>(process, std::move(identity))) {
    const LaunchTexts& texts = *texts_;
    orders_ = {.candidates = texts.candidate_pointers.data(),
               .arguments = texts.arguments.data(),
               .environment = texts.environment_pointers.data(),
               .folder = texts.folder.empty() ? nullptr : texts.folder.c_str(),
               .input = texts.input.c_str(),
               .output_file = texts.output_file.empty() ? nullptr : texts.output_file.c_str(),
               .output = output,
               .error_output = error_output,
               .ready = ready,
               .ready_number = ready < 0 ? -1 : std::get<ReadyDescriptor>(process.ready_by).number,
               .file_mode_mask = process.umask ? static_cast<int>(*process.umask) : -1,
               .limits = texts.limits.data(),
               .limit_count = texts.limits.size(),
               .groups = texts.identity.groups ? texts.identity.groups->data() : nullptr,
               .group_count = texts.identity.groups ? texts.identity.groups->size() : 0,
               .changes_group = texts.identity.group.has_value(),
               .changes_user = texts.identity.user.has_value(),
               .group = texts.identity.group.value_or(0),
               .user = texts.identity.user.value_or(0),
               .supervisor = ::getpid(),
               .descriptors_max = descriptors_max(),
               .trouble = nullptr,
               .in_use = nullptr};
  }

  // REQUIRES: the mutex is held.
  Created create(Launches& all, Memory memory) {
    area_ = take_area(all);
    memory_ = memory;
    orders_.trouble = &area_->trouble;
    orders_.in_use = &area_->in_use;
    const Created created = create_process(memory, area_->stack_end(), orders_);
    if (created.id < 0) {  // it may be tried again
      give_back(all, std::exchange(area_, nullptr));
    } else if (memory == Memory::copied) {
      texts_ = nullptr;
    }
    return created;
  }

  // True: the process has left this memory, or has ended, and nothing is kept for it any more. REQUIRES: the mutex.
  bool settle(Launches& all, bool has_ended) noexcept {
    if (!area_) return true;
    const bool has_left = uses_this_memory() && __atomic_load_n(&area_->in_use, __ATOMIC_ACQUIRE) == 0;
    if (!has_left && !has_ended) return false;
    trouble_ = area_->trouble;
    give_back(all, std::exchange(area_, nullptr));
    texts_ = nullptr;
    return true;
  }

  [[nodiscard]] bool uses_this_memory() const noexcept { return memory_ == Memory::shared; }
  [[nodiscard]] const Trouble& trouble() const noexcept { return trouble_; }

 private:
  std::unique_ptr<const LaunchTexts> texts_;  // null: nobody reads them any more
  Orders orders_{};
  Memory memory_ = kMemory;
  Area* area_ = nullptr;
  Trouble trouble_;
};

namespace {

std::size_t sweep(Launches& all) noexcept {
  std::erase_if(all.plans, [&](const auto& plan) { return plan->settle(all, false); });
  return all.plans.size();
}

// After a change of the user the kernel protects the memory of the process, which would be the supervisor's own: then
// the supervisor could have no core dump and no debugger. Besides, not every tool that runs programs (valgrind) allows
// shared memory.
Created create(LaunchPlan& plan, Launches& all, Memory memory, const Identity& identity) {
  if (memory == Memory::shared && !identity.user && !identity.group) {
    const Created created = plan.create(all, Memory::shared);
    if (created.id >= 0 || (created.error != EINVAL && created.error != ENOSYS && created.error != EPERM)) {
      return created;
    }
  }
  return plan.create(all, Memory::copied);
}

}  // namespace

std::size_t sweep_launch_plans() noexcept {
  Launches& all = launches();
  const std::lock_guard lock{all.mutex};
  return sweep(all);
}

Launched launch(const Process& process, const Identity& identity, Memory memory) {
  let_exit_statuses_be_kept();
  Pipe output;
  if (process.capture_output && process.output_file.empty() && process.output_descriptor < 0)
    output = make_pipe("its output");
  Descriptor given;
  if (process.output_descriptor >= 0) given = copy_of(process.output_descriptor);
  Descriptor given_for_errors;
  if (process.error_descriptor >= 0) given_for_errors = copy_of(process.error_descriptor);
  Pipe ready;
  if (std::holds_alternative<ReadyDescriptor>(process.ready_by)) ready = make_pipe("what says that it is ready");
  Launched launched;
  launched.plan =
      std::make_shared<LaunchPlan>(process, identity, given.is_open() ? given.number() : output.write.number(),
                                   given_for_errors.is_open() ? given_for_errors.number() : -1, ready.write.number());
  Launches& all = launches();
  const std::lock_guard lock{all.mutex};
  sweep(all);
  // Allocates everything first: once the process exists, nothing may fail.
  all.areas.reserve(kAreasKept);
  all.plans.reserve(all.plans.size() + 1);
  launched.id = note_launched([&] {
    const Created created = create(*launched.plan, all, memory, identity);
    if (created.id < 0) fail("start a process", created.error);
    launched.process = Descriptor{created.process};
    return created.id;
  });
  if (launched.plan->uses_this_memory()) all.plans.push_back(launched.plan);
  launched.output = std::move(output.read);
  launched.ready = std::move(ready.read);
  return launched;
}

void settle(const Launched& ended) noexcept {
  if (!ended.plan) return;
  Launches& all = launches();
  const std::lock_guard lock{all.mutex};
  ended.plan->settle(all, true);
  std::erase(all.plans, ended.plan);
}

std::optional<NotExecuted> trouble_of(const Launched& ended, const Process& process) {
  settle(ended);
  if (!ended.plan || ended.plan->trouble().stage == Stage::none) return std::nullopt;
  const Trouble& trouble = ended.plan->trouble();
  const std::string why = ": " + std::generic_category().message(trouble.error);
  switch (trouble.stage) {
    case Stage::none: return std::nullopt;
    case Stage::set_up: return NotExecuted{"cannot set up the process" + why};
    case Stage::enter_folder: return NotExecuted{"cannot enter folder '" + process.folder + '\'' + why};
    case Stage::open_input: return NotExecuted{"cannot read input '" + process.input + '\'' + why};
    case Stage::open_output: return NotExecuted{"cannot write output_file '" + process.output_file + '\'' + why};
    case Stage::limit: return NotExecuted{"cannot set the limit of resource " + std::to_string(trouble.detail) + why};
    case Stage::groups: return NotExecuted{"cannot set the supplementary groups" + why};
    case Stage::group:
      return NotExecuted{"cannot become group '" + (process.group.empty() ? process.user : process.group) + '\'' + why};
    case Stage::user: return NotExecuted{"cannot become user '" + process.user + '\'' + why};
    case Stage::execute: break;
  }
  return NotExecuted{"cannot execute '" + process.command.front() + '\'' + why,
                     trouble.error == ENOENT ? kNotFoundStatus : kNotExecutableStatus};
}

}  // namespace holdfast::detail
