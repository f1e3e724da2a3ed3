// The soaked fleet: its services, their operator and their audit, and the threads in which all of it happens.
//
// Thread-safety: none; run() has threads of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <holdfast/asio/runtime.hpp>

#include "audit.hpp"
#include "disturbances.hpp"
#include "operator.hpp"
#include "patients.hpp"
#include "processes.hpp"
#include "scarcity.hpp"
#include "throwing_sink.hpp"

namespace soak {

struct Options {
  holdfast::Seed seed;
  holdfast::Duration shutdown_timeout = std::chrono::seconds{1};
  unsigned services = 900;  // and what else there is: no more than one slice of a snapshot
  std::string recording{};  // path; empty: none
};

// Prints what differs. True: nothing does.
bool tell(const std::vector<std::string>& differences);

class Fleet {
 public:
  Fleet(const Options& options, Disturbances& disturbances);

  // Until a signal, and until everything has ended. True if everything agrees.
  bool run();
  // Any thread, and any signal handler.
  void request_shutdown() noexcept { runtime_.request_shutdown(); }

 private:
  holdfast::RuntimeConfig config_of(const Options& options);
  void add(bool is_process, unsigned number);
  boost::asio::awaitable<void> audit(holdfast::Context& ctx);
  void audit_zombies();
  void become_ready();
  void report(holdfast::TimePoint now);
  void work(std::uint64_t seed);
  void watch();
  void take_snapshot();
  void over(const holdfast::ShutdownResult& result);
  void expect_nothing(const std::vector<std::string>& differences);
  bool account();
  void print_figures();
  // Whether an exception may come out of the executor.
  [[nodiscard]] bool may_throw() const noexcept;

  Disturbances& disturbances_;
  const Size size_;
  boost::asio::thread_pool pool_{1};
  Ward ward_;
  Books books_;
  ProcessWard processes_;
  ThrowingSink throwing_sink_;
  Disk disk_;
  std::ostream recording_{&disk_};
  boost::asio::io_context io_{2};
  holdfast::Runtime runtime_;
  Operator operator_;
  std::atomic<bool> over_ = false;
  std::atomic<bool> failed_ = false;
  std::atomic<std::uint64_t> escaped_ = 0;  // exceptions, from the executor
  bool ready_ = false;
  holdfast::TimePoint report_at_;
  std::map<pid_t, unsigned> zombies_;  // and in how many audits in succession they were seen
  std::uint64_t audits_ = 0;
  std::uint64_t snapshots_ = 0;
};

}  // namespace soak
