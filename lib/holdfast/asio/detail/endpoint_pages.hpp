// What stands at each path of the endpoint (endpoint.hpp), without anything of HTTP but the status.
#pragma once

#include <string>
#include <string_view>

#include <holdfast/asio/fleet_snapshot.hpp>
#include <holdfast/prometheus.hpp>

namespace holdfast::detail {

struct Page {
  unsigned status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
};

// Where the pages get what they tell.
class FleetSource {
 public:
  [[nodiscard]] virtual FleetSnapshot fleet() const = 0;
  [[nodiscard]] virtual const UptimeHistogram& uptimes() const = 0;

 protected:
  ~FleetSource() = default;
};

// `path` without a query.
Page page_at(std::string_view path, std::string_view metrics_namespace, const FleetSource& source);

}  // namespace holdfast::detail
