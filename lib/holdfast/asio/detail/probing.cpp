#include <holdfast/asio/detail/probing.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

#include <boost/asio/post.hpp>
#include <holdfast/asio/detail/listeners.hpp>

namespace holdfast::detail {

namespace {

constexpr const char* kByAnother =
    " by a socket that was there before this run: that of another program, or of one that an earlier run left";
constexpr std::uint32_t kWarnedMax = 10;  // failed health probes of a run that are reported one by one

const ReadyProbe* ready_probe_of(const Process& process) { return std::get_if<ReadyProbe>(&process.ready_by); }

struct Port {
  std::string address;
  std::uint16_t number;
};
std::optional<Port> port_of(const Probe& probe) {
  if (const auto* const to = std::get_if<TcpProbe>(&probe)) return Port{to->address, to->port};
  if (const auto* const to = std::get_if<HttpProbe>(&probe)) return Port{to->address, to->port};
  return std::nullopt;
}

// A part of `every` that is another for each service: the multiples of the golden ratio lie evenly.
Duration offset_of(const Run& run, Duration every) {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;
  const std::uint64_t part = (run.service().slot * kGolden) >> 44U;  // 20 bits
  return Duration{(every.count() >> 20U) * static_cast<Duration::rep>(part)};
}

}  // namespace

bool Probing::is_needed(const Process& process, const Run& run) noexcept {
  return (run.says_when_ready() && !std::holds_alternative<ReadySocket>(process.ready_by)) ||
         (process.health && run.watchdog());
}

Probing::Probing(const boost::asio::any_io_executor& executor, Probed probed, const Run& run)
    : executor_(executor), probed_(std::move(probed)), run_(run), descriptor_watch_(executor) {}

Probing::~Probing() { stop(); }

void Probing::prepare(const FindLine& find_line) {
  const Process& process = *probed_.process;
  if (!run_.says_when_ready()) {
    is_ready_ = true;
    return;
  }
  if (const auto* const line = std::get_if<ReadyLine>(&process.ready_by)) {
    line_.emplace(line->text);
    if (!find_line) return;
    line_watch_ = find_line(line->text, [weak = weak_from_this(), executor = executor_] {
      boost::asio::post(executor, [weak] {
        if (const auto self = weak.lock()) self->found_line();
      });
    });
  } else if (const auto* const ready = ready_probe_of(process)) {
    if (const auto port = port_of(ready->probe)) listeners_before_ = listeners_on(port->address, port->number);
    ready_ = std::make_shared<Prober>(executor_, ready->probe, ready->times.every, ready->times.timeout, probed_,
                                      [this](const ProbeResult& result) { on_ready_result(result); });
    ready_->begin(offset_of(run_, ready->times.every));
  }
}

void Probing::begin(Descriptor ready) {
  if (is_ready_) begin_health();
  descriptor_ = std::move(ready);
  if (descriptor_.is_open()) await_descriptor();
}

void Probing::is_ready() {
  if (is_ready_ || is_over_) return;
  is_ready_ = true;
  trouble_.clear();
  if (ready_) std::exchange(ready_, nullptr)->stop();
  line_watch_ = nullptr;
  run_.ready();
  begin_health();
}

void Probing::begin_health() {
  const auto& health = probed_.process->health;
  if (!health || !run_.watchdog() || health_ || is_over_) return;
  health_ = std::make_shared<Prober>(executor_, health->probe, health->times.every, health->times.timeout, probed_,
                                     [this](const ProbeResult& result) { on_health_result(result); });
  health_->begin(offset_of(run_, health->times.every));
}

// A run that was started while others listened on its port has to listen itself.
bool Probing::answers_for_another() const {
  if (!listeners_before_ || listeners_before_->empty()) return false;
  const auto port = port_of(ready_probe_of(*probed_.process)->probe);
  const auto now = listeners_on(port->address, port->number);
  return now && are_all_old(*listeners_before_, *now);
}

void Probing::on_ready_result(const ProbeResult& result) {
  if (!result.was_made) return cannot_be_made(result);
  trouble_ = result.trouble;
  if (!trouble_.empty()) return;
  if (!answers_for_another()) return is_ready();
  trouble_ = std::string{"answered"} + kByAnother;
  if (!std::exchange(warned_, true)) {
    warn("its readiness probe, " + to_string(ready_probe_of(*probed_.process)->probe) + ", is answered" + kByAnother +
         "; that does not make it ready");
  }
}

void Probing::on_health_result(const ProbeResult& result) {
  if (!result.was_made) {
    run_.heartbeat();
    return cannot_be_made(result);
  }
  trouble_ = result.trouble;
  if (trouble_.empty()) {
    in_a_row_ = 0;
    return run_.heartbeat();
  }
  ++in_a_row_;
  ++failed_;
  const HealthProbe& health = *probed_.process->health;
  if (in_a_row_ >= health.times.failures) health_->stop();  // it hangs, whatever it would say now
  if (failed_ > kWarnedMax && in_a_row_ < health.times.failures) return;
  warn("its health probe failed (" + std::to_string(in_a_row_) + " of " + std::to_string(health.times.failures) +
       " in a row): " + to_string(health.probe) + ": " + trouble_);
}

void Probing::cannot_be_made(const ProbeResult& result) {
  if (result.trouble.empty() || std::exchange(warned_, true)) return;
  warn("a probe of it cannot be made, which says nothing about it: " + result.trouble);
}

void Probing::await_descriptor() {
  descriptor_watch_.wait(descriptor_.number(), [weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!error && self && self->descriptor_.is_open()) self->read_descriptor();
  });
}

// It may write more than the line end, and keep the descriptor: nobody reads that.
void Probing::read_descriptor() {
  std::array<char, 4096> piece;
  const auto size = ::read(descriptor_.number(), piece.data(), piece.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return await_descriptor();
  const std::string_view text{piece.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  if (!text.empty() && text.find('\n') == std::string_view::npos) return await_descriptor();
  descriptor_watch_.stop();
  descriptor_.close();
  if (!text.empty()) return is_ready();
  const int number = std::get<ReadyDescriptor>(probed_.process->ready_by).number;
  trouble_ = "it closed descriptor " + std::to_string(number) + " without a line end";
  if (!is_ready_ && !is_over_) warn(trouble_ + ", so it will not be ready");
}

void Probing::take_output(std::string_view piece) {
  if (line_ && !is_ready_ && line_->take(piece)) is_ready();
}

void Probing::found_line() { is_ready(); }

void Probing::read_what_is_left() {
  if (descriptor_.is_open() && !is_ready_) {
    descriptor_watch_.stop();
    read_descriptor();
  }
}

void Probing::stop() noexcept {
  is_over_ = true;
  if (ready_) ready_->stop();
  if (health_) health_->stop();
  descriptor_watch_.stop();
  descriptor_.close();
  line_watch_ = nullptr;
}

std::string Probing::now() const {
  if (trouble_.empty()) return "";
  if (!is_ready_) {
    const auto* const ready = ready_probe_of(*probed_.process);
    return ready == nullptr ? trouble_ : "its readiness probe failed: " + to_string(ready->probe) + ": " + trouble_;
  }
  const std::string last = to_string(probed_.process->health->probe) + ": " + trouble_;
  if (in_a_row_ < 2) return "its last health probe failed: " + last;
  return std::to_string(in_a_row_) + " health probes in a row failed: " + last;
}

std::string Probing::why() const {
  std::string says = now();
  if (!says.empty() || is_ready_ || !line_) return says;
  return "no line of its output had the text that says that it is ready";
}

void Probing::warn(const std::string& says) const noexcept try { run_.warn(says); } catch (const std::bad_alloc&) {
}

}  // namespace holdfast::detail
