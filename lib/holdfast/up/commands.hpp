// What requests do: the commands of operators, as the supervisor takes them.
//
//     status    the whole fleet, as FleetSnapshot has it, with who holds it
//     start     those that have terminated, whatever the reason
//     stop      for good, until somebody starts them
//     restart   a new run; one that has terminated starts, too
//     reset     what was counted against them: attempts and the breaker
//     down      the drain of the whole fleet
//
// A name is that of a service or of a group.
//
// Thread-safety: on the runtime's executor.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <holdfast/asio/runtime.hpp>
#include <holdfast/up/control_server.hpp>
#include <holdfast/up/request.hpp>
#include <holdfast/up/services.hpp>

namespace holdfast::up {

class Commands {
 public:
  // `runtime` outlives it.
  Commands(Runtime& runtime, std::string fleet, const std::filesystem::path& file,
           const std::vector<ServiceToRun>& services);

  void act(const Request& request, const ControlServer::Answer& answer);

 private:
  struct Known {
    std::string service;
    std::string group;
  };
  void show_status(const ControlServer::Answer& answer);
  // The services of these names. A name that is none is in `unknown`.
  [[nodiscard]] std::vector<std::string> meant(const std::vector<std::string>& names, std::string& unknown) const;
  [[nodiscard]] std::string known_names() const;
  // Returns what is wrong; empty: nothing.
  std::string command(const std::string& what, const std::string& service, bool& changed);

  Runtime& runtime_;
  std::string head_;
  std::vector<Known> known_;
};

}  // namespace holdfast::up
