#include <holdfast/asio/fleet_snapshot.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include <holdfast/detail/text.hpp>

namespace holdfast {

namespace {

// Appends one JSON object to a text. Keys are literals of ours, with nothing to escape.
class Object {
 public:
  explicit Object(std::string& text) : text_(text) { text_ += '{'; }
  ~Object() { text_ += '}'; }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  // What stands after the key is appended by the caller.
  void key(std::string_view key) {
    if (!std::exchange(is_first_, false)) text_ += ',';
    ((text_ += '"') += key) += "\":";
  }
  void operator()(std::string_view key, std::string_view value) {
    this->key(key);
    text_ += detail::quoted(value);
  }
  template <class Number>
  requires std::is_integral_v<Number>
  void operator()(std::string_view key, Number value) {
    this->key(key);
    text_ += std::to_string(value);
  }
  void operator()(std::string_view key, bool value) {
    this->key(key);
    text_ += value ? "true" : "false";
  }
  template <class Value>
  void operator()(std::string_view key, const std::optional<Value>& value) {
    if (value) return (*this)(key, *value);
    this->key(key);
    text_ += "null";
  }

 private:
  std::string& text_;
  bool is_first_ = true;
};

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
}

// Not negative: what is overdue is due.
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
  Object object{text};
  object("name", service.name);
  object("restart", to_string(service.restart));
  object("phase", to_string(service.phase));
  object("run", service.run.value);
  object("starts", service.starts);
  object("failures", service.failures);
  object("clean_exits", service.clean_exits);
  object("attempt", service.attempt);
  object("failures_in_window", service.failures_in_window);
  object("breaker", to_string(service.breaker));
  object("last_error", service.last_error);
  object("running_time_ns", service.running_time.count());
  object("age_ns", service.age.count());
  object("time_in_phase_ns", service.time_in_phase.count());
  object("next_start_in_ns", time_until(service.next_start, now));
  object("grace_ends_in_ns", time_until(service.grace_until, now));
  object("killed", service.killed);
  object("termination", termination);
  object("termination_text", termination_text);
}

}  // namespace

bool is_as_it_should_be(const ServiceSnapshot& service) noexcept {
  if (!service.termination) return service.phase == Phase::running;
  return service.termination->reason == Termination::Reason::completed ||
         service.termination->reason == Termination::Reason::cancelled;
}

bool is_ready(const FleetSnapshot& fleet) noexcept {
  return !fleet.shutting_down && std::all_of(fleet.services.begin(), fleet.services.end(), is_as_it_should_be);
}

std::string to_json(const FleetSnapshot& fleet) {
  std::string text;
  {
    Object object{text};
    object("at_ns", fleet.at.nanoseconds);
    object("shutting_down", fleet.shutting_down);
    object("ready", is_ready(fleet));
    object.key("counters");
    append(text, fleet.counters);
    object.key("services");
    text += '[';
    for (const ServiceSnapshot& service : fleet.services) {
      if (&service != &fleet.services.front()) text += ',';
      append(text, service, fleet.at);
    }
    text += ']';
  }
  return text += '\n';
}

}  // namespace holdfast
