#include <holdfast/service.hpp>

#include <cstring>
#include <exception>
#include <new>
#include <string>

#include <holdfast/detail/assert.hpp>
#include <holdfast/detail/exception_text.hpp>
#include <holdfast/supervisor.hpp>

namespace holdfast {

namespace {

using Owners = std::uint64_t;

Owners* owners_of(const char* text) noexcept {
  return reinterpret_cast<Owners*>(const_cast<char*>(text) - sizeof(Owners));
}

// A length that 32 bits can hold.
std::uint32_t length_of(std::string_view text) noexcept {
  HOLDFAST_ASSERT(text.size() <= 0xffff'ffff, "the text of an error is 4 GiB long");
  return static_cast<std::uint32_t>(text.size());
}

}  // namespace

Error::Error(std::string_view text) : size_(length_of(text)), is_owned_(true) {
  auto* const memory = static_cast<char*>(::operator new(sizeof(Owners) + text.size()));
  new (memory) Owners{1};
  std::memcpy(memory + sizeof(Owners), text.data(), text.size());
  text_ = memory + sizeof(Owners);
}

Error Error::literal(std::string_view text) noexcept {
  Error error;
  error.text_ = text.data();
  error.size_ = length_of(text);
  return error;
}

// Counted atomically: a copy may live on another thread.
void Error::keep() const noexcept { __atomic_fetch_add(owners_of(text_), 1, __ATOMIC_RELAXED); }

void Error::let_go() const noexcept {
  if (__atomic_fetch_sub(owners_of(text_), 1, __ATOMIC_ACQ_REL) == 1) ::operator delete(owners_of(text_));
}

Error Error::from_current_exception() noexcept {
  try {
    throw;
  } catch (const std::exception& exception) {
    try {
      return Error{detail::chain_of(exception, [](const std::exception& one) { return std::string{one.what()}; })};
    } catch (const std::bad_alloc&) {
      return literal("there is no memory for the text of this error");
    }
  } catch (...) {
    return literal("unknown exception");
  }
}

bool Run::is_over() const noexcept {
  const detail::ServiceRecord& record = *record_;
  return record.id != service_ || record.forgotten || !record.run_alive || record.run != number_;
}

// A number that is set outside of start() would be reported with another run, if at all.
void Run::set_pid(std::uint32_t pid) const {
  const bool in_start = record_->phase == Phase::starting && !record_->awaits_ready;
  if (!is_over() && in_start) record_->policy->supervisor->set_pid(*record_, pid);
}

void Run::ready() const noexcept {
  if (record_->forgotten || record_->policy->in_force.ready == Ready::at_once) return;
  record_->policy->supervisor->run_is_ready(*record_, *this, is_over());
}

void Run::heartbeat() const noexcept {
  if (record_->is_watched() && !is_over()) record_->policy->supervisor->heard(*record_);
}

void Run::progress(std::uint64_t reached) const noexcept {
  if (record_->is_watched() && !is_over()) record_->policy->supervisor->progressed(*record_, reached);
}

std::optional<Duration> Run::watchdog() const noexcept { return record_->policy->in_force.watchdog; }

bool Run::says_when_ready() const noexcept { return record_->policy->in_force.ready == Ready::notified; }

bool Run::missed_a_deadline() const noexcept {
  return !is_over() && record_->phase == Phase::stopping && is_missed_deadline(record_->stop_cause);
}

bool Run::shutdown_requested() const noexcept { return !is_over() && record_->policy->supervisor->is_shutting_down(); }

bool Run::await_shutdown(ShutdownWaiter& waiter) const noexcept {
  if (is_over() || shutdown_requested()) return false;
  record_->policy->supervisor->tell_of_shutdown(waiter);
  return true;
}

void Run::warn(std::string_view says) const {
  if (!is_over()) record_->policy->supervisor->run_warned(*record_, Error{says});
}

void Run::end(Exit exit) const noexcept {
  detail::ServiceRecord& record = *record_;
  if (record.forgotten) return;
  if (record.id == service_ && record.run == number_ && record.run_alive) [[likely]] {
    record.policy->supervisor->run_ended(record, exit);
  } else if (record.has_abandoned_runs) {
    record.policy->supervisor->abandoned_run_ended(record, *this, exit);
  }
}

void Run::ends_soon() const noexcept { record_->fetch(); }

}  // namespace holdfast
