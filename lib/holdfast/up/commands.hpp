// What requests do: the commands of operators, as the supervisor takes them.
//
//     status    the whole fleet, as FleetSnapshot has it, with who holds it
//     start     those that have terminated, whatever the reason
//     stop      for good, until somebody starts them
//     restart   a new run; one that has terminated starts, too
//     reset     what was counted against them: attempts and the breaker
//     signal    a signal to their processes
//     logs      the last lines of their programs, and those that come
//     events    the same of what the supervisor reports
//     reload    the file again: what has changed in it
//     down      the drain of the whole fleet
//
// A name is that of a service or of a group. With `wait`, the answer to start, restart and stop has a second line, once
// each service has come to something (waits.hpp).
//
// Thread-safety: on the runtime's executor.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/asio/runtime.hpp>
#include <holdfast/up/control_server.hpp>
#include <holdfast/up/event_feed.hpp>
#include <holdfast/up/logs.hpp>
#include <holdfast/up/plan.hpp>
#include <holdfast/up/request.hpp>
#include <holdfast/up/services.hpp>
#include <holdfast/up/waits.hpp>

namespace holdfast::up {

// What commands are about. Everything outlives them.
struct FleetParts {
  Runtime& runtime;
  Waits& waits;
  Logs& logs;
  EventFeed& events;
};

class Commands {
 public:
  Commands(const FleetParts& parts, std::string fleet, const std::filesystem::path& file);

  // Reads the file again, and throws if it is wrong. `is_dry`: the plan alone.
  using Reload = std::function<Plan(bool is_dry)>;
  void on_reload(Reload reload) { reload_ = std::move(reload); }

  // A service that was added to the runtime.
  void add(const ServiceToRun& service, std::shared_ptr<ProcessService> process);
  void forget(std::string_view service);
  // REQUIRES: it was added.
  [[nodiscard]] const std::shared_ptr<ProcessService>& process_of(std::string_view service) const;

  void act(const Request& request, const std::shared_ptr<Conversation>& client);

 private:
  struct Known {
    std::string service{};
    std::string group{};
    std::shared_ptr<ProcessService> process{};
    bool is_silent = false;  // its lines go nowhere
  };
  using Chosen = std::vector<const Known*>;

  void show_status(const std::shared_ptr<Conversation>& client);
  // What every answer has, and more: `add_more` adds keys to `answer`, or values to the text behind a key.
  [[nodiscard]] std::string answer(const std::function<void(Answer& answer, std::string& text)>& add_more) const;
  void add_troubles_of_probes(const FleetSnapshot& fleet, std::string& text) const;
  void command(const Request& request, const Chosen& services, const std::shared_ptr<Conversation>& client);
  void send_signal(const Request& request, const Chosen& services, const std::shared_ptr<Conversation>& client);
  void reload(const Request& request, const std::shared_ptr<Conversation>& client);
  void follow(const Request& request, const std::shared_ptr<Conversation>& client);
  // The services of these names. A name that is none is in `unknown`.
  [[nodiscard]] Chosen meant(const std::vector<std::string>& names, std::string& unknown) const;
  [[nodiscard]] std::string known_names() const;
  // Returns what is wrong; empty: nothing.
  std::string give(const std::string& what, const std::string& service, bool& changed);
  [[nodiscard]] Awaited awaited(const std::string& what, const std::string& service, bool changed) const;

  Runtime& runtime_;
  Waits& waits_;
  Logs& logs_;
  EventFeed& events_;
  const std::string fleet_;
  const std::string file_;
  std::vector<Known> known_;
  Reload reload_;
};

}  // namespace holdfast::up
