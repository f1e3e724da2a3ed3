#include <holdfast/asio/process_service.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <system_error>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <holdfast/asio/detail/child_process.hpp>
#include <holdfast/asio/detail/identity.hpp>

namespace holdfast {

namespace {

void complain(std::vector<Problem>& found, std::string field, std::string says) {
  found.push_back({Problem::Severity::error, std::move(field), std::move(says)});
}

bool has_zero(const std::string& text) { return text.find('\0') != std::string::npos; }

void check_text(std::vector<Problem>& found, std::string field, const std::string& text) {
  if (has_zero(text)) complain(found, std::move(field), "has a zero byte; allowed is any text without one");
}

void check_command(std::vector<Problem>& found, const Process& process) {
  if (process.command.empty()) return complain(found, "command", "is empty; required is a program, then its arguments");
  if (process.command.front().empty()) {
    complain(found, "command[0]", "is empty; required is the name or the path of a program");
  }
  for (std::size_t i = 0; i < process.command.size(); ++i) {
    check_text(found, "command[" + std::to_string(i) + "]", process.command[i]);
  }
}

void check_environment(std::vector<Problem>& found, const Process& process) {
  for (std::size_t i = 0; i < process.environment.size(); ++i) {
    const auto& [name, value] = process.environment[i];
    const std::string field = "environment[" + std::to_string(i) + "]";
    if (name.empty() || name.find('=') != std::string::npos) {
      complain(found, field, "has the name \"" + name + "\"; allowed is a name that is not empty and has no '='");
    }
    check_text(found, field, name + value);
  }
}

void check_output(std::vector<Problem>& found, const Process& process) {
  if (process.output_kept_max > kOutputKeptMax) {
    complain(found, "output_kept_max",
             "is " + std::to_string(process.output_kept_max) + "; allowed is 0 to " + std::to_string(kOutputKeptMax));
  }
  if (process.input.empty()) complain(found, "input", "is empty; required is a path, /dev/null for nothing");
  check_text(found, "input", process.input);
  check_text(found, "output_file", process.output_file);
  if (process.output_descriptor < -1) {
    complain(found, "output_descriptor",
             "is " + std::to_string(process.output_descriptor) + "; allowed is a descriptor, or -1 for none");
  }
  const bool to_descriptor = process.output_descriptor >= 0;
  if (process.error_descriptor < -1 || (process.error_descriptor >= 0 && !to_descriptor)) {
    complain(found, "error_descriptor",
             "is " + std::to_string(process.error_descriptor) +
                 "; allowed is a descriptor beside output_descriptor, or -1: stderr goes where stdout goes");
  }
  if (to_descriptor && !process.output_file.empty()) {
    complain(found, "output_descriptor", "is set beside output_file; allowed is one of them");
  }
  if (!process.capture_output && (to_descriptor || !process.output_file.empty())) {
    complain(
        found, "capture_output",
        "is false beside output_file or output_descriptor; allowed is one of them: false means the supervisor's own "
        "stdout and stderr");
  }
}

void check_stop(std::vector<Problem>& found, const Process& process) {
  const int signal = process.stop_signal;
  if (signal < 1 || signal > 64 || signal == SIGKILL || signal == SIGSTOP || signal == SIGCONT) {
    complain(found, "stop_signal",
             "is " + std::to_string(signal) +
                 "; allowed is the number of a signal, 1 to 64, but SIGKILL, SIGSTOP and SIGCONT");
  }
  if (process.stop_to != StopTo::group && process.stop_to != StopTo::process) {
    complain(found, "stop_to", "is neither StopTo::group nor StopTo::process");
  }
}

void check_limits(std::vector<Problem>& found, const Process& process) {
  for (std::size_t i = 0; i < process.limits.size(); ++i) {
    const ProcessLimit& limit = process.limits[i];
    const std::string field = "limits[" + std::to_string(i) + ']';
    if (limit.resource < 0 || limit.resource >= static_cast<int>(RLIM_NLIMITS)) {
      complain(found, field,
               "has the resource " + std::to_string(limit.resource) + "; allowed is one of setrlimit(2), 0 to " +
                   std::to_string(static_cast<int>(RLIM_NLIMITS) - 1));
    }
    if (limit.soft > limit.hard) {
      complain(found, field,
               "has a soft limit of " + std::to_string(limit.soft) + " above its hard limit of " +
                   std::to_string(limit.hard));
    }
    const auto is_same = [&](const ProcessLimit& other) { return other.resource == limit.resource; };
    if (std::any_of(process.limits.begin(), process.limits.begin() + static_cast<std::ptrdiff_t>(i), is_same)) {
      complain(found, field, "limits resource " + std::to_string(limit.resource) + " a second time");
    }
  }
}

void check_time(std::vector<Problem>& found, std::string field, Duration time) {
  if (time >= kProbeTimeMin && time <= kProbeTimeMax) return;
  complain(found, std::move(field),
           "is " + to_string(time) + "; allowed is " + to_string(kProbeTimeMin) + " to " + to_string(kProbeTimeMax));
}

void check_port(std::vector<Problem>& found, const std::string& field, const std::string& address, std::uint16_t port) {
  boost::system::error_code error;
  boost::asio::ip::make_address(address, error);
  if (error) {
    complain(found, field + ".address",
             "is \"" + address + "\"; required is an address of IPv4 or IPv6, as names are not looked up");
  }
  if (port == 0) complain(found, field + ".port", "is 0; allowed is 1 to 65535");
}

bool has_control(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
}

void check_probe(std::vector<Problem>& found, const std::string& field, const Probe& probe) {
  if (const auto* const tcp = std::get_if<TcpProbe>(&probe)) return check_port(found, field, tcp->address, tcp->port);
  if (const auto* const http = std::get_if<HttpProbe>(&probe)) {
    check_port(found, field, http->address, http->port);
    if (!http->target.starts_with('/') || has_control(http->target + http->host)) {
      complain(found, field + ".target",
               "is \"" + http->target + "\"; required is a path that begins with /, without blanks");
    }
    return;
  }
  const auto& command = std::get<ExecProbe>(probe).command;
  if (command.empty() || command.front().empty()) {
    return complain(found, field + ".command", "is empty; required is a program, then its arguments");
  }
  for (std::size_t i = 0; i < command.size(); ++i) {
    check_text(found, field + ".command[" + std::to_string(i) + "]", command[i]);
  }
}

void check_ready(std::vector<Problem>& found, const Process& process) {
  if (const auto* const descriptor = std::get_if<ReadyDescriptor>(&process.ready_by)) {
    if (descriptor->number <= STDERR_FILENO || descriptor->number > kReadyDescriptorMax) {
      complain(found, "ready_by.number",
               "is " + std::to_string(descriptor->number) + "; allowed is 3 to " + std::to_string(kReadyDescriptorMax));
    }
  } else if (const auto* const line = std::get_if<ReadyLine>(&process.ready_by)) {
    if (line->text.empty() || line->text.find('\n') != std::string::npos) {
      complain(found, "ready_by.text", "is empty or has a line end; required is a part of a line");
    }
  } else if (const auto* const probe = std::get_if<ReadyProbe>(&process.ready_by)) {
    check_probe(found, "ready_by.probe", probe->probe);
    check_time(found, "ready_by.times.every", probe->times.every);
    check_time(found, "ready_by.times.timeout", probe->times.timeout);
  }
}

void check_health(std::vector<Problem>& found, const HealthProbe& health) {
  check_probe(found, "health.probe", health.probe);
  check_time(found, "health.times.every", health.times.every);
  check_time(found, "health.times.timeout", health.times.timeout);
  if (health.times.failures < 1 || health.times.failures > kProbeFailuresMax) {
    complain(found, "health.times.failures",
             "is " + std::to_string(health.times.failures) + "; allowed is 1 to " + std::to_string(kProbeFailuresMax));
  }
}

// Adds to `found`, and returns the identity that the process gets.
detail::Identity check(std::vector<Problem>& found, const Process& process) {
  check_command(found, process);
  check_environment(found, process);
  check_text(found, "folder", process.folder);
  check_output(found, process);
  check_stop(found, process);
  check_text(found, "user", process.user);
  check_text(found, "group", process.group);
  detail::Identity identity;
  if (!has_zero(process.user + process.group)) identity = detail::identity_of(process.user, process.group, found);
  if (process.umask && *process.umask > 0777) {
    complain(found, "umask", "is " + std::to_string(*process.umask) + "; allowed is 0 to 511, which is 0777 in octal");
  }
  check_limits(found, process);
  check_ready(found, process);
  if (process.health) check_health(found, *process.health);
  return identity;
}

}  // namespace

std::vector<Problem> problems(const Process& process) {
  std::vector<Problem> found;
  check(found, process);
  return found;
}

ProcessService::ProcessService(boost::asio::any_io_executor executor, Process process)
    : executor_(std::move(executor)) {
  use(std::move(process));
}

void ProcessService::use(Process process) {
  std::vector<Problem> found;
  auto identity = std::make_shared<const detail::Identity>(check(found, process));
  if (!found.empty()) throw ConfigError{std::move(found)};
  process_ = std::make_shared<const Process>(std::move(process));
  identity_ = std::move(identity);
}

// The reaper takes over live processes; only the end of the runtime waits for them.
ProcessService::~ProcessService() {
  for (const auto& child : children_) child->disown();
}

// A live process of an earlier run was abandoned. This kills it once more, and reaps it when it ends; the new run does
// not wait for it.
void ProcessService::start(Run run) {
  for (const auto& child : children_) {
    try {
      child->kill();
    } catch (const std::system_error&) {  // already reported, when its run could not be killed
    }
  }
  children_.reserve(children_.size() + 1);
  const auto ended = [this, run](Exit exit) {
    const auto child = child_of(run);
    std::erase(children_, child);
    if (!hold_end_ || !child) return run.end(std::move(exit));
    hold_end_(run, child->how_it_ended(), std::move(exit), [run](Exit held) { run.end(std::move(held)); });
  };
  auto child = std::make_shared<detail::ChildProcess>(executor_, process_, run, ended);
  child->start(identity_, find_line_);
  children_.push_back(std::move(child));
}

void ProcessService::stop(Run run) {
  if (const auto child = child_of(run)) child->ask_to_stop();
}

void ProcessService::kill(Run run) {
  if (const auto child = child_of(run)) child->kill();
}

bool ProcessService::signal(RunNumber run, int number) const {
  for (const auto& child : children_) {
    if (child->run().number() == run) return child->send(number);
  }
  return false;
}

std::string ProcessService::trouble_of(RunNumber run) const {
  for (const auto& child : children_) {
    if (child->run().number() == run) return child->trouble();
  }
  return {};
}

// A shared pointer, since the process may end within ask_to_stop().
std::shared_ptr<detail::ChildProcess> ProcessService::child_of(const Run& run) const noexcept {
  for (const auto& child : children_) {
    if (child->run().service() == run.service() && child->run().number() == run.number()) return child;
  }
  return nullptr;
}

}  // namespace holdfast
