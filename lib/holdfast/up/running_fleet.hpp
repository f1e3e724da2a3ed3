// The services of a file that are up: started with the file, and again when it has changed.
//
// A reload makes a plan first (plan.hpp). If the file is wrong, or what it needs is not there, nothing changes.
//
// Thread-safety: on the runtime's executor.
#pragma once

#include <sys/resource.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <holdfast/asio/runtime.hpp>
#include <holdfast/event.hpp>
#include <holdfast/up/commands.hpp>
#include <holdfast/up/ended_service.hpp>
#include <holdfast/up/logs.hpp>
#include <holdfast/up/plan.hpp>
#include <holdfast/up/ready_line.hpp>

namespace holdfast::up {

class RunningFleet final : public EventSink {
 public:
  // `limit` of open files is what the programs get if the file says nothing. `logs` knows the services. All outlive it.
  RunningFleet(std::filesystem::path file, std::vector<std::string> names, FleetToRun read, rlimit limit, Logs& logs);

  // Starts all. Both outlive its last use. Throws std::runtime_error if one is refused.
  void start(Runtime& runtime, Commands& commands);

  // Throws file::BadInput or std::runtime_error; then nothing has changed. `is_dry`: only the plan.
  Plan reload(bool is_dry);

  void on_event(const Event& event) override;

 private:
  void start_one(const ServiceToRun& service);
  void start_later(const std::string& name);
  void begin_the_ended_anew(Plan& plan) const;
  void open_logs(const Plan& plan, const FleetToRun& now);
  void act(const PlanStep& step, const FleetToRun& now);
  void add_group(const GroupConfig& group);
  void restart(const ServiceToRun& service);
  [[nodiscard]] Process process_of(const ServiceToRun& service) const;
  void prepare_ends(const ServiceToRun& service, ProcessService& process, const std::weak_ptr<EndedService>& ended);
  [[nodiscard]] Process beginning_of(const ServiceToRun& service) const;

  const std::filesystem::path file_;
  const std::vector<std::string> names_;
  FleetToRun read_;
  const rlimit limit_;
  Logs& logs_;
  Runtime* runtime_ = nullptr;
  Commands* commands_ = nullptr;
  std::set<std::string, std::less<>> leaving_;                   // removed, and still ending
  std::map<std::string, ServiceToRun, std::less<>> start_then_;  // of these, who comes back
  // Those with an after_stop. The runtime owns them: they have its executor, and this fleet outlives it.
  std::map<std::string, std::weak_ptr<EndedService>, std::less<>> ended_;
};

// Reads a file. Throws file::BadInput.
FleetToRun read_fleet_to_run(const std::filesystem::path& file, const std::vector<std::string>& names,
                             std::vector<file::Complaint>* warnings = nullptr);

}  // namespace holdfast::up
