// The gateway of this folder in virtual time: the very services of the program, on channels instead of sockets, while
// their venues crash, disappear and hang.
//
// A venue is a simulated service, so chaos reaches it; its events are turned into what a feed notices of them.
#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <holdfast/asio/async_sleep.hpp>
#include <holdfast_sim/asio/asio_simulation.hpp>
#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/event_log.hpp>

#include "gateway.hpp"

namespace gateway {
namespace {

using namespace holdfast;
using namespace holdfast::sim;
using boost::asio::use_awaitable;
using Texts = Channel<std::string>;

class ChannelLine final : public Line {
 public:
  explicit ChannelLine(std::shared_ptr<Texts> texts) : texts_(std::move(texts)) {}
  awaitable<std::optional<std::string>> next() override {
    auto [error, text] = co_await texts_->async_receive(boost::asio::as_tuple(use_awaitable));
    if (error == boost::asio::experimental::error::channel_cancelled) throw boost::system::system_error{error};
    if (error) co_return std::nullopt;
    co_return text;
  }

 private:
  std::shared_ptr<Texts> texts_;
};

// The far side of the lines to one venue, up and silent as its simulated service is.
class Exchange final : public Observer {
 public:
  explicit Exchange(std::string name) : name_(std::move(name)) {}

  // Opens for business. The simulation is destroyed before this.
  void open(AsioSimulation& sim) {
    sim_ = &sim;
    REQUIRE(sim.add({.name = name_,
                     .policy = {.restart = RestartPolicy::always, .backoff = BackoffPolicy{.breaker = std::nullopt}}},
                    Behaviour{.runs_for = Exponential{5min}, .then = Then::fail}));
    boost::asio::co_spawn(sim.executor(), tick(), boost::asio::detached);
  }
  [[nodiscard]] Venue venue() {
    return {name_, [this](Context& ctx) -> awaitable<std::unique_ptr<Line>> {
              co_await ctx.sleep_for(1ms);
              if (!up_ || ctx.now() < down_until_) throw std::runtime_error{"connection refused"};
              auto texts = std::make_shared<Texts>(ctx.executor(), 16);
              lines_.push_back({texts});
              co_return std::make_unique<ChannelLine>(std::move(texts));
            }};
  }
  void quote(std::int64_t bid, std::int64_t ask) { price_ = std::to_string(bid) + ' ' + std::to_string(ask); }

  void on_event(const Event& event) override {
    if (event.name != name_) return;
    if (std::holds_alternative<event::Running>(event.what)) up_ = true;
    if (std::holds_alternative<event::Ended>(event.what)) hang_up();
  }
  void on_chaos(const ChaosEvent& event) override {
    if (event.name != name_) return;
    if (event.kind == ChaosEvent::Kind::hang) silent_until_ = event.until;
    if (event.kind == ChaosEvent::Kind::outage) down_until_ = event.until;
  }

 private:
  struct Far {
    std::weak_ptr<Texts> texts;  // the feed's
    std::uint64_t number = 0;
  };

  void hang_up() {
    up_ = false;
    for (const auto& line : std::exchange(lines_, {})) {
      if (const auto texts = line.texts.lock()) texts->close();
    }
  }
  awaitable<void> tick() {
    for (;; co_await async_sleep(sim_->executor_scheduler(), 500ms, use_awaitable)) {
      if (sim_->now() < silent_until_) continue;
      std::erase_if(lines_, [](const Far& line) { return line.texts.expired(); });
      for (auto& line : lines_) {
        line.texts.lock()->try_send(boost::system::error_code{}, std::to_string(++line.number) + " EURUSD " + price_);
      }
    }
  }

  const std::string name_;
  AsioSimulation* sim_ = nullptr;
  std::string price_ = "100 110";
  bool up_ = false;
  TimePoint silent_until_;
  TimePoint down_until_;
  std::vector<Far> lines_;
};

// A sink of the program in a simulation.
class Observing final : public Observer {
 public:
  explicit Observing(EventSink& sink) : sink_(sink) {}
  void on_event(const Event& event) override { sink_.on_event(event); }
  void on_chaos(const ChaosEvent&) override {}

 private:
  EventSink& sink_;
};

struct Rehearsal {
  explicit Rehearsal(std::uint64_t seed)
      : sim{{.seed = {seed}, .supervisor = supervision()}, {&log, &digest, &checks, &a, &b, &watching}} {
    a.open(sim);
    b.open(sim);
    add_services(sim, {a.venue(), b.venue()}, wires);
  }
  // Up to the end of the drain; the rules of the supervisor hold.
  ShutdownResult shut_down() {
    sim.supervisor().request_shutdown();
    sim.run_for(5s);
    checks.finish({.at = sim.now(), .counters = sim.supervisor().counters()});
    for (const auto& violation : checks.violations()) UNSCOPED_INFO(violation.service << ": " << violation.says);
    CHECK(checks.held());
    REQUIRE(sim.supervisor().shutdown_result());
    return *sim.supervisor().shutdown_result();
  }
  [[nodiscard]] ServiceSnapshot service(const std::string& name) const { return *sim.supervisor().snapshot(name); }
  // Times at which a run of the service ended with this error.
  [[nodiscard]] std::vector<TimePoint> ends(const std::string& name, std::string_view error) const {
    std::vector<TimePoint> times;
    for (const auto& event : log.of(name)) {
      const auto* const ended = std::get_if<event::Ended>(&event.what);
      if (ended && ended->error == error) times.push_back(event.at);
    }
    return times;
  }

  EventLog log;
  Digest digest;
  Checks checks;
  Exchange a{"a"}, b{"b"};
  GateWatch gate_watch{[this] { sim.supervisor().request_shutdown(); }};
  Observing watching{gate_watch};
  std::ostringstream written;
  AsioSimulation sim;
  Wires wires{sim.executor(), written};
};

constexpr Duration kOutage = 10min;  // from the beginning
constexpr Duration kOutageLength = 90s;
constexpr Duration kHang = 20min;

// Half an hour in which both venues crash now and then, disappear together, and one of them falls silent.
std::string digest_of_a_storm(std::uint64_t seed) {
  CAPTURE(seed);
  Rehearsal gateway{seed};
  gateway.sim.add_chaos(
      {.at = kOutage, .what = Outage{.target = {.of = {"a", "b"}}, .length = kOutageLength, .fails_after = 20ms}});
  gateway.sim.add_chaos({.at = kHang, .what = HangWindow{.target = {.of = {"b"}}, .length = 1min}});
  gateway.sim.run_until(TimePoint{} + kOutage + kOutageLength / 2);
  const auto quotes_in_the_outage = gateway.wires.quotes_seen;
  CHECK(quotes_in_the_outage > 1'000);  // four a second, less what was lost
  gateway.sim.run_until(TimePoint{} + kOutage + kOutageLength);
  CHECK(gateway.wires.quotes_seen == quotes_in_the_outage);
  for (const auto* const feed : {"feed-a", "feed-b"}) {
    CHECK(gateway.ends(feed, "hung up").size() > 0);
    CHECK(gateway.ends(feed, "connection refused").size() > 10);
  }
  // The venues come back within a minute, and the feeds 5 s after them.
  gateway.sim.run_until(TimePoint{} + kHang - 1s);
  CHECK(gateway.wires.quotes_seen > quotes_in_the_outage + 500);

  gateway.sim.run_until(TimePoint{} + 30min);
  const auto silences = gateway.ends("feed-b", "silence");
  REQUIRE(!silences.empty());
  CHECK(silences.front() >= TimePoint{} + kHang);
  CHECK(silences.front() <= TimePoint{} + kHang + 1min);
  CHECK(gateway.ends("feed-a", "silence").empty());
  for (const auto* const name : {"risk", "engine", "heartbeat"}) CHECK(gateway.service(name).starts == 1);

  const ShutdownResult result = gateway.shut_down();
  CHECK(result.outcome == DrainOutcome::drained);
  CHECK(result.suggested_exit_status() == 0);
  return gateway.digest.text();
}

TEST_CASE("the gateway outlasts the crashes, an outage and a hang of its venues, the same way every time") {
  constexpr std::uint64_t kSeeds = HOLDFAST_SLOW_BUILD ? 2 : 5;
  std::set<std::string> digests;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string digest = digest_of_a_storm(seed);
    CHECK(digest == digest_of_a_storm(seed));
    digests.insert(digest);
  }
  CHECK(digests.size() == kSeeds);
}

TEST_CASE("the risk gate lets orders through up to its limit, is not started again, and the gateway shuts down") {
  Rehearsal gateway{1};
  gateway.sim.run_for(1s);
  for (std::int64_t bid = 111; bid < 200 && !gateway.sim.supervisor().is_shutting_down(); ++bid) {
    gateway.a.quote(bid, 200);
    gateway.sim.run_for(1s);
  }
  CHECK(gateway.wires.orders_let_through == kExposureMax);
  CHECK(gateway.written.str().find("order EURUSD from b to a\n") != std::string::npos);
  const auto risk = gateway.service("risk");
  CHECK(risk.starts == 1);
  CHECK(risk.last_error == "exposure limit");
  const ShutdownResult result = gateway.shut_down();
  CHECK(result.failed == std::vector<std::string>{"risk"});
  CHECK(result.suggested_exit_status() == 1);
}

TEST_CASE(
    "an engine that is started again has an empty book until the feeds have filled it, and orders no stale quote") {
  Rehearsal gateway{1};
  gateway.sim.run_for(10s);
  REQUIRE(gateway.sim.supervisor().restart("engine"));
  gateway.sim.run_for(1s);
  CHECK(gateway.service("engine").starts == 2);
  CHECK(gateway.service("engine").phase == Phase::running);

  // b crashes, and its last quote is one that a's next one could be traded against.
  REQUIRE(gateway.sim.end_run("b", Exit::failed("power cut")));
  REQUIRE(gateway.sim.supervisor().stop("b"));
  gateway.sim.run_for(kSilenceMax);
  gateway.a.quote(111, 120);
  gateway.sim.run_for(1s);
  CHECK(gateway.wires.orders_let_through == 0);
  CHECK(gateway.ends("feed-b", "hung up").size() == 1);
}

}  // namespace
}  // namespace gateway
