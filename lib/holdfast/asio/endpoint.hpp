// The pages that operators and Prometheus read from a running program over HTTP. Off unless RuntimeConfig::endpoint is
// set:
//
//     Runtime runtime{{.endpoint = Endpoint{}}};        // http://127.0.0.1:9464/metrics
//
//     /metrics    The metrics as Prometheus text. prometheus.hpp lists them.
//     /healthz    200 "alive", also during a shutdown. No answer means that something blocks the executor, or that the
//                 program has shut down. The page says nothing about services: restarting them is the supervisor's
//                 work.
//     /readyz     200 "ready" if no shutdown has been requested and every service is `running`, has completed, or was
//                 stopped on request. Otherwise 503, with the first 20 services that are in another state, one a line.
//     /services   The FleetSnapshot as JSON. fleet_snapshot.hpp describes it.
//
// The methods are GET and HEAD. A query after the path is ignored. The target may be a path or a whole address (`GET
// http://host/path`). /metrics and /services are compressed with gzip for a client that accepts gzip. Connections are
// kept alive, and requests may be pipelined. Every refusal has a line of text with the reason, and closes the
// connection:
//
//     400 not a request              413 the request has a body            431 the header is too long
//     404 no such path               421 the host is not served (below)    501 HTTP has no such method
//     405 another method             505 another version of HTTP
//
// ## Who may ask
//
// On the loopback address a request must name this machine as its host: by an address, as localhost, or by one of
// `hosts`. Without this check a web page could let its own name resolve to 127.0.0.1, and a browser on this machine
// would read these pages for it (DNS rebinding). On any other address every host name is accepted. There is no
// encryption and no authentication. Keep the endpoint on the loopback address, or put a proxy before it, unless
// everybody on the network may read it.
//
// ## What it costs
//
// Clients cannot hold up the services:
// - The endpoint works on the runtime's executor in slices: 256 services, or 64 KiB of an answer. Between two slices
//   everything else on the executor has its turn, whatever the number of clients. A slice takes well below a
//   millisecond of processor time.
// - A page is made once for all who ask while it is made, and for all who ask within `page_age_max` of its beginning.
//   Only /readyz is made anew for each request. At most two pages of a kind are in memory: while two are being read,
//   every further client gets the newer one.
// - The services of a page are looked at slice by slice, so they are not all of one moment: fleet_snapshot.hpp says
//   what that means.
// - There are at most `connections_max` connections. Each holds at most `request_bytes_max` and 4096 further bytes of
//   requests, and one answer. When all places are taken, a new client gets the place of the one that has been in its
//   present step for longest. So slow or silent clients cannot keep Prometheus out.
// - A request must arrive within `timeout`, and its answer must be read within `timeout`. Otherwise the connection is
//   closed.
// - When the system has no descriptors left, new clients wait in its queue, and the endpoint tries to accept them again
//   every 100 ms.
// - Programs that a service starts inherit none of its sockets.
//
// The endpoint listens as soon as the runtime is constructed, and answers while the io_context runs. It closes all
// connections when the shutdown is over or the runtime is destroyed. It keeps no program alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

struct Endpoint {
  std::string address = "127.0.0.1";            // to listen on: IPv4 or IPv6, "::1", "0.0.0.0"; no name
  std::uint16_t port = 9464;                    // 0: a free one, see Runtime::endpoint_port()
  std::string metrics_namespace = "holdfast";   // before the names of the metrics: [a-zA-Z_][a-zA-Z0-9_]*
  std::size_t connections_max = 32;             // at a time, 1 to 1000
  std::size_t request_bytes_max = 8192;         // of one request's header, 256 to 1 048 576
  Duration timeout = std::chrono::seconds{10};  // of a request, and again of its answer; 1ms to 1h
  // How old a page of /metrics or /services may be that is given to another client; 0 to 1min.
  Duration page_age_max = std::chrono::seconds{1};
  // Names by which it may be asked for on the loopback address, beside addresses and localhost; "*": any.
  std::vector<std::string> hosts{};
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Everything that is wrong with it. Runtime throws it as ConfigError.
std::vector<Problem> problems(const Endpoint&);

}  // namespace holdfast

#pragma GCC visibility pop
