// What is done to a soaked fleet from inside its program, by name: which of it is switched on, and how often it
// happened.
//
// What is done from outside (signals, halts, clients, how it is started) is in `tools/soak`.
//
// Thread-safety: safe in any thread once they have been switched on.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace soak {

enum class Disturbance : std::uint8_t {
  processes,       // services that are real processes
  flushes,         // among them pipelines whose worker needs time after SIGTERM
  restarts,        // several commands to one service in one instant, and hung runs that are restarted
  no_descriptors,  // the limit of descriptors is lowered for a while
  no_memory,       // operator new fails at random for a while
  full_disk,       // the recording cannot be written for a while
  throwing_disk,   // the same with a stream that throws
  throwing_sink,   // an event sink throws now and then
};

class Disturbances {
 public:
  // False: there is none of this name.
  [[nodiscard]] bool switch_on(std::string_view name) noexcept;
  [[nodiscard]] bool has(Disturbance which) const noexcept { return on_[index(which)]; }

  void happened(Disturbance which) noexcept { ++counts_[index(which)]; }
  // "no_memory 3, restarts 12", those that are switched on.
  [[nodiscard]] std::string counts() const;

 private:
  static constexpr std::size_t kKinds = static_cast<std::size_t>(Disturbance::throwing_sink) + 1;
  static constexpr std::size_t index(Disturbance which) noexcept { return static_cast<std::size_t>(which); }

  std::array<bool, kKinds> on_{};
  std::array<std::atomic<std::uint64_t>, kKinds> counts_{};
};

}  // namespace soak
