// A market-data gateway: what a program of several services looks like.
//
//     venue a ──line──▶ feed-a ─┐
//                               ├─ quotes ─▶ engine ─ orders ─▶ risk
//     venue b ──line──▶ feed-b ─┘               heartbeat
//
// A feed reads the quotes of one venue, and fails for whatever is wrong with its line: connecting anew is the
// supervisor's work. The engine keeps a book of the best prices, and orders where one venue pays more than another one
// asks. The risk gate lets orders through up to a limit; it is never started again, as it would have forgotten what it
// let through before. When it ends, so does the gateway (GateWatch).
//
// Nothing here knows the world that it is in. Lines come from outside: TCP in the program, channels in the rehearsal;
// time and everything else is the Context's.
//
// Thread-safety: none; all on the executor of Wires.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <holdfast/asio/context.hpp>
#include <holdfast/event.hpp>
#include <holdfast/policy.hpp>

#include "book.hpp"

namespace gateway {

using boost::asio::awaitable;
using namespace std::chrono_literals;

inline constexpr holdfast::Duration kSilenceMax = 2s;  // of a line, before it is given up
inline constexpr std::int64_t kExposureMax = 10;       // orders that the risk gate lets through

// A connection to a venue. Its end, for whatever reason, destroys it.
class Line {
 public:
  virtual ~Line() = default;
  // The next line of text; nullopt if there will be none. Throws operation_aborted when it is cancelled.
  virtual awaitable<std::optional<std::string>> next() = 0;
};

struct Venue {
  std::string name;
  std::function<awaitable<std::unique_ptr<Line>>(holdfast::Context&)> dial;  // throws if nobody answers
};

template <class T>
using Channel = boost::asio::experimental::channel<void(boost::system::error_code, T)>;

// What the services share. It outlives them.
struct Wires {
  Wires(const boost::asio::any_io_executor& executor, std::ostream& tell)
      : quotes(executor, 64), orders(executor, 64), out(tell) {}

  Channel<Quote> quotes;
  Channel<Order> orders;
  std::ostream& out;
  std::uint64_t quotes_seen = 0;
  std::int64_t orders_let_through = 0;
};

awaitable<void> feed(holdfast::Context& ctx, const Venue& venue, Wires& wires);
awaitable<void> engine(holdfast::Context& ctx, Wires& wires);
awaitable<void> risk_gate(holdfast::Context& ctx, Wires& wires);
awaitable<void> heartbeat(holdfast::Context& ctx, Wires& wires);

// Shuts the gateway down when its risk gate has ended.
class GateWatch final : public holdfast::EventSink {
 public:
  explicit GateWatch(std::function<void()> shut_down) : shut_down_(std::move(shut_down)) {}
  void on_event(const holdfast::Event& event) override;

 private:
  std::function<void()> shut_down_;
};

// A feed tries for as long as it takes, and waits 5 s at most.
inline holdfast::SupervisorConfig supervision() {
  return {.shutdown_timeout = 5s, .backoff = {.max = 5s, .breaker = std::nullopt}};
}

// `World` is a holdfast::Runtime, or a holdfast::sim::AsioSimulation.
template <class World>
void add_services(World& world, const std::vector<Venue>& venues, Wires& wires) {
  using enum holdfast::RestartPolicy;
  using holdfast::Context;
  world.add({.name = "risk", .policy = {.restart = never}}, [&](Context& ctx) { return risk_gate(ctx, wires); })
      .value();
  world.add({.name = "engine", .policy = {.restart = always}}, [&](Context& ctx) { return engine(ctx, wires); })
      .value();
  for (const Venue& venue : venues) {
    world.add({.name = "feed-" + venue.name}, [venue, &wires](Context& ctx) { return feed(ctx, venue, wires); })
        .value();
  }
  world.add({.name = "heartbeat", .policy = {.restart = always}}, [&](Context& ctx) { return heartbeat(ctx, wires); })
      .value();
}

}  // namespace gateway
