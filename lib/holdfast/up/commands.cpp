#include <holdfast/up/commands.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <boost/asio/bind_executor.hpp>
#include <holdfast/detail/json_object.hpp>
#include <holdfast/detail/text.hpp>
#include <holdfast/file/message_text.hpp>

namespace holdfast::up {

namespace {

constexpr std::array<std::string_view, 5> kOfServices{"start", "stop", "restart", "reset", "signal"};

template <class T>
std::string refusal_of(const Result<T>& result) {
  return result ? std::string{} : result.refusal().message;
}

std::string waited_text(const Waited& waited) {
  std::string text;
  {
    Answer answer{text};
    answer("ok", true);
    add_list(answer, text, "reached", waited.reached);
    add_list(answer, text, "unfinished", waited.unfinished);
    answer.key("lost");
    text += '[';
    for (const auto& [service, why] : waited.lost) {
      if (text.back() != '[') text += ',';
      Answer lost{text};
      lost("service", service);
      lost("why", why);
    }
    text += ']';
  }
  return text;
}

}  // namespace

Commands::Commands(const FleetParts& parts, std::string fleet, const std::filesystem::path& file)
    : runtime_(parts.runtime),
      waits_(parts.waits),
      logs_(parts.logs),
      events_(parts.events),
      fleet_(std::move(fleet)),
      file_(std::filesystem::absolute(file).lexically_normal().string()) {}

std::string Commands::answer(const std::function<void(Answer& answer, std::string& text)>& add_more) const {
  std::string text;
  {
    Answer answer{text};
    answer("ok", true);
    answer("name", fleet_);
    answer("file", file_);
    answer("pid", ::getpid());
    add_more(answer, text);
  }
  return text;
}

void Commands::add(const ServiceToRun& service, std::shared_ptr<ProcessService> process) {
  known_.push_back(
      {service.config.name, service.group, std::move(process), service.log.target() == file::LogTo::nothing});
}

void Commands::forget(std::string_view service) {
  std::erase_if(known_, [service](const Known& known) { return known.service == service; });
}

const std::shared_ptr<ProcessService>& Commands::process_of(std::string_view service) const {
  return std::find_if(known_.begin(), known_.end(), [service](const Known& known) { return known.service == service; })
      ->process;
}

void Commands::act(const Request& request, const std::shared_ptr<Conversation>& client) {
  if (request.what == "status") return show_status(client);
  if (request.what == "logs" || request.what == "events") return follow(request, client);
  if (request.what == "reload") return reload(request, client);
  if (request.what == "down") {
    client->answer(answer([](Answer&, std::string&) {}));  // first: a fleet that has nothing to drain ends at once
    return runtime_.request_shutdown();
  }
  if (std::find(kOfServices.begin(), kOfServices.end(), request.what) == kOfServices.end()) {
    return client->answer(
        refusal_text("there is no command " + file::in_quotes(request.what) +
                     "; known are status, start, stop, restart, reset, signal, reload, logs, events and down"));
  }
  if (request.names.empty()) return client->answer(refusal_text(request.what + " needs names of services or groups"));
  std::string unknown;
  const auto services = meant(request.names, unknown);
  if (!unknown.empty()) {
    return client->answer(refusal_text("there is no service " + file::in_quotes(unknown) + "; " + known_names()));
  }
  request.what == "signal" ? send_signal(request, services, client) : command(request, services, client);
}

void Commands::command(const Request& request, const Chosen& services, const std::shared_ptr<Conversation>& client) {
  std::vector<std::string> changed;
  std::vector<std::string> unchanged;
  std::vector<Awaited> wanted;
  for (const auto* const known : services) {
    bool has_changed = true;
    const auto trouble = give(request.what, known->service, has_changed);
    if (!trouble.empty()) return client->answer(refusal_text(trouble));
    (has_changed ? changed : unchanged).push_back(known->service);
    wanted.push_back(awaited(request.what, known->service, has_changed));
  }
  auto done = answer([&](Answer& to, std::string& text) {
    add_list(to, text, "changed", changed);
    add_list(to, text, "unchanged", unchanged);
  });
  if (!request.wait || request.what == "reset") return client->answer(std::move(done));
  client->say(std::move(done), nullptr);
  std::optional<std::chrono::milliseconds> timeout;
  if (request.timeout_ms) timeout = std::chrono::milliseconds{*request.timeout_ms};
  auto forget = waits_.wait(runtime_.executor(), wanted, timeout,
                            [client](const Waited& waited) { client->answer(waited_text(waited)); });
  if (forget) client->on_gone(std::move(forget));
}

void Commands::send_signal(const Request& request, const Chosen& services,
                           const std::shared_ptr<Conversation>& client) {
  constexpr std::uint32_t kSignalMax = 64;
  if (request.signal == 0 || request.signal > kSignalMax) {
    return client->answer(refusal_text("signal needs the number of a signal, 1 to 64"));
  }
  std::vector<std::string> sent;
  std::vector<std::string> not_running;
  for (const auto* const known : services) {
    try {
      const auto state = runtime_.supervisor().snapshot(known->service);
      const bool has_got_it = state && known->process->signal(state->run, static_cast<int>(request.signal));
      (has_got_it ? sent : not_running).push_back(known->service);
    } catch (const std::system_error& error) {
      return client->answer(refusal_text(known->service + ": " + error.what()));
    }
  }
  client->answer(answer([&](Answer& to, std::string& text) {
    add_list(to, text, "changed", sent);
    add_list(to, text, "unchanged", not_running);
  }));
}

void Commands::reload(const Request& request, const std::shared_ptr<Conversation>& client) {
  if (runtime_.supervisor().is_shutting_down()) return client->answer(refusal_text("the fleet is going down"));
  try {
    const auto plan = reload_(request.dry_run);
    client->answer(answer([&](Answer& to, std::string& text) {
      add_list(to, text, "plan", lines_of(plan));
      to("kept", plan.kept);
    }));
  } catch (const std::exception& error) {
    client->answer(refusal_text(error.what()));
  }
}

void Commands::follow(const Request& request, const std::shared_ptr<Conversation>& client) {
  std::string unknown;
  const auto services = meant(request.names, unknown);
  if (!unknown.empty()) {
    return client->answer(refusal_text("there is no service " + file::in_quotes(unknown) + "; " + known_names()));
  }
  FollowOrder order{.last = request.lines, .follow = request.follow};
  std::vector<std::string> silent;
  for (const auto* const known : services) {
    order.services.insert(known->service);
    if (known->is_silent && request.what == "logs") silent.push_back(known->service);
  }
  std::vector<std::string> all;
  all.reserve(known_.size());
  for (const auto& known : known_) all.push_back(known.service);
  auto head = answer([&](Answer& to, std::string& text) {
    add_list(to, text, "services", all);
    add_list(to, text, "silent", silent);
  });
  client->say(std::move(head), nullptr);
  order.to = std::make_shared<Follower>(runtime_.executor(), client);
  order.to->begin();
  request.what == "logs" ? logs_.serve(std::move(order)) : events_.serve(order);
}

void Commands::show_status(const std::shared_ptr<Conversation>& client) {
  const auto given = [this, client](const boost::system::error_code& error,
                                    const std::shared_ptr<const FleetSnapshot>& fleet) {
    if (error) return client->answer(refusal_text("holdfast is ending"));
    auto json = to_json(*fleet);
    if (json.ends_with('\n')) json.pop_back();
    client->answer(answer([&](Answer& to, std::string& text) {
      to.key("fleet");
      text += json;
      to.key("probes");
      add_troubles_of_probes(*fleet, text);
    }));
  };
  runtime_.async_snapshot(boost::asio::bind_executor(runtime_.executor(), given));
}

// {"db": "its readiness probe, …"}, of those who are not well.
void Commands::add_troubles_of_probes(const FleetSnapshot& fleet, std::string& text) const {
  std::map<std::string_view, const ProcessService*> processes;
  for (const auto& known : known_) processes.emplace(known.service, known.process.get());
  Answer troubles{text};
  for (const auto& service : fleet.services) {
    const auto found = processes.find(service.name);
    if (found == processes.end()) continue;
    const auto says = found->second->trouble_of(service.run);
    if (says.empty()) continue;
    const auto name = holdfast::detail::quoted(service.name);
    troubles(std::string_view{name}.substr(1, name.size() - 2), says);
  }
}

Commands::Chosen Commands::meant(const std::vector<std::string>& names, std::string& unknown) const {
  Chosen services;
  for (const auto& name : names) {
    bool is_known = false;
    for (const auto& known : known_) {
      if (known.service != name && known.group != name) continue;
      is_known = true;
      if (std::find(services.begin(), services.end(), &known) == services.end()) services.push_back(&known);
    }
    if (!is_known && unknown.empty()) unknown = name;
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

std::string Commands::give(const std::string& what, const std::string& service, bool& changed) {
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

Awaited Commands::awaited(const std::string& what, const std::string& service, bool changed) const {
  Awaited made{.service = service, .what = what == "stop" ? Awaited::What::end : Awaited::What::ready};
  made.from_command = changed;
  const auto state = runtime_.supervisor().snapshot(service);
  if (!state) return made;
  made.says_when_ready = state->ready == Ready::notified;
  made.is_over = what == "stop" && state->phase == Phase::terminated;
  if (!changed && state->phase == Phase::running) made.running_for = state->time_in_phase;
  return made;
}

}  // namespace holdfast::up
