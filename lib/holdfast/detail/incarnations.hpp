// Which services came before the present ones: under the same name within one instant, or in the same place.
//
// A restart of a terminated service removes it and adds it again in its place; its run numbers go on. A name that is
// removed and added again in one instant needs another key for its draws. Few services have either, so this is kept
// beside the records.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include <holdfast/detail/service_record.hpp>
#include <holdfast/lifecycle.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

// Of a service: what few have.
struct Past {
  RunNumber runs;                 // before the service was added: it replaced another one in place
  std::uint32_t incarnation = 0;  // DrawKey::incarnation
};

class Incarnations {
 public:
  explicit Incarnations(TimePoint now) noexcept : removals_at_(now) {}

  [[nodiscard]] Past past_of(const ServiceRecord& record) const noexcept {
    if (!record.has_past) [[likely]]
      return {};
    return pasts_.find(record.id.slot)->second;
  }
  // Throws std::bad_alloc; then nothing has changed.
  void set_past(ServiceRecord& record, const Past& past);
  void forget_past(ServiceRecord& record) noexcept;

  // Of a service that is added now under the name with this hash.
  [[nodiscard]] std::uint32_t next_of(std::uint64_t name, TimePoint now) const noexcept;
  // The name of the service is free from now on. False: there is no memory to remember the removal; a service that is
  // added under this name in the same instant then repeats the draws.
  [[nodiscard]] bool remember_removal(const ServiceRecord& record, TimePoint now) noexcept;

 private:
  struct Removal {
    std::uint64_t name;
    std::uint32_t next_incarnation;
  };

  std::unordered_map<std::uint32_t, Past> pasts_;  // by slot; only looked up, never iterated
  TimePoint removals_at_;
  std::vector<Removal> removals_;  // of the names that were added in that very instant
};

}  // namespace holdfast::detail
