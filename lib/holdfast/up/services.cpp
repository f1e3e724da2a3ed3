#include <holdfast/up/services.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <set>
#include <type_traits>
#include <utility>
#include <variant>

#include <holdfast/file/message_text.hpp>
#include <holdfast/file/order.hpp>
#include <holdfast/file/placeholders.hpp>
#include <holdfast/file/probe_text.hpp>
#include <holdfast/file/service_names.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast/file/toml_document.hpp>
#include <holdfast/up/environment_file.hpp>

namespace holdfast::up {

namespace {

namespace fs = std::filesystem;
using Found = std::vector<file::Complaint>;

constexpr std::size_t kFoundMax = 100;
constexpr std::uint64_t kDescriptorsOfService = 7;  // two pipes, the process, a socket to say ready, one to spare
constexpr std::uint64_t kDescriptorsOfRest = 128 + 3 * kProbesAtOnce;  // a command takes three

template <class Limit>
void add_limit(std::vector<ProcessLimit>& limits, int resource, const std::optional<Limit>& limit) {
  if (!limit) return;
  const auto most = limit->most.value_or(kNoLimit);
  limits.push_back({resource, most, most});
}

std::vector<ProcessLimit> limits_of(const file::ProgramLimits& limits) {
  std::vector<ProcessLimit> made;
  add_limit(made, RLIMIT_NOFILE, limits.open_files);
  add_limit(made, RLIMIT_NPROC, limits.processes);
  add_limit(made, RLIMIT_AS, limits.memory);
  add_limit(made, RLIMIT_MEMLOCK, limits.locked_memory);
  add_limit(made, RLIMIT_STACK, limits.stack);
  add_limit(made, RLIMIT_FSIZE, limits.file_size);
  add_limit(made, RLIMIT_CORE, limits.core);
  return made;
}

// Makes the processes of one group.
class Maker {
 public:
  Maker(const file::ServiceGroup& group, const fs::path& file, std::string key, Found& complaints)
      : group_(group), program_(group.program), file_(file), key_(std::move(key)), complaints_(complaints) {}

  ServiceToRun make(std::uint32_t index) {
    name_ = group_.service_name(index);
    index_ = index;
    ServiceToRun made{.config = {name_, group_.policy}, .group = group_.name};
    Process& process = made.process;
    for (const auto& word : program_.command) process.command.push_back(filled(word));
    read_environment(process.environment);
    process.folder = beside(file_, filled(program_.folder)).string();
    process.user = program_.user;
    process.group = program_.group;
    if (program_.umask) process.umask = program_.umask->bits;
    process.limits = limits_of(program_.limits);
    process.stop_signal = program_.stop_signal.number;
    process.stop_to = program_.stop_to == file::StopsFirst::group ? StopTo::group : StopTo::process;
    if (program_.ready) process.ready_by = ready_by(*program_.ready);
    if (program_.health) {
      const auto probe = std::visit([this](const auto& by) { return probe_of(by); }, program_.health->by);
      process.health = HealthProbe{probe, program_.health->times()};
    }
    made.before_start = errand_of(program_.before_start);
    made.after_stop = errand_of(program_.after_stop);
    // A service that is ready at once is so when its program is.
    if (made.before_start && made.config.policy.ready == Ready::at_once) {
      made.config.policy.ready = Ready::notified;
      made.begin_says = BeginSays::ready;
    }
    made.log = program_.log;
    if (!made.log.path.empty()) made.log.path = beside(file_, filled(made.log.path)).string();
    for (const auto& problem : problems(process)) complain(problem.field, problem.says);
    return made;
  }

 private:
  [[nodiscard]] std::string filled(const std::string& text) const { return file::filled_in(text, name_, index_); }

  // The texts were compared with the format, filled in as here (fleet_checks.hpp).
  [[nodiscard]] Probe probe_of(const file::AskedPort& port) const {
    const auto at = file::parse_probe_port(filled(port.at)).value_or(file::ProbePort{});
    return TcpProbe{at.address, at.port};
  }
  [[nodiscard]] Probe probe_of(const file::AskedPage& page) const {
    const auto url = file::parse_probe_url(filled(page.url)).value_or(file::ProbeUrl{});
    return HttpProbe{url.at.address, url.at.port, url.target, url.host};
  }
  [[nodiscard]] Probe probe_of(const file::AskingCommand& command) const {
    ExecProbe probe;
    for (const auto& word : command.words) probe.command.push_back(filled(word));
    return probe;
  }

  [[nodiscard]] ReadyBy ready_by(const file::ReadyWhen& when) const {
    const ReadyTimes times{when.every, when.timeout};
    return std::visit(
        [&](const auto& by) -> ReadyBy {
          using By = std::decay_t<decltype(by)>;
          if constexpr (std::is_same_v<By, file::OutputText>) {
            return ReadyLine{filled(by.text)};
          } else if constexpr (std::is_same_v<By, file::OwnDescriptor>) {
            return ReadyDescriptor{static_cast<int>(by.number)};
          } else {
            return ReadyProbe{probe_of(by), times};
          }
        },
        when.by);
  }

  [[nodiscard]] std::optional<ErrandToRun> errand_of(const std::optional<file::Errand>& errand) const {
    if (!errand) return std::nullopt;
    ErrandToRun made{.timeout = errand->timeout};
    for (const auto& word : errand->words) made.command.push_back(filled(word));
    return made;
  }

  void complain(const std::string& key, const std::string& says) {
    complaints_.push_back(
        {file_.generic_string(), 0, 0, key_ + '.' + key, says + " (service " + file::in_quotes(name_) + ")"});
  }

  void read_environment(std::vector<std::pair<std::string, std::string>>& environment) {
    for (std::size_t i = 0; i < program_.environment_files.size(); ++i) {
      auto path = filled(program_.environment_files[i]);
      const bool may_be_missing = path.starts_with('-');
      if (may_be_missing) path.erase(0, 1);
      const auto read = read_environment_file(beside(file_, path), may_be_missing);
      if (!read.problem.empty()) complain("environment_files[" + std::to_string(i) + ']', read.problem);
      environment.insert(environment.end(), read.variables.begin(), read.variables.end());
    }
    for (const auto& [name, value] : program_.environment) environment.emplace_back(name, filled(value));
  }

  const file::ServiceGroup& group_;
  const file::Program& program_;
  const fs::path& file_;
  const std::string key_;
  Found& complaints_;
  std::string name_;
  std::uint32_t index_ = 0;
};

// Which services were asked for.
class Choice {
 public:
  Choice(const file::FleetFile& fleet, const fs::path& file, const std::vector<std::string>& names, Found& complaints)
      : chosen_(names.begin(), names.end()) {
    file::ServiceNames known;
    for (const auto& group : fleet.fleet) known.add(group.name, group.count);
    for (const auto& name : names) {
      if (!known.has_group(name) && !known.has_service(name)) {
        complaints.push_back({file.generic_string(), 0, 0, "",
                              "there is no service " + file::in_quotes(name) + "; " + known.suggestion(name)});
      }
    }
  }

  [[nodiscard]] bool has(const file::ServiceGroup& group, std::uint32_t index) const {
    return chosen_.empty() || chosen_.contains(group.name) || chosen_.contains(group.service_name(index));
  }

 private:
  const std::set<std::string> chosen_;
};

void somebody_has_a_command(const std::vector<ServiceToRun>& made, const file::FleetFile& fleet, const fs::path& file,
                            const std::vector<std::string>& names, Found& complaints) {
  if (!made.empty() || !complaints.empty()) return;
  const bool some = std::any_of(fleet.fleet.begin(), fleet.fleet.end(),
                                [](const auto& group) { return !group.program.command.empty(); });
  complaints.push_back(
      {file.generic_string(), 0, 0, "fleet",
       some && !names.empty()
           ? "none of the services that were named has a command; \"holdfast up\" runs those that have one"
           : "no group has a command, so there is nothing to run; write command = [\"program\", "
             "\"argument\"] in [[fleet]], or rehearse the file with \"holdfast run\""});
}

struct Ordered {
  file::Roster roster;
  std::vector<std::size_t> groups;  // each behind those that it is after
};

Ordered in_order(const file::FleetFile& fleet) {
  Ordered ordered;
  std::vector<Order> orders;
  for (const auto& group : fleet.fleet) {
    ordered.roster.add(group.name, group.count);
    orders.push_back(group.policy.order);
  }
  ordered.groups = file::order_of_adding(orders, ordered.roster);
  return ordered;
}

// Each is after those services of its groups that are to run as well.
void put_in_order(std::vector<ServiceToRun>& made, const file::Roster& roster) {
  std::set<std::string_view> present;
  for (const auto& service : made) present.insert(service.config.name);
  const auto those_present = [&present](const NameList& list) {
    std::vector<std::string> names;
    for (const auto& name : list.names()) {
      if (present.contains(name)) names.push_back(name);
    }
    return NameList{std::move(names)};
  };
  for (auto& service : made) {
    Order& order = service.config.policy.order;
    if (!order.is_after_any()) continue;
    order = file::of_services(order, roster);
    order.after = those_present(order.after);
    order.after_if_present = those_present(order.after_if_present);
  }
}

}  // namespace

fs::path beside(const fs::path& file, const std::string& path) {
  return (fs::absolute(file).parent_path() / path).lexically_normal();
}

std::vector<ServiceToRun> services_of(const file::FleetFile& fleet, const fs::path& file,
                                      const std::vector<std::string>& names) {
  Found complaints;
  auto made = services_of(fleet, file, names, complaints);
  if (!complaints.empty()) throw file::BadInput(placed(std::move(complaints), file));
  return made;
}

std::vector<ServiceToRun> services_of(const file::FleetFile& fleet, const fs::path& file,
                                      const std::vector<std::string>& names, Found& complaints) {
  const Choice choice{fleet, file, names, complaints};
  std::vector<ServiceToRun> made;
  const auto [roster, groups] = in_order(fleet);
  if (names.empty()) {
    std::size_t all = 0;
    for (const auto& group : fleet.fleet) all += group.program.command.empty() ? 0 : group.size();
    made.reserve(all);
  }
  for (const std::size_t i : groups) {
    const auto& group = fleet.fleet[i];
    if (group.program.command.empty()) continue;
    Maker maker{group, file, "fleet[" + std::to_string(i) + ']', complaints};
    for (std::uint32_t index = 0; index < group.size() && complaints.size() < kFoundMax; ++index) {
      if (!choice.has(group, index)) continue;
      made.push_back(maker.make(index));
      made.back().group_index = i;
    }
  }
  put_in_order(made, roster);
  somebody_has_a_command(made, fleet, file, names, complaints);
  return made;
}

std::vector<file::Complaint> placed(std::vector<file::Complaint> complaints, const fs::path& file) {
  const auto name = file.generic_string();
  const auto read = file::read_small_file(file, file::kFleetFileSizeMax);
  if (!read.problem.empty()) return complaints;
  const auto document = file::parse_toml(read.text, name);
  for (auto& complaint : complaints) {
    const auto at = document.position_of(complaint.key);
    complaint.line = at.line;
    complaint.column = at.column;
  }
  return complaints;
}

std::string trouble_with_descriptors(std::size_t services, std::uint64_t hard) {
  const auto needed = services * kDescriptorsOfService + kDescriptorsOfRest;
  if (needed <= hard) return "";
  return std::to_string(services) + " services need about " + std::to_string(needed) +
         " open files; the hard limit is " + std::to_string(hard) + " (ulimit -Hn, or LimitNOFILE= of systemd)";
}

void keep_open_files_limit(Process& process, std::uint64_t soft, std::uint64_t hard) {
  auto& limits = process.limits;
  const auto is_of_files = [](const ProcessLimit& limit) { return limit.resource == RLIMIT_NOFILE; };
  if (std::none_of(limits.begin(), limits.end(), is_of_files)) limits.push_back({RLIMIT_NOFILE, soft, hard});
}

}  // namespace holdfast::up
