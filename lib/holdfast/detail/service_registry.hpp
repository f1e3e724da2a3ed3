// The services of one supervisor: their records by slot, by name and in the order of adding.
//
// A record never moves while the registry exists. When its service is forgotten, its slot waits to be used again. Names
// are found by open addressing with linear probing on the hash that each record keeps (Knuth, The Art of Computer
// Programming, volume 3, section 6.4, algorithms L and R); the table is looked up, never iterated.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <holdfast/detail/pages.hpp>
#include <holdfast/detail/service_record.hpp>

namespace holdfast::detail {

class ServiceRegistry {
 public:
  // The newest in the order of adding. REQUIRES: no service of this name is found.
  ServiceRecord& add(std::string_view name, Service& service, const SharedPolicy& policy, TimePoint now);

  // The name is no longer found.
  void free_name(const ServiceRecord& record) noexcept;
  // Takes the service out of the order; its slot may be used again. REQUIRES: its name was freed.
  void forget(ServiceRecord& record) noexcept;

  [[nodiscard]] ServiceRecord* find(std::string_view name) const noexcept;
  [[nodiscard]] ServiceRecord* find(ServiceId service) const noexcept;
  [[nodiscard]] ServiceRecord* find(std::uint32_t slot) const noexcept;

  // How many can be found by their names.
  [[nodiscard]] std::size_t size() const noexcept { return names_; }

  [[nodiscard]] ServiceRecord* first() const noexcept { return at_or_null(first_); }
  [[nodiscard]] ServiceRecord* next(const ServiceRecord& record) const noexcept { return at_or_null(record.after); }

 private:
  static constexpr std::uint32_t kFreeCell = kNoSlot;
  static constexpr std::size_t kCellsMin = 16;

  [[nodiscard]] ServiceRecord& at(std::uint32_t slot) const noexcept { return records_[slot]; }
  [[nodiscard]] ServiceRecord* at_or_null(std::uint32_t slot) const noexcept {
    return slot == kNoSlot ? nullptr : &at(slot);
  }
  [[nodiscard]] std::size_t home(std::uint64_t hash) const noexcept;
  [[nodiscard]] std::size_t next_cell(std::size_t cell) const noexcept {
    return cell + 1 == cells_.size() ? 0 : cell + 1;
  }
  ServiceRecord& place(std::string_view name, Service& service, const SharedPolicy& policy, TimePoint now);
  void append(ServiceRecord& record) noexcept;
  void enter_name(const ServiceRecord& record) noexcept;
  void make_room_for_a_name();

  Pages<ServiceRecord> records_;   // by slot
  std::uint32_t free_ = kNoSlot;   // the slot that was freed last; the others follow by ServiceRecord::after
  std::uint32_t first_ = kNoSlot;  // in the order of adding
  std::uint32_t last_ = kNoSlot;
  std::vector<std::uint32_t> cells_;  // slots, at most seven eighths of them used
  std::size_t names_ = 0;
};

}  // namespace holdfast::detail
