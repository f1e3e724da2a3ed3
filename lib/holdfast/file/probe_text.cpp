#include <holdfast/file/probe_text.hpp>

#include <algorithm>

#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/placeholders.hpp>

namespace holdfast::file {

namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHere = "127.0.0.1";

bool is_ipv4(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (!text.starts_with('.')) return false;
      text.remove_prefix(1);
    }
    const auto size = text.size();
    const auto number = take_number(text);
    constexpr std::uint64_t kPartMax = 255;
    if (!number || *number > kPartMax || size - text.size() > 3) return false;
  }
  return text.empty();
}

// Whether it is one, the system says when it is used.
bool looks_like_ipv6(std::string_view text) {
  const auto fits = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
  };
  return std::count(text.begin(), text.end(), ':') >= 2 && std::all_of(text.begin(), text.end(), fits);
}

// "127.0.0.1", "[::1]", "localhost"; empty: none of these.
std::string address_of(std::string_view text) {
  if (text == "localhost") return std::string{kHere};
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
    return looks_like_ipv6(text) ? std::string{text} : std::string{};
  }
  return is_ipv4(text) ? std::string{text} : std::string{};
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  constexpr std::uint64_t kPortMax = 65'535;
  const auto port = take_number(text);
  if (!port || !text.empty() || *port == 0 || *port > kPortMax) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

// Of "127.0.0.1:80": where the colon of the port is.
std::size_t colon_of(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto bracket = text.rfind(']');
  return colon != std::string_view::npos && bracket != std::string_view::npos && colon < bracket
             ? std::string_view::npos
             : colon;
}

bool is_visible(char c) { return c > ' ' && c < 0x7f; }

std::string with_numbers(std::string_view text) { return filled_in(text, "1", 1); }

}  // namespace

std::optional<ProbePort> parse_probe_port(std::string_view text) {
  const auto colon = colon_of(text);
  const auto port = port_of(colon == std::string_view::npos ? text : text.substr(colon + 1));
  auto address = colon == std::string_view::npos ? std::string{kHere} : address_of(text.substr(0, colon));
  if (!port || address.empty()) return std::nullopt;
  return ProbePort{std::move(address), *port};
}

std::optional<ProbeUrl> parse_probe_url(std::string_view text) {
  if (!text.starts_with(kHttp) || !std::all_of(text.begin(), text.end(), is_visible)) return std::nullopt;
  text.remove_prefix(kHttp.size());
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  const auto host = text.substr(0, end);
  const bool has_port = colon_of(host) != std::string_view::npos;
  auto at = parse_probe_port(has_port ? std::string{host} : std::string{host} + ":80");
  auto target = text.substr(end);
  target = target.substr(0, target.find('#'));
  if (!at) return std::nullopt;
  return ProbeUrl{std::move(*at), (target.starts_with('/') ? "" : "/") + std::string{target}, std::string{host}};
}

bool is_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
    return looks_like_ipv6(text.substr(0, text.find('%')));
  }
  return is_ipv4(text);
}

bool is_probe_port(std::string_view text) {
  return !placeholder_fault(text).empty() || parse_probe_port(with_numbers(text)).has_value();
}

bool is_probe_url(std::string_view text) {
  return !placeholder_fault(text).empty() || parse_probe_url(with_numbers(text)).has_value();
}

std::string meant_port(std::string_view text) {
  text = trimmed(text);
  for (const std::string_view before : {"tcp://", "tcp:", "port:", "*:"}) {
    if (lower_case(text).starts_with(before)) text.remove_prefix(before.size());
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.starts_with(':') && port_of(text.substr(1))) text.remove_prefix(1);
  if (port_of(text)) return std::string{text.substr(std::min(text.find_first_not_of('0'), text.size()))};
  if (is_probe_port(text)) return in_quotes(text);
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !port_of(text.substr(colon + 1)) || !looks_like_ipv6(text.substr(0, colon))) {
    return "";
  }
  return in_quotes('[' + std::string{text.substr(0, colon)} + "]:" + std::string{text.substr(colon + 1)});
}

std::string probe_port_hint(std::string_view text) {
  text = trimmed(text);
  if (const auto meant = meant_port(text); !meant.empty()) {
    return "write " + meant + (text.starts_with(':') ? ", or an address before the colon" : "");
  }
  if (text.find("://") != std::string_view::npos) {
    const auto page = is_probe_url(text) ? text : std::string_view{"http://127.0.0.1:8080/healthz"};
    return "a page is asked for with http = " + in_quotes(page);
  }
  if (looks_like_ipv6(text)) return "its port is missing, as in \"[::1]:8080\"";
  const auto colon = colon_of(text);
  if (colon == std::string_view::npos && !text.starts_with(':')) return "";
  if (!port_of(text.substr(colon + 1))) return "a port is 1 to 65535";
  return "no name is looked up: write its address, as in \"127.0.0.1:" + std::string{text.substr(colon + 1)} + '"';
}

std::string probe_url_hint(std::string_view text) {
  text = trimmed(text);
  if (lower_case(text).starts_with("https://")) {
    return "https is not spoken here; ask with a command: exec = [\"curl\", \"--fail\", \"--silent\", " +
           in_quotes(text) + "]";
  }
  const std::string here = std::string{kHttp} + std::string{kHere};
  if (text.starts_with('/')) return "write the whole address: " + in_quotes(here + ":8080" + std::string{text});
  if (text.find("://") == std::string_view::npos) {
    const std::string whole = std::string{kHttp} + std::string{text};
    return parse_probe_url(whole) ? "write " + in_quotes(whole) : "";
  }
  if (!text.starts_with(kHttp)) return "";
  const auto host = text.substr(kHttp.size(), text.substr(kHttp.size()).find_first_of("/?#"));
  if (parse_probe_url(std::string{kHttp} + std::string{host}))
    return "the path has no blanks and no other letters than those of ASCII";
  const auto target = text.substr(kHttp.size() + host.size());
  const auto colon = colon_of(host);
  const auto port = colon == std::string_view::npos ? std::string_view{"80"} : host.substr(colon + 1);
  if (const auto meant = meant_port(host); meant.starts_with('"')) {
    return "write " + in_quotes(std::string{kHttp} + meant.substr(1, meant.size() - 2) + std::string{target});
  }
  const bool is_number = !port.empty() && std::all_of(port.begin(), port.end(), is_digit);
  if (is_number && !port_of(port)) return "a port is 1 to 65535";
  return "no name is looked up: write an address and a port, as in " + in_quotes(here + ":8080/healthz");
}

}  // namespace holdfast::file
