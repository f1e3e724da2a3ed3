#include <holdfast/up/up.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <boost/asio/signal_set.hpp>
#include <holdfast/asio/runtime.hpp>
#include <holdfast/file/fleet.hpp>
#include <holdfast/file/program_keys.hpp>
#include <holdfast/up/commands.hpp>
#include <holdfast/up/control_path.hpp>
#include <holdfast/up/control_server.hpp>
#include <holdfast/up/event_feed.hpp>
#include <holdfast/up/logs.hpp>
#include <holdfast/up/recordings.hpp>
#include <holdfast/up/running_fleet.hpp>
#include <holdfast/up/service_manager.hpp>
#include <holdfast/up/services.hpp>
#include <holdfast/up/spare_memory.hpp>
#include <holdfast/up/waits.hpp>

namespace holdfast::up {

namespace {

constexpr std::chrono::seconds kLogPatience{2};  // for the last lines, when the output stands still

// Raises this program's own limit of open files as far as it goes, and returns what it was. The programs keep that.
rlimit prepare_descriptors(std::size_t services) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {RLIM_INFINITY, RLIM_INFINITY};
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) != 0) return limit;
  const auto trouble = trouble_with_descriptors(services, limit.rlim_max);
  if (!trouble.empty()) throw std::runtime_error{trouble};
  return limit;
}

std::vector<Logs::Source> sources_of(const std::vector<ServiceToRun>& services) {
  std::vector<Logs::Source> sources;
  sources.reserve(services.size());
  for (const auto& service : services) sources.push_back({service.config.name, service.log});
  return sources;
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

// A terminal that goes away asks for the end. Elsewhere the signal asks for a reload: the runtime leaves it alone then.
void prepare_signals(bool on_terminal) {
  if (!on_terminal) std::signal(SIGHUP, SIG_IGN);
}

// SIGHUP reads the file again.
class Hangups {
 public:
  Hangups(const boost::asio::any_io_executor& executor, RunningFleet& fleet, Logs& logs)
      : signals_(executor, SIGHUP), fleet_(fleet), logs_(logs) {
    await();
  }

 private:
  void await() {
    signals_.async_wait([this](boost::system::error_code error, int) {
      if (error) return;
      reload();
      await();
    });
  }

  void reload() {
    try {
      const auto plan = fleet_.reload(false);
      for (const auto& line : lines_of(plan)) logs_.say(LogLevel::info, "reload: " + line);
    } catch (const std::exception& error) {
      for (std::string_view says = error.what(); !says.empty();) {
        const auto end = std::min(says.find('\n'), says.size());
        logs_.say(LogLevel::error, "reload: nothing has changed: " + std::string{says.substr(0, end)});
        says.remove_prefix(std::min(end + 1, says.size()));
      }
    }
  }

  boost::asio::signal_set signals_;
  RunningFleet& fleet_;
  Logs& logs_;
};

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
  ServiceManager manager;
  std::vector<file::Complaint> warnings;
  auto read = read_fleet_to_run(options.file, options.names, &warnings);
  const auto fleet = read.fleet;
  const auto services = read.services.size();
  const ControlLock lock{control_path(fleet, options.file)};
  const auto limit = prepare_descriptors(services);
  Logs logs{options.output, options.format, sources_of(read.services)};
  auto recording = recording_of(fleet, options.file);
  Waits waits;
  EventFeed events;
  SpareMemory memory;
  RunningFleet running{options.file, options.names, std::move(read), limit, logs};
  prepare_signals(options.on_terminal);

  UpEnd end;
  {
    Runtime runtime{{.supervisor = fleet.supervisor,
                     .sinks = {&logs, &waits, &events, &running, &manager, &memory},
                     .endpoint = endpoint_of(fleet.production),
                     .recording = recording ? &recording->stream() : nullptr,
                     // So it can tell who goes into the background.
                     .orphans = Orphans::adopted,
                     .takes_sigchld = true}};
    Commands commands{{runtime, waits, logs, events}, fleet.name, options.file};
    commands.on_reload([&running](bool is_dry) { return running.reload(is_dry); });
    const ControlServer server{runtime.executor(), lock.socket(),
                               [&](const Request& request, const std::shared_ptr<Conversation>& client) {
                                 memory.stir();
                                 commands.act(request, client);
                               }};
    std::optional<Hangups> hangups;
    if (!options.on_terminal) hangups.emplace(runtime.executor(), running, logs);
    logs.say(LogLevel::info, greeting(options, services, lock, recording, runtime.endpoint_port()));
    for (const auto& warning : warnings) logs.say(LogLevel::warning, to_string(warning));
    running.start(runtime, commands);
    logs.begin();
    manager.is_up();
    const Pulse pulse{runtime.executor(), manager};
    const SpareMemory::Watch watch{memory, runtime.executor()};
    const auto result = runtime.run_until_shutdown();
    end.exit_status = result.suggested_exit_status();
    logs.say(LogLevel::info, "down, exit status " + std::to_string(end.exit_status));
  }
  prepare_signals(options.on_terminal);  // the handler is gone
  logs.finish(kLogPatience);
  end.trouble = logs.unsaid();
  return end;
}

}  // namespace holdfast::up
