#include <holdfast/prometheus.hpp>

#include <charconv>
#include <concepts>
#include <utility>
#include <variant>

#include <holdfast/detail/assert.hpp>
#include <holdfast/detail/text.hpp>

namespace holdfast {

// ---------------------------------------------------------------------------------------------------------------------
// The histogram
// ---------------------------------------------------------------------------------------------------------------------

void UptimeHistogram::on_event(const Event& event) {
  if (event.about_supervisor()) return;
  if (std::holds_alternative<event::Added>(event.what)) {
    life_of(event) = {};
  } else if (std::holds_alternative<event::Started>(event.what)) {
    Life& life = life_of(event);
    life.began = event.at;
    life.running = true;
  } else if (const auto* const ended = std::get_if<event::Ended>(&event.what)) {
    Life& life = life_of(event);
    life.ran = saturating_add(life.ran, ended->lasted);
    life.running = false;
  } else if (std::holds_alternative<event::Abandoned>(event.what)) {
    give_up_run(life_of(event), event.at);
  } else if (std::holds_alternative<event::Terminated>(event.what)) {
    Life& life = life_of(event);
    give_up_run(life, event.at);
    observe(event.name, life.ran);
  }
}

// A run that is alive has run until now, and what becomes of it is not looked at.
void UptimeHistogram::give_up_run(Life& life, TimePoint now) noexcept {
  if (life.running) life.ran = saturating_add(life.ran, now - life.began);
  life.running = false;
}

UptimeHistogram::Life& UptimeHistogram::life_of(const Event& event) {
  const std::size_t slot = event.service.slot;
  if (slot >= lives_.size()) lives_.resize(slot + 1);
  return lives_[slot];
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

// ---------------------------------------------------------------------------------------------------------------------
// The page
// ---------------------------------------------------------------------------------------------------------------------

namespace {

constexpr std::size_t kPieceMin = std::size_t{1} << 16;
constexpr std::size_t kSpare = 1024;  // more than most samples are long

template <std::integral Number>
void append_number(std::string& text, Number value) {
  char digits[24];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
  text.append(digits, end);
}

// A label, its value escaped as the format demands.
void append_label(std::string& text, std::string_view key, std::string_view value) {
  (text += key) += "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  text += '"';
}

void append_description(std::string& text, std::string_view name, std::string_view type, std::string_view help) {
  (((text += "# HELP ") += name) += ' ') += help;
  ((((text += "\n# TYPE ") += name) += ' ') += type) += '\n';
}

constexpr Phase kPhases[] = {Phase::starting, Phase::running, Phase::backing_off, Phase::stopping, Phase::terminated};
constexpr BreakerState kBreakers[] = {BreakerState::off, BreakerState::closed, BreakerState::open,
                                      BreakerState::half_open};

}  // namespace

PrometheusPage::Column::Column(std::string_view ns, std::string_view metric, std::string_view type,
                               std::string_view help)
    : name_(ns) {
  (name_ += '_') += metric;
  append_description(text_, name_, type, help);
}

std::string& PrometheusPage::Column::sample(std::string_view suffix) {
  if (text_.size() >= kPieceMin) {
    full_.push_back(std::exchange(text_, {}));
    text_.reserve(kPieceMin + kSpare);
  }
  return (text_ += name_) += suffix;
}

void PrometheusPage::Column::number(std::string_view label, std::uint64_t value) {
  std::string& text = sample();
  ((text += '{') += label) += "} ";
  append_number(text, value);
  text += '\n';
}

void PrometheusPage::Column::take_into(std::vector<std::string>& pieces) {
  for (std::string& piece : full_) pieces.push_back(std::move(piece));
  pieces.push_back(std::exchange(text_, {}));
  full_.clear();
}

PrometheusPage::PrometheusPage(std::string_view ns)
    : ns_(ns),
      starts_(ns, "service_starts_total", "counter", "Runs begun."),
      failures_(ns, "service_failures_total", "counter", "Runs that ended with an error or an exception, unasked."),
      hangs_(ns, "service_hangs_total", "counter", "Runs that the watchdog of their service asked to stop."),
      failed_starts_(ns, "service_failed_starts_total", "counter",
                     "Runs of services that say when they are ready, which failed before."),
      clean_exits_(ns, "service_clean_exits_total", "counter", "Runs that ended without an error, unasked."),
      running_seconds_(ns, "service_running_seconds_total", "counter", "Running time, all runs together."),
      attempt_(ns, "service_attempt", "gauge", "Consecutive failures since the last reset of the backoff."),
      phase_(ns, "service_phase", "gauge", "1 for the phase that a service is in."),
      breaker_(ns, "service_breaker", "gauge", "1 for the state of a service's circuit breaker."),
      termination_(ns, "service_termination", "gauge", "1 for the reason for which a service terminated."),
      uptime_(ns, "uptime_seconds", "histogram", "Running time of a service, all runs together, at its termination.") {
  HOLDFAST_ASSERT(is_prometheus_namespace(ns), "a Prometheus namespace is made of letters, digits and underscores");
}

void PrometheusPage::add(const ServiceSnapshot& service) {
  label_.clear();
  append_label(label_, "service", service.name);
  starts_.number(label_, service.starts);
  failures_.number(label_, service.failures);
  clean_exits_.number(label_, service.clean_exits);
  if (service.watchdog) hangs_.number(label_, service.hangs);
  if (service.ready == Ready::notified) failed_starts_.number(label_, service.failed_starts);
  std::string& seconds = running_seconds_.sample();
  (((seconds += '{') += label_) += "} ") += detail::in_seconds(service.running_time);
  seconds += '\n';
  attempt_.number(label_, service.attempt);
  add_states(phase_, kPhases, "phase", service.phase);
  add_states(breaker_, kBreakers, "breaker", service.breaker);
  if (!service.termination) return;
  std::string& why = termination_.sample();
  ((why += '{') += label_) += ',';
  append_label(why, "reason", to_string(service.termination->reason));
  why += "} 1\n";
}

// One sample for each state: 1 for the present one, 0 for the others.
template <class State, std::size_t kStates>
void PrometheusPage::add_states(Column& column, const State (&all)[kStates], std::string_view key, State present) {
  for (const State state : all) {
    std::string& text = column.sample();
    (((((text += '{') += label_) += ',') += key) += "=\"") += to_string(state);
    text += state == present ? "\"} 1\n" : "\"} 0\n";
  }
}

bool PrometheusPage::add_uptimes(const UptimeHistogram& uptimes, std::size_t most) {
  auto next = uptimes_begun_ ? uptimes.series_.upper_bound(uptimes_done_) : uptimes.series_.begin();
  uptimes_begun_ = true;
  for (; most > 0 && next != uptimes.series_.end(); --most, ++next) {
    const auto& [service, series] = *next;
    label_.clear();
    append_label(label_, "service", service);
    const auto bucket = [&](std::string_view bound, std::uint64_t count) {
      std::string& text = uptime_.sample("_bucket");
      (((((text += '{') += label_) += ",le=\"") += bound) += "\"} ");
      append_number(text, count);
      text += '\n';
    };
    for (std::size_t i = 0; i < UptimeHistogram::kBounds.size(); ++i) {
      bucket(detail::in_seconds(UptimeHistogram::kBounds[i]), series.up_to[i]);
    }
    bucket("+Inf", series.count);
    std::string& sum = uptime_.sample("_sum");
    (((((sum += '{') += label_) += "} ") += detail::in_seconds(series.sum)) += '\n');
    std::string& count = uptime_.sample("_count");
    ((count += '{') += label_) += "} ";
    append_number(count, series.count);
    count += '\n';
    uptimes_done_ = service;
  }
  return next != uptimes.series_.end();
}

void PrometheusPage::add_single(std::string_view metric, std::string_view type, std::string_view help,
                                std::uint64_t value) {
  const std::string name = (ns_ + '_').append(metric);
  append_description(singles_, name, type, help);
  (singles_ += name) += ' ';
  append_number(singles_, value);
  singles_ += '\n';
}

std::vector<std::string> PrometheusPage::take(const Counters& counters) {
  const std::string more = std::exchange(singles_, {});
  add_single("restarts_total", "counter", "Runs begun but for the first of each service.", counters.restarts);
  add_single("active_services", "gauge", "Services added and not terminated.", counters.active_services);
  add_single("open_breakers", "gauge", "Services whose circuit breaker is open or half open.", counters.open_breakers);
  add_single("waiting_services", "gauge", "Services that wait for others or for a limit on restarts.",
             counters.waiting_services);
  add_single("spawned_total", "counter", "Services added; restarts are not counted.", counters.spawned);
  add_single("terminated_total", "counter", "Services that terminated.", counters.terminated);
  add_single("circuit_breaker_trips_total", "counter", "Circuit breakers opened.", counters.circuit_breaker_trips);
  add_single("starts_total", "counter", "Runs begun.", counters.starts);
  add_single("failures_total", "counter", "Runs that ended with an error or an exception, unasked.", counters.failures);
  add_single("failed_starts_total", "counter", "Runs that failed before they were ready.", counters.failed_starts);
  add_single("hangs_total", "counter", "Runs that were asked to stop because they gave no sign of life.",
             counters.hangs);
  add_single("limited_restarts_total", "counter", "Restarts that had to wait for a limit on restarts.",
             counters.limited_restarts);
  add_single("clean_exits_total", "counter", "Runs that ended without an error, unasked.", counters.clean_exits);
  add_single("killed_runs_total", "counter", "Runs that did not stop within their grace, and were killed.",
             counters.killed_runs);
  add_single("abandoned_runs_total", "counter", "Runs that did not stop in time.", counters.abandoned_runs);
  std::vector<std::string> pieces;
  pieces.push_back(std::exchange(singles_, {}) + more);
  for (Column* const column : {&starts_, &failures_, &failed_starts_, &hangs_, &clean_exits_, &running_seconds_,
                               &attempt_, &phase_, &breaker_, &termination_, &uptime_}) {
    column->take_into(pieces);
  }
  return pieces;
}

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
  PrometheusPage page{ns};
  for (const ServiceSnapshot& service : services) page.add(service);
  while (page.add_uptimes(uptimes, services.size() + 1)) {
  }
  std::string text;
  for (const std::string& piece : page.take(counters)) text += piece;
  return text;
}

}  // namespace holdfast
