#include <holdfast/detail/service_registry.hpp>

#include <memory>
#include <utility>

#include <holdfast/detail/assert.hpp>

namespace holdfast::detail {

ServiceRecord& ServiceRegistry::add(std::string_view name, Service& service, const SharedPolicy& policy,
                                    TimePoint now) {
  make_room_for_a_name();
  ServiceRecord& record = place(name, service, policy, now);
  enter_name(record);
  append(record);
  return record;
}

// Whatever can fail comes before the old record is destroyed, so that a slot that is used again is never half made.
ServiceRecord& ServiceRegistry::place(std::string_view name, Service& service, const SharedPolicy& policy,
                                      TimePoint now) {
  Name copy{name};
  if (free_ == kNoSlot) {
    const ServiceId id{static_cast<std::uint32_t>(records_.size()), 1};
    return records_.emplace_back(std::move(copy), service, policy, id, std::uint32_t{1}, now);
  }
  const std::uint32_t slot = free_;
  ServiceRecord* const old = &at(slot);
  free_ = old->after;
  const ServiceId id{slot, old->id.generation + 1};
  HOLDFAST_ASSERT(id.generation != 0, "the ids of a slot are used up");
  const std::uint32_t tenancy = old->tenancy + 1;
  std::destroy_at(old);
  return *std::construct_at(old, std::move(copy), service, policy, id, tenancy, now);
}

void ServiceRegistry::forget(ServiceRecord& record) noexcept {
  (record.before == kNoSlot ? first_ : at(record.before).after) = record.after;
  (record.after == kNoSlot ? last_ : at(record.after).before) = record.before;
  record.forgotten = true;
  record.after = std::exchange(free_, record.id.slot);
}

void ServiceRegistry::append(ServiceRecord& record) noexcept {
  record.before = last_;
  (last_ == kNoSlot ? first_ : at(last_).after) = record.id.slot;
  last_ = record.id.slot;
}

ServiceRecord* ServiceRegistry::find(ServiceId service) const noexcept {
  ServiceRecord* const record = find(service.slot);
  return record && record->id == service ? record : nullptr;
}

ServiceRecord* ServiceRegistry::find(std::uint32_t slot) const noexcept {
  return slot < records_.size() && !at(slot).forgotten ? &at(slot) : nullptr;
}

ServiceRecord* ServiceRegistry::find(std::string_view name) const noexcept {
  if (cells_.empty()) return nullptr;
  const std::uint64_t hash = name_hash(name);
  for (std::size_t cell = home(hash); cells_[cell] != kFreeCell; cell = next_cell(cell)) {
    ServiceRecord& record = at(cells_[cell]);
    if (record.hash == hash && record.name.text() == name) return &record;
  }
  return nullptr;
}

// The number of cells is no power of two, so that the table is never twice as large as it need be.
std::size_t ServiceRegistry::home(std::uint64_t hash) const noexcept {
  const std::uint64_t mixed = (hash * 0x9e3779b97f4a7c15) >> 32;
  return static_cast<std::size_t>((mixed * cells_.size()) >> 32);
}

void ServiceRegistry::enter_name(const ServiceRecord& record) noexcept {
  std::size_t cell = home(record.hash);
  while (cells_[cell] != kFreeCell) cell = next_cell(cell);
  cells_[cell] = record.id.slot;
  ++names_;
}

// Moves back the records that a search would no longer find across the gap.
void ServiceRegistry::free_name(const ServiceRecord& record) noexcept {
  std::size_t gap = home(record.hash);
  while (cells_[gap] != record.id.slot) gap = next_cell(gap);
  for (std::size_t cell = next_cell(gap); cells_[cell] != kFreeCell; cell = next_cell(cell)) {
    const std::size_t wanted = home(at(cells_[cell]).hash);
    const bool lies_behind_gap = gap <= cell ? gap < wanted && wanted <= cell : gap < wanted || wanted <= cell;
    if (lies_behind_gap) continue;
    cells_[gap] = cells_[cell];
    gap = cell;
  }
  cells_[gap] = kFreeCell;
  --names_;
}

void ServiceRegistry::make_room_for_a_name() {
  if (8 * (names_ + 1) <= 7 * cells_.size()) return;
  std::vector<std::uint32_t> old(cells_.empty() ? kCellsMin : cells_.size() + cells_.size() / 4, kFreeCell);
  old.swap(cells_);
  names_ = 0;
  for (const std::uint32_t slot : old) {
    if (slot != kFreeCell) enter_name(at(slot));
  }
}

}  // namespace holdfast::detail
