#include <holdfast/asio/runtime.hpp>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <new>
#include <random>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <holdfast/asio/detail/doorbell.hpp>
#include <holdfast/asio/detail/fleet_reader.hpp>
#include <holdfast/asio/detail/fleet_walk.hpp>
#include <holdfast/asio/detail/http_server.hpp>
#include <holdfast/asio/detail/orphans.hpp>
#include <holdfast/asio/detail/reaper.hpp>
#include <holdfast/asio/detail/stop_signals.hpp>
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

// Keeps the services that the runtime owns until they have been removed and no call into them is running.
class Ownership final : private Task {
 public:
  explicit Ownership(Scheduler& scheduler) : scheduler_(scheduler) {}
  ~Ownership() { scheduler_.cancel(*this); }

  // After this keep() needs no memory, so that the supervisor never knows a service without an owner.
  void make_room() {
    if (kept_.size() == kept_.capacity()) kept_.reserve(2 * kept_.size() + 1);
  }
  void keep(ServiceId id, std::shared_ptr<Service> service) {
    if (id.slot >= kept_.size()) kept_.resize(id.slot + 1);
    kept_[id.slot] = {std::move(service), false};
  }
  void on_event(const Event& event) {
    if (event.about_supervisor()) return;
    const bool removed = std::holds_alternative<event::Removed>(event.what);
    if (!removed && !std::holds_alternative<event::Added>(event.what)) return;
    if (event.service.slot >= kept_.size()) return;  // added directly to the supervisor: the runtime does not own it
    kept_[event.service.slot].removed = removed;     // a restart in place removes and adds
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

// Throws, after the present handler, what sinks have thrown within it: by then the supervisor has completed its step.
// Only the first exception is kept until it is thrown; the others are counted.
class Thrown final : private Task {
 public:
  explicit Thrown(Scheduler& scheduler) : scheduler_(scheduler) {}
  ~Thrown() { scheduler_.cancel(*this); }

  // REQUIRES: called from within a catch block.
  void keep(const Event& event) noexcept {
    if (first_) {
      ++others_;
      return;
    }
    first_ = std::current_exception();
    kind_ = kind(event);
    try {
      scheduler_.defer(*this);
    } catch (...) {  // no memory for a turn: it comes with the next one
    }
  }
  void forget() noexcept { scheduler_.cancel(*this); }

 private:
  void run() override {
    const auto cause = std::exchange(first_, nullptr);
    const auto others = std::exchange(others_, 0);
    std::string text = "an event sink threw at a \"" + std::string{kind_} + "\" event";
    if (others > 0) text += ", and " + std::to_string(others) + " times more before this could be thrown";
    try {
      std::rethrow_exception(cause);
    } catch (...) {
      std::throw_with_nested(SinkError{text + ": " + std::string{Error::from_current_exception().text()}});
    }
  }

  Scheduler& scheduler_;
  std::exception_ptr first_;
  std::string_view kind_;
  std::uint64_t others_ = 0;
};

// The second after the begin of a shutdown, in which a signal is part of the same stop. The timer comes after every
// signal that was delivered in time, even in a program that could not run for a while.
class SameStop final : private Timer {
 public:
  explicit SameStop(Scheduler& scheduler) : scheduler_(scheduler) {}
  ~SameStop() { end(); }

  // `at`: of the shutdown, which a sink may have heard of first, and taken its time.
  void begin(TimePoint at) noexcept {
    over_at_ = at + detail::kSameStopMax;
    try {
      scheduler_.arm(*this, *over_at_);
    } catch (...) {  // no memory: the clock will do
    }
  }
  void end() noexcept { scheduler_.disarm(*this); }
  // REQUIRES: a shutdown was requested.
  [[nodiscard]] bool lasts() const noexcept { return armed() || !over_at_ || scheduler_.now() < *over_at_; }

 private:
  void fired() override {}

  Scheduler& scheduler_;
  std::optional<TimePoint> over_at_;  // nullopt: the shutdown has not begun yet
};

}  // namespace

struct Runtime::State final : EventSink,
                              detail::SnapshotSource,
                              detail::FleetSource,
                              RecordingTrouble,
                              std::enable_shared_from_this<State> {
  State(net::io_context& io, RuntimeConfig&& config)
      : sinks(std::move(config.sinks)),
        seed(config.seed ? *config.seed : seed_from_system()),
        scheduler(io.get_executor()),
        bell(scheduler.executor()),
        ownership(scheduler),
        thrown(scheduler),
        ending(std::make_shared<detail::Ending>(scheduler.executor())),
        departures(std::make_shared<detail::Departures>(scheduler.executor())),
        reader(std::make_shared<detail::FleetReader>(scheduler.executor(), *this)),
        server(serve(config.endpoint)) {
    if (config.orphans == Orphans::adopted) subreaper.emplace();
    if (subreaper || (config.orphans == Orphans::reaped_by_process_1 && ::getpid() == 1)) {
      orphans =
          std::make_shared<detail::OrphanWatch>(scheduler.executor(), config.waits_for_children, config.takes_sigchld);
    }
    if (!config.supervisor.kill_wait) config.supervisor.kill_wait = kRuntimeKillWait;
    if (config.recording) {
      auto& between = recorder.emplace(*config.recording, scheduler, config.supervisor, seed, *this, this);
      supervisor.emplace(between, std::move(config.supervisor), seed, between, &between);
    } else {
      supervisor.emplace(scheduler, std::move(config.supervisor), seed, *this);
    }
    fleet_walks->open(*supervisor);
    departures->open(*supervisor);
  }

  [[nodiscard]] std::shared_ptr<detail::HttpServer> serve(std::optional<Endpoint>& endpoint) const {
    if (!endpoint) return nullptr;
    if (auto found = problems(*endpoint); !found.empty()) throw ConfigError(std::move(found));
    return std::make_shared<detail::HttpServer>(scheduler.executor(), std::move(*endpoint), reader, observed,
                                                recording_failed);
  }

  // If one of them throws, every other one still sees the event, and the supervisor's step goes on.
  void on_event(const Event& event) override {
    telling = true;
    for (EventSink* const sink : sinks) guarded(event, [&] { sink->on_event(event); });
    telling = false;
    if (server) guarded(event, [&] { note_uptime(event); });
    fleet_walks->on_event(event);
    departures->on_event(event);
    ownership.on_event(event);
    if (std::holds_alternative<event::ShutdownRequested>(event.what)) same_stop.begin(event.at);
    if (std::holds_alternative<event::Drained>(event.what)) on_drained();
  }

  // Lets the supervisor report that its recording has failed, after the step in which the failure was found.
  class Trouble final : private Task {
   public:
    explicit Trouble(State& state) : state_(state) {}
    ~Trouble() { forget(); }
    void keep(std::string_view error) noexcept {
      try {
        error_ = error;
      } catch (...) {  // no memory for the text: it comes without
      }
      try {
        state_.scheduler.defer(*this);
      } catch (...) {  // no memory for a turn: it comes with the next one
      }
    }
    void forget() noexcept { state_.scheduler.cancel(*this); }

   private:
    void run() override {
      if (state_.supervisor) state_.supervisor->recording_failed(error_);
    }
    State& state_;
    std::string error_;
  };

  template <class Act>
  void guarded(const Event& event, const Act& act) noexcept {
    try {
      act();
    } catch (...) {
      thrown.keep(event);
    }
  }

  // The histogram holds the services that are present, as the other metrics do; a restart in place removes none.
  void note_uptime(const Event& event) {
    observed.on_event(event);
    if (std::holds_alternative<event::Removed>(event.what) && !supervisor->id(event.name)) observed.forget(event.name);
  }

  void on_drained() {
    ending->result = detail::result_or_less(*supervisor->shutdown_result());
    tell_the_waiting({});
    stop_listening();
  }

  // Asio has lost a handler whose executor had no memory for the call.
  void tell_the_waiting(boost::system::error_code error) noexcept try {
    ending->waiting.complete_all(error);
  } catch (const std::bad_alloc&) {
  }

  void stop_listening() noexcept {
    bell.silence();
    signals.reset();
    same_stop.end();
    if (orphans) orphans->end();
    if (server) server->close();
  }

  void await_bell() {
    bell.await([self = weak_from_this()] {
      if (const auto state = self.lock()) state->on_bell();
    });
  }

  // Tries again what failed for lack of memory, and lets the exception out of run().
  void on_bell() {
    bell.clear();
    if (!ending->result) await_bell();
    const unsigned asked = requests.exchange(0);
    try {
      if (asked & kShutdown) supervisor->request_shutdown();
      if (asked & kEndDrain) supervisor->end_drain();
    } catch (...) {
      ask(asked);
      throw;
    }
    answer_again();
  }

  void recording_failed_with(std::string_view error) noexcept override {
    recording_failed = true;
    trouble.keep(error);
  }

  void ask(unsigned request) noexcept {
    requests.fetch_or(request);
    bell.ring();
  }

  void await_signal() {
    signals->async_wait([self = weak_from_this()](boost::system::error_code error, int signal) {
      const auto state = self.lock();
      if (error || !state || !state->signals) return;
      state->on_signal(detail::cause_of(signal));
      if (state->signals) state->await_signal();
    });
  }

  void on_signal(ShutdownCause signal) noexcept {
    if (supervisor->is_shutting_down() && same_stop.lasts()) return supervisor->ignore_signal(signal);
    detail::StopSignals::heeded();
    supervisor->is_shutting_down() ? supervisor->end_drain(signal) : supervisor->request_shutdown(signal);
  }

  [[nodiscard]] TimePoint now() const override { return scheduler.now(); }
  [[nodiscard]] FleetSnapshot head() const override {
    return {.at = scheduler.now(),
            .shutting_down = supervisor->is_shutting_down(),
            .counters = supervisor->counters(),
            .shutdown_result = supervisor->shutdown_result()};
  }
  [[nodiscard]] std::size_t service_count() const override { return supervisor->service_count(); }
  [[nodiscard]] std::shared_ptr<detail::FleetWalks> walks() const override { return fleet_walks; }
  void take_snapshot(std::shared_ptr<detail::SnapshotRequest> request) override {
    try {
      reader->take_snapshot([self = shared_from_this(), request](std::shared_ptr<const FleetSnapshot> snapshot) {
        self->answer(request, std::move(snapshot));
      });
    } catch (const std::bad_alloc&) {
      if (!request->is_answered()) answer(request, nullptr);
    }
  }
  [[nodiscard]] bool gives_snapshots() const noexcept override { return supervisor.has_value(); }

  // If the request's executor has no memory to take the call, the bell brings it back.
  void answer(const std::shared_ptr<detail::SnapshotRequest>& request, std::shared_ptr<const FleetSnapshot> snapshot) {
    try {
      request->answer(scheduler.executor(), snapshot);
    } catch (const std::bad_alloc&) {
      if (request->is_answered()) throw;  // the handler threw
      request->kept = std::move(snapshot);
      request->next = std::exchange(unanswered, request);
      bell.ring();
    }
  }
  void answer_again() {
    if (!unanswered) return;
    const auto request = std::exchange(unanswered, unanswered->next);
    request->next.reset();
    if (unanswered) bell.ring();
    answer(request, std::exchange(request->kept, nullptr));
  }

  // Pending handlers may keep this object alive for a while, but it no longer does anything. The services are destroyed
  // first, so that their runs no longer call the supervisor.
  void tear_down() {
    HOLDFAST_ASSERT(!telling, "a runtime was destroyed from within an event sink");
    stop_listening();
    reader->close();
    fleet_walks->close();
    departures->close();
    thrown.forget();
    trouble.forget();
    ownership.let_go();
    detail::Reaper::of(scheduler.executor()).finish(scheduler.executor());  // all of them have been killed
    supervisor.reset();
    recorder.reset();
    orphans.reset();
    subreaper.reset();
    unanswered.reset();
    tell_the_waiting(net::error::operation_aborted);
    ending->waiting.close();
  }

  static constexpr unsigned kShutdown = 1;
  static constexpr unsigned kEndDrain = 2;

  const std::vector<EventSink*> sinks;
  const Seed seed;
  RealTimeScheduler scheduler;
  detail::Doorbell bell;
  std::atomic<unsigned> requests{0};
  std::optional<detail::StopSignals> signals;
  SameStop same_stop{scheduler};
  bool telling = false;
  bool recording_failed = false;
  Ownership ownership;
  Thrown thrown;
  Trouble trouble{*this};
  std::shared_ptr<detail::Ending> ending;
  const std::shared_ptr<detail::Departures> departures;
  std::shared_ptr<detail::SnapshotRequest> unanswered;  // the first
  UptimeHistogram observed;
  const std::shared_ptr<detail::FleetWalks> fleet_walks = std::make_shared<detail::FleetWalks>();
  const std::shared_ptr<detail::FleetReader> reader;
  std::shared_ptr<detail::HttpServer> server;  // null: no endpoint
  std::optional<detail::Subreaper> subreaper;
  std::shared_ptr<detail::OrphanWatch> orphans;  // null: the runtime reaps no orphans
  std::optional<Recorder> recorder;              // these two until the runtime is destroyed
  std::optional<Supervisor> supervisor;
};

static_assert(std::atomic<unsigned>::is_always_lock_free, "a signal handler may ask for a shutdown");

Runtime::Runtime(RuntimeConfig config) : Runtime(std::make_unique<net::io_context>(1), nullptr, std::move(config)) {}

Runtime::Runtime(net::io_context& io, RuntimeConfig config) : Runtime(nullptr, &io, std::move(config)) {}

Runtime::Runtime(std::unique_ptr<net::io_context> own, net::io_context* io, RuntimeConfig config)
    : own_io_(std::move(own)),
      state_(std::make_shared<State>(own_io_ ? *own_io_ : *io, std::move(config))),
      snapshots_(state_),
      ending_(state_->ending),
      departures_(state_->departures) {
  state_->await_bell();
  if (state_->orphans) state_->orphans->begin();
  if (state_->server) state_->server->begin();
}

Runtime::~Runtime() { state_->tear_down(); }

Result<ServiceId> Runtime::add(ServiceConfig config, Service& service) {
  return add(std::move(config), std::shared_ptr<Service>{std::shared_ptr<void>{}, &service});
}

Result<ServiceId> Runtime::add(ServiceConfig config, std::shared_ptr<Service> service) {
  state_->ownership.make_room();
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
  if (state_->ending->result) return;
  if (!state_->signals) {
    state_->signals.emplace(executor());
    state_->await_signal();
  }
  state_->signals->unblock();
}

ShutdownResult Runtime::run_until_shutdown(Signals signals) {
  HOLDFAST_ASSERT(own_io_,
                  "run_until_shutdown of a runtime on another's io_context; run that, and async_wait_shutdown");
  if (signals == Signals::handled) handle_signals();
  const auto over = std::make_shared<bool>(false);  // it outlives this call if a handler throws
  async_wait_shutdown([over](boost::system::error_code, const ShutdownResult&) { *over = true; });
  while (!*over) {
    const auto ran = own_io_->run_one();
    HOLDFAST_ASSERT(ran > 0, "the io_context of a runtime was stopped");
  }
  return *state_->ending->result;
}

}  // namespace holdfast
