// Writes down the fleet without keeping the executor from anybody: pages of the endpoint, and snapshots.
//
// All of it happens in slices, a slice a round (turns.hpp): kServicesASlice services for a page, kSnapshotSlice for a
// snapshot, a piece of 64 KiB for a page that is compressed. So whatever is asked for by however many, everybody else
// waits for one slice at a time: less than a millisecond.
//
// A page is made once and shared: by all who ask while it is made, and by all who ask within `page_age_max` after it
// was begun. /readyz is shared by those alone who asked before it was begun: what it says is never older than the
// question. Of each kind at most two pages are in memory. As long as clients hold two, both in use, the latest is given
// to everybody, which is then as old as a slow client may take: Endpoint::timeout and page_age_max.
//
// Thread-safety: none; all on the executor.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <holdfast/asio/detail/endpoint_pages.hpp>
#include <holdfast/asio/detail/fleet_walk.hpp>
#include <holdfast/asio/detail/turns.hpp>
#include <holdfast/asio/detail/waiting_room.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

// Where it gets what it writes.
class FleetSource {
 public:
  [[nodiscard]] virtual TimePoint now() const = 0;
  // Without services.
  [[nodiscard]] virtual FleetSnapshot head() const = 0;
  [[nodiscard]] virtual std::size_t service_count() const = 0;
  [[nodiscard]] virtual std::shared_ptr<FleetWalks> walks() const = 0;

 protected:
  ~FleetSource() = default;
};

class FleetReader : public std::enable_shared_from_this<FleetReader> {
 public:
  static constexpr std::size_t kServicesASlice = 256;
  static constexpr std::size_t kSnapshotSlice = 1024;

  // The source lives until close().
  FleetReader(const boost::asio::any_io_executor& executor, const FleetSource& source)
      : turns_(std::make_shared<Turns>(executor)), source_(&source), executor_(executor) {}

  // Completes when it is the caller's turn.
  [[nodiscard]] Turns& turns() noexcept { return *turns_; }

  // Null: closed meanwhile. Throws what making it throws.
  boost::asio::awaitable<std::shared_ptr<const Page>> page(FleetPage kind, bool compressed,
                                                           const MetricsSource& metrics, Duration page_age_max);

  // Null: closed meanwhile, or no memory.
  void take_snapshot(std::function<void(std::shared_ptr<const FleetSnapshot>)> give);

  // No page is kept for others any more, and no timer is left.
  void keep_nothing() noexcept;
  void close() noexcept;

  // How many were made so far.
  [[nodiscard]] std::uint64_t pages_made() const noexcept { return pages_made_; }
  [[nodiscard]] std::uint64_t slices_made() const noexcept { return slices_made_; }

 private:
  using Time = std::chrono::steady_clock::time_point;

  // Of one kind of page.
  struct Shelf {
    explicit Shelf(const boost::asio::any_io_executor& executor) : expiry(executor) {}
    std::shared_ptr<const Page> kept;  // until it is too old to be given to others
    std::weak_ptr<const Page> latest, before;
    Time begun;              // the latest
    std::uint64_t made = 0;  // so far
    bool is_making = false;
    WaitingRoom waiting{nullptr};
    boost::asio::steady_timer expiry;
  };
  class Making;

  [[nodiscard]] Shelf& shelf(FleetPage kind, bool compressed);
  boost::asio::awaitable<void> wait_at(Shelf& shelf);
  boost::asio::awaitable<std::shared_ptr<const Page>> make(FleetPage kind, const MetricsSource& metrics);
  boost::asio::awaitable<std::shared_ptr<const Page>> compress(std::shared_ptr<const Page> plain);
  boost::asio::awaitable<std::shared_ptr<const FleetSnapshot>> copy();
  void keep(Shelf& shelf, const std::shared_ptr<const Page>& page, Time begun, Duration page_age_max);

  const std::shared_ptr<Turns> turns_;
  const FleetSource* source_;  // null once closed
  const boost::asio::any_io_executor executor_;
  std::array<std::optional<Shelf>, 2 * kFleetPages> shelves_;
  bool keeps_ = true;
  std::uint64_t pages_made_ = 0;
  std::uint64_t slices_made_ = 0;
};

}  // namespace holdfast::detail
