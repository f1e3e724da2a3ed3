#include <holdfast/asio/detail/departures.hpp>

#include <new>
#include <variant>

#include <holdfast/supervisor.hpp>

namespace holdfast::detail {

namespace {

// Asio has lost a handler whose executor had no memory for the call.
void tell_all(Departure& departure, boost::system::error_code error) noexcept try {
  departure.waiting.complete_all(error);
} catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
}

}  // namespace

// Every life of a service ends with this event, also one that is removed or abandoned.
void Departures::on_event(const Event& event) noexcept {
  if (by_slot_.empty()) return;
  const auto* const terminated = std::get_if<event::Terminated>(&event.what);
  if (!terminated) return;
  const auto found = by_slot_.find(event.service.slot);
  if (found == by_slot_.end()) return;
  const auto departure = std::move(found->second);
  by_slot_.erase(found);
  departure->why = terminated->why;
  tell_all(*departure, {});
}

void Departures::close() noexcept {
  supervisor_ = nullptr;
  for (const auto& [slot, departure] : std::exchange(by_slot_, {})) {
    tell_all(*departure, boost::asio::error::operation_aborted);
    departure->waiting.close();
  }
}

Departures::Found Departures::find(std::string_view name) {
  if (!supervisor_) return {.error = boost::asio::error::operation_aborted, .why = {}, .departure = {}};
  const auto id = supervisor_->id(name);
  if (!id) return {.error = boost::asio::error::not_found, .why = {}, .departure = {}};
  const auto service = supervisor_->snapshot_in(id->slot);
  if (service && service->termination) return {.error = {}, .why = service->termination, .departure = {}};
  auto& departure = by_slot_[id->slot];
  if (!departure) departure = std::make_shared<Departure>();
  return {.error = {}, .why = {}, .departure = departure};
}

}  // namespace holdfast::detail
