#include <holdfast_sim/checks/detail/limit_check.hpp>

#include <algorithm>
#include <utility>
#include <variant>

namespace holdfast::sim::detail {

using holdfast::to_string;

std::optional<std::string> LimitCheck::on_event(const Event& event) {
  if ((!limit_ && !most_) || event.about_supervisor()) return std::nullopt;
  if (event.service.slot >= lives_.size()) lives_.resize(event.service.slot + std::size_t{1});
  Life& life = lives_[event.service.slot];
  if (const auto* const added = std::get_if<event::Added>(&event.what)) {
    life = {};
    life.says_when_ready = added->policy->ready == Ready::notified;
    return std::nullopt;
  }
  if (std::holds_alternative<event::BackingOff>(event.what)) {
    starts_no_more(life, event.at);
    life.backs_off = true;
    return std::nullopt;
  }
  if (const auto* const waiting = std::get_if<event::Waiting>(&event.what)) {
    if (waiting->waits_for != WaitsFor::restart_limit) {
      waits_no_more(life);
      return std::nullopt;
    }
    auto wrong = on_waiting(event.at);
    if (!std::exchange(life.waits, true)) ++waiting_;
    return wrong;
  }
  if (std::holds_alternative<event::Started>(event.what)) {
    const bool backed_off = std::exchange(life.backs_off, false);
    auto wrong = backed_off ? on_restart(event.at, life.waits) : std::nullopt;
    waits_no_more(life);
    life.starts = life.says_when_ready;
    if (life.starts) ++starting_;
    return wrong;
  }
  const auto* const command = std::get_if<event::Commanded>(&event.what);
  if (command && command->command != Command::restart && command->command != Command::reset) return std::nullopt;
  const bool leaves = command || std::holds_alternative<event::Stopping>(event.what);
  if (leaves) life.backs_off = false;
  if (leaves) waits_no_more(life);
  if (std::holds_alternative<event::Running>(event.what) || std::holds_alternative<event::Stopping>(event.what) ||
      std::holds_alternative<event::Terminated>(event.what)) {
    starts_no_more(life, event.at);
  }
  return std::nullopt;
}

// Without anybody who waits the timer of the limits is not armed, late or not.
void LimitCheck::waits_no_more(Life& life) {
  if (!std::exchange(life.waits, false)) return;
  if (--waiting_ == 0) late_until_ = TimePoint::min();
}

void LimitCheck::starts_no_more(Life& life, TimePoint at) {
  if (!std::exchange(life.starts, false)) return;
  if (!has_place()) place_since_ = at;
  --starting_;
}

void LimitCheck::refill(TimePoint at) {
  if (!limit_) return;
  const Duration full =
      limit_->every > Duration::max() / limit_->burst ? Duration::max() : limit_->every * limit_->burst;
  const bool had_token = has_token();
  const Duration missed = limit_->every - credit_;
  if (!had_token && at - filled_at_ >= missed) token_since_ = filled_at_ + missed;
  credit_ = std::min(full, saturating_add(credit_, at - filled_at_));
  filled_at_ = at;
}

// A service whose delay has passed, and that starts at once or has waited.
std::optional<std::string> LimitCheck::on_restart(TimePoint at, bool waited) {
  refill(at);
  if (!has_token()) {
    return "a restart at " + to_string(at) + ", though restart_limit allows the next at " +
           to_string(at + (limit_->every - credit_));
  }
  if (!has_place()) {
    return "a restart at " + to_string(at) + ", though " + std::to_string(starting_) +
           " runs are starting, and starting_max is " + std::to_string(*most_);
  }
  TimePoint free_since = std::max(place_since_, token_since_);
  if (waited) free_since = std::max(free_since, late_until_);
  if (free_since >= stalled_at_) free_since = std::max(free_since, stalled_until_);
  if (limit_) credit_ -= limit_->every;
  if (waited && free_since != at && free_since != TimePoint::min()) {
    return "a restart at " + to_string(at) + " after waiting, though its limit allowed it at " + to_string(free_since);
  }
  return std::nullopt;
}

std::optional<std::string> LimitCheck::on_waiting(TimePoint at) {
  refill(at);
  if (!has_token() || !has_place() || waiting_ > 0) return std::nullopt;
  return "a service waits at " + to_string(at) + ", though its limit allows a restart";
}

}  // namespace holdfast::sim::detail
