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
  if (scheduler_.now() < down_until_) {
    next_ = Next::failure_of_outage;
    live(affliction_->fails_after);
  } else if (run.number().value <= behaviour_.fails_first.runs) {
    next_ = Next::failure_at_first;
    live(behaviour_.fails_first.after);
  } else if (behaviour_.runs_for) {
    next_ = Next::natural_end;
    live(draw_length(*behaviour_.runs_for, Purpose::run_length));
  }
}

void SimulatedService::stop(Run) {
  if (!run_alive_ || std::holds_alternative<Ignores>(behaviour_.on_stop)) return;
  scheduler_.disarm(*this);  // whatever it would have come to, it stops instead
  next_ = Next::stop;
  const auto* const takes = std::get_if<Takes>(&behaviour_.on_stop);
  stop_takes_ = takes ? draw_length(takes->how_long, Purpose::stop_length) : Duration::zero();
  if (hung()) {
    wait_for_end_of_hang();
  } else {
    begin_to_stop();
  }
}

bool SimulatedService::end_run(Exit exit) {
  if (!run_alive_) return false;
  scheduler_.disarm(*this);
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
  affliction_ = &affliction;
  down_until_ = std::max(down_until_, until);
  crash(affliction.cause);
}

void SimulatedService::begin_hang(TimePoint until) { hangs_until_ = std::max(hangs_until_, until); }

// The run's number never repeats within the service, so neither does a draw.
Duration SimulatedService::draw_length(const Distribution& distribution, Purpose purpose) const {
  if (const auto* const fixed = std::get_if<Fixed>(&distribution)) return fixed->value;  // no draw is cheaper
  return sample(distribution, draw(supervisor_.draw_key(run_.service()), purpose, run_.number().value));
}

// A run that lasts no time ends, or throws, inside its own start.
void SimulatedService::live(Duration length) {
  if (length > Duration::zero() || hung()) {
    scheduler_.arm(*this, scheduler_.now() + length);
  } else {
    finish_run();
  }
}

void SimulatedService::fired() {
  if (hung()) {
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
  if (!run_hung_ && hangs_until_ != TimePoint::max()) scheduler_.arm(*this, hangs_until_);
}

void SimulatedService::finish_run() {
  switch (next_) {
    case Next::failure_of_outage: end_run(Exit::failed(Error::literal(affliction_->cause))); return;
    case Next::failure_at_first: end_run(Exit::failed(Error::literal("simulated failure at first"))); return;
    case Next::stop:
    case Next::stopped: end_run(Exit::clean()); return;
    case Next::natural_end: break;
  }
  switch (behaviour_.then) {
    case Then::end: end_run(Exit::clean()); return;
    case Then::fail: end_run(Exit::failed(Error::literal("simulated failure"))); return;
    case Then::fatal: end_run(Exit::fatal(Error::literal("simulated fatal error"))); return;
    case Then::throw_: run_alive_ = false; throw SimulatedException{};
    case Then::hang: run_hung_ = true; return;
  }
}

void SimulatedService::begin_to_stop() {
  next_ = Next::stopped;
  live(stop_takes_);
}

}  // namespace holdfast::sim
