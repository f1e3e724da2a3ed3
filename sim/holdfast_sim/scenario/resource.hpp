// A dependency that services share, such as a database: a queue, not a switch. It serves so many at once, and each
// takes its time; the others wait, or are refused.
//
// A plain value. What is drawn is drawn for (service, run).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <holdfast/file/enumerators.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/scenario/distribution.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Which waiting run is served next.
enum class ServedNext : std::uint8_t { oldest, newest };
constexpr std::string_view to_string(ServedNext next) noexcept {
  return next == ServedNext::oldest ? "oldest" : "newest";
}

// What becomes of a request whose run no longer waits for it when its turn comes.
enum class Stale : std::uint8_t {
  served,  // it takes its time all the same, because the resource does not know that the run is over
  dropped  // it takes none, and no place in the queue
};
constexpr std::string_view to_string(Stale stale) noexcept { return stale == Stale::served ? "served" : "dropped"; }

struct Resource {
  std::string name{};
  std::uint32_t slots = 1;  // how many are served at once
  Distribution takes = Fixed{};
  std::optional<std::uint32_t> queue{};  // how many may wait; nullopt: any number
  ServedNext next = ServedNext::oldest;
  Stale stale = Stale::served;
  friend bool operator==(const Resource&, const Resource&) = default;
};

// For how long a run has a slot of the resource.
enum class Holds : std::uint8_t {
  start,  // for as long as serving it takes: its run begins to work after it
  run     // until it ends, as a connection of a pool
};
constexpr std::string_view to_string(Holds holds) noexcept { return holds == Holds::start ? "start" : "run"; }

// What each run of a group needs before it works.
struct Need {
  std::string resource{};
  Holds holds = Holds::start;
  std::optional<Duration> gives_up_after{};  // a run that has waited this long fails; nullopt: it waits on
  friend bool operator==(const Need&, const Need&) = default;
};

}  // namespace holdfast::sim

template <>
inline constexpr std::array holdfast::file::kEnumerators<holdfast::sim::ServedNext>{holdfast::sim::ServedNext::oldest,
                                                                                    holdfast::sim::ServedNext::newest};
template <>
inline constexpr std::array holdfast::file::kEnumerators<holdfast::sim::Stale>{holdfast::sim::Stale::served,
                                                                               holdfast::sim::Stale::dropped};
template <>
inline constexpr std::array holdfast::file::kEnumerators<holdfast::sim::Holds>{holdfast::sim::Holds::start,
                                                                               holdfast::sim::Holds::run};

#pragma GCC visibility pop
