#include <holdfast_sim/checks/detail/check_graces.hpp>

#include <cstddef>
#include <variant>

#include <fmt/format.h>

namespace holdfast::sim::detail {

using holdfast::to_string;

namespace {

constexpr Rule kRule = Rule::escalates_when_the_grace_has_passed;

bool must_be_killed(const Life& life) noexcept { return life.can_be_killed && !life.killed; }

// Its grace, as far as it is known.
bool is_over(const Step& step) noexcept {
  const Life& life = step.life;
  return step.event.at == life.due || life.reported_overdue ||
         (life.due == TimePoint::max() && step.past.grace_is_special);
}

}  // namespace

void GraceRules::begin(Step& step) noexcept {
  Life& life = step.life;
  step.past.stop_asked_at = step.event.at;
  step.past.grace_is_special = false;
  life.killed = life.reported_overdue = false;
  if (!life.run_alive) return;
  life.has_grace = true;
  life.due = due_after(step.past, step.event.at);
}

void GraceRules::learn(Step& step) noexcept {
  if (known.grace_of(step.past) || step.past.grace_is_special) return;
  begin_default_graces(step.event.at - step.past.stop_asked_at);
}

// Of all runs that stop under it.
void GraceRules::begin_default_graces(Duration grace) noexcept {
  known.default_grace = grace;
  for (std::size_t i = 0; i < known.lives.size(); ++i) {
    Life& life = known.lives[i];
    const bool is_unknown = life.has_grace && life.due == TimePoint::max() && !known.pasts[i].grace_is_special;
    if (is_unknown) life.due = known.pasts[i].stop_asked_at + grace;
  }
}

void GraceRules::on_default_grace(Duration grace, TimePoint at) {
  found.tested(kRule);
  if (known.default_grace && *known.default_grace != grace) {
    found.violated(kRule, {}, at,
                   fmt::format("without a stop_grace the grace is the shutdown_timeout, which is {}, but one lasted {}",
                               to_string(grace), to_string(*known.default_grace)),
                   {found.shutdown_line});
  }
  begin_default_graces(grace);
}

bool GraceRules::on_killed(Step& step, const event::Killed& what, bool in_drain) {
  Life& life = step.life;
  ++counted.killed_runs;
  if (!found.test(kRule, life.has_grace && must_be_killed(life), step, [&] {
        if (!life.has_grace) return "is killed, but no run was given a grace";
        return life.killed ? "is killed again" : "is killed, though it cannot be";
      })) {
    return false;
  }
  if (!in_drain) learn(step);
  const bool by_grace = is_over(step);
  found.test(kRule, by_grace || in_drain, step, [&] {
    return fmt::format("is killed at {}, but its grace lasts until {}", to_string(step.event.at), to_string(life.due));
  });
  const Duration after = step.event.at - step.past.stop_asked_at;
  found.test(kRule, what.after == after, step, [&] {
    return fmt::format("is killed after {}, but {} is reported", to_string(after), to_string(what.after));
  });
  life.killed = true;
  life.reported_overdue = false;
  life.due = due_after(step.past, step.event.at);
  return in_drain && !by_grace;
}

void GraceRules::on_abandoned(Step& step, const event::Abandoned& what) {
  Life& life = step.life;
  ++counted.abandoned_runs;
  if (!found.test(kRule, life.has_grace && life.runs_side_by_side && goes_on_after(life.stop_cause), step, [&] {
        if (!life.has_grace) return "is abandoned, but no run was given a grace";
        return life.runs_side_by_side ? "is abandoned and goes on, though it was to stop for good"
                                      : "is abandoned and goes on, though its runs are no instances of their own";
      })) {
    return;
  }
  learn(step);
  found.test(kRule, !must_be_killed(life), step, [] { return "is abandoned, but was to be killed first"; });
  found.test(kRule, is_over(step), step, [&] {
    return fmt::format("is abandoned at {}, but its grace lasts until {}", to_string(step.event.at),
                       to_string(life.due));
  });
  const Duration after = step.event.at - step.past.stop_asked_at;
  found.test(kRule, what.after == after, step, [&] {
    return fmt::format("is abandoned after {}, but {} is reported", to_string(after), to_string(what.after));
  });
  step.past.abandoned_runs.push_back({life.run, life.began});
  life.run_alive = life.has_grace = life.reported_overdue = false;
  life.owe(Owed::start_again, step.event.at);
}

void GraceRules::on_kill_threw(Step& step) {
  constexpr std::size_t kKind = Event::What{event::Killed{}}.index();
  const Life& life = step.life;
  found.test(kRule, life.run_alive && life.latest[life.n % Life::kShownMax].kind == kKind, step,
             [] { return "a kill threw, but no run was killed just before"; });
}

bool GraceRules::calls_for_abandonment(const Step& step, const Termination& why) noexcept {
  const Life& life = step.life;
  const bool in_time = step.event.at == life.due || life.due == TimePoint::max();
  return life.has_grace && !must_be_killed(life) && in_time && why.after == step.event.at - step.past.stop_asked_at;
}

void GraceRules::is_abandoned_too_early(Step& step, const Termination& why) {
  const Life& life = step.life;
  found.test(kRule, false, step, [&] {
    if (must_be_killed(life)) return std::string{"is abandoned, but was to be killed first"};
    const Duration after = step.event.at - step.past.stop_asked_at;
    if (step.event.at == life.due) {
      return fmt::format("is abandoned after {}, but {} is reported", to_string(after), to_string(why.after));
    }
    return fmt::format("is abandoned at {}, but its grace lasts until {}", to_string(step.event.at),
                       to_string(life.due));
  });
}

void GraceRules::is_overdue(Step& step) {
  Life& life = step.life;
  const bool reports_itself = std::holds_alternative<event::Killed>(step.event.what) ||
                              std::holds_alternative<event::Terminated>(step.event.what);
  if (reports_itself) return;
  life.reported_overdue = true;
  found.test(kRule, false, step, [&] {
    return fmt::format("the run was not {}, though its grace was over at {}",
                       must_be_killed(life) ? "killed" : "abandoned", to_string(life.due));
  });
}

}  // namespace holdfast::sim::detail
