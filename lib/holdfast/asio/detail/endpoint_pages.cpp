#include <holdfast/asio/detail/endpoint_pages.hpp>

#include <cstddef>

namespace holdfast::detail {

namespace {

constexpr std::size_t kListedMax = 20;

Page readiness(const FleetSnapshot& fleet) {
  if (is_ready(fleet)) return {.body = "ready\n"};
  std::string body = fleet.shutting_down ? "not ready: shutting down\n" : "not ready\n";
  std::size_t more = 0;
  for (std::size_t listed = 0; const ServiceSnapshot& service : fleet.services) {
    if (is_as_it_should_be(service)) continue;
    if (++listed > kListedMax) {
      ++more;
      continue;
    }
    ((body += service.name) += ": ") += to_string(service.phase);
    if (service.termination) (body += ", ") += to_string(service.termination->reason);
    body += '\n';
  }
  if (more > 0) body += "and " + std::to_string(more) + " more\n";
  return {.status = 503, .body = std::move(body)};
}

Page metrics(std::string_view ns, const FleetSource& source) {
  const FleetSnapshot fleet = source.fleet();
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = prometheus_text(ns, fleet.counters, fleet.services, source.uptimes())};
}

}  // namespace

Page page_at(std::string_view path, std::string_view metrics_namespace, const FleetSource& source) {
  if (path == "/metrics") return metrics(metrics_namespace, source);
  if (path == "/healthz") return {.body = "alive\n"};
  if (path == "/readyz") return readiness(source.fleet());
  if (path == "/services") return {.content_type = "application/json", .body = to_json(source.fleet())};
  return {.status = 404, .body = "not found; there are /metrics, /healthz, /readyz and /services\n"};
}

}  // namespace holdfast::detail
