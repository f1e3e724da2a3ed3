#include <holdfast/asio/detail/fleet_reader.hpp>

#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <holdfast/asio/detail/gzip.hpp>

namespace holdfast::detail {

namespace {

namespace asio = boost::asio;

}  // namespace

// If a page could not be made, each request that waits for it makes its own.
class FleetReader::Making {
 public:
  explicit Making(Shelf& shelf) : shelf_(shelf) { shelf_.is_making = true; }
  ~Making() {
    shelf_.is_making = false;
    try {
      if (!shelf_.waiting.closed()) shelf_.waiting.complete_all({});
    } catch (...) {  // no memory: they wait until their connection's time is over
    }
  }
  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;

 private:
  Shelf& shelf_;
};

FleetReader::Shelf& FleetReader::shelf(FleetPage kind, bool compressed) {
  auto& found = shelves_[2 * static_cast<std::size_t>(kind) + (compressed ? 1 : 0)];
  if (!found) found.emplace(executor_);
  return *found;
}

asio::awaitable<std::shared_ptr<const Page>> FleetReader::page(FleetPage kind, bool compressed,
                                                               const MetricsSource& metrics, Duration page_age_max) {
  const auto self = shared_from_this();
  const Time asked = std::chrono::steady_clock::now();
  const bool is_fresh = kind == FleetPage::readiness;
  if (is_fresh) page_age_max = Duration::zero();
  Shelf& one = shelf(kind, compressed);
  for (;;) {
    if (!source_) co_return nullptr;
    if (auto latest = one.latest.lock()) {
      const bool are_two = !is_fresh && !one.before.expired();
      if (are_two || asked - one.begun <= page_age_max) co_return latest;
    }
    if (!one.is_making) break;
    const std::uint64_t made_before = one.made;
    co_await wait_at(one);
    if (auto latest = one.latest.lock(); latest && !is_fresh && one.made != made_before) co_return latest;
  }
  const Making making{one};
  Time begun = std::chrono::steady_clock::now();
  std::shared_ptr<const Page> made;
  if (compressed) {
    const auto plain = co_await page(kind, false, metrics, page_age_max);
    if (!plain) co_return nullptr;
    begun = shelf(kind, false).begun;
    made = co_await compress(plain);
  } else {
    made = co_await make(kind, metrics);
  }
  if (made && source_) keep(one, made, begun, page_age_max);
  co_return made;
}

asio::awaitable<void> FleetReader::wait_at(Shelf& shelf) {
  const auto wait = [](auto&& handler, Shelf* at, const asio::any_io_executor* executor) {
    if (at->waiting.closed()) return;
    enter(at->waiting, std::nullopt, std::forward<decltype(handler)>(handler), *executor);
  };
  co_await asio::async_initiate<const asio::deferred_t&, void(boost::system::error_code)>(wait, asio::deferred, &shelf,
                                                                                          &executor_);
}

// A page is freed once it is too old for new requests and no client reads it any more.
void FleetReader::keep(Shelf& shelf, const std::shared_ptr<const Page>& page, Time begun, Duration page_age_max) {
  shelf.before = std::exchange(shelf.latest, page);
  shelf.begun = begun;
  ++shelf.made;
  if (!keeps_) return;
  shelf.kept = page;
  shelf.expiry.expires_at(begun + page_age_max);
  shelf.expiry.async_wait([self = weak_from_this(), &shelf](boost::system::error_code error) {
    const auto reader = self.lock();
    if (error || !reader || shelf.expiry.expiry() > std::chrono::steady_clock::now()) return;
    shelf.kept.reset();
  });
}

asio::awaitable<std::shared_ptr<const Page>> FleetReader::make(FleetPage kind, const MetricsSource& metrics) {
  co_await turns_->async_turn(asio::deferred);
  if (!source_) co_return nullptr;
  FleetSnapshot fleet = source_->head();
  const auto maker = make_page(kind, metrics);
  {
    FleetWalk walk{source_->walks()};
    std::vector<ServiceSnapshot> slice;
    slice.reserve(kServicesASlice);
    for (bool more = true; more;) {
      slice.clear();
      more = walk.next(kServicesASlice, slice);
      const TimePoint now = source_->now();
      for (const ServiceSnapshot& service : slice) maker->add(service, now);
      ++slices_made_;
      if (!more) break;
      co_await turns_->async_turn(asio::deferred);
      if (!source_) co_return nullptr;
    }
  }
  while (maker->add_more()) {
    co_await turns_->async_turn(asio::deferred);
    if (!source_) co_return nullptr;
  }
  ++pages_made_;
  co_return std::make_shared<const Page>(maker->finish(fleet));
}

asio::awaitable<std::shared_ptr<const Page>> FleetReader::compress(std::shared_ptr<const Page> plain) {
  Gzip gzip;
  for (const std::string& piece : plain->pieces) {
    co_await turns_->async_turn(asio::deferred);
    gzip.add(piece);
  }
  Page page{.status = plain->status, .content_type = plain->content_type, .content_encoding = "gzip"};
  page.pieces = gzip.take();
  co_return std::make_shared<const Page>(std::move(page));
}

asio::awaitable<std::shared_ptr<const FleetSnapshot>> FleetReader::copy() {
  const auto self = shared_from_this();
  co_await turns_->async_turn(asio::deferred);
  if (!source_) co_return nullptr;
  auto fleet = std::make_shared<FleetSnapshot>(source_->head());
  fleet->services.reserve(source_->service_count());
  FleetWalk walk{source_->walks()};
  while (walk.next(kSnapshotSlice, fleet->services)) {
    ++slices_made_;
    co_await turns_->async_turn(asio::deferred);
    if (!source_) co_return nullptr;
  }
  ++slices_made_;
  co_return fleet;
}

void FleetReader::take_snapshot(std::function<void(std::shared_ptr<const FleetSnapshot>)> give) {
  if (!source_) return give(nullptr);
  asio::co_spawn(executor_, copy(),
                 [give = std::move(give)](const std::exception_ptr&, std::shared_ptr<const FleetSnapshot> fleet) {
                   give(std::move(fleet));
                 });
}

void FleetReader::keep_nothing() noexcept {
  keeps_ = false;
  for (auto& one : shelves_) {
    if (!one) continue;
    one->kept.reset();
    one->expiry.cancel();
  }
}

void FleetReader::close() noexcept {
  source_ = nullptr;
  keep_nothing();
  turns_->close();
  for (auto& one : shelves_) {
    if (one) one->waiting.close();
  }
}

}  // namespace holdfast::detail
