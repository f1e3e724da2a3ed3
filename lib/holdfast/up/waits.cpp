#include <holdfast/up/waits.hpp>

#include <algorithm>
#include <variant>

#include <boost/asio/steady_timer.hpp>

namespace holdfast::up {

namespace {

namespace net = boost::asio;

struct AwaitedService {
  AwaitedService(Awaited given, const net::any_io_executor& executor) : awaited(std::move(given)), settles(executor) {}

  Awaited awaited;
  net::steady_timer settles;
  std::uint64_t changes = 0;  // of whether it runs
  bool is_settled = false;    // it has come to something
};

std::string why_lost(const event::BreakerTripped& tripped, const std::string& last_error) {
  return "its breaker has opened (" + std::to_string(tripped.failures) + '/' + std::to_string(tripped.max_failures) +
         " failures)" + (last_error.empty() ? "" : ": " + last_error);
}

}  // namespace

class Waits::Wait : public std::enable_shared_from_this<Wait> {
 public:
  Wait(Waits& waits, const net::any_io_executor& executor, const std::vector<Awaited>& services, Over over)
      : waits_(waits), timeout_(executor), over_(std::move(over)) {
    services_.reserve(services.size());
    for (const auto& service : services) services_.push_back(std::make_unique<AwaitedService>(service, executor));
  }

  void begin(std::optional<std::chrono::milliseconds> timeout) {
    for (const auto& service : services_) {
      if (service->awaited.is_over) reach(*service);
      if (service->awaited.running_for) on_running(*service, *service->awaited.running_for);
    }
    end_if_settled();
    if (is_over() || !timeout) return;
    timeout_.expires_after(*timeout);
    timeout_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->end();
    });
  }

  [[nodiscard]] bool is_over() const noexcept { return over_ == nullptr; }

  void cancel() {
    over_ = nullptr;
    timeout_.cancel();
    for (const auto& service : services_) service->settles.cancel();
    std::erase_if(waits_.waits_, [this](const auto& wait) { return wait.get() == this; });
  }

  void on_event(const Event& event) {
    for (const auto& service : services_) {
      if (!service->is_settled && service->awaited.service == event.name) hear(*service, event);
    }
    end_if_settled();
  }

 private:
  void hear(AwaitedService& service, const Event& event) {
    if (std::holds_alternative<event::Commanded>(event.what)) service.awaited.from_command = false;
    if (service.awaited.from_command) return;
    if (const auto* const ended = std::get_if<event::Ended>(&event.what)) {
      ++service.changes;
      service.settles.cancel();
      last_error_ = ended->error;
    }
    if (const auto* const terminated = std::get_if<event::Terminated>(&event.what)) {
      return on_terminated(service, *terminated);
    }
    if (service.awaited.what != Awaited::What::ready) return;
    if (std::holds_alternative<event::Running>(event.what)) on_running(service, {});
    if (const auto* const tripped = std::get_if<event::BreakerTripped>(&event.what)) {
      lose(service, why_lost(*tripped, last_error_));
    }
  }

  void on_terminated(AwaitedService& service, const event::Terminated& terminated) {
    const bool as_asked =
        service.awaited.what == Awaited::What::end && terminated.why.reason != Termination::Reason::abandoned;
    as_asked ? reach(service) : lose(service, holdfast::to_string(terminated.why, terminated.last_error));
  }

  void on_running(AwaitedService& service, std::chrono::nanoseconds for_so_long) {
    if (service.awaited.says_when_ready || for_so_long >= kSettled) return reach(service);
    service.settles.expires_after(kSettled - for_so_long);
    const auto changes = ++service.changes;
    service.settles.async_wait([self = shared_from_this(), &service, changes](boost::system::error_code error) {
      if (error || self->is_over() || service.is_settled || service.changes != changes) return;
      self->reach(service);
      self->end_if_settled();
    });
  }

  void reach(AwaitedService& service) {
    service.is_settled = true;
    waited_.reached.push_back(service.awaited.service);
  }

  void lose(AwaitedService& service, std::string why) {
    service.is_settled = true;
    waited_.lost.emplace_back(service.awaited.service, std::move(why));
  }

  void end_if_settled() {
    const bool all = std::all_of(services_.begin(), services_.end(), [](const auto& one) { return one->is_settled; });
    if (all) end();
  }

  void end() {
    if (is_over()) return;
    for (const auto& service : services_) {
      if (!service->is_settled) waited_.unfinished.push_back(service->awaited.service);
    }
    const auto self = shared_from_this();
    const auto over = over_;
    cancel();
    over(std::move(waited_));
  }

  Waits& waits_;
  std::vector<std::unique_ptr<AwaitedService>> services_;
  net::steady_timer timeout_;
  Over over_;
  Waited waited_;
  std::string last_error_;
};

std::function<void()> Waits::wait(const net::any_io_executor& executor, const std::vector<Awaited>& services,
                                  std::optional<std::chrono::milliseconds> timeout, Over over) {
  const auto made = std::make_shared<Wait>(*this, executor, services, std::move(over));
  waits_.push_back(made);
  made->begin(timeout);
  if (made->is_over()) return nullptr;
  return [made] { made->cancel(); };
}

void Waits::on_event(const Event& event) {
  if (waits_.empty() || event.about_supervisor()) return;
  const auto waits = waits_;  // one that ends leaves them
  for (const auto& wait : waits) {
    if (!wait->is_over()) wait->on_event(event);
  }
}

}  // namespace holdfast::up
