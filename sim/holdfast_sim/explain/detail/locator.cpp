#include <holdfast_sim/explain/detail/locator.hpp>

#include <algorithm>
#include <utility>
#include <variant>

#include <holdfast_sim/explain/detail/lookout.hpp>
#include <holdfast_sim/observe/detail/taken_down.hpp>
#include <holdfast_sim/scenario/detail/named.hpp>

namespace holdfast::sim::detail {

namespace {

bool is_a_failure(const Event* event) {
  const auto* const ended = event == nullptr ? nullptr : std::get_if<event::Ended>(&event->what);
  return ended != nullptr && is_failure(ended->outcome);
}

// As the report counts those that fall in a storm.
bool falls(const Event& event) {
  const auto* const stopping = std::get_if<event::Stopping>(&event.what);
  return is_a_failure(&event) || (stopping != nullptr && is_taken_down(stopping->cause));
}

bool falls(const ChaosEvent& event) {
  const auto meaning = meaning_of(event.kind);
  return meaning == ChaosMeaning::down || meaning == ChaosMeaning::off;
}

}  // namespace

void Locator::on_event(const Event& event) { look(event.at, event.name, holdfast::kind(event), &event, falls(event)); }

void Locator::on_chaos(const ChaosEvent& event) {
  look(event.at, event.name, to_string(event.kind), nullptr, falls(event));
}

void Locator::look(TimePoint at, std::string_view service, std::string_view kind, const Event* event, bool goes_down) {
  ++count_;
  if (event != nullptr && std::holds_alternative<event::Terminated>(event->what)) gone_ = service;
  for (std::size_t i = 0; i < sought_.size(); ++i) {
    const Sought& sought = sought_[i];
    Found& found = found_[i];
    if (sought.number != 0) {
      if (sought.number == count_) found = {count_, std::string{service}, gone_, std::string{kind}, at, 1};
      continue;
    }
    if (!sought.service.empty() && !is_of(roster_, service, sought.service)) continue;
    if (i == 0) count_kind(kind);
    if (!sought.kind.empty() && kind != sought.kind) continue;
    if (at < sought.from || at > sought.until) continue;
    if (sought.failed && !is_a_failure(event)) continue;
    if (sought.goes_down && !goes_down) continue;
    if (sought.again && (event == nullptr || event->run.value < 2)) continue;
    ++found.fitting;
    if (sought.nth != 0 && found.fitting != sought.nth) continue;
    found = {count_, std::string{service}, gone_, std::string{kind}, at, found.fitting};
  }
}

void Locator::count_kind(std::string_view kind) {
  const auto known = std::find_if(kinds_.begin(), kinds_.end(), [&](const auto& each) { return each.first == kind; });
  if (known == kinds_.end()) {
    kinds_.emplace_back(kind, 1);
  } else {
    ++known->second;
  }
}

}  // namespace holdfast::sim::detail
