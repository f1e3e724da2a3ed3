#include <holdfast/up/running_fleet.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <variant>

#include <boost/asio/post.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/up/log_file.hpp>

namespace holdfast::up {

namespace {

const ServiceToRun& service_in(const FleetToRun& fleet, const std::string& name) {
  return *std::find_if(fleet.services.begin(), fleet.services.end(),
                       [&name](const ServiceToRun& service) { return service.config.name == name; });
}

}  // namespace

FleetToRun read_fleet_to_run(const std::filesystem::path& file, const std::vector<std::string>& names,
                             std::vector<file::Complaint>* warnings) {
  FleetToRun read;
  read.fleet = file::read_fleet(file, warnings);
  read.services = services_of(read.fleet, file, names);
  return read;
}

RunningFleet::RunningFleet(std::filesystem::path file, std::vector<std::string> names, FleetToRun read, rlimit limit,
                           Logs& logs)
    : file_(std::move(file)), names_(std::move(names)), read_(std::move(read)), limit_(limit), logs_(logs) {}

void RunningFleet::start(Runtime& runtime, Commands& commands) {
  runtime_ = &runtime;
  commands_ = &commands;
  for (const auto& group : read_.fleet.groups) add_group(group);
  for (const auto& service : read_.services) start_one(service);
}

Process RunningFleet::process_of(const ServiceToRun& service) const {
  auto process = service.process;
  keep_open_files_limit(process, limit_.rlim_cur, limit_.rlim_max);
  const auto [output, error] = logs_.descriptors(service.config.name);
  if (output < 0) {
    process.output_file = "/dev/null";
  } else {
    process.output_descriptor = output;
    process.error_descriptor = error;
  }
  return process;
}

Process RunningFleet::beginning_of(const ServiceToRun& service) const {
  auto process = process_of(service);
  const bool gives_signs = service.config.policy.watchdog && !process.health;
  if (service.before_start) begin_with(process, *service.before_start, service.begin_says, gives_signs);
  return process;
}

void RunningFleet::start_one(const ServiceToRun& service) {
  logs_.add({service.config.name, service.log});
  const auto process = std::make_shared<ProcessService>(runtime_->executor(), beginning_of(service));
  commands_->add(service, process);
  std::shared_ptr<Service> whole = process;
  std::shared_ptr<EndedService> ended;
  if (service.after_stop) {
    ended = std::make_shared<EndedService>(runtime_->executor(), process, *service.after_stop, process_of(service));
    ended_.insert_or_assign(service.config.name, ended);
    whole = ended;
  }
  prepare_ends(service, *process, ended);
  const auto added = runtime_->add(service.config, whole);
  if (!added) throw std::runtime_error{added.refusal().message};
}

// Those that are there stay as they are.
void RunningFleet::add_group(const GroupConfig& group) {
  const auto added = runtime_->supervisor().add_group(group);
  if (!added && added.refusal().reason != Refusal::Reason::name_taken) {
    throw std::runtime_error{added.refusal().message};
  }
}

// What comes between the end of a process and the end of its run.
void RunningFleet::prepare_ends(const ServiceToRun& service, ProcessService& process,
                                const std::weak_ptr<EndedService>& ended) {
  const HoldEnd after_stop = [ended](const Run& run, const ProcessEnd& end, Exit exit,
                                     const std::function<void(Exit)>& report) {
    const auto whole = ended.lock();
    whole ? whole->on_end(run, end, std::move(exit), report) : report(std::move(exit));
  };
  if (!std::holds_alternative<ReadyLine>(service.process.ready_by)) {
    process.hold_ends_with(service.after_stop ? after_stop : HoldEnd{});
    return;
  }
  const auto line = std::make_shared<ReadyLineWatch>(runtime_->executor(), logs_, service.config.name);
  process.find_lines_with(
      [line](const std::string& text, std::function<void()> found) { return line->find(text, std::move(found)); });
  process.hold_ends_with([line, after_stop, runtime = runtime_, name = service.config.name](
                             const Run& run, const ProcessEnd& end, Exit exit, std::function<void(Exit)> report) {
    const auto state = runtime->supervisor().snapshot(name);
    if (!state || state->phase != Phase::starting) return after_stop(run, end, std::move(exit), std::move(report));
    line->settle([=](bool was_found) {
      if (was_found) run.ready();
      after_stop(run, end, exit, report);
    });
  });
}

Plan RunningFleet::reload(bool is_dry) {
  auto now = read_fleet_to_run(file_, names_);
  if (now.fleet.name != read_.fleet.name) {
    throw file::BadInput(placed({{file_.generic_string(), 0, 0, "name",
                                  "is " + file::in_quotes(now.fleet.name) + ", and was " +
                                      file::in_quotes(read_.fleet.name) + "; a fleet that is up keeps its name"}},
                                file_));
  }
  const auto trouble = trouble_with_descriptors(now.services.size(), limit_.rlim_max);
  if (!trouble.empty()) throw std::runtime_error{trouble};
  auto plan = plan_of(read_, now);
  begin_the_ended_anew(plan);
  if (is_dry) return plan;
  open_logs(plan, now);
  for (const auto& group : now.fleet.groups) add_group(group);
  for (const auto& step : plan.steps) act(step, now);
  // What is put off stays to be said.
  now.fleet.supervisor = read_.fleet.supervisor;
  now.fleet.production = read_.fleet.production;
  keep_groups(read_.fleet, now.fleet);
  read_ = std::move(now);
  return plan;
}

// One that has terminated keeps its policy, and of one that was forgotten nothing is there.
void RunningFleet::begin_the_ended_anew(Plan& plan) const {
  for (auto& step : plan.steps) {
    if (step.what == PlanStep::What::add || leaving_.contains(step.service)) continue;
    const auto state = runtime_->supervisor().snapshot(step.service);
    if (!state) {
      step.gone = true;
      if (step.what != PlanStep::What::remove) step.what = PlanStep::What::add;
    } else if (step.other_policy && state->phase == Phase::terminated) {
      step.what = PlanStep::What::replace;
    }
  }
  std::erase_if(plan.steps, [](const PlanStep& step) { return step.gone && step.what == PlanStep::What::remove; });
}

// First, because this alone may fail.
void RunningFleet::open_logs(const Plan& plan, const FleetToRun& now) {
  std::vector<std::string> opened;
  try {
    for (const auto& step : plan.steps) {
      if (step.what == PlanStep::What::remove) continue;
      const auto& log = service_in(now, step.service).log;
      if (step.what == PlanStep::What::add && !leaving_.contains(step.service)) {
        logs_.add({step.service, log});
        opened.push_back(step.service);
      } else if (log.target() == file::LogTo::file) {
        const LogFile probe{log.path, log.max_bytes.bytes, log.keep};
      }
    }
  } catch (...) {
    for (const auto& name : opened) logs_.retire(name);
    throw;
  }
}

void RunningFleet::act(const PlanStep& step, const FleetToRun& now) {
  auto& supervisor = runtime_->supervisor();
  const auto leave = [&] {
    leaving_.insert(step.service);
    static_cast<void>(supervisor.remove(step.service));
  };
  if (step.what == PlanStep::What::remove) {
    start_then_.erase(step.service);
    return leave();
  }
  const auto& service = service_in(now, step.service);
  if (leaving_.contains(step.service) || step.what == PlanStep::What::replace) {
    start_then_.insert_or_assign(step.service, service);
    if (step.what == PlanStep::What::replace) leave();
    return;
  }
  if (step.what == PlanStep::What::add) return start_one(service);
  if (step.other_policy) static_cast<void>(supervisor.reconfigure(step.service, service.config.policy));
  if (step.what == PlanStep::What::restart) restart(service);
}

// One that somebody has stopped stays so, and has its new program when it is started.
void RunningFleet::restart(const ServiceToRun& service) {
  const auto& name = service.config.name;
  const auto& process = commands_->process_of(name);
  process->use(beginning_of(service));
  const auto found = ended_.find(name);
  const auto ended = found == ended_.end() ? nullptr : found->second.lock();
  if (ended) ended->use(process_of(service));
  prepare_ends(service, *process, ended);
  const auto state = runtime_->supervisor().snapshot(name);
  const bool was_stopped = state && state->termination && state->termination->reason == Termination::Reason::cancelled;
  if (!was_stopped) static_cast<void>(runtime_->supervisor().restart(name));
}

void RunningFleet::on_event(const Event& event) {
  if (!std::holds_alternative<event::Removed>(event.what) || commands_ == nullptr) return;
  const std::string name{event.name};
  const bool is_forgotten = !runtime_->supervisor().id(name);
  if (leaving_.erase(name) == 0 && !is_forgotten) return;  // it was started again in its place
  logs_.retire(name);
  commands_->forget(name);
  ended_.erase(name);
  if (start_then_.contains(name)) boost::asio::post(runtime_->executor(), [this, name] { start_later(name); });
}

void RunningFleet::start_later(const std::string& name) {
  const auto found = start_then_.find(name);
  if (found == start_then_.end() || runtime_->supervisor().is_shutting_down()) return;
  const auto service = std::move(found->second);
  start_then_.erase(found);
  // Those that it is after come first, if they have left as well.
  for (const auto& before : service.config.policy.order.after.names()) {
    if (!leaving_.contains(before)) start_later(before);
  }
  try {
    start_one(service);
  } catch (const std::exception& error) {
    logs_.say(LogLevel::error, "cannot start " + name + " again: " + error.what());
  }
}

}  // namespace holdfast::up
