// The ids that a reader of traces gives to services: a name has one from its first event until it is removed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/lifecycle.hpp>

namespace holdfast::sim::detail {

class TraceServices {
 public:
  // nullopt: none of that name is there, and none is added.
  std::optional<ServiceId> id_of(std::string_view name, bool added) {
    auto known = ids_.find(name);
    if (known == ids_.end()) {
      if (!added) return std::nullopt;
      std::uint32_t slot = 0;
      if (free_.empty()) {
        slot = static_cast<std::uint32_t>(generations_.size());
        generations_.push_back(0);
      } else {
        slot = free_.back();
        free_.pop_back();
      }
      known = ids_.emplace(std::string{name}, ServiceId{slot, ++generations_[slot]}).first;
    }
    return known->second;
  }

  void forget(std::string_view name) {
    const auto known = ids_.find(name);
    if (known == ids_.end()) return;
    free_.push_back(known->second.slot);
    ids_.erase(known);
  }

 private:
  std::map<std::string, ServiceId, std::less<>> ids_;
  std::vector<std::uint32_t> generations_;  // by slot
  std::vector<std::uint32_t> free_;
};

}  // namespace holdfast::sim::detail
