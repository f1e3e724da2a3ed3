// What operators ask a running program over HTTP. Off unless RuntimeConfig::endpoint is set:
//
//     Runtime runtime{{.endpoint = Endpoint{}}};        // http://127.0.0.1:9464/metrics
//
//     /metrics    Prometheus text: prometheus.hpp lists it
//     /healthz    200 "alive" whenever it is answered at all, during a shutdown too. Whoever gets no answer knows
//                 that the executor no longer turns (something blocks it), or that the program has drained and gone.
//                 It says nothing about services: when one of them fails, restarting is the supervisor's own work.
//     /readyz     200 "ready" if the fleet does what it is there for: no shutdown has been asked for, and every service
//                 present is `running`, or has terminated as it should (completed, or cancelled by whoever stopped it).
//                 Otherwise 503, with the services that are not as they should be, the first 20, one a line.
//     /services   the FleetSnapshot as JSON: fleet_snapshot.hpp
//
// GET and HEAD; a query after the path is ignored. 404 another path, 405 another method, 501 one that HTTP does not
// know, 400 what is no request, 413 a body, 431 a header that is too long, 505 another version of HTTP. Connections are
// kept alive and requests may be pipelined; after a mistake the connection is closed.
//
// Nobody who connects can do harm to the services:
// - All happens on the runtime's executor, one request a turn, so its snapshots are whole and need no lock. What one
//   request costs is the time to write down the fleet once; services, timers and other requests get their turn between.
// - At most connections_max connections, each with at most request_bytes_max read and one answer kept. When all places
//   are taken, a new client gets that of the one that has been in its present step for longest: many slow or silent
//   clients do not keep Prometheus out.
// - A request has to arrive within `timeout`, and its answer to be taken within `timeout`, or the connection is closed.
// - When the system has no descriptors left, clients wait in its queue and accepting is tried again every 100 ms.
// - Programs that a service starts inherit no socket of it.
//
// It listens from the construction of the runtime, answers while the io_context runs, and is closed, connections and
// all, when the shutdown is over or the runtime is destroyed: it keeps no program alive.
//
// There is no encryption and no authentication: what is not for everybody on the network stays on the loopback address,
// or behind a proxy.
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
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Everything that is wrong with it. Runtime throws it as ConfigError.
std::vector<Problem> problems(const Endpoint&);

}  // namespace holdfast

#pragma GCC visibility pop
