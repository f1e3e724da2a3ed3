#include <holdfast_sim/replay/incident.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>
#include <utility>
#include <variant>

#include <holdfast/detail/text.hpp>
#include <holdfast_sim/scenario/roster.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim {

namespace {

using holdfast::to_string;

constexpr std::size_t kCauseMax = 200;  // bytes of an error

// Something in one line that a scenario or a recorded trace may have: what shows of a text, and not too much of it.
std::string visible_part(std::string_view whole) {
  std::string text;
  whole = whole.substr(0, kCauseMax);
  while (!whole.empty()) {
    const auto length = holdfast::detail::utf8_character(whole);
    if (length == 0) break;  // not UTF-8, or cut in the middle
    const auto character = whole.substr(0, length);
    const bool shows = !holdfast::detail::is_invisible(character) && !holdfast::detail::is_blank(character);
    text += shows ? character : std::string_view{" "};
    whole.remove_prefix(length);
  }
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

// The last field of a row of a recorded trace.
std::string cause_of(std::string_view error) {
  auto text = visible_part(error);
  return text.empty() ? "failed" : text;
}

// Of a scenario. A file may be called in any way.
std::string name_of(std::string_view stem) {
  const auto text = visible_part(stem);
  return text.empty() ? "incident" : "incident " + text;
}

bool fits_a_row(std::string_view name) { return name.find_first_of(",#\"") == std::string_view::npos; }

// "feed" of "feed-12", if that is how a group with a count would call its thirteenth service.
std::string_view group_of(std::string_view name, std::size_t index) {
  const auto numbered = numbered_name(name);
  return numbered && numbered->index == index ? numbered->group : std::string_view{};
}

// nullopt: there are none.
std::optional<Duration> median_of(std::vector<Duration> lengths) {
  if (lengths.empty()) return std::nullopt;
  const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
  std::nth_element(lengths.begin(), middle, lengths.end());
  return *middle;
}

bool same_but_for_the_name(const FleetGroup& a, const FleetGroup& b) {
  return a.policy == b.policy && a.behaviour == b.behaviour;
}

// Services x-0, x-1, … that follow one another and are alike become one group, unless a service is called x.
std::vector<FleetGroup> grouped(const std::vector<FleetGroup>& services) {
  std::set<std::string_view> names;
  for (const auto& service : services) names.insert(service.name);
  std::vector<FleetGroup> groups;
  for (std::size_t i = 0; i < services.size();) {
    const auto name = group_of(services[i].name, 0);
    const bool may_be_a_group = !name.empty() && !names.contains(name);
    std::size_t size = 1;
    while (may_be_a_group && i + size < services.size() && group_of(services[i + size].name, size) == name &&
           same_but_for_the_name(services[i + size], services[i])) {
      ++size;
    }
    FleetGroup& group = groups.emplace_back(services[i]);
    if (size > 1) {
      group.name = name;
      group.count = static_cast<std::uint32_t>(size);
    }
    i += size;
  }
  return groups;
}

}  // namespace

Incident::Life& Incident::life_of(std::string_view name) {
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) return lives_[known->second];
  by_name_.emplace(name, lives_.size());
  lives_.push_back({.name = std::string{name}});
  return lives_.back();
}

void Incident::on_event(const Event& event) {
  if (event.about_supervisor()) {
    if (std::holds_alternative<event::ShutdownRequested>(event.what)) shutdown_at_ = event.at;
    return;
  }
  Life& life = life_of(event.name);
  if (const ServicePolicy* const policy = policy_in(event)) {
    life.given_up = false;
    life.policy = *policy;
    if (std::holds_alternative<event::Reconfigured>(event.what)) ++reconfigures_;
  } else if (std::holds_alternative<event::Started>(event.what)) {
    life.asked_to_stop = false;
    life.began = event.at;
    if (!life.outages.empty() && !life.outages.back().started) life.outages.back().started = event.at;
  } else if (std::holds_alternative<event::Running>(event.what)) {
    if (life.policy.ready == Ready::notified) slow_starts_.push_back(event.at - life.began);
  } else if (const auto* const stopping = std::get_if<event::Stopping>(&event.what)) {
    life.asked_to_stop = !is_missed_deadline(stopping->cause);
  } else if (std::holds_alternative<event::Commanded>(event.what)) {
    ++commands_;
  } else if (const auto* const terminated = std::get_if<event::Terminated>(&event.what)) {
    const auto reason = terminated->why.reason;
    if (reason == Termination::Reason::abandoned) life.deaf = true;
    life.given_up = reason == Termination::Reason::circuit_open || reason == Termination::Reason::failed;
  } else if (std::holds_alternative<event::Abandoned>(event.what)) {
    life.deaf = true;
    life.start_may_fail = false;
  } else if (const auto* const ended = std::get_if<event::Ended>(&event.what)) {
    this->ended(life, event, *ended);
  }
}

// Of a run that was stopped soon after its start nobody knows whether it would have held.
void Incident::ended(Life& life, const Event& event, const event::Ended& ended) {
  if (life.asked_to_stop) {
    if (ended.lasted >= kStartFailedWithin) life.start_may_fail = false;
  } else if (!is_failure(ended.outcome)) {
    ++clean_exits_;
    life.start_may_fail = false;
  } else {
    failed(life, event, ended);
  }
}

void Incident::failed(Life& life, const Event& event, const event::Ended& ended) {
  if (ended.outcome == Outcome::fatal) ++fatal_errors_;
  if (life.start_may_fail && ended.lasted < kStartFailedWithin) {
    life.outages.back().until = event.at;
    life.outages.back().started.reset();
    failed_starts_.push_back(ended.lasted);
  } else {
    life.outages.push_back({event.at, event.at, cause_of(ended.error), std::nullopt});
    life.start_may_fail = true;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

Scenario Incident::scenario(const ReplayResult& result, const std::string& csv, Mended mended) const {
  Scenario scenario{.name = name_of(std::filesystem::path{result.file}.stem().string()),
                    .seed = Seed{result.seed.value & INT64_MAX},  // as far as a scenario has them
                    .supervisor = result.supervisor,
                    .fleet = grouped(fleet(result.supervisor))};
  scenario.supervisor.kill_wait.reset();  // which no scenario has
  scenario.duration = std::max(Duration{1}, result.report.end.at - TimePoint{});
  if (const auto text = rows(result.report.end.at, mended); !text.empty()) {
    Recorded recorded{.file = csv, .fails_after = fails_after()};
    recorded.trace = parse_recorded_trace(std::string{kRecordedHeader} + '\n' + text, csv);
    scenario.chaos.emplace_back().what.emplace<Recorded>(std::move(recorded));
  }
  if (shutdown_at_) scenario.chaos.push_back({.at = *shutdown_at_ - TimePoint{}, .what = Shutdown{}});
  return scenario;
}

std::vector<FleetGroup> Incident::fleet(const SupervisorConfig& config) const {
  std::vector<FleetGroup> services;
  for (const auto& life : lives_) {
    FleetGroup& service = services.emplace_back(FleetGroup{.name = life.name, .policy = life.policy});
    if (life.policy.backoff == config.backoff) service.policy.backoff.reset();
    if (life.policy.stop_grace == config.stop_grace) service.policy.stop_grace.reset();
    if (life.policy.ready == Ready::notified) service.behaviour.ready_after = ready_after();
    if (life.deaf) service.behaviour.on_stop = Ignores{};
  }
  return services;
}

// Nobody saw a service again that was given up on: it is down to the end.
TimePoint Incident::end_of(const Life& life, const Down& down, TimePoint end, Mended mended) {
  const bool given_up = life.given_up && &down == &life.outages.back();
  if (given_up) return end;
  return mended == Mended::early ? down.until : down.started.value_or(end);
}

// In the order of time.
std::string Incident::rows(TimePoint end, Mended mended) const {
  std::vector<std::tuple<TimePoint, const Life*, const Down*>> all;
  for (const auto& life : lives_) {
    if (!fits_a_row(life.name)) continue;
    for (const auto& down : life.outages) all.emplace_back(down.from, &life, &down);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return std::get<0>(a) < std::get<0>(b); });
  std::string text;
  for (const auto& [from, life, down] : all) {
    const TimePoint until = end_of(*life, *down, end, mended);
    text += life->name + ',' + to_string(from) + ',' + to_string(until) + ',' + down->cause + '\n';
  }
  return text;
}

Duration Incident::fails_after() const { return median_of(failed_starts_).value_or(Recorded{}.fails_after); }

std::optional<Distribution> Incident::ready_after() const {
  const auto median = median_of(slow_starts_);
  return median ? std::optional<Distribution>{Fixed{*median}} : std::nullopt;
}

std::vector<std::string> Incident::left_out() const {
  std::vector<std::string> all;
  const auto count = [&all](std::uint64_t number, std::string_view what, std::string_view says) {
    if (number > 0) all.push_back(detail::counted(number, what) + std::string{says});
  };
  count(commands_, "command", " from outside: stop, restart or remove");
  count(reconfigures_, "reconfigure", ": each service has its latest policy all the time");
  count(clean_exits_, "clean exit", ": runs that ended without an error and unasked");
  count(fatal_errors_, "fatal error", ": in the scenario the run fails like any other");
  const auto unfit = std::count_if(lives_.begin(), lives_.end(),
                                   [](const Life& life) { return !fits_a_row(life.name) && !life.outages.empty(); });
  count(static_cast<std::uint64_t>(unfit), "service", " whose name cannot stand in a recorded trace: the failures");
  return all;
}

}  // namespace holdfast::sim
