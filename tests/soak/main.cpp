// Soaks a fleet until SIGTERM, and accounts for every service and every event of it: soak SEED [SERVICES]
//
// Two threads run the fleet; a third one takes snapshots. Inside, an operator restarts, stops, removes and adds
// services at random, and an auditor holds counters and snapshots against the events at random moments. "ready" is
// printed once every service has started, then a line with figures every ten seconds. After the drain it waits for the
// late ends of abandoned runs, and audits for the last time. Status: 0 if everything agrees; else 1, and what does not
// is printed.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <holdfast/asio/runtime.hpp>

#include "audit.hpp"
#include "patients.hpp"

// Of a sanitizer, where there is one.
extern "C" [[gnu::weak]] std::size_t __sanitizer_get_current_allocated_bytes();

namespace {

namespace net = boost::asio;
using holdfast::Context, holdfast::Phase, holdfast::Runtime;
using net::awaitable;
using namespace std::chrono_literals;

// A few lines will do: one mistake has many consequences.
bool tell(const std::vector<std::string>& differences) {
  for (std::size_t i = 0; i < differences.size() && i < 10; ++i)
    std::cout << "DIFFERS: " << differences[i] << std::endl;
  return differences.empty();
}

class Soak {
 public:
  Soak(holdfast::Seed seed, unsigned services)
      : services_(services), ward_{.seed = seed, .pool = pool_.get_executor()}, runtime_{io_, config_of(seed)} {
    for (unsigned number = 0; number < services; ++number) add(number);
    runtime_.add({.name = "operator"}, [this](Context& ctx) { return operate(ctx); }).value();
    runtime_.add({.name = "auditor"}, [this](Context& ctx) { return audit(ctx); }).value();
    runtime_.handle_signals();
    runtime_.async_wait_shutdown([this](auto, const holdfast::ShutdownResult& result) { over(result); });
  }

  // True if everything agrees.
  bool run() {
    auto working = net::make_work_guard(io_);
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) threads.emplace_back([this] { io_.run(); });
    watch();
    working.reset();
    for (auto& thread : threads) thread.join();
    pool_.join();
    return account();
  }

 private:
  holdfast::RuntimeConfig config_of(holdfast::Seed seed) {
    return {.supervisor = {.shutdown_timeout = 1s}, .seed = seed, .sinks = {&books_}};
  }

  void add(unsigned number) {
    runtime_.add(soak::config_of(number), [this] { return std::make_unique<soak::Patient>(ward_); }).value();
  }

  awaitable<void> operate(Context& ctx) {
    auto& supervisor = runtime_.supervisor();
    for (soak::Dice dice{ward_.seed, "operator"}; !supervisor.is_shutting_down();
         co_await ctx.sleep_for(dice.up_to(10ms))) {
      const auto number = static_cast<unsigned>(dice.up_to(services_ - 1));
      const std::string name = "service-" + std::to_string(number);
      const auto what = dice.up_to(9);
      if (what == 0) {
        supervisor.stop(name).value();
      } else if (what == 1 && supervisor.snapshot(name)->phase == Phase::terminated) {
        supervisor.remove(name).value();
        add(number);
      } else {
        static_cast<void>(supervisor.restart(name));  // refused while it is being stopped for good
      }
    }
  }

  awaitable<void> audit(Context& ctx) {
    auto report_at = ctx.now() + 10s;
    for (soak::Dice dice{ward_.seed, "auditor"};; co_await ctx.sleep_for(dice.up_to(200ms))) {
      const auto& supervisor = runtime_.supervisor();
      ++audits_;
      if (!tell(books_.differences(supervisor.counters(), supervisor.snapshots()))) fail();
      if (!ready_ && supervisor.counters().starts >= services_) {
        ready_ = true;
        std::cout << "ready" << std::endl;
      }
      if (ctx.now() < report_at) continue;
      report_at = report_at + 10s;
      report(ctx.now());
    }
  }

  void report(holdfast::TimePoint now) {
    std::cout << holdfast::to_string(now) << ": " << runtime_.supervisor().counters().restarts << " restarts, "
              << ward_.alive << " instances, heap " << heap() << std::endl;
  }

  static std::size_t heap() {
    return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() : 0;
  }

  // In a thread of its own: until the shutdown is over.
  void watch() {
    soak::Dice dice{ward_.seed, "watcher"};
    while (!over_) {
      const auto snapshot = runtime_.async_snapshot(net::use_future).get();
      ++snapshots_;
      if (!tell(soak::contradictions(snapshot->counters, snapshot->services))) fail();
      std::this_thread::sleep_for(dice.up_to(100ms));
    }
  }

  void over(const holdfast::ShutdownResult& result) {
    std::cout << to_string(result.outcome) << " in " << holdfast::to_string(result.took) << ", abandoned "
              << result.abandoned.size() << std::endl;
    over_ = true;
  }

  void fail() {
    failed_ = true;
    runtime_.request_shutdown();
  }

  bool account() {
    const auto& supervisor = runtime_.supervisor();
    if (!tell(books_.differences_at_the_end(supervisor.counters(), supervisor.snapshots()))) failed_ = true;
    if (ward_.alive != 0 && !tell({std::to_string(ward_.alive) + " instances are left"})) failed_ = true;
    const auto& counters = supervisor.counters();
    std::cout << counters.spawned << " services, " << counters.starts << " runs, " << counters.failures << " failures, "
              << counters.clean_exits << " clean exits, " << counters.circuit_breaker_trips << " trips, "
              << counters.abandoned_runs << " abandoned, " << books_.late_ends() << " late ends, " << books_.events()
              << " events, " << audits_ << " audits, " << snapshots_ << " snapshots" << std::endl;
    return !failed_;
  }

  const unsigned services_;
  net::thread_pool pool_{1};
  soak::Ward ward_;
  soak::Books books_;
  net::io_context io_{2};
  Runtime runtime_;
  std::atomic<bool> over_ = false;
  std::atomic<bool> failed_ = false;
  bool ready_ = false;
  std::uint64_t audits_ = 0;
  std::uint64_t snapshots_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << "usage: soak SEED [SERVICES]\n";
    return 2;
  }
  const auto services = argc == 3 ? static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)) : 1'000;
  return Soak{{std::strtoull(argv[1], nullptr, 10)}, services}.run() ? 0 : 1;
}
