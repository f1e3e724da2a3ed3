// Who may start again now, and who has to wait: the limits of a supervisor on the restarts of all its services.
//
// The token bucket is kept as one moment, as the generic cell rate algorithm does (ITU-T I.371): when the bucket would
// be full again. Services wait in the order in which their restarts fell due, in a list by slot, so that one leaves it
// at once when it is stopped.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <holdfast/detail/service_record.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

class RestartLimiter {
 public:
  // REQUIRES: one of the two is given.
  RestartLimiter(const std::optional<RestartLimit>& limit, const std::optional<std::uint32_t>& starting_max) noexcept
      : every_(limit ? limit->every : Duration::zero()),
        tolerance_(limit ? times(limit->every, limit->burst - 1) : Duration::max()),
        starting_max_(starting_max.value_or(std::numeric_limits<std::uint32_t>::max())) {}

  // When the bucket has a token. Not later than `now` if it has one.
  [[nodiscard]] TimePoint token_at() const noexcept { return full_at_ - tolerance_; }
  [[nodiscard]] bool has_token(TimePoint now) const noexcept { return token_at() <= now; }
  [[nodiscard]] bool has_place() const noexcept { return starting_ < starting_max_; }
  [[nodiscard]] bool lets_start(TimePoint now) const noexcept { return has_token(now) && has_place(); }

  // REQUIRES: lets_start(now).
  void take_token(TimePoint now) noexcept { full_at_ = (full_at_ > now ? full_at_ : now) + every_; }

  // A run has begun that is not ready yet, and is so no more.
  void begins_to_start() noexcept { ++starting_; }
  void starts_no_more() noexcept { --starting_; }

  // Throws std::bad_alloc; then there is none. Before a service may wait.
  void make_room(std::uint32_t slot) {
    if (slot >= neighbours_.size()) neighbours_.resize(slot + std::size_t{1});
  }

  [[nodiscard]] bool waits(std::uint32_t slot) const noexcept {
    return slot < neighbours_.size() && (slot == first_ || neighbours_[slot].before != kNoSlot);
  }
  [[nodiscard]] bool anybody_waits() const noexcept { return first_ != kNoSlot; }
  // The one that has waited longest. REQUIRES: anybody_waits().
  [[nodiscard]] std::uint32_t first() const noexcept { return first_; }

  // REQUIRES: it does not wait, and there is room for it.
  void append(std::uint32_t slot) noexcept {
    neighbours_[slot] = {.before = last_, .after = kNoSlot};
    (last_ == kNoSlot ? first_ : neighbours_[last_].after) = slot;
    last_ = slot;
  }

  // REQUIRES: it waits.
  void leave(std::uint32_t slot) noexcept {
    const Neighbours around = neighbours_[slot];
    neighbours_[slot] = {};
    (around.before == kNoSlot ? first_ : neighbours_[around.before].after) = around.after;
    (around.after == kNoSlot ? last_ : neighbours_[around.after].before) = around.before;
  }

 private:
  struct Neighbours {
    std::uint32_t before = kNoSlot;
    std::uint32_t after = kNoSlot;
  };

  static constexpr Duration times(Duration length, std::uint32_t count) noexcept {
    return count > 0 && length > Duration::max() / count ? Duration::max() : length * count;
  }

  Duration every_;
  Duration tolerance_;
  std::uint32_t starting_max_;
  std::uint32_t starting_ = 0;
  TimePoint full_at_ = TimePoint::min();
  std::vector<Neighbours> neighbours_;  // by slot
  std::uint32_t first_ = kNoSlot;
  std::uint32_t last_ = kNoSlot;
};

}  // namespace holdfast::detail
