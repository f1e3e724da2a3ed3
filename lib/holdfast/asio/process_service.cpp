#include <holdfast/asio/process_service.hpp>

#include <utility>

#include <holdfast/asio/detail/child_process.hpp>
#include <holdfast/asio/detail/launch.hpp>

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

}  // namespace

std::vector<Problem> problems(const Process& process) {
  std::vector<Problem> found;
  check_command(found, process);
  check_environment(found, process);
  check_text(found, "folder", process.folder);
  if (process.output_kept_max > kOutputKeptMax) {
    complain(found, "output_kept_max",
             "is " + std::to_string(process.output_kept_max) + "; allowed is 0 to " + std::to_string(kOutputKeptMax));
  }
  return found;
}

ProcessService::ProcessService(boost::asio::any_io_executor executor, Process process)
    : executor_(std::move(executor)), process_(std::move(process)) {
  if (auto found = problems(process_); !found.empty()) throw ConfigError{std::move(found)};
}

ProcessService::~ProcessService() {
  if (child_) child_->put_an_end();
}

void ProcessService::start(Run run) {
  if (child_) child_->put_an_end();  // abandoned in an earlier life of this service
  auto launched = detail::launch(process_);
  child_ = std::make_shared<detail::ChildProcess>(executor_, std::move(launched), process_, [this, run](Exit exit) {
    child_.reset();
    run.end(std::move(exit));
  });
  child_->watch();
}

void ProcessService::stop(Run) {
  if (child_) child_->ask_to_stop();
}

void ProcessService::kill(Run) {
  if (child_) child_->kill();
}

}  // namespace holdfast
