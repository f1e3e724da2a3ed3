#include <holdfast/prometheus.hpp>

#include <variant>

#include <holdfast/detail/assert.hpp>

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

constexpr bool is_metric_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (c < '0' || c > '9')) return false;
  }
  return true;
}

// "1.5": seconds, exact, without closing zeros.
std::string seconds(Duration duration) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::string text = std::to_string(duration.count() / kSecond);
  if (const std::int64_t rest = duration.count() % kSecond; rest != 0) {
    std::string digits = std::to_string(kSecond + rest);  // "1" and nine digits
    digits[0] = '.';
    digits.erase(digits.find_last_not_of('0') + 1);
    text += digits;
  }
  return text;
}

// A label's value, escaped as the format demands.
std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text;
}

class Writer {
 public:
  explicit Writer(std::string_view ns) : ns_(ns) {}

  // Help and type of a metric, before its samples.
  void describe(std::string_view metric, std::string_view type, std::string_view help) {
    metric_ = metric;
    text_ += "# HELP " + name() + ' ' + std::string{help} + "\n# TYPE " + name() + ' ' + std::string{type} + '\n';
  }
  void sample(std::string_view suffix, std::string_view labels, const std::string& value) {
    text_ += name();
    text_ += suffix;
    if (!labels.empty()) ((text_ += '{') += labels) += '}';
    (text_ += ' ') += value;
    text_ += '\n';
  }
  void single(std::string_view metric, std::string_view type, std::string_view help, std::uint64_t value) {
    describe(metric, type, help);
    sample("", "", std::to_string(value));
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  [[nodiscard]] std::string name() const { return std::string{ns_} + '_' + std::string{metric_}; }

  std::string_view ns_;
  std::string_view metric_;
  std::string text_;
};

}  // namespace

std::string prometheus_text(std::string_view ns, const Counters& counters, const UptimeHistogram& uptimes) {
  HOLDFAST_ASSERT(is_metric_name(ns), "a Prometheus namespace is made of letters, digits and underscores");
  Writer writer{ns};
  writer.single("restarts_total", "counter", "Runs begun but for the first of each service.", counters.restarts);
  writer.single("active_services", "gauge", "Services added and not terminated.", counters.active_services);
  writer.single("spawned_total", "counter", "Services added; restarts are not counted.", counters.spawned);
  writer.single("terminated_total", "counter", "Services that terminated.", counters.terminated);
  writer.single("circuit_breaker_trips_total", "counter", "Circuit breakers opened.", counters.circuit_breaker_trips);
  writer.describe("uptime_seconds", "histogram", "Running time of a service, all runs together, at its termination.");
  for (const auto& [service, series] : uptimes.series_) {
    const std::string label = "service=\"" + escaped(service) + '"';
    for (std::size_t i = 0; i < UptimeHistogram::kBounds.size(); ++i) {
      writer.sample("_bucket", label + ",le=\"" + seconds(UptimeHistogram::kBounds[i]) + '"',
                    std::to_string(series.up_to[i]));
    }
    writer.sample("_bucket", label + ",le=\"+Inf\"", std::to_string(series.count));
    writer.sample("_sum", label, seconds(series.sum));
    writer.sample("_count", label, std::to_string(series.count));
  }
  return writer.take();
}

}  // namespace holdfast
