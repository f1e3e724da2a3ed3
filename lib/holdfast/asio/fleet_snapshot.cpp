#include <holdfast/asio/fleet_snapshot.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include <holdfast/detail/json_object.hpp>

namespace holdfast {

namespace {

constexpr std::size_t kPieceMin = std::size_t{1} << 16;
constexpr std::size_t kSpare = 2048;

using Object = detail::JsonObject<detail::Nothing::written>;

void append(std::string& text, const Counters& counters) {
  Object object{text};
  object("spawned", counters.spawned);
  object("starts", counters.starts);
  object("restarts", counters.restarts);
  object("failures", counters.failures);
  object("clean_exits", counters.clean_exits);
  object("circuit_breaker_trips", counters.circuit_breaker_trips);
  object("terminated", counters.terminated);
  object("killed_runs", counters.killed_runs);
  object("abandoned_runs", counters.abandoned_runs);
  object("active_services", counters.active_services);
  object("open_breakers", counters.open_breakers);
  object("failed_starts", counters.failed_starts);
  object("hangs", counters.hangs);
  object("limited_restarts", counters.limited_restarts);
  object("waiting_services", counters.waiting_services);
}

// Never negative: an overdue start is due now.
std::optional<std::int64_t> time_until(const std::optional<TimePoint>& at, TimePoint now) {
  return at ? std::optional{std::max(Duration::zero(), *at - now).count()} : std::nullopt;
}

void append(std::string& text, const ServiceSnapshot& service, TimePoint now) {
  std::optional<std::string_view> termination;
  std::optional<std::string> termination_text;
  if (service.termination) {
    termination = to_string(service.termination->reason);
    termination_text = to_string(*service.termination, service.last_error);
  }
  std::optional<std::string_view> waits_for;
  if (service.waits_for) waits_for = to_string(*service.waits_for);
  Object object{text};
  object("name", service.name);
  object("restart", to_string(service.restart));
  object("phase", to_string(service.phase));
  object("run", service.run.value);
  object("starts", service.starts);
  object("failures", service.failures);
  object("clean_exits", service.clean_exits);
  object("failed_starts", service.failed_starts);
  object("hangs", service.hangs);
  object("attempt", service.attempt);
  object("failures_in_window", service.failures_in_window);
  object("breaker", to_string(service.breaker));
  object("pid", service.pid);
  object("last_error", service.last_error);
  object("running_time_ns", service.running_time.count());
  object("age_ns", service.age.count());
  object("time_in_phase_ns", service.time_in_phase.count());
  object("next_start_in_ns", time_until(service.next_start, now));
  object("waits_for", waits_for);
  object("dependency", service.dependency.empty() ? std::nullopt : std::optional{std::string_view{service.dependency}});
  object("group", service.group.empty() ? std::nullopt : std::optional{std::string_view{service.group}});
  object("ready", to_string(service.ready));
  object("start_timeout_in_ns", time_until(service.ready_by, now));
  object("watchdog_in_ns", time_until(service.watchdog_until, now));
  object("progress", service.progress);
  object("grace_ends_in_ns", time_until(service.grace_until, now));
  object("killed", service.killed);
  object("termination", termination);
  object("termination_text", termination_text);
}

}  // namespace

bool is_as_it_should_be(const ServiceSnapshot& service) noexcept {
  if (!service.termination) return service.phase == Phase::running;
  if (service.group_is_lost) return false;
  return service.termination->reason == Termination::Reason::completed ||
         service.termination->reason == Termination::Reason::cancelled;
}

bool is_ready(const FleetSnapshot& fleet) noexcept {
  return !fleet.shutting_down && std::all_of(fleet.services.begin(), fleet.services.end(), is_as_it_should_be);
}

std::string to_json(const FleetSnapshot& fleet) {
  FleetJson json;
  for (const ServiceSnapshot& service : fleet.services) json.add(service, fleet.at);
  std::string text;
  for (const std::string& piece : json.take(fleet)) text += piece;
  return text;
}

void FleetJson::add(const ServiceSnapshot& service, TimePoint now) {
  if (text_.size() >= kPieceMin) full_.push_back(std::exchange(text_, {}));
  if (text_.empty()) text_.reserve(kPieceMin + kSpare);
  if (std::exchange(has_services_, true)) text_ += ',';
  append(text_, service, now);
  all_as_they_should_be_ = all_as_they_should_be_ && is_as_it_should_be(service);
}

std::vector<std::string> FleetJson::take(const FleetSnapshot& fleet) {
  std::string head;
  {
    Object object{head};
    object("at_ns", fleet.at.nanoseconds);
    object("shutting_down", fleet.shutting_down);
    object("ready", !fleet.shutting_down && all_as_they_should_be_);
    object.key("counters");
    append(head, fleet.counters);
    object.key("services");
    head += '[';
  }
  head.pop_back();  // the object ends after the services
  std::vector<std::string> pieces;
  pieces.push_back(std::move(head));
  for (std::string& piece : full_) pieces.push_back(std::move(piece));
  pieces.push_back(std::exchange(text_, {}) += "]}\n");
  full_.clear();
  return pieces;
}

}  // namespace holdfast
