#include <holdfast/up/check.hpp>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <holdfast/file/fleet.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/program_keys.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast/file/toml_document.hpp>
#include <holdfast/up/control_path.hpp>
#include <holdfast/up/rights.hpp>
#include <holdfast/up/services.hpp>

namespace holdfast::up {

namespace {

namespace fs = std::filesystem;
using Severity = Finding::Severity;

class Checker {
 public:
  Checker(const fs::path& file, const file::FleetFile& fleet)
      : file_(file),
        fleet_(fleet),
        document_(file::parse_toml(file::read_small_file(file, file::kFleetFileSizeMax).text, file.generic_string())) {}

  void check_supervisor() {
    const auto& production = fleet_.production;
    const auto socket = control_path(fleet_, file_);
    check_socket(socket);
    if (production.recording) {
      find_trouble(Severity::error, "supervisor.recording.folder", "",
                   trouble_with_writing_in(beside(file_, production.recording->folder)));
    }
    if (!production.endpoint.empty() && holder_of(socket).empty()) check_endpoint(production.endpoint);
    if (longer_than_shutdown(fleet_.supervisor.stop_grace)) {
      find(Severity::warning, "supervisor.stop_grace", "", grace_text(*fleet_.supervisor.stop_grace));
    }
  }

  void check_services() {
    std::vector<file::Complaint> complaints;
    const auto services = services_of(fleet_, file_, {}, complaints);
    for (const auto& complaint : complaints) find(Severity::error, complaint.key, "", complaint.says);
    check_descriptors(services.size());
    for (const auto& service : services) check_service(service);
    count_ = services.size();
  }

  void take_warnings(std::vector<file::Complaint> warnings) {
    for (auto& warning : warnings) findings_.push_back({Severity::warning, std::move(warning), {}});
  }

  Checked take() && {
    std::stable_sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) {
      return std::pair{a.complaint.line, a.complaint.column} < std::pair{b.complaint.line, b.complaint.column};
    });
    return {fleet_.name, count_, std::move(findings_)};
  }

 private:
  // The same of several services is one finding.
  void find(Severity severity, const std::string& key, const std::string& service, std::string says) {
    for (auto& finding : findings_) {
      if (finding.complaint.key != key || finding.complaint.says != says) continue;
      if (!service.empty()) finding.services.push_back(service);
      return;
    }
    const auto at = document_.position_of(key);
    Finding made{severity, {file_.generic_string(), at.line, at.column, key, std::move(says)}, {}};
    if (!service.empty()) made.services.push_back(service);
    findings_.push_back(std::move(made));
  }
  void find_trouble(Severity severity, const std::string& key, const std::string& service, std::string trouble) {
    if (!trouble.empty()) find(severity, key, service, std::move(trouble));
  }

  void check_socket(const fs::path& socket) {
    const std::string key = fleet_.production.control.empty() ? "name" : "supervisor.control";
    const auto says = "the control socket is " + file::in_quotes(socket.string());
    constexpr std::size_t kPathMax = sizeof(sockaddr_un::sun_path) - 1;
    if (socket.native().size() > kPathMax) {
      find(Severity::error, key, "",
           says + ", which has " + std::to_string(socket.native().size()) + " bytes; allowed are " +
               std::to_string(kPathMax) + " (supervisor.control)");
    }
    struct stat state {};
    if (::lstat(socket.c_str(), &state) == 0 && !S_ISSOCK(state.st_mode)) {
      find(Severity::error, key, "", says + ", where a file of another kind is; remove it");
    }
    if (const auto trouble = trouble_with_writing_in(socket.parent_path()); !trouble.empty()) {
      find(Severity::error, key, "", says + ", but " + trouble);
    }
  }

  void check_endpoint(const std::string& endpoint) {
    const auto parts = file::parse_endpoint(endpoint);
    if (!parts) return;
    namespace net = boost::asio;
    net::io_context io;
    net::ip::tcp::acceptor acceptor{io};
    boost::system::error_code error;
    const auto address = net::ip::make_address(parts->address, error);
    const net::ip::tcp::endpoint where{address, parts->port};
    if (!error) acceptor.open(where.protocol(), error);
    if (!error) acceptor.set_option(net::socket_base::reuse_address{true}, error);
    if (!error) acceptor.bind(where, error);
    if (!error) acceptor.listen(1, error);
    if (error) {
      find(Severity::error, "supervisor.endpoint", "",
           "cannot listen on " + endpoint + ": " + error.message() +
               "; required is an address of this machine and a free port");
    }
  }

  void check_descriptors(std::size_t services) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    find_trouble(Severity::error, "fleet", "", trouble_with_descriptors(services, limit.rlim_max));
  }

  void check_service(const ServiceToRun& service) {
    const auto& name = service.config.name;
    const auto& process = service.process;
    const auto key = "fleet[" + std::to_string(service.group_index) + ']';
    std::vector<Problem> ignored;
    const auto identity = holdfast::detail::identity_of(process.user, process.group, ignored);
    if (identity.user && ::geteuid() != 0 && *identity.user != ::geteuid()) {
      find(Severity::error, key + ".user", name,
           "is " + file::in_quotes(process.user) + "; only root may run processes as another user");
    }
    if (check_folder(service, key)) {
      const RightsOf rights{identity};
      find_trouble(Severity::error, key + ".command", name, trouble_with_program(process));
      const auto* const ready = std::get_if<ReadyProbe>(&process.ready_by);
      if (ready != nullptr) check_probe(ready->probe, key + ".ready.exec", service);
      if (process.health) check_probe(process.health->probe, key + ".health.exec", service);
      check_errand(service.before_start, key + ".before_start", service);
      check_errand(service.after_stop, key + ".after_stop", service);
    }
    if (service.log.target() == file::LogTo::file) check_log(service, key);
    if (::geteuid() != 0) check_limits(service, key);
    const auto grace = service.config.policy.stop_grace;
    if (longer_than_shutdown(grace)) find(Severity::warning, key + ".stop_grace", name, grace_text(*grace));
  }

  void check_probe(const Probe& probe, const std::string& key, const ServiceToRun& service) {
    if (const auto* const exec = std::get_if<ExecProbe>(&probe)) check_command(exec->command, key, service);
  }
  void check_errand(const std::optional<ErrandToRun>& errand, const std::string& key, const ServiceToRun& service) {
    if (errand) check_command(errand->command, key, service);
  }
  // Found as the service's own.
  void check_command(const std::vector<std::string>& command, const std::string& key, const ServiceToRun& service) {
    auto process = service.process;
    process.command = command;
    find_trouble(Severity::error, key, service.config.name, trouble_with_program(process));
  }

  bool check_folder(const ServiceToRun& service, const std::string& key) {
    const auto& folder = service.process.folder;
    std::error_code error;
    std::string trouble;
    if (!fs::exists(folder, error)) {
      trouble = file::in_quotes(folder) + " does not exist; required is a folder";
    } else if (!fs::is_directory(folder, error)) {
      trouble = file::in_quotes(folder) + " is no folder; required is one";
    } else if (!may_access(folder, X_OK)) {
      trouble = file::in_quotes(folder) + " may not be entered by holdfast; required is a folder that may";
    }
    const bool works = trouble.empty();
    find_trouble(Severity::error, key + ".folder", service.config.name, std::move(trouble));
    return works;
  }

  void check_log(const ServiceToRun& service, const std::string& key) {
    const fs::path path = service.log.path;
    std::error_code error;
    auto trouble = trouble_with_writing_in(path.parent_path());
    if (trouble.empty() && fs::exists(path, error) && (fs::is_directory(path, error) || !may_access(path, W_OK))) {
      trouble = file::in_quotes(path.string()) + " cannot be written; required is a file that holdfast may write";
    }
    find_trouble(Severity::error, key + ".log.path", service.config.name, std::move(trouble));
  }

  void check_limits(const ServiceToRun& service, const std::string& key) {
    for (const auto& limit : service.process.limits) {
      rlimit now{};
      if (::getrlimit(static_cast<__rlimit_resource_t>(limit.resource), &now) != 0 || limit.hard <= now.rlim_max)
        continue;
      find(Severity::error, key + ".limits", service.config.name,
           "wants " + (limit.hard == kNoLimit ? std::string{"unlimited"} : std::to_string(limit.hard)) +
               ", above the hard limit, which is " + std::to_string(now.rlim_max) + "; only root may raise it");
    }
  }

  [[nodiscard]] bool longer_than_shutdown(const std::optional<Duration>& grace) const {
    return grace && *grace > fleet_.supervisor.shutdown_timeout;
  }
  [[nodiscard]] std::string grace_text(Duration grace) const {
    return "is " + holdfast::to_string(grace) + ", longer than shutdown_timeout, which is " +
           holdfast::to_string(fleet_.supervisor.shutdown_timeout) + ": a shutdown kills it by then";
  }

  const fs::path& file_;
  const file::FleetFile& fleet_;
  const file::TomlValue document_;
  std::vector<Finding> findings_;
  std::size_t count_ = 0;
};

}  // namespace

Checked check(const fs::path& file) {
  std::vector<file::Complaint> warnings;
  const auto fleet = file::read_fleet(file, &warnings);
  Checker checker{file, fleet};
  checker.take_warnings(std::move(warnings));
  checker.check_supervisor();
  checker.check_services();
  return std::move(checker).take();
}

std::string to_string(const Finding& finding) {
  constexpr std::size_t kNamed = 3;
  auto text = file::to_string(finding.complaint);
  if (finding.services.empty()) return text;
  const std::vector<std::string_view> names{finding.services.begin(), finding.services.end()};
  return text + (names.size() == 1 ? " (service " : " (services ") + file::listed(names, kNamed) + ')';
}

}  // namespace holdfast::up
