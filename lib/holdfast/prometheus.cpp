#include <holdfast/prometheus.hpp>

#include <cstddef>
#include <utility>
#include <variant>

#include <holdfast/detail/assert.hpp>
#include <holdfast/detail/text.hpp>

namespace holdfast {

void UptimeHistogram::on_event(const Event& event) {
  if (event.about_supervisor()) return;
  if (std::holds_alternative<event::Started>(event.what)) {
    auto life = lives_.find(event.name);
    if (life == lives_.end()) life = lives_.emplace(std::string{event.name}, Life{}).first;
    life->second.began = event.at;
    life->second.running = true;
  } else if (const auto* const ended = std::get_if<event::Ended>(&event.what)) {
    Life& life = lives_.find(event.name)->second;
    life.ran = saturating_add(life.ran, ended->lasted);
    life.running = false;
  } else if (std::holds_alternative<event::Terminated>(event.what)) {
    const auto life = lives_.find(event.name);
    if (life == lives_.end()) return observe(event.name, Duration::zero());  // it never ran
    const Duration abandoned = life->second.running ? event.at - life->second.began : Duration::zero();
    observe(event.name, saturating_add(life->second.ran, abandoned));
    lives_.erase(life);
  }
}

void UptimeHistogram::forget(std::string_view service) {
  if (const auto found = series_.find(service); found != series_.end()) series_.erase(found);
}

void UptimeHistogram::observe(std::string_view service, Duration uptime) {
  auto found = series_.find(service);
  if (found == series_.end()) found = series_.emplace(std::string{service}, Series{}).first;
  Series& series = found->second;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    if (uptime <= kBounds[i]) ++series.up_to[i];
  }
  ++series.count;
  series.sum = saturating_add(series.sum, uptime);
}

namespace {

// A label, its value escaped as the format demands.
std::string label(std::string_view key, std::string_view value) {
  std::string text{key};
  text += "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text += '"';
}

class Writer {
 public:
  explicit Writer(std::string_view ns) : ns_(ns) {}

  // Help and type of a metric, before its samples.
  void describe(std::string_view metric, std::string_view type, std::string_view help) {
    name_ = ns_;
    (name_ += '_') += metric;
    (((text_ += "# HELP ") += name_) += ' ') += help;
    (((text_ += "\n# TYPE ") += name_) += ' ') += type;
    text_ += '\n';
  }
  void sample(std::string_view suffix, std::string_view labels, std::string_view value) {
    (text_ += name_) += suffix;
    if (!labels.empty()) ((text_ += '{') += labels) += '}';
    ((text_ += ' ') += value) += '\n';
  }
  void single(std::string_view metric, std::string_view type, std::string_view help, std::uint64_t value) {
    describe(metric, type, help);
    sample("", "", std::to_string(value));
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string_view ns_;
  std::string name_;
  std::string text_;
};

void write_counters(Writer& writer, const Counters& counters) {
  writer.single("restarts_total", "counter", "Runs begun but for the first of each service.", counters.restarts);
  writer.single("active_services", "gauge", "Services added and not terminated.", counters.active_services);
  writer.single("spawned_total", "counter", "Services added; restarts are not counted.", counters.spawned);
  writer.single("terminated_total", "counter", "Services that terminated.", counters.terminated);
  writer.single("circuit_breaker_trips_total", "counter", "Circuit breakers opened.", counters.circuit_breaker_trips);
  writer.single("starts_total", "counter", "Runs begun.", counters.starts);
  writer.single("failures_total", "counter", "Runs that ended with an error or an exception, unasked.",
                counters.failures);
  writer.single("clean_exits_total", "counter", "Runs that ended without an error, unasked.", counters.clean_exits);
  writer.single("killed_runs_total", "counter", "Runs that did not stop within their grace, and were killed.",
                counters.killed_runs);
  writer.single("abandoned_runs_total", "counter", "Runs that did not stop in time.", counters.abandoned_runs);
}

// Everything of each service that is one number. The labels of all samples begin with the service's.
class ServicesWriter {
 public:
  ServicesWriter(Writer& writer, const std::vector<ServiceSnapshot>& services) : writer_(writer), services_(services) {
    labels_.reserve(services.size());
    for (const ServiceSnapshot& service : services) labels_.push_back(label("service", service.name));
  }

  template <class Value>
  void number(std::string_view metric, std::string_view type, std::string_view help, Value value_of) {
    writer_.describe(metric, type, help);
    for (std::size_t i = 0; i < services_.size(); ++i) writer_.sample("", labels_[i], value_of(services_[i]));
  }
  // One sample for each state: 1 for the present one, 0 for the others.
  template <class State, std::size_t kStates>
  void states(std::string_view metric, std::string_view key, std::string_view help, const State (&all)[kStates],
              State ServiceSnapshot::*present) {
    writer_.describe(metric, "gauge", help);
    for (std::size_t i = 0; i < services_.size(); ++i) {
      for (const State state : all) {
        writer_.sample("", labels_[i] + ',' + label(key, to_string(state)), services_[i].*present == state ? "1" : "0");
      }
    }
  }
  void terminations() {
    writer_.describe("service_termination", "gauge", "1 for the reason for which a service terminated.");
    for (std::size_t i = 0; i < services_.size(); ++i) {
      const auto& why = services_[i].termination;
      if (why) writer_.sample("", labels_[i] + ',' + label("reason", to_string(why->reason)), "1");
    }
  }

 private:
  Writer& writer_;
  const std::vector<ServiceSnapshot>& services_;
  std::vector<std::string> labels_;
};

void write_services(Writer& writer, const std::vector<ServiceSnapshot>& services) {
  constexpr Phase kPhases[] = {Phase::starting, Phase::running, Phase::backing_off, Phase::stopping, Phase::terminated};
  constexpr BreakerState kBreakers[] = {BreakerState::off, BreakerState::closed, BreakerState::open};
  ServicesWriter each{writer, services};
  each.number("service_starts_total", "counter", "Runs begun.",
              [](const ServiceSnapshot& service) { return std::to_string(service.starts); });
  each.number("service_failures_total", "counter", "Runs that ended with an error or an exception, unasked.",
              [](const ServiceSnapshot& service) { return std::to_string(service.failures); });
  each.number("service_clean_exits_total", "counter", "Runs that ended without an error, unasked.",
              [](const ServiceSnapshot& service) { return std::to_string(service.clean_exits); });
  each.number("service_running_seconds_total", "counter", "Running time, all runs together.",
              [](const ServiceSnapshot& service) { return detail::in_seconds(service.running_time); });
  each.number("service_attempt", "gauge", "Consecutive failures since the last reset of the backoff.",
              [](const ServiceSnapshot& service) { return std::to_string(service.attempt); });
  each.states("service_phase", "phase", "1 for the phase that a service is in.", kPhases, &ServiceSnapshot::phase);
  each.states("service_breaker", "breaker", "1 for the state of a service's circuit breaker.", kBreakers,
              &ServiceSnapshot::breaker);
  each.terminations();
}

}  // namespace

bool is_prometheus_namespace(std::string_view ns) noexcept {
  if (ns.empty() || (ns.front() >= '0' && ns.front() <= '9')) return false;
  for (const char c : ns) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (c < '0' || c > '9')) return false;
  }
  return true;
}

std::string prometheus_text(std::string_view ns, const Counters& counters, const std::vector<ServiceSnapshot>& services,
                            const UptimeHistogram& uptimes) {
  HOLDFAST_ASSERT(is_prometheus_namespace(ns), "a Prometheus namespace is made of letters, digits and underscores");
  Writer writer{ns};
  write_counters(writer, counters);
  write_services(writer, services);
  writer.describe("uptime_seconds", "histogram", "Running time of a service, all runs together, at its termination.");
  for (const auto& [service, series] : uptimes.series_) {
    const std::string labels = label("service", service);
    for (std::size_t i = 0; i < UptimeHistogram::kBounds.size(); ++i) {
      std::string bucket = labels;
      bucket.append(",le=\"").append(detail::in_seconds(UptimeHistogram::kBounds[i])).append("\"");
      writer.sample("_bucket", bucket, std::to_string(series.up_to[i]));
    }
    writer.sample("_bucket", labels + ",le=\"+Inf\"", std::to_string(series.count));
    writer.sample("_sum", labels, detail::in_seconds(series.sum));
    writer.sample("_count", labels, std::to_string(series.count));
  }
  return writer.take();
}

}  // namespace holdfast
