#include "disturbances.hpp"

namespace soak {

namespace {

constexpr std::array<std::string_view, 8> kNames{"processes", "flushes",   "restarts",      "no_descriptors",
                                                 "no_memory", "full_disk", "throwing_disk", "throwing_sink"};

}  // namespace

bool Disturbances::switch_on(std::string_view name) noexcept {
  static_assert(kNames.size() == kKinds);
  for (std::size_t i = 0; i < kKinds; ++i) {
    if (kNames[i] != name) continue;
    on_[i] = true;
    return true;
  }
  return false;
}

std::string Disturbances::counts() const {
  std::string text;
  for (std::size_t i = 0; i < kKinds; ++i) {
    if (!on_[i]) continue;
    if (!text.empty()) text += ", ";
    text.append(kNames[i]).append(1, ' ').append(std::to_string(counts_[i]));
  }
  return text;
}

}  // namespace soak
