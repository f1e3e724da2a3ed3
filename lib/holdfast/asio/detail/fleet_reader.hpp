// Makes pages of the endpoint and snapshots of the fleet without blocking the executor for long.
//
// All work is done in slices, one a round (turns.hpp): kServicesASlice services for a page, kSnapshotSlice for a
// snapshot, a piece of 64 KiB for a page that is compressed. However many requests there are, other work on the
// executor waits for one slice at a time: less than a millisecond.
//
// A page is made once and shared by all requests that come while it is made, or within `page_age_max` after it was
// begun. Only requests that came before /readyz was begun share it: its answer is never older than the question. At
// most two pages of each kind are in memory. While clients still read both, further requests get the newer one, which
// can then be as old as a slow client may take: Endpoint::timeout and page_age_max.
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

// Where the reader gets its data.
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

  // Completes when the caller has its turn.
  [[nodiscard]] Turns& turns() noexcept { return *turns_; }

  // Null: the reader was closed meanwhile. Throws what making the page throws.
  boost::asio::awaitable<std::shared_ptr<const Page>> page(FleetPage kind, bool compressed,
                                                           const MetricsSource& metrics, Duration page_age_max);

  // Null: the reader was closed meanwhile, or there is no memory.
  void take_snapshot(std::function<void(std::shared_ptr<const FleetSnapshot>)> give);

  // Frees the kept pages and disarms the timers.
  void keep_nothing() noexcept;
  void close() noexcept;

  // How many pages were made so far.
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
