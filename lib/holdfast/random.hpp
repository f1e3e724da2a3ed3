// Keyed randomness: a draw is a pure function of what it is for, never of what was drawn before.
//
// There is no generator with a state. A draw is Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011; the implementation is Random123's) of
//
//     key     = (seed, hash of the service's name)
//     counter = (time the service was added, purpose and incarnation, index, 0)
//
// so adding or removing one service, or one draw, changes no other draw.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <cstdint>
#include <string_view>

#include <holdfast/detail/wide.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// The seed of everything random in one supervisor or one simulation. Any value is as good as any other.
struct Seed {
  std::uint64_t value = 0;
  friend constexpr bool operator==(Seed, Seed) noexcept = default;
};

// What a draw is for. The numbers are frozen: they are part of every digest.
enum class Purpose : std::uint32_t {
  backoff_jitter = 1,
  run_length = 2,
  stop_length = 3,
  chaos_share = 4,
  kill_length = 5,
  resource_time = 6,
  repair_length = 7,
  ready_length = 8,
  start_failure = 9,
  cohort = 10,
  chaos_interval = 11,
  chaos_length = 12,
  target_delay = 13,
  target_length = 14,
  run_end = 15,
  wake_jitter = 16,
  contagion = 17,
  contagion_target = 18,
  swarm = 19,
  tie = 20,
};

// FNV-1a, 64 bits (Fowler, Noll, Vo). Frozen: every draw of a service, and so every digest, depends on it.
constexpr std::uint64_t name_hash(std::string_view name) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

// What a draw is for: one life of a service. `incarnation` distinguishes services that were added, removed and added
// again under one name within one instant; it is 0 otherwise.
struct DrawKey {
  Seed seed{};
  std::uint64_t name = 0;  // name_hash of the service's name
  TimePoint added_at{};
  std::uint32_t incarnation = 0;
};

// 128 uniform bits, read as the fraction (high * 2^64 + low) / 2^128 in [0, 1).
struct Draw {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend constexpr bool operator==(const Draw&, const Draw&) noexcept = default;
};

// The `index`-th draw of `key` for `purpose`. No two (purpose, index) of one key share a draw.
Draw draw(const DrawKey& key, Purpose purpose, std::uint64_t index) noexcept;

// A uniform integer in [0, max], both ends included: floor(fraction * (max + 1)). With 128 bits of fraction each
// value's probability is off by less than one part in 2^64 for every max, so nothing is rejected and redrawn.
constexpr std::uint64_t uniform_up_to(const Draw& draw, std::uint64_t max) noexcept {
  using detail::Wide;
  // (high * 2^64 + low) * (max + 1) / 2^128, where x * (max + 1) is x * max + x
  const Wide low = Wide{draw.low} * max + draw.low;
  const Wide high = Wide{draw.high} * max + draw.high + (low >> 64);
  return static_cast<std::uint64_t>(high >> 64);
}

}  // namespace holdfast

#pragma GCC visibility pop
