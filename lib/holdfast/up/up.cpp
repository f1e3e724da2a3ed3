#include <holdfast/up/up.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <stdexcept>
#include <utility>

#include <holdfast/asio/runtime.hpp>
#include <holdfast/file/fleet.hpp>
#include <holdfast/file/program_keys.hpp>
#include <holdfast/up/commands.hpp>
#include <holdfast/up/control_path.hpp>
#include <holdfast/up/control_server.hpp>
#include <holdfast/up/event_feed.hpp>
#include <holdfast/up/logs.hpp>
#include <holdfast/up/recordings.hpp>
#include <holdfast/up/services.hpp>
#include <holdfast/up/waits.hpp>

namespace holdfast::up {

namespace {

constexpr std::chrono::seconds kLogPatience{2};  // for the last lines, when the output stands still

// Raises this program's own limit of open files as far as it goes. The programs keep what holdfast was given.
void prepare_descriptors(std::vector<ServiceToRun>& services) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  keep_open_files_limit(services, limit.rlim_cur, limit.rlim_max);
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) != 0) return;
  const auto trouble = trouble_with_descriptors(services.size(), limit.rlim_max);
  if (!trouble.empty()) throw std::runtime_error{trouble};
}

std::vector<Logs::Source> sources_of(const std::vector<ServiceToRun>& services) {
  std::vector<Logs::Source> sources;
  sources.reserve(services.size());
  for (const auto& service : services) sources.push_back({service.config.name, service.log});
  return sources;
}

void connect_to(const Logs& logs, std::vector<ServiceToRun>& services) {
  for (std::size_t i = 0; i < services.size(); ++i) {
    auto& process = services[i].process;
    const auto [output, error] = logs.descriptors(i);
    if (output < 0) {
      process.output_file = "/dev/null";
    } else {
      process.output_descriptor = output;
      process.error_descriptor = error;
    }
  }
}

std::optional<Endpoint> endpoint_of(const file::Production& production) {
  const auto parts = file::parse_endpoint(production.endpoint);
  if (!parts) return std::nullopt;
  return Endpoint{.address = parts->address, .port = parts->port};
}

std::optional<Recording> recording_of(const file::FleetFile& fleet, const std::filesystem::path& file) {
  const auto& wanted = fleet.production.recording;
  if (!wanted) return std::nullopt;
  return std::optional<Recording>{std::in_place, beside(file, wanted->folder), fleet.name, wanted->keep};
}

// A terminal that goes away asks for the end; elsewhere the signal has no meaning yet.
void prepare_signals(bool on_terminal) {
  if (!on_terminal) std::signal(SIGHUP, SIG_IGN);
}

std::string greeting(const UpOptions& options, std::size_t services, const ControlLock& lock,
                     const std::optional<Recording>& recording, std::uint16_t port) {
  std::string text = "up: " + std::to_string(services) + (services == 1 ? " service" : " services") + " of " +
                     options.file.string() + ", process " + std::to_string(::getpid()) + ", control " +
                     lock.socket().string();
  if (recording) text += ", recording " + recording->path().string();
  if (port != 0) text += ", endpoint on port " + std::to_string(port);
  return text;
}

}  // namespace

UpEnd run_up(const UpOptions& options) {
  std::vector<file::Complaint> warnings;
  const auto fleet = file::read_fleet(options.file, &warnings);
  auto services = services_of(fleet, options.file, options.names);
  const ControlLock lock{control_path(fleet, options.file)};
  prepare_descriptors(services);
  Logs logs{options.output, options.format, sources_of(services)};
  connect_to(logs, services);
  auto recording = recording_of(fleet, options.file);
  Waits waits;
  EventFeed events;
  prepare_signals(options.on_terminal);

  UpEnd end;
  {
    Runtime runtime{{.supervisor = fleet.supervisor,
                     .sinks = {&logs, &waits, &events},
                     .endpoint = endpoint_of(fleet.production),
                     .recording = recording ? &recording->stream() : nullptr}};
    Commands commands{{runtime, waits, logs, events}, fleet.name, options.file};
    const ControlServer server{runtime.executor(), lock.socket(),
                               [&commands](const Request& request, const std::shared_ptr<Conversation>& client) {
                                 commands.act(request, client);
                               }};
    logs.say(LogLevel::info, greeting(options, services.size(), lock, recording, runtime.endpoint_port()));
    for (const auto& warning : warnings) logs.say(LogLevel::warning, to_string(warning));
    for (auto& service : services) {
      const auto process = std::make_shared<ProcessService>(runtime.executor(), std::move(service.process));
      commands.add(service, process);
      const auto added = runtime.add(std::move(service.config), std::shared_ptr<Service>{process});
      if (!added) throw std::runtime_error{added.refusal().message};
    }
    logs.begin();
    const auto result = runtime.run_until_shutdown();
    end.exit_status = result.suggested_exit_status();
    logs.say(LogLevel::info, "down, exit status " + std::to_string(end.exit_status));
  }
  logs.finish(kLogPatience);
  end.trouble = logs.unsaid();
  return end;
}

}  // namespace holdfast::up
