#include <holdfast/detail/service_record.hpp>

#include <holdfast/supervisor.hpp>
#include <holdfast/timer_owner.hpp>

#include <holdfast/detail/enumerators.hpp>
#include <holdfast/detail/fetch.hpp>

namespace holdfast::detail {

static_assert(enumerators_of<Outcome>() < 1 << 3, "due_end is too small for its enumeration");

void ServiceRecord::comes_soon() const noexcept {
  fetch();
  detail::fetch(&service, 2 * kCacheLine);  // most are no larger
  policy->supervisor->sink_.comes_soon(id);
}

void ServiceRecord::fired() { policy->supervisor->on_deadline(*this); }

}  // namespace holdfast::detail

namespace holdfast {

std::optional<TimerOwner> owner_of(const Timer& timer) noexcept {
  using What = TimerOwner::What;
  if (const auto* const record = dynamic_cast<const detail::ServiceRecord*>(&timer)) {
    return TimerOwner{What::service, record->id};
  }
  if (const auto* const limit = dynamic_cast<const Supervisor::Limit*>(&timer)) {
    if (!limit->services.anybody_waits()) return std::nullopt;
    return TimerOwner{What::restart_limit, limit->supervisor_.services_.find(limit->services.first())->id};
  }
  const auto* const drain = dynamic_cast<const Supervisor::DrainTimer*>(&timer);
  if (drain == nullptr || !drain->supervisor_.shutdown_begun_) return std::nullopt;
  return TimerOwner{What::drain, {}};
}

}  // namespace holdfast
