#include "fleet.hpp"

#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <exception>
#include <future>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>

#include "memory.hpp"

// Of a sanitizer, where there is one.
extern "C" [[gnu::weak]] std::size_t __sanitizer_get_current_allocated_bytes();

namespace soak {

namespace net = boost::asio;
using holdfast::Context, holdfast::Runtime;
using enum Disturbance;
using namespace std::chrono_literals;

namespace {

constexpr unsigned kProcesses = 28;
constexpr unsigned kAuditsOfAZombie = 30;  // at most 200 ms apart: the reaper has had its turn

// Those that no failure takes away.
holdfast::ServiceConfig always_there(std::string name) {
  return {.name = std::move(name),
          .policy = {.backoff = holdfast::BackoffPolicy{.base = 10ms, .max = 100ms, .breaker = std::nullopt}}};
}

std::size_t heap() {
  return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() : ::mallinfo2().uordblks;
}

}  // namespace

// A few lines will do: one mistake has many consequences.
bool tell(const std::vector<std::string>& differences) {
  for (std::size_t i = 0; i < differences.size() && i < 10; ++i)
    std::cout << "DIFFERS: " << differences[i] << std::endl;
  return differences.empty();
}

Fleet::Fleet(const Options& options, Disturbances& disturbances)
    : disturbances_(disturbances),
      size_{options.services, disturbances.has(processes) ? kProcesses : 0},
      ward_{.seed = options.seed, .pool = pool_.get_executor()},
      throwing_sink_(disturbances, options.seed),
      runtime_{io_, config_of(options)},
      operator_(runtime_.supervisor(), disturbances, options.seed, size_,
                [this](bool is_process, unsigned number) { add(is_process, number); }) {
  for (unsigned number = 0; number < size_.services; ++number) add(false, number);
  for (unsigned number = 0; number < size_.processes; ++number) add(true, number);
  runtime_.add(always_there("operator"), [this](Context& ctx) { return operator_.work(ctx); }).value();
  runtime_.add(always_there("auditor"), [this](Context& ctx) { return audit(ctx); }).value();
  runtime_.handle_signals();
  runtime_.async_wait_shutdown([this](auto, const holdfast::ShutdownResult& result) { over(result); });
}

bool Fleet::run() {
  auto working = net::make_work_guard(io_);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 2; ++i) threads.emplace_back([this, i] { work(ward_.seed.value * 2 + i); });
  {
    const Scarcity scarcity{ward_.seed, disturbances_, disk_};
    watch();
  }
  working.reset();
  for (auto& thread : threads) thread.join();
  pool_.join();
  return account();
}

holdfast::RuntimeConfig Fleet::config_of(const Options& options) {
  const bool is_recorded = !options.recording.empty();
  if (is_recorded && !disk_.open(options.recording)) throw std::runtime_error{"cannot write " + options.recording};
  if (disturbances_.has(throwing_disk)) recording_.exceptions(std::ios::badbit | std::ios::failbit);
  return {.supervisor = {.shutdown_timeout = options.shutdown_timeout},
          .seed = options.seed,
          .sinks = {&books_, &processes_, &throwing_sink_},
          .endpoint = holdfast::Endpoint{.port = 0},
          .recording = is_recorded ? &recording_ : nullptr};
}

void Fleet::add(bool is_process, unsigned number) {
  if (!is_process) {
    runtime_.add(soak::config_of(number), [this] { return std::make_unique<Patient>(ward_); }).value();
    return;
  }
  auto service = processes_.make(runtime_.executor(), number, disturbances_.has(flushes));
  runtime_.add(ProcessWard::config_of(number), std::move(service)).value();
  disturbances_.happened(processes);
  if (disturbances_.has(flushes) && ProcessWard::is_a_pipeline(number)) disturbances_.happened(flushes);
}

net::awaitable<void> Fleet::audit(Context& ctx) {
  const auto began = static_cast<std::uint64_t>(ctx.now().nanoseconds);  // a run that goes on has other dice
  for (Dice dice{ward_.seed, "auditor", began};; co_await ctx.sleep_for(dice.up_to(200ms))) {
    const ReliableMemory reliable;
    const auto& supervisor = runtime_.supervisor();
    ++audits_;
    expect_nothing(books_.differences(supervisor.counters(), supervisor.snapshots()));
    expect_nothing(processes_.take_complaints());
    audit_zombies();
    if (!ready_ && supervisor.counters().starts >= size_.services + size_.processes) become_ready();
    if (ctx.now() >= report_at_) report(ctx.now());
  }
}

void Fleet::become_ready() {
  ready_ = true;
  std::cout << "endpoint " << runtime_.endpoint_port() << std::endl << "ready" << std::endl;
}

// Its own processes are reaped as they end. What it inherits as PID 1 may take a turn.
void Fleet::audit_zombies() {
  if (::getpid() != 1) return;
  std::map<pid_t, unsigned> seen;
  for (const pid_t process : zombies()) {
    const unsigned times = zombies_[process] + 1;
    seen[process] = times;
    if (times == kAuditsOfAZombie) expect_nothing({"nobody reaps the process " + std::to_string(process)});
  }
  zombies_ = std::move(seen);
}

void Fleet::report(holdfast::TimePoint now) {
  if (report_at_.nanoseconds > 0) {
    std::cout << holdfast::to_string(now) << ": " << runtime_.supervisor().counters().restarts << " restarts, "
              << ward_.alive << " instances, " << open_descriptors() << " descriptors, heap " << heap() << std::endl;
  }
  report_at_ = now + 10s;
}

bool Fleet::may_throw() const noexcept {
  return disturbances_.has(no_memory) || disturbances_.has(throwing_disk) || disturbances_.has(throwing_sink);
}

// In a thread of its own, of which there are two.
void Fleet::work(std::uint64_t seed) {
  for (;; ++escaped_) {
    try {
      const FailingMemory failing{seed + escaped_};
      io_.run();
      return;
    } catch (const std::exception& error) {
      if (!may_throw()) expect_nothing({std::string{"an exception came out of the executor: "} + error.what()});
    }
  }
}

// In a thread of its own: until the shutdown is over.
void Fleet::watch() {
  Dice dice{ward_.seed, "watcher"};
  while (!over_) {
    take_snapshot();
    std::this_thread::sleep_for(dice.up_to(100ms));
  }
}

void Fleet::take_snapshot() {
  auto answer = runtime_.async_snapshot(net::use_future);
  for (int left = 600; answer.wait_for(100ms) != std::future_status::ready; --left) {
    if (over_ && left <= 0)
      return expect_nothing({"a snapshot was asked for, and there was no answer within a minute"});
  }
  try {
    const auto snapshot = answer.get();
    ++snapshots_;
    expect_nothing(contradictions(snapshot->counters, snapshot->services));
  } catch (const std::exception& error) {
    if (!may_throw()) expect_nothing({std::string{"a snapshot failed: "} + error.what()});
  }
}

void Fleet::over(const holdfast::ShutdownResult& result) {
  const ReliableMemory reliable;
  std::cout << to_string(result.outcome) << " in " << holdfast::to_string(result.took) << ", abandoned "
            << result.abandoned.size() << std::endl;
  over_ = true;
}

void Fleet::expect_nothing(const std::vector<std::string>& differences) {
  if (tell(differences)) return;
  failed_ = true;
  runtime_.request_shutdown();
}

bool Fleet::account() {
  const auto& supervisor = runtime_.supervisor();
  if (!tell(books_.differences_at_the_end(supervisor.counters(), supervisor.snapshots(), disturbances_.has(no_memory))))
    failed_ = true;
  if (!tell(processes_.complaints_at_the_end())) failed_ = true;
  if (ward_.alive != 0 && !tell({std::to_string(ward_.alive) + " instances are left"})) failed_ = true;
  print_figures();
  return !failed_;
}

void Fleet::print_figures() {
  const auto& counters = runtime_.supervisor().counters();
  std::cout << "disturbed: " << disturbances_.counts() << std::endl;
  std::cout << counters.spawned << " services, " << counters.starts << " runs, " << counters.failures << " failures, "
            << counters.clean_exits << " clean exits, " << counters.circuit_breaker_trips << " trips, "
            << counters.abandoned_runs << " abandoned, " << books_.late_ends() << " late ends, " << books_.events()
            << " events, " << audits_ << " audits, " << snapshots_ << " snapshots";
  if (books_.failed_recordings() > 0) std::cout << ", the recording failed";
  if (size_.processes > 0) std::cout << ", " << processes_.figures();
  if (failed_allocations() > 0) std::cout << ", " << failed_allocations() << " allocations failed";
  if (escaped_ > 0) std::cout << ", " << escaped_ << " exceptions";
  std::cout << std::endl;
}

}  // namespace soak
