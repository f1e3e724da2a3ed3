#include <holdfast_sim/find/find.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <istream>
#include <map>
#include <utility>
#include <variant>

#include <holdfast/file/roster.hpp>
#include <holdfast_sim/checks/expectations.hpp>
#include <holdfast_sim/find/detail/event_fields.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::sim {

namespace {

constexpr std::uint64_t kTimersAtATime = 1 << 16;

bool belongs_to(std::string_view service, std::string_view name) {
  if (service == name) return true;
  const auto numbered = file::numbered_name(service);
  return numbered && numbered->group == name;
}

bool holds(const FieldTest& test, const detail::FieldValue& value) {
  using Is = FieldTest::Is;
  if (test.number) {
    if (!value.number) return test.is == Is::other;
    switch (test.is) {
      case Is::equal: return *value.number == *test.number;
      case Is::other: return *value.number != *test.number;
      case Is::less: return *value.number < *test.number;
      case Is::more: return *value.number > *test.number;
    }
  }
  return (value.text && *value.text == test.value) == (test.is == Is::equal);
}

std::string_view kind_of(const Event& event) { return kind(event); }
std::string_view kind_of(const ChaosEvent& event) { return to_string(event.kind); }
bool is_of_supervisor(const Event& event) { return event.about_supervisor(); }
bool is_of_supervisor(const ChaosEvent&) { return false; }

template <class Any>
bool matches(const SoughtEvent& wanted, const Any& event) {
  if (kind_of(event) != wanted.kind) return false;
  if (wanted.of && !belongs_to(event.name, *wanted.of)) return false;
  return std::all_of(wanted.tests.begin(), wanted.tests.end(),
                     [&](const auto& test) { return holds(test, detail::field_of(event, test.key)); });
}

// Finds the events of a query.
//
// Without a name the second event is of the service of the first; what is of the supervisor goes with everybody. So
// there are places: one for each service, and one for all. Events that come from one are looked for in it.
class EventFinder final : public Observer {
 public:
  explicit EventFinder(const EventQuery& query) : query_(query), of_everybody_(query.other.of_any || query.other.of) {}

  void on_event(const Event& event) override { see(event); }
  void on_chaos(const ChaosEvent& event) override { see(event); }

  FindResult finish(const SimulationEnd& end) {
    found_.end = end.reason;
    for (auto& [name, place] : places_) close(place, end);
    std::sort(first_.begin(), first_.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
    if (first_.size() > kFoundOfRunMax) first_.resize(kFoundOfRunMax);
    found_.first = std::move(first_);
    return std::move(found_);
  }

 private:
  struct Place {
    std::optional<TimePoint> latest{};  // of the other event
    std::deque<FoundEvent> waiting{};   // for it
  };

  template <class Any>
  void see(const Any& event) {
    ++number_;
    const bool is_what = is_in_time(event.at) && matches(query_.what, event);
    const bool is_other = query_.order != EventQuery::Order::alone && matches(query_.other, event);
    if (is_other && query_.order == EventQuery::Order::followed) resolve(event.name, is_of_supervisor(event), event.at);
    if (is_what) take(event);
    if (is_other && query_.order == EventQuery::Order::preceded) {
      place_of(event.name, is_of_supervisor(event)).latest = event.at;
      latest_of_all_ = event.at;
    }
  }

  [[nodiscard]] bool is_in_time(TimePoint at) const {
    return TimePoint{} + query_.from <= at && (!query_.until || at <= TimePoint{} + *query_.until);
  }

  Place& place_of(std::string_view name, bool of_supervisor) {
    const std::string_view key = of_everybody_ || of_supervisor ? std::string_view{} : name;
    const auto found = places_.find(key);
    return found != places_.end() ? found->second : places_[std::string{key}];
  }

  template <class Any>
  void take(const Any& event) {
    FoundEvent one{
        .at = event.at, .number = number_, .service = std::string{event.name}, .kind = std::string{kind_of(event)}};
    switch (query_.order) {
      case EventQuery::Order::alone: return keep(std::move(one));
      case EventQuery::Order::preceded: {
        const bool was = was_preceded(event.name, is_of_supervisor(event), event.at);
        if (was != query_.negated) keep(std::move(one));
        return;
      }
      case EventQuery::Order::followed: place_of(event.name, is_of_supervisor(event)).waiting.push_back(std::move(one));
    }
  }

  bool was_preceded(std::string_view name, bool of_supervisor, TimePoint at) {
    const auto within = [&](const std::optional<TimePoint>& latest) {
      return latest && (!query_.within || at - *latest <= *query_.within);
    };
    if (of_supervisor) return within(latest_of_all_);
    return within(place_of(name, false).latest) || within(place_of({}, true).latest);
  }

  void resolve(std::string_view name, bool of_supervisor, TimePoint at) {
    if (of_supervisor) {
      for (auto& [key, place] : places_) resolve(place, at);
    } else {
      resolve(place_of(name, false), at);
      resolve(place_of({}, true), at);
    }
  }
  void resolve(Place& place, TimePoint at) {
    for (auto& one : place.waiting) {
      const bool followed = !query_.within || at - one.at <= *query_.within;
      if (followed != query_.negated) keep(std::move(one));
    }
    place.waiting.clear();
  }

  // Nothing has followed those that wait. Whether it would have in time nobody can tell of those that the end came too
  // early for.
  void close(Place& place, const SimulationEnd& end) {
    for (auto& one : place.waiting) {
      if (query_.within && end.at - one.at < *query_.within) {
        ++found_.undecided;
      } else if (query_.negated) {
        keep(std::move(one));
      }
    }
    place.waiting.clear();
  }

  // The ones with the smallest numbers are kept; what is followed comes out of order.
  void keep(FoundEvent one) {
    ++found_.count;
    first_.push_back(std::move(one));
    if (first_.size() < 4 * kFoundOfRunMax) return;
    std::nth_element(first_.begin(), first_.begin() + kFoundOfRunMax, first_.end(),
                     [](const auto& a, const auto& b) { return a.number < b.number; });
    first_.resize(kFoundOfRunMax);
  }

  const EventQuery& query_;
  const bool of_everybody_;
  std::uint64_t number_ = 0;
  std::optional<TimePoint> latest_of_all_{};
  std::map<std::string, Place, std::less<>> places_;
  std::vector<FoundEvent> first_;
  FindResult found_;
};

// The number of the last event up to a time.
class EventCounter final : public Observer {
 public:
  explicit EventCounter(TimePoint until) : until_(until) {}
  void on_event(const Event& event) override { count(event.at); }
  void on_chaos(const ChaosEvent& event) override { count(event.at); }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

 private:
  void count(TimePoint at) {
    if (at <= until_) ++number_;
  }

  TimePoint until_;
  std::uint64_t number_ = 0;
};

// False: the caller ended it.
bool run(Simulation& simulation, const std::function<bool()>& interrupted) {
  while (!simulation.run_to_end(kTimersAtATime)) {
    if (!interrupted || !interrupted()) continue;
    simulation.interrupt();
    return false;
  }
  return true;
}

FindResult find_events(const Scenario& scenario, Seed seed, const EventQuery& query,
                       const std::function<bool()>& interrupted) {
  EventFinder finder{query};
  Simulation simulation{scenario, {&finder}, seed};
  run(simulation, interrupted);
  return finder.finish(simulation.end());
}

std::uint64_t last_event_at(const Scenario& scenario, Seed seed, TimePoint at) {
  EventCounter counter{at};
  Simulation simulation{scenario, {&counter}, seed};
  simulation.run_until(at);
  return counter.number();
}

FindResult find_property(const Scenario& expecting, Seed seed, const PropertyQuery& query,
                         const std::function<bool()>& interrupted) {
  ExpectationChecks checks{expecting};
  Simulation simulation{expecting, {&checks}, seed};
  FindResult found{.end = EndReason::interrupted};
  if (!run(simulation, interrupted)) return found;
  found.end = simulation.end().reason;
  checks.finish(simulation.end());
  const ExpectationResult& result = checks.results().front();
  if (result.held == query.negated) return found;
  found.count = 1;
  FoundEvent one{.at = result.at, .number = last_event_at(expecting, seed, result.at), .says = result.found};
  if (!result.services.empty()) one.service = result.services.front();
  found.first.push_back(std::move(one));
  return found;
}

}  // namespace

Finder::Finder(const Scenario& scenario, const Query& query) : scenario_(scenario), query_(query) {
  const auto* const property = std::get_if<PropertyQuery>(&query);
  if (!property) return;
  expecting_ = std::make_unique<Scenario>(scenario);
  expecting_->expect = {};
  expecting_->expect.properties = {property->property};
}

FindResult Finder::find(Seed seed, const std::function<bool()>& interrupted) const {
  const auto* const events = std::get_if<EventQuery>(&query_);
  FindResult found = events ? find_events(scenario_, seed, *events, interrupted)
                            : find_property(*expecting_, seed, std::get<PropertyQuery>(query_), interrupted);
  found.seed = seed.value;
  return found;
}

FindResult find_in_trace(std::istream& in, const std::string& file, const Query& query, std::string_view text) {
  const auto* const events = std::get_if<EventQuery>(&query);
  if (!events) {
    throw BadQuery{text.find_first_not_of(' ') + 1,
                   "a property needs the scenario, which a trace does not have; look for events, or name the scenario"};
  }
  EventFinder finder{*events};
  const auto summary = read_trace(in, file, {&finder});
  FindResult found = finder.finish(summary.end);
  found.seed = summary.seed.value;
  return found;
}

// ---------------------------------------------------------------------------------------------------------------------
// Many runs
// ---------------------------------------------------------------------------------------------------------------------

void FoundInRuns::add(const FindResult& found) {
  ++runs_;
  if (found.end == EndReason::events_budget || found.end == EndReason::time_budget) ++cut_off_;
  undecided_ += found.undecided;
  if (found.count == 0) return;
  events_ += found.count;
  per_run_.add(found.count);
  if (seeds_.size() < kSeedsMax) seeds_.push_back(found.seed);
  if (first_.size() < examples_max_) first_.push_back(found);
}

std::vector<FoundInRuns::Example> FoundInRuns::examples() const {
  std::vector<Example> examples;
  for (const auto& found : first_) {
    const std::size_t of_run = runs_ == 1 ? examples_max_ : 1;
    for (std::size_t i = 0; i < std::min(of_run, found.first.size()); ++i) {
      examples.push_back({found.seed, found.first[i]});
    }
  }
  return examples;
}

}  // namespace holdfast::sim
