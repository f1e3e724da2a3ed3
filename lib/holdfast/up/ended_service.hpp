// A process with a command that runs after each of its ends: `after_stop`.
//
// The run is not over until the command is: the next start waits for it, and so does a drain. A kill of the run is a
// kill of the command then.
//
// Thread-safety: none; on the executor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/asio/process_service.hpp>
#include <holdfast/service.hpp>
#include <holdfast/up/begin.hpp>
#include <holdfast/up/errand.hpp>

namespace holdfast::up {

class EndedService final : public Service {
 public:
  // `like`: the process whose user, folder, environment, limits and output the command gets.
  EndedService(boost::asio::any_io_executor executor, std::shared_ptr<ProcessService> process, ErrandToRun errand,
               Process like);
  ~EndedService();
  EndedService(const EndedService&) = delete;
  EndedService& operator=(const EndedService&) = delete;

  // From the next end on.
  void use(Process like) { like_ = std::move(like); }

  // Of a run of the process: begins the command, and reports the exit when that has ended.
  void on_end(const Run& run, const ProcessEnd& end, Exit exit, std::function<void(Exit)> report);

  void start(Run run) override { process_->start(run); }
  void stop(Run run) override;
  [[nodiscard]] bool can_be_killed() const noexcept override { return true; }
  void kill(Run run) override;
  [[nodiscard]] bool runs_side_by_side() const noexcept override { return true; }

 private:
  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<ProcessService> process_;
  const ErrandToRun errand_;
  Process like_;
  std::map<RunNumber, std::shared_ptr<ErrandProcess>> errands_;  // of runs that have ended
};

}  // namespace holdfast::up
