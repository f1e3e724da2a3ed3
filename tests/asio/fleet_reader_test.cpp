// How the fleet is written down: in slices, one a round, a page for all who ask, and no second one too soon.
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <zlib.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <holdfast/asio/detail/fleet_reader.hpp>
#include <holdfast/asio/real_time_scheduler.hpp>
#include <holdfast/supervisor.hpp>

#include "support.hpp"

namespace holdfast::test::fleet_reader_test {
namespace {

namespace net = boost::asio;
using detail::FleetPage;
using detail::FleetReader;
using detail::Page;

// A supervisor with many services, and its reader.
class Fleet final : public EventSink, public detail::FleetSource {
 public:
  explicit Fleet(std::size_t services) {
    walks_->open(supervisor_);
    for (std::size_t i = 0; i < services; ++i) add("feed-" + std::to_string(i));
    io_.poll();
  }
  ~Fleet() { reader_->close(); }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  void add(const std::string& name) {
    Script& service = services_.emplace_back();
    service.on_stop = [](Run run) { run.end(Exit::clean()); };
    REQUIRE(supervisor_.add({.name = name}, service));
  }
  Script& service(std::size_t number) { return services_[number]; }
  void on_event(const Event& event) override { walks_->on_event(event); }

  // Asks for a page. It is in `to` when it is made.
  void ask(FleetPage kind, std::vector<std::shared_ptr<const Page>>& to, bool compressed = false,
           Duration page_age_max = 1h) {
    net::co_spawn(
        io_,
        [&to, kind, compressed, page_age_max, this]() -> net::awaitable<void> {
          to.push_back(co_await reader_->page(kind, compressed, metrics_, page_age_max));
        },
        net::detached);
  }
  std::shared_ptr<const Page> page(FleetPage kind, bool compressed = false, Duration page_age_max = 1h) {
    std::vector<std::shared_ptr<const Page>> pages;
    ask(kind, pages, compressed, page_age_max);
    run_until([&] { return !pages.empty(); });
    return pages.front();
  }
  void run_until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    io_.restart();
    while (!done()) REQUIRE(io_.run_one_until(limit) == 1);
  }

  Supervisor& supervisor() { return supervisor_; }
  FleetReader& reader() { return *reader_; }
  net::io_context& io() { return io_; }
  [[nodiscard]] const net::any_io_executor& executor() const { return scheduler_.executor(); }

 private:
  [[nodiscard]] TimePoint now() const override { return scheduler_.now(); }
  [[nodiscard]] FleetSnapshot head() const override {
    return {.at = scheduler_.now(), .counters = supervisor_.counters()};
  }
  [[nodiscard]] std::size_t service_count() const override { return supervisor_.service_count(); }
  [[nodiscard]] std::shared_ptr<detail::FleetWalks> walks() const override { return walks_; }

  net::io_context io_{1};
  RealTimeScheduler scheduler_{io_.get_executor()};
  std::deque<Script> services_;
  std::shared_ptr<detail::FleetWalks> walks_ = std::make_shared<detail::FleetWalks>();
  Supervisor supervisor_{scheduler_, config_of(kAtOnce), kSeed, *this};
  UptimeHistogram uptimes_;
  bool recording_failed_ = false;
  const detail::MetricsSource metrics_{"x", uptimes_, recording_failed_};
  std::shared_ptr<FleetReader> reader_ = std::make_shared<FleetReader>(scheduler_.executor(), *this);
};

std::string text_of(const Page& page) {
  std::string text;
  for (const std::string& piece : page.pieces) text += piece;
  return text;
}

std::size_t count(const std::string& text, std::string_view word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + word.size())) ++found;
  return found;
}

std::string decompressed(const std::string& text) {
  z_stream z{};
  REQUIRE(inflateInit2(&z, 15 + 16) == Z_OK);
  std::string result(std::size_t{1} << 24, '\0');
  z.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<unsigned char*>(result.data());
  z.avail_out = static_cast<uInt>(result.size());
  CHECK(inflate(&z, Z_FINISH) == Z_STREAM_END);
  result.resize(result.size() - z.avail_out);
  inflateEnd(&z);
  return result;
}

TEST_CASE("a page is made in slices of so many services, and everything else has its turn between two of them") {
  const std::size_t services = GENERATE(0U, 1U, 255U, 256U, 257U, 2000U);
  CAPTURE(services);
  Fleet fleet{services};
  const std::uint64_t slices =
      std::max<std::uint64_t>(1, (services + FleetReader::kServicesASlice - 1) / FleetReader::kServicesASlice);
  std::vector<std::shared_ptr<const Page>> pages;
  fleet.ask(FleetPage::metrics, pages);
  std::uint64_t most_at_once = 0, before = 0;
  std::function<void()> tick = [&] {
    most_at_once = std::max(most_at_once, fleet.reader().slices_made() - before);
    before = fleet.reader().slices_made();
    if (pages.empty()) net::post(fleet.executor(), tick);
  };
  net::post(fleet.executor(), tick);
  fleet.run_until([&] { return !pages.empty(); });
  CHECK(fleet.reader().slices_made() == slices);
  CHECK(most_at_once <= 1);
  CHECK(count(text_of(*pages.front()), "x_service_starts_total{") == services);
}

TEST_CASE("all who ask for a page while it is made, or within its time, get the same one, of each kind its own") {
  Fleet fleet{1000};
  std::vector<std::shared_ptr<const Page>> metrics, small, services;
  for (int i = 0; i < 32; ++i) {
    fleet.ask(FleetPage::metrics, metrics);
    fleet.ask(FleetPage::metrics, small, true);
    fleet.ask(FleetPage::services, services);
  }
  fleet.run_until([&] { return metrics.size() == 32 && small.size() == 32 && services.size() == 32; });
  for (int i = 0; i < 10; ++i) metrics.push_back(fleet.page(FleetPage::metrics));
  for (const auto& page : metrics) CHECK(page == metrics.front());
  for (const auto& page : small) CHECK(page == small.front());
  for (const auto& page : services) CHECK(page == services.front());
  CHECK(fleet.reader().pages_made() == 2);
  CHECK(fleet.reader().slices_made() == 2 * 4);
  CHECK(small.front()->content_encoding == "gzip");
  CHECK(decompressed(text_of(*small.front())) == text_of(*metrics.front()));
  CHECK(20 * small.front()->size() < 4 * metrics.front()->size());
}

TEST_CASE("a page that is too old is not given to others: another one is made") {
  Fleet fleet{3};
  const auto first = fleet.page(FleetPage::metrics, false, Duration::zero());
  fleet.add("late");
  const auto second = fleet.page(FleetPage::metrics, false, Duration::zero());
  CHECK(first != second);
  CHECK(count(text_of(*second), "x_service_starts_total{") == 4);
  CHECK(fleet.reader().pages_made() == 2);
}

TEST_CASE("readiness is never older than the question") {
  Fleet fleet{600};
  CHECK(fleet.page(FleetPage::readiness)->status == 200);
  std::vector<std::shared_ptr<const Page>> pages;
  fleet.ask(FleetPage::readiness, pages);
  fleet.run_until([&] { return fleet.reader().slices_made() == 4; });  // the first slice of it is made
  fleet.service(7).on_stop = nullptr;
  REQUIRE(fleet.supervisor().stop("feed-7"));
  fleet.run_until([&] { return fleet.supervisor().snapshot("feed-7")->phase == Phase::stopping; });
  fleet.ask(FleetPage::readiness, pages);
  fleet.ask(FleetPage::readiness, pages);
  fleet.run_until([&] { return pages.size() == 3; });
  CHECK(text_of(*pages[0]) == "ready\n");
  CHECK(text_of(*pages[1]).find("feed-7: stopping") != std::string::npos);
  CHECK(text_of(*pages[2]).find("feed-7: stopping") != std::string::npos);
  CHECK(pages[1] == pages[2]);  // one page for both
}

TEST_CASE("of a kind no more than two pages are in memory: while two are read, the latest is given to everybody") {
  Fleet fleet{3};
  auto first = fleet.page(FleetPage::services, false, Duration::zero());
  const auto second = fleet.page(FleetPage::services, false, Duration::zero());
  CHECK(second != first);
  CHECK(fleet.page(FleetPage::services, false, Duration::zero()) == second);
  CHECK(fleet.reader().pages_made() == 2);
  first.reset();
  const auto third = fleet.page(FleetPage::services, false, Duration::zero());
  CHECK(third != second);
}

TEST_CASE("a page that no client reads leaves the memory when it is too old to be given to others") {
  Fleet fleet{3};
  std::weak_ptr<const Page> page = fleet.page(FleetPage::metrics, false, 1ms);
  fleet.run_until([&] { return page.expired(); });
  page = fleet.page(FleetPage::metrics, false, 1h);
  CHECK(!page.expired());
  fleet.reader().keep_nothing();
  CHECK(page.expired());
}

TEST_CASE("services that come and go while a page is made are in it or not, and all others are in it once") {
  Fleet fleet{1000};
  std::vector<std::shared_ptr<const Page>> pages;
  fleet.ask(FleetPage::metrics, pages);
  fleet.run_until([&] { return fleet.reader().slices_made() == 1; });
  const auto is_gone = [&](const std::string& name) { REQUIRE(fleet.supervisor().remove(name)); };
  is_gone("feed-0");                                                     // behind the walk
  for (int i = 200; i < 400; ++i) is_gone("feed-" + std::to_string(i));  // under it
  is_gone("feed-999");                                                   // the last one
  fleet.add("new");
  fleet.run_until([&] { return !pages.empty(); });
  const std::string text = text_of(*pages.front());
  for (int i = 1; i < 999; ++i) {
    if (i >= 200 && i < 400) continue;
    REQUIRE(count(text, "x_service_starts_total{service=\"feed-" + std::to_string(i) + "\"}") == 1);
  }
  CHECK(count(text, "x_service_starts_total{service=\"new\"}") <= 1);
}

TEST_CASE("a service that is restarted in place where the walk stands is in the page once") {
  Fleet fleet{600};
  REQUIRE(fleet.supervisor().stop("feed-256"));
  fleet.run_until([&] { return fleet.supervisor().snapshot("feed-256")->phase == Phase::terminated; });
  std::vector<std::shared_ptr<const Page>> pages;
  fleet.ask(FleetPage::metrics, pages);
  fleet.run_until([&] { return fleet.reader().slices_made() == 1; });  // feed-256 is the next one
  const auto old = fleet.supervisor().snapshot("feed-256")->id;
  REQUIRE(fleet.supervisor().restart("feed-256"));
  fleet.run_until([&] { return !pages.empty(); });
  CHECK(fleet.supervisor().snapshot("feed-256")->id != old);
  CHECK(count(text_of(*pages.front()), "x_service_starts_total{service=\"feed-256\"}") == 1);
}

TEST_CASE("a snapshot is taken in slices, has every service, and is refused once there is nothing to take") {
  Fleet fleet{3000};
  std::shared_ptr<const FleetSnapshot> got;
  fleet.reader().take_snapshot([&](std::shared_ptr<const FleetSnapshot> snapshot) { got = std::move(snapshot); });
  fleet.run_until([&] { return got != nullptr; });
  CHECK(fleet.reader().slices_made() == 3);
  REQUIRE(got->services.size() == 3000);
  CHECK(got->services[2999].name == "feed-2999");
  CHECK(got->counters.spawned == 3000);
  fleet.reader().close();
  bool refused = false;
  fleet.reader().take_snapshot([&](const std::shared_ptr<const FleetSnapshot>& none) { refused = none == nullptr; });
  CHECK(refused);
}

TEST_CASE("closed in the middle of anything, nothing is left to run, and the fleet is not looked at again") {
  const int rounds = GENERATE(0, 1, 2, 3, 5, 8, 13, 30);
  CAPTURE(rounds);
  std::vector<std::shared_ptr<const Page>> pages;
  Fleet fleet{1500};
  net::io_context* const io = &fleet.io();
  for (int i = 0; i < 3; ++i) {
    fleet.ask(FleetPage::metrics, pages);
    fleet.ask(FleetPage::services, pages, true);
    fleet.ask(FleetPage::readiness, pages);
  }
  fleet.reader().take_snapshot([](const std::shared_ptr<const FleetSnapshot>&) {});
  io->restart();
  for (int i = 0; i < rounds; ++i) io->poll_one();
  fleet.reader().close();
  const std::uint64_t slices = fleet.reader().slices_made();
  io->restart();
  io->run();  // returns
  CHECK(fleet.reader().slices_made() == slices);
}

}  // namespace
}  // namespace holdfast::test::fleet_reader_test
