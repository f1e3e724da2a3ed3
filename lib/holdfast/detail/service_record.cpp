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

std::optional<ServiceId> owner_of(const Timer& timer) noexcept {
  const auto* const record = dynamic_cast<const detail::ServiceRecord*>(&timer);
  return record == nullptr ? std::nullopt : std::optional{record->id};
}

}  // namespace holdfast
