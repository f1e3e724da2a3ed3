#include <holdfast/asio/runtime.hpp>

#include <atomic>
#include <csignal>
#include <random>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <holdfast/asio/detail/doorbell.hpp>
#include <holdfast/asio/detail/http_server.hpp>
#include <holdfast/asio/real_time_scheduler.hpp>
#include <holdfast/detail/assert.hpp>
#include <holdfast/recorder.hpp>

namespace holdfast {

namespace {

namespace net = boost::asio;

Seed seed_from_system() {
  std::random_device device;
  return Seed{std::uint64_t{device()} << 32 | device()};
}

// Keeps the services that the runtime owns, until they have been removed and nobody is inside of them any more.
class Ownership final : private Task {
 public:
  explicit Ownership(Scheduler& scheduler) : scheduler_(scheduler) {}
  ~Ownership() { scheduler_.cancel(*this); }

  void keep(ServiceId id, std::shared_ptr<Service> service) {
    if (id.slot >= kept_.size()) kept_.resize(id.slot + 1);
    kept_[id.slot] = {std::move(service), false};
  }
  void on_event(const Event& event) {
    if (event.about_supervisor()) return;
    const bool removed = std::holds_alternative<event::Removed>(event.what);
    if (!removed && !std::holds_alternative<event::Added>(event.what)) return;
    kept_[event.service.slot].removed = removed;  // a restart in place removes and adds
    if (removed && !queued()) scheduler_.defer(*this);
  }
  void let_go() noexcept { kept_.clear(); }

 private:
  void run() override {
    for (auto& one : kept_) {
      if (one.removed) one.service.reset();
    }
  }

  struct Kept {
    std::shared_ptr<Service> service;
    bool removed = false;
  };
  Scheduler& scheduler_;
  std::vector<Kept> kept_;  // by slot
};

}  // namespace

struct Runtime::State final : EventSink,
                              detail::SnapshotSource,
                              detail::FleetSource,
                              std::enable_shared_from_this<State> {
  State(net::io_context& io, RuntimeConfig&& config)
      : sinks(std::move(config.sinks)),
        seed(config.seed ? *config.seed : seed_from_system()),
        scheduler(io.get_executor()),
        bell(scheduler.executor()),
        ownership(scheduler),
        ending(std::make_shared<detail::Ending>(scheduler.executor())),
        server(serve(config.endpoint)) {
    if (config.recording) {
      auto& between = recorder.emplace(*config.recording, scheduler, config.supervisor, seed, *this);
      supervisor.emplace(between, std::move(config.supervisor), seed, between, &between);
    } else {
      supervisor.emplace(scheduler, std::move(config.supervisor), seed, *this);
    }
  }

  [[nodiscard]] std::shared_ptr<detail::HttpServer> serve(std::optional<Endpoint>& endpoint) const {
    if (!endpoint) return nullptr;
    if (auto found = problems(*endpoint); !found.empty()) throw ConfigError(std::move(found));
    return std::make_shared<detail::HttpServer>(scheduler.executor(), std::move(*endpoint), *this);
  }

  void on_event(const Event& event) override {
    telling = true;
    for (EventSink* const sink : sinks) sink->on_event(event);
    telling = false;
    if (server) note_uptime(event);
    ownership.on_event(event);
    if (std::holds_alternative<event::Drained>(event.what)) on_drained();
  }

  // The histogram has the services that are present, as the other metrics do; a restart in place removes none.
  void note_uptime(const Event& event) {
    observed.on_event(event);
    if (std::holds_alternative<event::Removed>(event.what) && !supervisor->id(event.name)) observed.forget(event.name);
  }

  void on_drained() {
    ending->result = supervisor->shutdown_result();
    ending->waiting.complete_all({});
    stop_listening();
  }

  void stop_listening() noexcept {
    bell.silence();
    signals.reset();
    if (server) server->close();
  }

  void await_bell() {
    bell.await([self = weak_from_this()] {
      if (const auto state = self.lock()) state->on_bell();
    });
  }

  void on_bell() {
    bell.clear();
    const unsigned asked = requests.exchange(0);
    if (asked & kShutdown) supervisor->request_shutdown();
    if (asked & kEndDrain) supervisor->end_drain();
    if (!ending->result) await_bell();
  }

  void ask(unsigned request) noexcept {
    requests.fetch_or(request);
    bell.ring();
  }

  void await_signal() {
    signals->async_wait([self = weak_from_this()](boost::system::error_code error, int) {
      const auto state = self.lock();
      if (error || !state || !state->signals) return;
      ++state->signals_seen == 1 ? state->supervisor->request_shutdown() : state->supervisor->end_drain();
      state->await_signal();
    });
  }

  [[nodiscard]] FleetSnapshot fleet() const override {
    return {.at = scheduler.now(),
            .shutting_down = supervisor->is_shutting_down(),
            .counters = supervisor->counters(),
            .services = supervisor->snapshots(),
            .shutdown_result = supervisor->shutdown_result()};
  }
  [[nodiscard]] const UptimeHistogram& uptimes() const override { return observed; }
  [[nodiscard]] std::shared_ptr<const FleetSnapshot> snapshot() const override {
    return std::make_shared<const FleetSnapshot>(fleet());
  }

  // Handlers on their way may keep this object for a while, but nothing happens in it any more. The services go first:
  // they cut the lines of their runs to the supervisor.
  void tear_down() {
    HOLDFAST_ASSERT(!telling, "a runtime was destroyed from within an event sink");
    stop_listening();
    ownership.let_go();
    supervisor.reset();
    recorder.reset();
    ending->waiting.complete_all(net::error::operation_aborted);
    ending->waiting.close();
  }

  static constexpr unsigned kShutdown = 1;
  static constexpr unsigned kEndDrain = 2;

  const std::vector<EventSink*> sinks;
  const Seed seed;
  RealTimeScheduler scheduler;
  detail::Doorbell bell;
  std::atomic<unsigned> requests{0};
  std::optional<net::signal_set> signals;
  int signals_seen = 0;
  bool telling = false;
  Ownership ownership;
  std::shared_ptr<detail::Ending> ending;
  UptimeHistogram observed;
  std::shared_ptr<detail::HttpServer> server;  // null: no endpoint
  std::optional<Recorder> recorder;            // these two until the runtime is destroyed
  std::optional<Supervisor> supervisor;
};

static_assert(std::atomic<unsigned>::is_always_lock_free, "a signal handler may ask for a shutdown");

Runtime::Runtime(RuntimeConfig config) : Runtime(std::make_unique<net::io_context>(1), nullptr, std::move(config)) {}

Runtime::Runtime(net::io_context& io, RuntimeConfig config) : Runtime(nullptr, &io, std::move(config)) {}

Runtime::Runtime(std::unique_ptr<net::io_context> own, net::io_context* io, RuntimeConfig config)
    : own_io_(std::move(own)),
      state_(std::make_shared<State>(own_io_ ? *own_io_ : *io, std::move(config))),
      snapshots_(state_),
      ending_(state_->ending) {
  state_->await_bell();
  if (state_->server) state_->server->begin();
}

Runtime::~Runtime() { state_->tear_down(); }

Result<ServiceId> Runtime::add(ServiceConfig config, Service& service) {
  return add(std::move(config), std::shared_ptr<Service>{std::shared_ptr<void>{}, &service});
}

Result<ServiceId> Runtime::add(ServiceConfig config, std::shared_ptr<Service> service) {
  auto added = state_->supervisor->add(std::move(config), *service);
  if (added) state_->ownership.keep(added.value(), std::move(service));
  return added;
}

Result<ServiceId> Runtime::add(ServiceConfig config, Process process) {
  if (const auto found = problems(process); !found.empty()) {
    return Refusal{Refusal::Reason::invalid_configuration, "add \"" + config.name + "\": " + describe_errors(found)};
  }
  return add(std::move(config), std::make_shared<ProcessService>(executor(), std::move(process)));
}

Result<ServiceId> Runtime::add_made_by(ServiceConfig config, AwaitableService::Factory factory) {
  std::string name = config.name;
  return add(std::move(config),
             std::make_shared<AwaitableService>(state_->scheduler, std::move(name), std::move(factory)));
}

Supervisor& Runtime::supervisor() noexcept { return *state_->supervisor; }

ExecutorScheduler& Runtime::scheduler() noexcept { return state_->scheduler; }

const net::any_io_executor& Runtime::executor() const noexcept { return state_->scheduler.executor(); }

Seed Runtime::seed() const noexcept { return state_->seed; }

std::uint16_t Runtime::endpoint_port() const noexcept { return state_->server ? state_->server->port() : 0; }

void Runtime::request_shutdown() noexcept { state_->ask(State::kShutdown); }

void Runtime::end_drain() noexcept { state_->ask(State::kEndDrain); }

void Runtime::handle_signals() {
  if (state_->signals || state_->ending->result) return;
  state_->signals.emplace(executor(), SIGINT, SIGTERM);
  state_->await_signal();
}

ShutdownResult Runtime::run_until_shutdown(Signals signals) {
  HOLDFAST_ASSERT(own_io_,
                  "run_until_shutdown of a runtime on another's io_context; run that, and async_wait_shutdown");
  if (signals == Signals::handled) handle_signals();
  bool over = false;
  async_wait_shutdown([&over](boost::system::error_code, const ShutdownResult&) { over = true; });
  while (!over) {
    const auto ran = own_io_->run_one();
    HOLDFAST_ASSERT(ran > 0, "the io_context of a runtime was stopped");
  }
  return *state_->ending->result;
}

}  // namespace holdfast
