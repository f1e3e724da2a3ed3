#include <holdfast/up/commands.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <boost/asio/bind_executor.hpp>
#include <holdfast/detail/text.hpp>
#include <holdfast/file/message_text.hpp>

namespace holdfast::up {

namespace {

constexpr std::array<std::string_view, 4> kOfServices{"start", "stop", "restart", "reset"};

template <class T>
std::string refusal_of(const Result<T>& result) {
  return result ? std::string{} : result.refusal().message;
}

std::string listed_as_json(const std::vector<std::string>& names) {
  std::string text = "[";
  for (const auto& name : names) text += (text.size() > 1 ? "," : "") + holdfast::detail::quoted(name);
  return text + ']';
}

}  // namespace

Commands::Commands(Runtime& runtime, std::string fleet, const std::filesystem::path& file,
                   const std::vector<ServiceToRun>& services)
    : runtime_(runtime),
      head_("{\"ok\":true,\"name\":" + holdfast::detail::quoted(fleet) +
            ",\"file\":" + holdfast::detail::quoted(std::filesystem::absolute(file).lexically_normal().string()) +
            ",\"pid\":" + std::to_string(::getpid())) {
  known_.reserve(services.size());
  for (const auto& service : services) known_.push_back({service.config.name, service.group});
}

void Commands::act(const Request& request, const ControlServer::Answer& answer) {
  if (request.what == "status") return show_status(answer);
  if (request.what == "down") {
    answer(head_ + '}');  // first: a fleet that has nothing to drain ends at once
    return runtime_.request_shutdown();
  }
  if (std::find(kOfServices.begin(), kOfServices.end(), request.what) == kOfServices.end()) {
    return answer(refusal_text("there is no command " + file::in_quotes(request.what) +
                               "; known are status, start, stop, restart, reset and down"));
  }
  if (request.names.empty()) return answer(refusal_text(request.what + " needs names of services or groups"));
  std::string unknown;
  const auto services = meant(request.names, unknown);
  if (!unknown.empty()) {
    return answer(refusal_text("there is no service " + file::in_quotes(unknown) + "; " + known_names()));
  }
  std::vector<std::string> changed;
  std::vector<std::string> unchanged;
  for (const auto& service : services) {
    bool has_changed = true;
    const auto trouble = command(request.what, service, has_changed);
    if (!trouble.empty()) return answer(refusal_text(trouble));
    (has_changed ? changed : unchanged).push_back(service);
  }
  answer(head_ + ",\"changed\":" + listed_as_json(changed) + ",\"unchanged\":" + listed_as_json(unchanged) + '}');
}

void Commands::show_status(const ControlServer::Answer& answer) {
  const auto given = [head = head_, answer](const boost::system::error_code& error,
                                            const std::shared_ptr<const FleetSnapshot>& fleet) {
    if (error) return answer(refusal_text("holdfast is ending"));
    auto json = to_json(*fleet);
    if (json.ends_with('\n')) json.pop_back();
    answer(head + ",\"fleet\":" + json + '}');
  };
  runtime_.async_snapshot(boost::asio::bind_executor(runtime_.executor(), given));
}

std::vector<std::string> Commands::meant(const std::vector<std::string>& names, std::string& unknown) const {
  std::vector<std::string> services;
  for (const auto& name : names) {
    const auto before = services.size();
    for (const auto& known : known_) {
      if (known.service == name || known.group == name) services.push_back(known.service);
    }
    if (services.size() == before && unknown.empty()) unknown = name;
  }
  return services;
}

std::string Commands::known_names() const {
  std::vector<std::string_view> groups;
  for (const auto& known : known_) {
    if (groups.empty() || groups.back() != known.group) groups.push_back(known.group);
  }
  constexpr std::size_t kShown = 20;
  return "there are: " + file::listed(groups, kShown);
}

std::string Commands::command(const std::string& what, const std::string& service, bool& changed) {
  auto& supervisor = runtime_.supervisor();
  if (what == "stop" || what == "start") {
    const auto state = supervisor.snapshot(service);
    const bool has_ended = state && state->phase == Phase::terminated;
    changed = (what == "start") == has_ended;
    if (!changed) return "";
  }
  if (what == "stop") return refusal_of(supervisor.stop(service));
  return what == "reset" ? refusal_of(supervisor.reset(service)) : refusal_of(supervisor.restart(service));
}

}  // namespace holdfast::up
