#include <holdfast_sim/explain/detail/history.hpp>

#include <optional>
#include <type_traits>
#include <utility>

#include <holdfast/event_fields.hpp>

namespace holdfast::sim::detail {

std::string_view Happening::kind() const noexcept {
  return event() != nullptr ? holdfast::kind(*event()) : to_string(chaos()->kind);
}

// A service that waits for its turn starts, or is stopped, with its next event that is none of chaos.
void History::count_waiting(const Event& event) {
  const std::size_t slot = event.service.slot;
  if (slot >= waits_.size()) waits_.resize(slot + 1);
  const auto* const waiting = std::get_if<event::Waiting>(&event.what);
  const bool waits = waiting != nullptr && waiting->waits_for == WaitsFor::restart_limit;
  if (waits == waits_[slot]) return;
  waits_[slot] = waits;
  waits ? ++waiting_ : --waiting_;
}

void History::on_event(const Event& event) {
  if (complete()) return;
  ++count_;
  const std::uint64_t waited = waiting_;
  if (!event.about_supervisor()) count_waiting(event);
  if (!event.about_supervisor() && event.name != service_) return;
  Happening kept{.number = count_, .waiting = waited, .what = event};
  auto& copy = std::get<Event>(kept.what);
  copy.name = keep(event.name);
  if (const ServicePolicy* const policy = policy_in(copy)) set_policy_in(copy, policies_.emplace_back(*policy));
  const auto keep_text = [this](std::string_view, auto& value) {
    using Value = std::remove_reference_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, std::string_view>) value = keep(value);
    if constexpr (std::is_same_v<Value, std::optional<std::string_view>>) {
      if (value) value = keep(*value);
    }
  };
  std::visit([&](auto& what) { visit_fields(keep_text, what); }, copy.what);
  keep(std::move(kept));
}

void History::on_chaos(const ChaosEvent& event) {
  if (complete()) return;
  ++count_;
  if (event.name != service_) return;
  Happening kept{.number = count_, .waiting = waiting_, .what = event};
  auto& copy = std::get<ChaosEvent>(kept.what);
  copy.name = keep(event.name);
  copy.cause = keep(event.cause);
  keep(std::move(kept));
}

// A row begins with a failure after which the attempts count from 1.
void History::note_row(const Event& event) {
  if (std::holds_alternative<event::Ended>(event.what)) ended_ = count_;
  const auto* const wait = std::get_if<event::BackingOff>(&event.what);
  if (wait == nullptr || wait->cause != BackoffCause::failure || wait->attempt != 1) return;
  row_ = ended_;
  row_at_ = event.at;
}

// Whether chaos was still going on when the row began.
bool History::reaches_row(const Happening& happening) const noexcept {
  const auto* const chaos = happening.chaos();
  if (chaos == nullptr || chaos->until < row_at_) return false;
  switch (meaning_of(chaos->kind)) {
    case ChaosMeaning::disturbed:
    case ChaosMeaning::down:
    case ChaosMeaning::off:
    case ChaosMeaning::slowed:
    case ChaosMeaning::unsupervised:
    case ChaosMeaning::hung: return true;
    case ChaosMeaning::timer_is_late:
    case ChaosMeaning::drain_is_late:
    case ChaosMeaning::run_is_over:
    case ChaosMeaning::run_hangs:
    case ChaosMeaning::run_waits:
    case ChaosMeaning::run_is_served:
    case ChaosMeaning::run_is_silent:
    case ChaosMeaning::run_is_heard: break;
  }
  return false;
}

// What stays is the very first, which has the policy, and what the simulation did before the row began or soon after.
void History::keep(Happening happening) {
  if (const auto* const event = happening.event()) note_row(*event);
  kept_.push_back(std::move(happening));
  if (kept_.size() <= kHappeningsMax) return;
  std::size_t out = 1;
  for (std::size_t of_row = 0; of_row < kOfRowKept && out + 1 < kept_.size(); ++out) {
    const bool is_of_row = kept_[out].number >= row_;
    if (!is_of_row && !reaches_row(kept_[out])) break;
    of_row += is_of_row ? 1 : 0;
  }
  kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(out));
  cut_ = true;
}

}  // namespace holdfast::sim::detail
