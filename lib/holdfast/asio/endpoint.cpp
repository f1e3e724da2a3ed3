#include <holdfast/asio/endpoint.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <holdfast/prometheus.hpp>

namespace holdfast {

namespace {

class EndpointCheck {
 public:
  void require(bool right, std::string_view field, const std::string& is, std::string_view allowed) {
    if (right) return;
    std::string says = "is " + is + "; allowed is ";
    says += allowed;
    found_.push_back({Problem::Severity::error, "endpoint." + std::string{field}, std::move(says)});
  }
  void in_range(std::size_t value, std::size_t least, std::size_t most, std::string_view field) {
    require(value >= least && value <= most, field, std::to_string(value),
            std::to_string(least) + " to " + std::to_string(most));
  }
  [[nodiscard]] std::vector<Problem> take() { return std::move(found_); }

 private:
  std::vector<Problem> found_;
};

bool is_host_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

}  // namespace

std::vector<Problem> problems(const Endpoint& endpoint) {
  constexpr Duration kTimeoutMin = std::chrono::milliseconds{1}, kTimeoutMax = std::chrono::hours{1};
  constexpr Duration kPageAgeMax = std::chrono::minutes{1};
  EndpointCheck check;
  boost::system::error_code no_address;
  boost::asio::ip::make_address(endpoint.address, no_address);
  check.require(!no_address, "address", '"' + endpoint.address + '"',
                R"(an IPv4 or IPv6 address in figures like "127.0.0.1", "::1" or "0.0.0.0")");
  check.require(is_prometheus_namespace(endpoint.metrics_namespace), "metrics_namespace",
                '"' + endpoint.metrics_namespace + '"',
                "a letter or underscore, then letters, figures and underscores");
  check.in_range(endpoint.connections_max, 1, 1000, "connections_max");
  check.in_range(endpoint.request_bytes_max, 256, std::size_t{1} << 20, "request_bytes_max");
  check.require(endpoint.timeout >= kTimeoutMin && endpoint.timeout <= kTimeoutMax, "timeout",
                to_string(endpoint.timeout), to_string(kTimeoutMin) + " to " + to_string(kTimeoutMax));
  check.require(endpoint.page_age_max >= Duration::zero() && endpoint.page_age_max <= kPageAgeMax, "page_age_max",
                to_string(endpoint.page_age_max), "0ns to " + to_string(kPageAgeMax));
  for (std::size_t i = 0; i < endpoint.hosts.size(); ++i) {
    const std::string& host = endpoint.hosts[i];
    check.require(host == "*" || is_host_name(host), "hosts[" + std::to_string(i) + "]", '"' + host + '"',
                  "a name without a port, or \"*\" for any");
  }
  return check.take();
}

}  // namespace holdfast
