#include <holdfast_sim/explain/detail/lookout.hpp>

#include <algorithm>
#include <utility>
#include <variant>

#include <holdfast_sim/observe/detail/taken_down.hpp>
#include <holdfast_sim/scenario/detail/named.hpp>

namespace holdfast::sim::detail {

Lookout::Life& Lookout::life_of(ServiceId id) {
  if (id.slot >= lives_.size()) lives_.resize(id.slot + 1);
  return lives_[id.slot];
}

// A hang that is over by now ended at its time, and no event said so.
void Lookout::pass(Life& life, TimePoint at) {
  if (life.is_down && life.alive && !life.useless && life.hangs_until <= at) rise(life, life.hangs_until);
}

void Lookout::rise(Life& life, TimePoint at) {
  life.is_down = false;
  --down_;
  const Duration length = at - life.down_from;
  life.down.total += length;
  if (length < life.down.longest) return;
  life.down.longest = length;
  life.down.from = life.down_from;
  life.down.number = life.latest;
}

void Lookout::judge(Life& life, TimePoint at) {
  const bool is_up = life.alive && !life.useless && life.hangs_until <= at;
  const bool should_be_down = life.present && !life.done && !is_up;
  if (life.is_down == should_be_down) return;
  if (!should_be_down) return rise(life, at);
  life.is_down = true;
  life.down_from = at;
  ++down_;
  last_fall_ = count_;
}

// What is over within its instant does not count: every service is down for none when it is added.
void Lookout::end_instant(TimePoint next) {
  if (next == now_) return;
  now_ = next;
  if (down_ <= most_down_) return;
  most_down_ = down_;
  peak_ = last_fall_;
}

void Lookout::on_event(const Event& event) {
  end_instant(event.at);
  ++count_;
  if (event.about_supervisor()) return;
  Life& life = life_of(event.service);
  if (std::holds_alternative<event::Added>(event.what)) {
    if (!life.down.service.empty()) gone_.push_back(std::exchange(life.down, {}));
    const bool was_down = life.is_down;
    life = {.name = std::string{event.name}, .present = true, .is_down = was_down};
    life.down.service = life.name;
  }
  pass(life, event.at);
  life.latest = count_;
  if (std::holds_alternative<event::Started>(event.what)) life.alive = life.useless = life.taken_down = false;
  if (const auto* const stopping = std::get_if<event::Stopping>(&event.what))
    life.taken_down = is_taken_down(stopping->cause);
  if (std::holds_alternative<event::Running>(event.what)) life.alive = true;
  if (std::holds_alternative<event::Ended>(event.what) || std::holds_alternative<event::Abandoned>(event.what))
    life.alive = false;
  if (const auto* const over = std::get_if<event::Terminated>(&event.what)) {
    life.alive = false;
    const auto reason = over->why.reason;
    life.done =
        reason == Termination::Reason::completed || (reason == Termination::Reason::cancelled && !life.taken_down);
    life.lost = life.down.lost = !life.done;
  }
  if (const auto* const removed = std::get_if<event::Removed>(&event.what))
    life.present = removed->forgotten && life.lost;  // it is missed until somebody adds it again
  judge(life, event.at);
}

void Lookout::on_chaos(const ChaosEvent& event) {
  end_instant(event.at);
  ++count_;
  Life& life = life_of(event.service);
  pass(life, event.at);
  life.latest = count_;
  switch (meaning_of(event.kind)) {
    case ChaosMeaning::off: life.alive = false; [[fallthrough]];  // until it has booted, and started
    case ChaosMeaning::hung: life.hangs_until = std::max(life.hangs_until, event.until); break;
    case ChaosMeaning::run_hangs:
    case ChaosMeaning::run_is_over:
    case ChaosMeaning::run_waits: life.useless = true; break;
    case ChaosMeaning::run_is_served: life.useless = false; break;
    case ChaosMeaning::disturbed:
    case ChaosMeaning::slowed:
    case ChaosMeaning::down:
    case ChaosMeaning::unsupervised:
    case ChaosMeaning::timer_is_late:
    case ChaosMeaning::drain_is_late:
    case ChaosMeaning::run_is_silent:
    case ChaosMeaning::run_is_heard: break;  // its runs end with it, or go on
  }
  judge(life, event.at);
}

void Lookout::finish(TimePoint at) {
  end_instant(at);
  for (Life& life : lives_) {
    pass(life, at);
    if (life.is_down) rise(life, at);
  }
}

std::optional<DownTime> Lookout::worst(std::string_view group) const {
  const DownTime* found = nullptr;
  const auto look = [&](const DownTime& down) {
    if (down.total == Duration::zero() || (!group.empty() && !is_of(roster_, down.service, group))) return;
    if (found == nullptr || std::pair{down.lost, down.total} > std::pair{found->lost, found->total}) found = &down;
  };
  for (const DownTime& down : gone_) look(down);
  for (const Life& life : lives_) look(life.down);
  return found == nullptr ? std::nullopt : std::optional{*found};
}

}  // namespace holdfast::sim::detail
