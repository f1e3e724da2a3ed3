#include <holdfast_sim/stage/detail/simulated_service.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include <holdfast_sim/scenario/chaos/strike.hpp>

namespace holdfast::sim {

namespace {

struct SimulatedException final : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "simulated exception"; }
};

}  // namespace

void SimulatedService::start(Run run) {
  run_ = run;
  if (waits_ || holds_) let_go();  // an abandoned run did
  run_alive_ = true;
  run_hung_ = false;
  if (suffers_) start_in_chaos();
  if (role_.beats_from_start) [[unlikely]]
    begin_to_beat();
  const RunPlan plan = suffers_ ? plan_in_chaos() : plan_in_peace(role_.behaviour, key(), run.number().value);
  switch (plan.end) {
    case RunPlan::End::silence: fall_silent(); return;
    case RunPlan::End::failure_at_first: next_ = Next::failure_at_first; break;
    case RunPlan::End::failure_of_outage: next_ = Next::failure_of_outage; break;
    case RunPlan::End::failure_of_start: meet_fault(); break;
    case RunPlan::End::natural: next_ = Next::natural_end; [[fallthrough]];
    case RunPlan::End::never:
      if (role_.begins_slowly) return begin_slowly();
      if (plan.end == RunPlan::End::never) return;
  }
  live(plan.after);
}

void SimulatedService::start_in_chaos() {
  role_.scheduler.disarm(*this);  // it may have waited to boot
  run_is_off_ = false;
  Suffering& mine = suffer();
  mine.changed = changed_behaviour(role_.behaviour, mine, now(), key(), run_.number().value);
  is_changed_ = mine.changed != nullptr;
  mine.run_hangs_until = TimePoint::min();
  if (is_off()) return;
  if (now() < mine.starts_hang_until) {
    mine.run_hangs_until = mine.starts_hang_until;
    report(ChaosEvent::Kind::hang, mine.run_hangs_until, cause_of_hang(HangsWhen::at_start));
  }
  for (const OpenFault& open : mine.faults) {
    if (open.fault.at_start && now() < open.fault.until) open.fault.at_start(run_.service(), run_.number());
  }
}

RunPlan SimulatedService::plan_in_chaos() const {
  return plan_run(behaviour(), &suffering(), now(), key(), run_.number().value);
}

// Where every start fails it is an outage, from the first that does: nothing that the supervisor does brings it back.
void SimulatedService::meet_fault() {
  next_ = Next::failure_of_start;
  Suffering& mine = suffer();
  OpenFault& open = *failing_fault(mine.faults, now(), key(), run_.number().value);
  mine.fails_of = open.fault.name;
  if (!open.fault.meets_every_start() || std::exchange(open.shown, true)) return;
  report(ChaosEvent::Kind::outage, open.fault.until, open.fault.cause, *open.fault.fails_after);
}

// If it has to wait, served() goes on.
bool SimulatedService::has_what_it_needs() {
  const Need& need = *role_.behaviour.needs;
  std::optional<Duration> takes;
  if (need.holds == Holds::start) takes = draw_length(role_.queue->resource().takes, Purpose::resource_time);
  waits_ = true;
  const auto answer = role_.queue->ask(*this, run_.number().value, takes);
  using Answer = ResourceQueue<SimulatedService>::Answer;
  if (answer == Answer::waits) {
    report(ChaosEvent::Kind::waits, TimePoint::max(), need.resource);
    next_ = Next::giving_up;
    if (need.gives_up_after) live(*need.gives_up_after);
    return false;
  }
  waits_ = false;
  is_served_ = false;
  if (answer == Answer::served) {
    holds_ = need.holds == Holds::run;
    return true;
  }
  next_ = Next::refusal;
  live(Duration::zero());
  return false;
}

void SimulatedService::served(std::uint64_t) {
  const Need& need = *role_.behaviour.needs;
  waits_ = false;
  is_served_ = false;
  holds_ = need.holds == Holds::run;
  report(ChaosEvent::Kind::served, now(), need.resource);
  if (next_ != Next::giving_up) return;  // it was asked to stop
  role_.scheduler.disarm(*this);
  role_.says_when_ready ? get_ready() : work();
}

// It needs something, or says when it is ready.
void SimulatedService::begin_slowly() {
  if (role_.queue != nullptr && !has_what_it_needs()) return;
  role_.says_when_ready ? get_ready() : work();
}

// For its natural time.
void SimulatedService::work() {
  if (is_removed()) {
    end_run(Exit::clean());
    return;
  }
  next_ = Next::natural_end;
  const RunPlan plan = plan_work(behaviour(), key(), run_.number().value);
  if (plan.end == RunPlan::End::never) return;
  if (plan.after > Duration::zero() || hung()) {
    role_.scheduler.arm(*this, now() + plan.after);
  } else {
    finish_and_catch();
  }
}

// It takes its time to be ready, and works from then on.
void SimulatedService::get_ready() {
  const auto& takes = behaviour().ready_after;
  const Duration drawn = takes ? draw_length(*takes, Purpose::ready_length) : Duration::zero();
  const Duration length = std::min(drawn + behaviour().ready_later, kDurationMax);
  if (length == Duration::zero() && !hung()) return become_ready();
  next_ = Next::ready;
  role_.scheduler.arm(*this, now() + length);
}

void SimulatedService::become_ready() {
  run_.ready();
  if (suffers_) suffer().ready_since = now();
  if (role_.beats_every) begin_to_beat();
  work();
}

// Its run is over, and what it needed or suffered counts.
void SimulatedService::end_in_chaos() {
  if (waits_ || holds_) let_go();
  if (suffers_ && role_.says_when_ready) is_ready_no_more();
  if (suffers_) may_be_over_unseen();
}

void SimulatedService::may_be_over_unseen() const {
  const TimePoint until = suffering().unsupervised_until;
  if (now() < until) report(ChaosEvent::Kind::ended_unseen, until, "stall");
}

void SimulatedService::is_ready_no_more() {
  Suffering& mine = suffer();
  if (!mine.ready_since) return;
  mine.ready_until = now();
  mine.ready_for = now() - *std::exchange(mine.ready_since, std::nullopt);
}

// Its run is over: somebody else may have what it had.
void SimulatedService::let_go() {
  if (waits_) role_.queue->give_up(is_served_);
  const bool held = holds_;
  waits_ = false;
  is_served_ = false;
  holds_ = false;
  if (held) role_.queue->give_back();
}

void SimulatedService::stop(Run) {
  if (run_is_off_) {  // what is off has stopped
    run_alive_ = true;
    run_is_off_ = false;
    end_run(Exit::clean());
    return;
  }
  if (!run_alive_ || std::holds_alternative<Ignores>(behaviour().on_stop)) return;
  role_.scheduler.disarm(*this);  // whatever it would have come to, it stops instead
  next_ = Next::stop;
  if (suffers_) may_hang_when_stopped();
  if (hung()) {
    wait_for_end_of_hang();
  } else {
    begin_to_stop();
  }
}

void SimulatedService::kill(Run) {
  const OnStop& on_kill = *behaviour().on_kill;
  if (!run_alive_ || std::holds_alternative<Ignores>(on_kill)) return;
  role_.scheduler.disarm(*this);
  next_ = Next::killed;
  const auto* const takes = std::get_if<Takes>(&on_kill);
  const Duration length = takes ? draw_length(takes->how_long, Purpose::kill_length) : Duration::zero();
  if (length > Duration::zero()) {
    role_.scheduler.arm(*this, now() + length);
  } else {
    finish_run();
  }
}

bool SimulatedService::end_run(Exit exit) {
  if (!run_alive_) return false;
  if (armed()) role_.scheduler.disarm(*this);
  run_alive_ = false;
  run_.end(std::move(exit));
  if (waits_ || holds_ || suffers_) end_in_chaos();
  return true;
}

[[gnu::always_inline]] inline void SimulatedService::end_by_itself(Exit&& exit) {
  if (const auto status = behaviour().exit_status) [[unlikely]] {
    end_run(std::move(exit).with_status(*status));
  } else {
    end_run(std::move(exit));
  }
}

bool SimulatedService::hang_run() {
  if (!run_alive_) return false;
  hang_this_run();
  return true;
}

void SimulatedService::crash(std::string_view cause) { end_run(Exit::failed(Error::literal(cause))); }

void SimulatedService::begin_outage(const Affliction& affliction, TimePoint until) {
  Suffering& mine = suffer();
  mine.affliction = affliction;
  mine.down_until = std::max(mine.down_until, until);
  crash(affliction.cause);
}

void SimulatedService::begin(StartFault fault) {
  Suffering& mine = suffer();
  if (run_alive_ && fault.changes && !mine.ready_since) {  // it may have been ready before chaos reached it
    const auto seen = role_.supervisor.snapshot_in(slot_);
    if (seen && seen->phase == Phase::running) mine.ready_since = now() - seen->time_in_phase;
  }
  auto& faults = mine.faults;
  const auto known = std::find_if(faults.begin(), faults.end(),
                                  [&fault](const OpenFault& open) { return open.fault.name == fault.name; });
  if (known == faults.end()) {
    const auto place = fault.goes_first ? faults.begin() : faults.end();
    faults.insert(place, {std::move(fault), run_.number().value});
    return;
  }
  fault.until = std::max(known->fault.until, fault.until);
  *known = {std::move(fault), run_.number().value};
}

std::string_view SimulatedService::cause_of_hang(HangsWhen when) noexcept {
  switch (when) {
    case HangsWhen::always: return "hang";
    case HangsWhen::at_start: return "hang at start";
    case HangsWhen::at_stop: return "hang at stop";
  }
  return {};
}

void SimulatedService::begin_hang(TimePoint until, HungHeartbeats heartbeats, HangsWhen when) {
  Suffering& mine = suffer();
  if (when != HangsWhen::at_stop) mine.heartbeats = heartbeats;
  TimePoint& hangs_until = when == HangsWhen::always     ? mine.hangs_until
                           : when == HangsWhen::at_start ? mine.starts_hang_until
                                                         : mine.stops_hang_until;
  hangs_until = std::max(hangs_until, until);
}

void SimulatedService::may_hang_when_stopped() {
  const TimePoint until = suffering().stops_hang_until;
  if (now() >= until) return;
  suffer().run_hangs_until = std::max(suffering().run_hangs_until, until);
  report(ChaosEvent::Kind::run_hang, TimePoint::max(), cause_of_hang(HangsWhen::at_stop));
}

// What the supervisor takes for alive stays so, in silence. What was about to stop has stopped.
void SimulatedService::go_off(TimePoint until) {
  Suffering& mine = suffer();
  mine.off_until = std::max(mine.off_until, until);
  if (run_alive_) {
    const auto seen = role_.supervisor.snapshot_in(slot_);
    if (seen && seen->phase == Phase::stopping) {
      const bool is_killed = next_ == Next::killed && armed();
      end_run(is_killed ? Exit::failed(Error::literal("simulated kill")) : Exit::clean());
    } else {
      fall_silent();
    }
    return;
  }
  const auto id = role_.supervisor.id_in(slot_);
  if (run_is_off_ || (id && role_.supervisor.hold_start(*id))) wait_to_boot();
}

void SimulatedService::fall_silent() {
  run_alive_ = false;
  run_is_off_ = true;
  if (waits_ || holds_) let_go();
  is_ready_no_more();
  run_.ready();  // the supervisor that is off, too, does not wait for it
  if (role_.beats_every && !beats()) begin_to_beat();
  wait_to_boot();
}

void SimulatedService::wait_to_boot() {
  next_ = Next::boot;
  role_.scheduler.disarm(*this);
  const TimePoint until = suffering().off_until;
  if (until != TimePoint::max()) role_.scheduler.arm(*this, until);
}

// The supervisor on the host that comes back has seen no failure. A service that was stopped for good meanwhile stays
// stopped.
void SimulatedService::boot() {
  const auto id = role_.supervisor.id_in(slot_);
  if (!id || *id != run_.service()) return;
  const auto seen = role_.supervisor.snapshot_in(slot_);
  const bool has_begun = seen && seen->phase == Phase::starting && run_is_off_;  // the supervisor stands still
  if (!seen || (!has_begun && seen->phase != Phase::running && seen->phase != Phase::backing_off)) return;
  (void)role_.supervisor.restart(seen->name);
}

const Suffering& SimulatedService::suffering() const noexcept {
  static const Suffering nothing;
  return suffers_ ? role_.sufferings.find(slot_)->second : nothing;
}

// What another service in this slot has suffered is forgotten.
Suffering& SimulatedService::suffer() {
  Suffering& mine = role_.sufferings[slot_];
  if (!suffers_) mine = {};
  suffers_ = true;
  return mine;
}

bool SimulatedService::is_removed() const { return role_.supervisor.id_in(slot_) != run_.service(); }

Duration SimulatedService::draw_length(const Distribution& distribution, Purpose purpose) const {
  if (is_removed()) return Duration::zero();
  return drawn_length(distribution, purpose, key(), run_.number().value);
}

// A run that lasts no time ends, or throws, inside its own start.
void SimulatedService::live(Duration length) {
  if (length > Duration::zero() || hung()) {
    role_.scheduler.arm(*this, now() + length);
  } else {
    finish_run();
  }
}

void SimulatedService::fired() {
  if (hung() && next_ != Next::killed && next_ != Next::boot) {
    wait_for_end_of_hang();
  } else if (next_ == Next::stop) {
    begin_to_stop();
  } else if (next_ == Next::ready) {
    become_ready();
  } else {
    finish_and_catch();
  }
}

void SimulatedService::finish_and_catch() {
  try {
    finish_run();
  } catch (const SimulatedException&) {
    run_.end(Exit::from_current_exception());
  }
}

// From when the service is running.
void SimulatedService::begin_to_beat() {
  role_.pulses.try_emplace(slot_, role_.scheduler).first->second.begin(*this, run_.number().value, *role_.beats_every);
}

bool SimulatedService::beats() const {
  const auto pulse = role_.pulses.find(slot_);
  return pulse != role_.pulses.end() && pulse->second.armed() && pulse->second.run_ == run_.number().value;
}

void Pulse::fired() { service_->beat(*this); }

// The run of a host that is off: the supervisor there is off as well, and misses nothing. What an earlier run was about
// to say is no sign of life of this one.
void SimulatedService::beat(Pulse& pulse) {
  if ((!run_alive_ && !run_is_off_) || pulse.run_ != run_.number().value) return;
  const bool hangs = hung() && !run_is_off_;
  const HungHeartbeats heartbeats = run_hung_ ? behaviour().hang_heartbeats : suffering().heartbeats;
  const bool beats = !hangs || heartbeats == HungHeartbeats::go_on;
  if (beats) give_sign(pulse, hangs);
  if (hangs && (!beats || role_.needs_progress) && pulse.sign_ != Pulse::Sign::silent) {
    report(ChaosEvent::Kind::silent, pulse.heard_at_, "hang");
    pulse.sign_ = Pulse::Sign::silent;
  }
  const bool hangs_for_ever = hangs && (run_hung_ || suffering().hung_until() == TimePoint::max());
  if (beats || !hangs_for_ever) role_.scheduler.arm(pulse, now() + *role_.beats_every);
}

void SimulatedService::give_sign(Pulse& pulse, bool hangs) {
  if (hangs) run_.heartbeat();
  if (hangs && role_.needs_progress) return;
  if (!hangs) run_.progress(static_cast<std::uint64_t>(now().nanoseconds));  // a number that rises
  pulse.heard_at_ = now();
  if (std::exchange(pulse.sign_, Pulse::Sign::heard) != Pulse::Sign::heard) {
    report(ChaosEvent::Kind::heard, now(), "heartbeat");
  }
}

void SimulatedService::wait_for_end_of_hang() {
  const TimePoint until = suffering().hung_until();
  if (!run_hung_ && until != TimePoint::max()) role_.scheduler.arm(*this, until);
}

void SimulatedService::finish_run() {
  switch (next_) {
    case Next::failure_of_outage: end_run(Exit::failed(Error::literal(suffering().affliction.cause))); return;
    case Next::failure_of_start: end_run(failure_of_start()); return;
    case Next::failure_at_first: end_run(Exit::failed(Error::literal("simulated failure at first"))); return;
    case Next::stop:
    case Next::stopped: end_run(Exit::clean()); return;
    case Next::killed: end_run(Exit::failed(Error::literal("simulated kill"))); return;
    case Next::boot: boot(); return;
    case Next::ready: become_ready(); return;
    case Next::refusal: end_run(Exit::failed(Error::literal(role_.refused))); return;
    case Next::giving_up: end_run(Exit::failed(Error::literal(role_.gave_up))); return;
    case Next::natural_end: break;
  }
  const Behaviour& mine = behaviour();
  switch (mine.then.parts().empty() ? mine.then.always() : drawn_end(mine.then)) {
    case Then::end: end_by_itself(Exit::clean()); return;
    case Then::done: end_by_itself(Exit::done()); return;
    case Then::fail:
      if (mine.recovers_after) break_down();
      end_by_itself(Exit::failed(Error::literal("simulated failure")));
      return;
    case Then::fatal: end_by_itself(Exit::fatal(Error::literal("simulated fatal error"))); return;
    case Then::throw_:
      if (mine.recovers_after) break_down();
      run_alive_ = false;
      if (holds_) let_go();
      if (suffers_) is_ready_no_more();
      if (suffers_) may_be_over_unseen();
      throw SimulatedException{};
    case Then::hang: hang_this_run(); return;
  }
}

Exit SimulatedService::failure_of_start() const {
  const Suffering& mine = suffering();
  const auto open = std::find_if(mine.faults.begin(), mine.faults.end(),
                                 [&mine](const OpenFault& each) { return each.fault.name == mine.fails_of; });
  const auto error = Error::literal(open->fault.cause);
  return open->fault.fatal ? Exit::fatal(error) : Exit::failed(error);
}

Then SimulatedService::drawn_end(const Ends& ends) const {
  if (is_removed()) return Then::end;
  return ends.of(draw(key()(), Purpose::run_end, run_.number().value));
}

// Those who watch have to know: a service whose run hangs is not up, whatever the supervisor takes it for.
void SimulatedService::hang_this_run() {
  if (run_hung_) return;
  run_hung_ = true;
  report(ChaosEvent::Kind::run_hang, TimePoint::max(), "hang");
}

// An outage of its own: the next runs fail until it is repaired.
void SimulatedService::break_down() {
  const TimePoint until = now() + draw_length(*behaviour().recovers_after, Purpose::repair_length);
  const Duration fails_after = behaviour().fails_after;
  report(ChaosEvent::Kind::outage, until, "broken", fails_after);
  Suffering& mine = suffer();
  mine.affliction = {fails_after, "broken"};
  mine.down_until = std::max(mine.down_until, until);
}

void SimulatedService::report(ChaosEvent::Kind kind, TimePoint until, std::string_view cause,
                              Duration fails_after) const {
  if (is_removed()) return;
  const std::string_view name = role_.supervisor.name(run_.service());
  const ChaosEvent event{.at = now(),
                         .service = run_.service(),
                         .name = name,
                         .name_hash = name_hash(name),
                         .kind = kind,
                         .until = until,
                         .fails_after = fails_after,
                         .cause = cause};
  for (Observer* const observer : role_.observers) observer->on_chaos(event);
}

void SimulatedService::begin_to_stop() {
  next_ = Next::stopped;
  const auto* const takes = std::get_if<Takes>(&behaviour().on_stop);
  live(takes ? draw_length(takes->how_long, Purpose::stop_length) : Duration::zero());
}

}  // namespace holdfast::sim
