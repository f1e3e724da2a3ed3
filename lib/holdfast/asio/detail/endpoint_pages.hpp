// The page of each path of the endpoint (endpoint.hpp). This code knows nothing of HTTP but the status.
//
// A page about the fleet takes one service after the other, so that it can be made in slices.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/asio/fleet_snapshot.hpp>
#include <holdfast/prometheus.hpp>

namespace holdfast::detail {

struct Page {
  unsigned status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string_view content_encoding{};  // empty: none
  std::vector<std::string> pieces;      // that make up its body

  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t bytes = 0;
    for (const std::string& piece : pieces) bytes += piece.size();
    return bytes;
  }
};

Page page_of(unsigned status, std::string text);

// One unfinished page about the fleet.
class PageMaker {
 public:
  virtual ~PageMaker() = default;
  // Adds the next service, in the order of adding; `now` is the time of this look at it.
  virtual void add(const ServiceSnapshot& service, TimePoint now) = 0;
  // Adds what comes after the services, a slice at a time. False: the page is complete.
  virtual bool add_more() { return false; }
  // `fleet` has no services.
  [[nodiscard]] virtual Page finish(const FleetSnapshot& fleet) = 0;
};

enum class FleetPage : std::uint8_t { metrics, services, readiness };
inline constexpr std::size_t kFleetPages = 3;

struct MetricsSource {
  std::string metrics_namespace;
  const UptimeHistogram& uptimes;
  const bool& recording_failed;
};

// The source outlives the maker.
std::unique_ptr<PageMaker> make_page(FleetPage page, const MetricsSource& source);

// nullopt: the path has no page about the fleet, but perhaps another one.
std::optional<FleetPage> fleet_page_at(std::string_view path) noexcept;
// The page at any other path.
Page other_page_at(std::string_view path);

}  // namespace holdfast::detail
