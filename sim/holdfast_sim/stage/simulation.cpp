#include <holdfast_sim/stage/simulation.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <holdfast/detail/pages.hpp>
#include <holdfast/file/order.hpp>
#include <holdfast_sim/scenario/detail/name_pattern.hpp>
#include <holdfast_sim/scenario/roster.hpp>
#include <holdfast_sim/scenario/swarm.hpp>
#include <holdfast_sim/stage/detail/chaos_timetable.hpp>
#include <holdfast_sim/stage/detail/simulated_service.hpp>

namespace holdfast::sim {

namespace {

using Queues = std::map<std::string_view, ResourceQueue<SimulatedService>>;  // by the name of the resource

// The services that chaos can hit: keeps track of which service has which slot.
class Stage final : public Population {
 public:
  // Adds a service of a group of the fleet; false: it is refused.
  using AddOfGroup = std::function<bool(const FleetGroup&, const Role&, std::string name)>;

  Stage(holdfast::detail::Pages<SimulatedService>& services, Queues& queues, AddOfGroup add)
      : services_(services), queues_(queues), add_of_group_(std::move(add)) {}

  void for_each(const std::vector<std::string>& names, const std::function<void(const Inhabitant&)>& hit) override {
    // By index, because an observer of a hit may add services.
    const auto hit_present = [&](std::size_t first, std::size_t size) {
      for (std::size_t i = first; i < first + size; ++i) {
        if (present(services_[i])) hit(inhabitant(services_[i]));
      }
    };
    if (names.empty()) hit_present(0, services_.size());
    if (has_pattern(names)) return hit_matching(names, hit);
    for (const auto& name : names) {
      if (const auto group = groups_.find(name); group != groups_.end()) {
        const Members members = group->second;
        hit_present(members.first, members.size);
        for (const std::size_t one : members.more) hit_present(one, 1);
      } else if (const auto found = find(name)) {
        hit(*found);
      }
    }
  }

  std::optional<Inhabitant> find(std::string_view name) override {
    const auto id = supervisor_->id(name);
    SimulatedService* const service = id ? in_slot(id->slot) : nullptr;
    return service ? std::optional{inhabitant(*service)} : std::nullopt;
  }

  std::optional<Inhabitant> find(ServiceId id) override {
    SimulatedService* const service = in_slot(id.slot);
    if (service == nullptr || supervisor_->id_in(id.slot) != id) return std::nullopt;
    return inhabitant(*service);
  }

  ResourceQueue<SimulatedService>* resource(std::string_view name) override {
    const auto found = queues_.find(name);
    return found == queues_.end() ? nullptr : &found->second;
  }

  [[nodiscard]] std::vector<Absent> absent(const std::vector<std::string>& names) const override {
    const Named named{*this, names};
    std::vector<Absent> all;
    for (std::size_t i = 0; i < fleet_.size(); ++i) {
      const FleetGroup& group = fleet_[i].first;
      for (std::uint32_t index = 0; index < group.size(); ++index) {
        auto name = group.service_name(index);
        if (!supervisor_->id(name) && named.has(group.name, name)) all.push_back({i, std::move(name)});
      }
    }
    return all;
  }

  void add(const Absent& service) override {
    const auto& [group, role] = fleet_[service.group];
    if (supervisor_->id(service.name) || !add_of_group_(group, *role, service.name)) return;
    groups_[group.name].more.push_back(services_.size() - 1);
  }

  void set_supervisor(const Supervisor& supervisor) { supervisor_ = &supervisor; }
  // A group of the fleet, whose services are added one by one after this; none of them: they join later.
  const FleetGroup& name_group(FleetGroup&& named, const Role& role) {
    const FleetGroup& group = fleet_.emplace_back(std::move(named), &role).first;
    groups_[group.name] = {services_.size(), group.joins == Joins::later ? 0 : group.size(), {}};
    return group;
  }

  // The latest of the services.
  void enter(ServiceId id) {
    services_.back().enter(id.slot);
    const std::size_t actor = services_.size() - 1;
    if (actor == id.slot) {
      moved_.erase(id.slot);
    } else {
      moved_[id.slot] = actor;
    }
  }
  // A service that is not simulated: chaos does not reach it.
  void enter_other(ServiceId id) { moved_[id.slot] = kNoActor; }

 private:
  // Of a group, in services_.
  struct Members {
    std::size_t first = 0;
    std::size_t size = 0;
    std::vector<std::size_t> more;  // that joined later

    [[nodiscard]] bool has(std::size_t one) const {
      return (one >= first && one - first < size) || std::find(more.begin(), more.end(), one) != more.end();
    }
  };

  // Whom the names of an entry mean.
  class Named {
   public:
    Named(const Stage& stage, const std::vector<std::string>& names) : names_(names) {
      for (const auto& name : names) {
        if (!stage.is_pattern(name)) continue;
        if (auto pattern = detail::NamePattern::parse(name)) patterns_.push_back(std::move(*pattern));
      }
    }
    [[nodiscard]] bool has(const std::string& group, const std::string& service) const {
      const auto is_it = [&](const std::string& name) { return name == group || name == service; };
      const auto matches = [&](const detail::NamePattern& pattern) { return pattern.matches(service); };
      return names_.empty() || std::any_of(names_.begin(), names_.end(), is_it) ||
             std::any_of(patterns_.begin(), patterns_.end(), matches);
    }

   private:
    const std::vector<std::string>& names_;
    std::vector<detail::NamePattern> patterns_;
  };

  // A text that is the name of a group or of a service means that.
  [[nodiscard]] bool is_pattern(const std::string& name) const {
    return name.find_first_of("*{") != std::string::npos && !groups_.contains(name) && !supervisor_->id(name);
  }
  [[nodiscard]] bool has_pattern(const std::vector<std::string>& names) const {
    return std::any_of(names.begin(), names.end(), [this](const std::string& name) { return is_pattern(name); });
  }

  // Each service that any of the names means, once.
  void hit_matching(const std::vector<std::string>& names, const std::function<void(const Inhabitant&)>& hit) {
    std::vector<detail::NamePattern> patterns;
    for (const auto& name : names) {
      if (!is_pattern(name)) continue;
      if (auto pattern = detail::NamePattern::parse(name)) patterns.push_back(std::move(*pattern));
    }
    for (std::size_t i = 0, size = services_.size(); i < size; ++i) {
      if (!present(services_[i])) continue;
      const Inhabitant who = inhabitant(services_[i]);
      const auto is_it = [&](const std::string& name) {
        const auto group = groups_.find(name);
        return group == groups_.end() ? name == who.name : group->second.has(i);
      };
      const auto matches = [&](const detail::NamePattern& pattern) { return pattern.matches(who.name); };
      if (std::any_of(patterns.begin(), patterns.end(), matches) || std::any_of(names.begin(), names.end(), is_it))
        hit(who);
    }
  }

  static constexpr std::size_t kNoActor = SIZE_MAX;

  // Not removed; another service may have its slot since.
  [[nodiscard]] bool present(SimulatedService& service) noexcept {
    return in_slot(service.slot()) == &service && supervisor_->id_in(service.slot());
  }

  // Null if the slot holds a service that is not simulated.
  [[nodiscard]] SimulatedService* in_slot(std::uint32_t slot) noexcept {
    const auto moved = moved_.find(slot);
    const std::size_t actor = moved == moved_.end() ? slot : moved->second;
    return actor == kNoActor ? nullptr : &services_[actor];
  }

  [[nodiscard]] Inhabitant inhabitant(SimulatedService& service) const {
    const ServiceId id = *supervisor_->id_in(service.slot());
    const std::string_view name = supervisor_->name(id);
    return {&service, id, name, name_hash(name)};
  }

  holdfast::detail::Pages<SimulatedService>& services_;  // in the order of adding
  Queues& queues_;
  const Supervisor* supervisor_ = nullptr;
  std::unordered_map<std::uint32_t, std::size_t> moved_;  // into services_, for slots whose number is not its index
  std::map<std::string, Members, std::less<>> groups_;    // by name
  std::deque<std::pair<FleetGroup, const Role*>> fleet_;  // in the order of adding
  AddOfGroup add_of_group_;
};

// Shows every event to all of several observers.
class Audience final : public EventSink {
 public:
  explicit Audience(std::vector<Observer*> observers) : observers_(std::move(observers)) {}

  void on_event(const Event& event) override {
    for (Observer* const observer : observers_) observer->on_event(event);
  }
  void comes_soon(ServiceId service) noexcept override {
    for (Observer* const observer : observers_) observer->comes_soon(service);
  }

  [[nodiscard]] const std::vector<Observer*>& observers() const noexcept { return observers_; }
  // Of what they see; one alone needs nobody to pass it on.
  [[nodiscard]] EventSink& sink() noexcept {
    return observers_.size() == 1 ? static_cast<EventSink&>(*observers_.front()) : *this;
  }

 private:
  std::vector<Observer*> observers_;
};

}  // namespace

struct Simulation::State {
  State(const SimulationConfig& config, std::vector<Observer*> observers)
      : budget(config.budget),
        audience(std::move(observers)),
        stage(services, queues,
              [this](const FleetGroup& group, const Role& role, std::string name) {
                return static_cast<bool>(add({std::move(name), group.policy}, role));
              }),
        late(config.supervisor_may_be_late ? std::make_unique<LateScheduler>(scheduler) : nullptr),
        supervisor(late ? static_cast<Scheduler&>(*late) : scheduler, config.supervisor, config.seed, audience.sink()),
        timetable(scheduler, late.get(), supervisor, stage, audience.observers(), config.seed) {
    stage.set_supervisor(supervisor);
  }

  const Role& role_of(Behaviour behaviour, const ServicePolicy& policy) {
    Role& role = roles.emplace_back(Role{.scheduler = scheduler,
                                         .supervisor = supervisor,
                                         .sufferings = sufferings,
                                         .pulses = pulses,
                                         .sink = audience.sink(),
                                         .observers = audience.observers(),
                                         .behaviour = std::move(behaviour),
                                         .needs_progress = policy.watchdog_needs == SignOfLife::progress,
                                         .says_when_ready = policy.ready == Ready::notified});
    if (policy.watchdog) {
      role.beats_from_start = !role.says_when_ready;
      role.beats_every = role.behaviour.heartbeat_every.value_or(std::max(*policy.watchdog / 2, Duration{1}));
    }
    if (const auto& needs = role.behaviour.needs) {
      role.queue = stage.resource(needs->resource);
      role.begins_slowly = true;
      HOLDFAST_ASSERT(role.queue != nullptr, "a service needs a resource that was not added");
      role.gave_up = "simulated: gave up on " + needs->resource;
      role.refused = "simulated: refused by " + needs->resource;
    }
    return role;
  }

  Result<ServiceId> add(ServiceConfig config, const Role& role) {
    auto added = supervisor.add(std::move(config), services.emplace_back(role));
    if (added) {
      stage.enter(added.value());
    } else {
      services.pop_back();
    }
    return added;
  }

  Result<ServiceId> add(ServiceConfig config, Service& service) {
    auto added = supervisor.add(std::move(config), service);
    if (added) stage.enter_other(added.value());
    return added;
  }

  void add_group(FleetGroup&& named) {
    const Role& role = role_of(named.behaviour, named.policy);
    const FleetGroup& group = stage.name_group(std::move(named), role);
    if (group.joins == Joins::later) return;
    for (std::uint32_t i = 0; i < group.size(); ++i) {
      const auto added = add({group.service_name(i), group.policy}, role);
      HOLDFAST_ASSERT(added, "a scenario that was read has a service that is refused");
    }
  }

  [[nodiscard]] TimePoint limit() const noexcept {
    const TimePoint budgeted = TimePoint{} + budget.virtual_time;
    return duration ? std::min(TimePoint{} + *duration, budgeted) : budgeted;
  }

  // Of services that wait for something: a run to end, or its time to come.
  [[nodiscard]] bool anybody_waits() const {
    const auto all = supervisor.snapshots();
    return std::any_of(all.begin(), all.end(), [&](const ServiceSnapshot& service) {
      if (duration && service.waits_for && service.waits_for != WaitsFor::restart_limit)
        return false;  // perhaps for ever
      return service.phase != Phase::terminated && (service.phase != Phase::running || !duration);
    });
  }

  void finish() {
    const bool idle = scheduler.idle();
    end.reason = EndReason::finished;
    if (idle && anybody_waits()) {
      end.reason = EndReason::stalled;
    } else if (!idle || supervisor.counters().active_services > 0) {
      if (!duration || TimePoint{} + *duration > limit()) end.reason = EndReason::time_budget;
      scheduler.advance_to(std::max(scheduler.now(), limit()));
    }
    set_end();
  }

  void set_end() {
    end.at = scheduler.now();
    end.timers_fired = scheduler.timers_fired();
    end.counters = supervisor.counters();
    ended = true;
  }

  VirtualScheduler scheduler;
  Budget budget;
  std::optional<Duration> duration;
  std::optional<Seed> shuffles;  // what happens in one instant
  Sufferings sufferings;
  Pulses pulses;
  std::deque<Resource> resources;
  Queues queues;
  std::deque<Role> roles;
  holdfast::detail::Pages<SimulatedService> services;
  Audience audience;
  Stage stage;
  std::unique_ptr<LateScheduler> late;  // the supervisor's scheduler; null: it is in time
  Supervisor supervisor;
  ChaosTimetable timetable;
  SimulationEnd end;
  bool ended = false;
};

Simulation::Simulation(SimulationConfig config, std::vector<Observer*> observers)
    : state_(std::make_unique<State>(config, std::move(observers))) {}

bool Simulation::has_late_supervisor(const Scenario& scenario) {
  return std::any_of(scenario.chaos.begin(), scenario.chaos.end(),
                     [](const ChaosEntry& entry) { return makes_supervisor_late(entry.what); });
}

void Simulation::enact(const Scenario& scenario, Seed seed) {
  state_->duration = scenario.duration;
  if (scenario.heal_at) state_->timetable.heal_at(TimePoint{} + *scenario.heal_at);
  if (scenario.order == InstantOrder::random) state_->shuffles = seed;
  const auto choices = swarm_choices(scenario, seed);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i].happens) {
      state_->timetable.add(chosen(scenario.chaos[i], choices[i]));
    } else {
      state_->timetable.skip();
    }
  }
  for (const auto& resource : scenario.resources) add_resource(resource);
  for (const auto& group : scenario.groups) {
    const auto added = state_->supervisor.add_group(group);
    HOLDFAST_ASSERT(added, "a scenario that was read has a group that is refused");
  }
  const Roster roster = roster_of(scenario);
  std::vector<Order> orders;
  for (const auto& group : scenario.fleet) orders.push_back(group.policy.order);
  for (const std::size_t i : file::order_of_adding(orders, roster)) {
    FleetGroup group = scenario.fleet[i];
    group.policy.order = file::of_services(orders[i], roster);
    state_->add_group(std::move(group));
  }
  for (std::size_t i = scenario.fleet.size(); i < roster.groups().size(); ++i) {
    state_->add_group({.name = roster.groups()[i].name});
  }
}

Simulation::~Simulation() = default;

void Simulation::add_resource(Resource resource) {
  const Resource& added = state_->resources.emplace_back(std::move(resource));
  const bool is_new = state_->queues.try_emplace(added.name, state_->scheduler, added).second;
  HOLDFAST_ASSERT(is_new, "two resources of one name");
}

Result<ServiceId> Simulation::add(ServiceConfig config, Behaviour behaviour) {
  const Role& role = state_->role_of(std::move(behaviour), config.policy);
  return state_->add(std::move(config), role);
}

Result<ServiceId> Simulation::add(ServiceConfig config, Service& service) {
  return state_->add(std::move(config), service);
}

void Simulation::add_chaos(ChaosEntry entry) { state_->timetable.add(std::move(entry)); }

void Simulation::run_until(TimePoint at) {
  auto& scheduler = state_->scheduler;
  const TimePoint until = std::min(at, TimePoint{} + state_->budget.virtual_time);
  run_until([] { return false; }, until);
  if (!scheduler.has_timer_by(until) && until > scheduler.now()) scheduler.advance_to(until);
}

bool Simulation::run_until(const std::function<bool()>& done, TimePoint limit) {
  auto& scheduler = state_->scheduler;
  const TimePoint until = std::min(limit, TimePoint{} + state_->budget.virtual_time);
  scheduler.run_tasks();
  while (!done()) {
    if (scheduler.timers_fired() >= state_->budget.events) return false;
    const auto& shuffles = state_->shuffles;
    if (!(shuffles ? scheduler.fire_next_shuffled(until, *shuffles) : scheduler.fire_next(until))) return false;
  }
  return true;
}

bool Simulation::run_to_end(std::uint64_t timers_at_most) {
  if (state_->ended) return true;
  auto& scheduler = state_->scheduler;
  const TimePoint limit = state_->limit();
  scheduler.run_tasks();
  const std::uint64_t left = state_->budget.events - scheduler.timers_fired();
  const bool budget_is_near = left <= timers_at_most;
  if (state_->shuffles) {
    for (std::uint64_t i = std::min(left, timers_at_most); i > 0; --i) {
      if (!scheduler.fire_next_shuffled(limit, *state_->shuffles)) break;
    }
  } else {
    for (std::uint64_t i = std::min(left, timers_at_most); i > 0; --i) {
      if (!scheduler.fire_next(limit)) break;
    }
  }
  if (!scheduler.has_timer_by(limit)) {
    state_->finish();
  } else if (budget_is_near) {
    state_->end.reason = EndReason::events_budget;
    state_->set_end();
  }
  return state_->ended;
}

void Simulation::interrupt() {
  if (state_->ended) return;
  state_->end.reason = EndReason::interrupted;
  state_->set_end();
}

const SimulationEnd& Simulation::end() const noexcept {
  HOLDFAST_ASSERT(state_->ended, "the end of a simulation that has not ended");
  return state_->end;
}

bool Simulation::end_run(std::string_view service, Exit exit) {
  const auto who = state_->stage.find(service);
  return who && who->service->end_run(std::move(exit));
}

bool Simulation::hang_run(std::string_view service) {
  const auto who = state_->stage.find(service);
  return who && who->service->hang_run();
}

TimePoint Simulation::now() const noexcept { return state_->scheduler.now(); }
Supervisor& Simulation::supervisor() noexcept { return state_->supervisor; }
const Supervisor& Simulation::supervisor() const noexcept { return state_->supervisor; }
VirtualScheduler& Simulation::scheduler() noexcept { return state_->scheduler; }

}  // namespace holdfast::sim
