#include <holdfast/detail/incarnations.hpp>

#include <new>

namespace holdfast::detail {

void Incarnations::set_past(ServiceRecord& record, const Past& past) {
  pasts_[record.id.slot] = past;
  record.has_past = true;
}

void Incarnations::forget_past(ServiceRecord& record) noexcept {
  if (record.has_past) pasts_.erase(record.id.slot);
  record.has_past = false;
}

std::uint32_t Incarnations::next_of(std::uint64_t name, TimePoint now) const noexcept {
  if (removals_at_ != now) return 0;
  for (auto removal = removals_.rbegin(); removal != removals_.rend(); ++removal) {
    if (removal->name == name) return removal->next_incarnation;
  }
  return 0;
}

bool Incarnations::remember_removal(const ServiceRecord& record, TimePoint now) noexcept {
  if (record.added_at != now) return true;
  if (removals_at_ != now) removals_.clear();
  removals_at_ = now;
  try {
    removals_.push_back({record.hash, past_of(record).incarnation + 1});
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace holdfast::detail
