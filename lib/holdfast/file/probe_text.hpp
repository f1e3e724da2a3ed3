// Where a probe asks, as a file has it: a port, an address and a port, or an address of HTTP.
//
// Addresses are numbers: no name is looked up, except that localhost is 127.0.0.1.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#pragma GCC visibility push(default)

namespace holdfast::file {

// "5433", "127.0.0.1:5433", "[::1]:5433", "localhost:5433" in their parts; the port is 1 to 65535. nullopt: none of
// these.
struct ProbePort {
  std::string address;
  std::uint16_t port = 0;
};
std::optional<ProbePort> parse_probe_port(std::string_view text);

// "http://127.0.0.1:8080/healthz?all". Without a port it is 80, without a path "/". nullopt: it is no such text.
struct ProbeUrl {
  ProbePort at;
  std::string target;  // path and query
  std::string host;    // as it was written, with its port: for the header of the request
};
std::optional<ProbeUrl> parse_probe_url(std::string_view text);

// "127.0.0.1", "[::1]", "[fe80::1%eth0]": no name, which would have to be looked up.
bool is_address(std::string_view text);

// The same of texts with placeholders (placeholders.hpp), each taken for a number.
bool is_probe_port(std::string_view text);
bool is_probe_url(std::string_view text);
// The port as it has to be written ("8080", "\"[::1]:80\"") of ":8080", "tcp://127.0.0.1:80", "::1:80"; empty: unknown.
std::string meant_port(std::string_view text);
// What somebody means who writes another text; empty: unknown.
std::string probe_port_hint(std::string_view text);
std::string probe_url_hint(std::string_view text);

}  // namespace holdfast::file

#pragma GCC visibility pop
