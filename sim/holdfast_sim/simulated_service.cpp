#include <holdfast_sim/simulated_service.hpp>

#include <algorithm>
#include <exception>

namespace holdfast::sim {

namespace {

struct SimulatedException final : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "simulated exception"; }
};

}  // namespace

void SimulatedService::start(Run run) {
  run_ = run;
  run_alive_ = true;
  run_hung_ = false;
  const Behaviour& behaviour = role_.behaviour;
  if (is_down()) {
    next_ = Next::failure_of_outage;
    live(suffering().affliction->fails_after);
  } else if (run.number().value <= behaviour.fails_first.runs) {
    next_ = Next::failure_at_first;
    live(behaviour.fails_first.after);
  } else if (behaviour.runs_for) {
    next_ = Next::natural_end;
    live(draw_length(*behaviour.runs_for, Purpose::run_length));
  }
}

void SimulatedService::stop(Run) {
  if (!run_alive_ || std::holds_alternative<Ignores>(role_.behaviour.on_stop)) return;
  role_.scheduler.disarm(*this);  // whatever it would have come to, it stops instead
  next_ = Next::stop;
  if (hung()) {
    wait_for_end_of_hang();
  } else {
    begin_to_stop();
  }
}

void SimulatedService::kill(Run) {
  const OnStop& on_kill = *role_.behaviour.on_kill;
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
  return true;
}

bool SimulatedService::hang_run() {
  if (!run_alive_) return false;
  run_hung_ = true;
  return true;
}

void SimulatedService::crash(std::string_view cause) { end_run(Exit::failed(Error::literal(cause))); }

void SimulatedService::begin_outage(const Affliction& affliction, TimePoint until) {
  Suffering& mine = suffer();
  mine.affliction = &affliction;
  mine.down_until = std::max(mine.down_until, until);
  crash(affliction.cause);
}

void SimulatedService::begin_hang(TimePoint until) {
  Suffering& mine = suffer();
  mine.hangs_until = std::max(mine.hangs_until, until);
}

Suffering SimulatedService::suffering() const noexcept {
  return suffers_ ? role_.sufferings.find(slot_)->second : Suffering{};
}

// What another service in this slot has suffered is forgotten.
Suffering& SimulatedService::suffer() {
  Suffering& mine = role_.sufferings[slot_];
  if (!suffers_) mine = {};
  suffers_ = true;
  return mine;
}

// The run's number never repeats within the service, so neither does a draw.
Duration SimulatedService::draw_length(const Distribution& distribution, Purpose purpose) const {
  if (const auto* const fixed = std::get_if<Fixed>(&distribution)) return fixed->value;  // no draw is cheaper
  return sample(distribution, draw(role_.supervisor.draw_key(run_.service()), purpose, run_.number().value));
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
  if (hung() && next_ != Next::killed) {
    wait_for_end_of_hang();
  } else if (next_ == Next::stop) {
    begin_to_stop();
  } else {
    try {
      finish_run();
    } catch (const SimulatedException&) {
      run_.end(Exit::from_current_exception());
    }
  }
}

void SimulatedService::wait_for_end_of_hang() {
  const TimePoint until = suffering().hangs_until;
  if (!run_hung_ && until != TimePoint::max()) role_.scheduler.arm(*this, until);
}

void SimulatedService::finish_run() {
  switch (next_) {
    case Next::failure_of_outage: end_run(Exit::failed(Error::literal(suffering().affliction->cause))); return;
    case Next::failure_at_first: end_run(Exit::failed(Error::literal("simulated failure at first"))); return;
    case Next::stop:
    case Next::stopped: end_run(Exit::clean()); return;
    case Next::killed: end_run(Exit::failed(Error::literal("simulated kill"))); return;
    case Next::natural_end: break;
  }
  switch (role_.behaviour.then) {
    case Then::end: end_run(Exit::clean()); return;
    case Then::fail: end_run(Exit::failed(Error::literal("simulated failure"))); return;
    case Then::fatal: end_run(Exit::fatal(Error::literal("simulated fatal error"))); return;
    case Then::throw_: run_alive_ = false; throw SimulatedException{};
    case Then::hang: run_hung_ = true; return;
  }
}

void SimulatedService::begin_to_stop() {
  next_ = Next::stopped;
  const auto* const takes = std::get_if<Takes>(&role_.behaviour.on_stop);
  live(takes ? draw_length(takes->how_long, Purpose::stop_length) : Duration::zero());
}

}  // namespace holdfast::sim
