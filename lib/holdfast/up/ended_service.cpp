#include <holdfast/up/ended_service.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <exception>
#include <utility>

namespace holdfast::up {

namespace {

constexpr std::size_t kReasonMax = 1000;  // bytes

// The words of systemd's SERVICE_RESULT.
std::string result_of(const Run& run, const ProcessEnd& end, const Exit& exit) {
  if (exit.is_clean()) return "success";
  if (run.missed_a_deadline()) return "timeout";
  if (end.has_dumped) return "core-dump";
  return end.signal != 0 ? "signal" : "exit-code";
}

void add_variables(Process& process, const Run& run, const ProcessEnd& end, const Exit& exit) {
  const char* const signal = end.signal != 0 ? ::sigabbrev_np(end.signal) : nullptr;
  const auto number = std::to_string(end.signal != 0 ? end.signal : end.status);
  auto& variables = process.environment;
  variables.emplace_back("SERVICE_RESULT", result_of(run, end, exit));
  variables.emplace_back("EXIT_CODE", end.signal == 0 ? "exited" : end.has_dumped ? "dumped" : "killed");
  variables.emplace_back("EXIT_STATUS", signal != nullptr ? signal : number);
  std::string reason{exit.error().text().substr(0, kReasonMax)};
  std::replace(reason.begin(), reason.end(), '\0', ' ');
  variables.emplace_back("HOLDFAST_REASON", std::move(reason));
}

}  // namespace

EndedService::EndedService(boost::asio::any_io_executor executor, std::shared_ptr<ProcessService> process,
                           ErrandToRun errand, Process like)
    : executor_(std::move(executor)),
      process_(std::move(process)),
      errand_(std::move(errand)),
      like_(std::move(like)) {}

EndedService::~EndedService() {
  for (const auto& [run, errand] : errands_) errand->give_up();
}

void EndedService::stop(Run run) {
  if (!errands_.contains(run.number())) process_->stop(run);
}

void EndedService::kill(Run run) {
  const auto found = errands_.find(run.number());
  found == errands_.end() ? process_->kill(run) : found->second->kill();
}

void EndedService::on_end(const Run& run, const ProcessEnd& end, Exit exit, std::function<void(Exit)> report) {
  auto process = like_;
  process.command = errand_.command;
  process.ready_by = ReadySocket{};
  process.health.reset();
  try {
    add_variables(process, run, end, exit);
    auto errand = std::make_shared<ErrandProcess>(executor_, std::move(process), errand_.timeout);
    const auto held = std::make_shared<Exit>(exit);
    errands_.emplace(run.number(), errand);
    errand->begin([this, run, held, report](const std::string& trouble) {
      if (!trouble.empty()) run.warn("after_stop: " + trouble);
      errands_.erase(run.number());
      report(std::move(*held));
    });
  } catch (const std::exception& error) {
    errands_.erase(run.number());
    run.warn(std::string{"after_stop: "} + error.what());
    report(std::move(exit));
  }
}

}  // namespace holdfast::up
