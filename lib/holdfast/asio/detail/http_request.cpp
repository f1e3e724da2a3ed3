#include <holdfast/asio/detail/http_request.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <holdfast/detail/text.hpp>

namespace holdfast::detail {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

using Parser = http::request_parser<http::empty_body>;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

Request refusal(unsigned status, std::string reason) {
  Request request;
  request.refused = status;
  request.reason = std::move(reason);
  return request;
}

void refuse(Request& request, unsigned status, std::string reason) {
  if (request.refused != 0) return;
  request.refused = status;
  request.reason = std::move(reason);
}

Request too_long() { return refusal(431, "the header of the request is too long"); }

// A character of a method, with which a request begins.
bool is_token(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || (c >= '0' && c <= '9') || kMarks.find(c) != std::string_view::npos;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

// -1: it is none.
int hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

bool is_unreserved(char c) {
  const char small = lower(c);
  return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

// RFC 3986, 6.2.2.2: decodes only characters that need no encoding, since only those mean the same with it. nullopt: a
// % that encodes nothing.
std::optional<std::string> decoded(std::string_view path) {
  std::string text;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      text += path[i];
      continue;
    }
    const int high = i + 2 < path.size() ? hexadecimal(path[i + 1]) : -1;
    const int low = i + 2 < path.size() ? hexadecimal(path[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    const char c = static_cast<char>(high * 16 + low);
    if (is_unreserved(c)) {
      text += c;
    } else {
      text += path.substr(i, 3);
    }
    i += 2;
  }
  return text;
}

// ---------------------------------------------------------------------------------------------------------------------
// Host
// ---------------------------------------------------------------------------------------------------------------------

// A host without its port, in small letters and without a closing dot. nullopt: it is none.
std::optional<std::string> host_without_port(std::string_view text) {
  std::string_view host = text, port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = text.substr(0, end + 1);
    port = text.substr(end + 1);
    boost::system::error_code error;
    asio::ip::make_address_v6(std::string{host.substr(1, host.size() - 2)}, error);
    if (error) return std::nullopt;
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (!port.empty() && !port.starts_with(':')) return std::nullopt;
  if (!port.empty()) port.remove_prefix(1);
  if (port.size() > 5 || !std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  if (host.starts_with('[')) return lowered(host);
  if (host.empty() && !port.empty()) return std::nullopt;
  if (!std::all_of(host.begin(), host.end(), is_unreserved)) return std::nullopt;
  if (host.ends_with('.')) host.remove_suffix(1);
  return lowered(host);
}

// A name server may change its answer for a name to this machine's own address. A page in a browser on this machine
// could then read what is here (DNS rebinding). Addresses cannot be changed that way, and localhost is this machine.
bool may_be_asked_for(const std::string& host, const std::vector<std::string>& hosts) {
  if (host.empty() || host.starts_with('[') || host == "localhost" || host.ends_with(".localhost")) return true;
  boost::system::error_code no_address;
  asio::ip::make_address_v4(host, no_address);
  if (!no_address) return true;
  return std::any_of(hosts.begin(), hosts.end(), [&](std::string_view allowed) {
    if (allowed.ends_with('.')) allowed.remove_suffix(1);
    return allowed == "*" || lowered(allowed) == host;
  });
}

void check_host(Request& request, std::string_view text, const RequestRules& rules) {
  const auto host = host_without_port(text);
  if (!host)
    return refuse(request, 400, quoted(text) + " is not a host; a host is a name or an address, and perhaps a port");
  if (may_be_asked_for(*host, rules.hosts)) return;
  refuse(request, 421,
         "nothing is served here by the name " + quoted(*host) +
             "; ask by address or as localhost, or put the name into the endpoint's hosts");
}

// ---------------------------------------------------------------------------------------------------------------------
// The target
// ---------------------------------------------------------------------------------------------------------------------

// Takes "http://host" off the front of a target (RFC 9112, 3.2.2: a server accepts it, and that host counts).
std::optional<std::string_view> take_host(std::string_view& target) {
  const auto scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos || target.starts_with('/')) return std::nullopt;
  const std::string scheme = lowered(target.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  target.remove_prefix(scheme_end + 3);
  const std::string_view host = target.substr(0, target.find_first_of("/?#"));
  target.remove_prefix(host.size());
  return host;
}

void read_target(Request& request, std::string_view target, std::string_view host_field, const RequestRules& rules) {
  const auto host_in_target = take_host(target);
  if (host_in_target && host_in_target->empty()) return refuse(request, 400, "the target of the request has no host");
  check_host(request, host_in_target ? *host_in_target : host_field, rules);
  const std::string_view path = target.substr(0, target.find_first_of("?#"));
  auto text = decoded(path.empty() && host_in_target ? "/" : path);
  if (!text) return refuse(request, 400, "a % in a path is followed by two hexadecimal digits");
  request.path = std::move(*text);
}

// ---------------------------------------------------------------------------------------------------------------------
// Fields
// ---------------------------------------------------------------------------------------------------------------------

// "gzip", "gzip;q=0.5", in any of the fields, in any order. A quality of 0 is a refusal; "*" is no wish for gzip.
bool accepts_gzip(const Parser::value_type& request) {
  bool accepts = false;
  const auto [first, last] = request.equal_range(http::field::accept_encoding);
  for (auto field = first; field != last; ++field) {
    std::string_view rest = view(field->value());
    while (!rest.empty()) {
      const std::string_view element = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), element.size() + 1));
      std::string coding = lowered(element.substr(0, element.find(';')));
      std::erase_if(coding, [](char c) { return c == ' ' || c == '\t'; });
      std::string parameters =
          element.size() > coding.size() ? lowered(element.substr(std::min(element.size(), element.find(';')))) : "";
      std::erase_if(parameters, [](char c) { return c == ' ' || c == '\t'; });
      if (coding != "gzip" && coding != "x-gzip") continue;
      const bool is_refused =
          parameters.starts_with(";q=0") && parameters.find_first_not_of("0.", 3) == std::string::npos;
      accepts = !is_refused;
    }
  }
  return accepts;
}

// What is wrong with a request that could be parsed.
void check_request(Request& request, const Parser& parser, const RequestRules& rules) {
  const auto& head = parser.get();
  if (head.method() == http::verb::unknown) return refuse(request, 501, "the method is not known");
  if (head.method() != http::verb::get && head.method() != http::verb::head) {
    return refuse(request, 405, "only GET and HEAD are allowed");
  }
  const auto hosts = head.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && request.version == 11)) {
    return refuse(request, 400, "HTTP/1.1 demands one Host field");
  }
  if (!parser.is_done()) return refuse(request, 413, "a request has no body here");
  read_target(request, view(head.target()), hosts == 1 ? view(head[http::field::host]) : std::string_view{}, rules);
}

Request parsed(std::string_view head, const RequestRules& rules) {
  Parser parser;
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());  // it has been looked at
  parser.body_limit(boost::none);                                  // none is read
  boost::system::error_code error;
  parser.put(asio::buffer(head.data(), head.size()), error);
  if (error == http::error::bad_version) return refusal(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  if (error) return refusal(400, "this is not an HTTP request: " + error.message());
  const auto& read = parser.get();
  Request request;
  request.is_head = read.method() == http::verb::head;
  request.version = read.version();
  request.accepts_gzip = accepts_gzip(read);
  check_request(request, parser, rules);
  request.keep_alive = request.refused == 0 && read.keep_alive();
  return request;
}

}  // namespace

std::optional<Request> read_request(std::string_view received, std::size_t& seen, std::size_t& size,
                                    const RequestRules& rules) {
  // RFC 9112, 2.2: an empty line before a request is ignored.
  const std::size_t begin = received.starts_with("\r\n") ? 2 : 0;
  size = received.size();
  if (received.size() > begin && received[begin] != '\r' && !is_token(received[begin])) {
    return refusal(400, "this is not an HTTP request: it does not begin with a method");
  }
  for (std::size_t i = std::max(seen, begin); i < received.size(); ++i) {
    if (received[i] != '\n') continue;
    if (i == 0 || received[i - 1] != '\r') {
      return i >= rules.head_bytes_max
                 ? too_long()
                 : refusal(
                       400,
                       "a line of the request ends with a line feed alone; HTTP demands carriage return and line feed");
    }
    if (i >= 3 && received.substr(i - 3, 4) == "\r\n\r\n") {
      size = i + 1;
      if (size > rules.head_bytes_max) return too_long();
      const std::size_t first = size == 4 ? 0 : begin;  // empty lines alone are no request
      return parsed(received.substr(first, size - first), rules);
    }
  }
  seen = received.size();
  if (received.size() > rules.head_bytes_max) return too_long();
  return std::nullopt;
}

}  // namespace holdfast::detail
