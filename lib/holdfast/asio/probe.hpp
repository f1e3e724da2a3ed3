// How it is found out from outside whether a process is ready, and whether it is well.
//
//     Process{.command = {"postgres", "-D", "/srv/data"},
//             .ready_by = ReadyProbe{TcpProbe{.port = 5432}},
//             .health = HealthProbe{ExecProbe{{"pg_isready"}}}};
//
// A probe is one question: a connection to a port, a request for a page, a command. It fails by itself or at its
// timeout, and says why.
//
// `ready_by` is for services with `ready = notified` (policy.hpp). The first good answer of a run makes its service
// `running`. `health` is for services with a `watchdog` of watchdog_of() and `watchdog_needs = health`: each good
// answer is a heartbeat, and a run without one for so long hangs. The supervisor gets both as inputs. So a recording
// has them, and a replay asks nobody.
//
// ## Whose answer it is
//
// A probe of a port cannot see which program answers. But a socket of this machine that listened on that port before
// the run was started is not the run's: it belongs to another program, or to something that an earlier run has left
// behind. While such sockets are the only ones, an answer does not make the run ready. That can be told for loopback
// addresses; elsewhere, or where the kernel does not list its sockets, any answer counts. A program that takes the port
// after the start of the run cannot be told from the run. A health probe takes any answer.
//
// ## What probes cost
//
// At most kProbesAtOnce are under way in one io_context; further ones wait for their turn, and that time is no fault of
// the service: it counts as a good answer. The same holds for a probe that cannot be made (no descriptor, no memory for
// a process). The first probes of services are spread over `every`, so a fleet is not asked in step.
//
// The command of an exec probe runs as the service's process would: same user, folder, environment, limits. It is
// killed, with its process group, when its time is over, when it has ended, and when the run is stopped. Its output is
// read to the end; the last of it stands in the message if it fails.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <holdfast/probe_times.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// A connection can be made.
struct TcpProbe {
  std::string address = "127.0.0.1";  // IPv4 or IPv6, as numbers; names are not looked up
  std::uint16_t port = 0;             // 1 to 65535
  friend bool operator==(const TcpProbe&, const TcpProbe&) = default;
};

// A GET is answered with a status of 200 to 399. Redirections are not followed.
struct HttpProbe {
  std::string address = "127.0.0.1";
  std::uint16_t port = 80;
  std::string target = "/";  // path and query
  std::string host{};        // of the header; empty: address and port
  friend bool operator==(const HttpProbe&, const HttpProbe&) = default;
};

// A command ends with exit status 0.
struct ExecProbe {
  std::vector<std::string> command{};  // as Process::command
  friend bool operator==(const ExecProbe&, const ExecProbe&) = default;
};

using Probe = std::variant<TcpProbe, HttpProbe, ExecProbe>;

// "tcp 127.0.0.1:5432", "http 127.0.0.1:80/healthz", "exec pg_isready".
std::string to_string(const Probe&);

// What says that a process is ready.
struct ReadySocket {  // it does: READY=1 to its NOTIFY_SOCKET (process_service.hpp)
  friend bool operator==(const ReadySocket&, const ReadySocket&) = default;
};
// It does: a line end to this descriptor, which is a pipe, as under s6 and dinit. One that it closes first says
// nothing.
struct ReadyDescriptor {
  int number = 3;  // 3 to kReadyDescriptorMax
  friend bool operator==(const ReadyDescriptor&, const ReadyDescriptor&) = default;
};
inline constexpr int kReadyDescriptorMax = 255;
// A line of what it writes has this text in it. The output must be captured, or read by an OutputLines.
struct ReadyLine {
  std::string text{};  // without a line end
  friend bool operator==(const ReadyLine&, const ReadyLine&) = default;
};
struct ReadyProbe {
  Probe probe{};
  ReadyTimes times{};
  friend bool operator==(const ReadyProbe&, const ReadyProbe&) = default;
};
using ReadyBy = std::variant<ReadySocket, ReadyDescriptor, ReadyLine, ReadyProbe>;

struct HealthProbe {
  Probe probe{};
  HealthTimes times{};
  friend bool operator==(const HealthProbe&, const HealthProbe&) = default;
};

inline constexpr std::size_t kProbesAtOnce = 64;

}  // namespace holdfast

#pragma GCC visibility pop
