#include <holdfast/asio/detail/endpoint_pages.hpp>

#include <utility>

#include <holdfast/detail/assert.hpp>

namespace holdfast::detail {

namespace {

constexpr std::size_t kListedMax = 20;
constexpr std::size_t kUptimesASlice = 64;  // twelve lines each

class Readiness final : public PageMaker {
 public:
  void add(const ServiceSnapshot& service, TimePoint) override {
    if (is_as_it_should_be(service)) return;
    if (++not_ready_ > kListedMax) return;
    ((listed_ += service.name) += ": ") += to_string(service.phase);
    if (service.termination) (listed_ += ", ") += to_string(service.termination->reason);
    listed_ += '\n';
  }
  [[nodiscard]] Page finish(const FleetSnapshot& fleet) override {
    if (!fleet.shutting_down && not_ready_ == 0) return page_of(200, "ready\n");
    std::string text = fleet.shutting_down ? "not ready: shutting down\n" : "not ready\n";
    text += listed_;
    if (not_ready_ > kListedMax) text += "and " + std::to_string(not_ready_ - kListedMax) + " more\n";
    return page_of(503, std::move(text));
  }

 private:
  std::string listed_;
  std::size_t not_ready_ = 0;
};

class Metrics final : public PageMaker {
 public:
  explicit Metrics(const MetricsSource& source) : source_(source), page_(source.metrics_namespace) {}
  void add(const ServiceSnapshot& service, TimePoint) override { page_.add(service); }
  bool add_more() override { return page_.add_uptimes(source_.uptimes, kUptimesASlice); }
  [[nodiscard]] Page finish(const FleetSnapshot& fleet) override {
    page_.add_single("recording_failed", "gauge", "1 once the recording could not be written, and is given up.",
                     source_.recording_failed ? 1 : 0);
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .pieces = page_.take(fleet.counters)};
  }

 private:
  const MetricsSource& source_;
  PrometheusPage page_;
};

class Services final : public PageMaker {
 public:
  void add(const ServiceSnapshot& service, TimePoint now) override { json_.add(service, now); }
  [[nodiscard]] Page finish(const FleetSnapshot& fleet) override {
    return {.content_type = "application/json", .pieces = json_.take(fleet)};
  }

 private:
  FleetJson json_;
};

}  // namespace

Page page_of(unsigned status, std::string text) {
  Page page{.status = status};
  page.pieces.push_back(std::move(text));
  return page;
}

std::unique_ptr<PageMaker> make_page(FleetPage page, const MetricsSource& source) {
  switch (page) {
    case FleetPage::metrics: return std::make_unique<Metrics>(source);
    case FleetPage::services: return std::make_unique<Services>();
    case FleetPage::readiness: return std::make_unique<Readiness>();
  }
  HOLDFAST_ASSERT(false, "there is no such page");
  return nullptr;
}

std::optional<FleetPage> fleet_page_at(std::string_view path) noexcept {
  if (path == "/metrics") return FleetPage::metrics;
  if (path == "/services") return FleetPage::services;
  if (path == "/readyz") return FleetPage::readiness;
  return std::nullopt;
}

Page other_page_at(std::string_view path) {
  if (path == "/healthz") return page_of(200, "alive\n");
  return page_of(404, "not found; there are /metrics, /healthz, /readyz and /services\n");
}

}  // namespace holdfast::detail
