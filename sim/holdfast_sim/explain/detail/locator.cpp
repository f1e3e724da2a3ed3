#include <holdfast_sim/explain/detail/locator.hpp>

#include <algorithm>
#include <utility>
#include <variant>

#include <holdfast_sim/explain/detail/lookout.hpp>

namespace holdfast::sim::detail {

void Locator::on_event(const Event& event) { look(event.at, event.name, holdfast::kind(event), &event); }

void Locator::on_chaos(const ChaosEvent& event) { look(event.at, event.name, to_string(event.kind), nullptr); }

void Locator::look(TimePoint at, std::string_view service, std::string_view kind, const Event* event) {
  ++count_;
  if (event != nullptr && std::holds_alternative<event::Terminated>(event->what)) gone_ = service;
  for (std::size_t i = 0; i < sought_.size(); ++i) {
    const Sought& sought = sought_[i];
    Found& found = found_[i];
    if (sought.number != 0) {
      if (sought.number == count_) found = {count_, std::string{service}, gone_, std::string{kind}, at, 1};
      continue;
    }
    if (!sought.service.empty() && !is_of(service, sought.service)) continue;
    if (i == 0) count_kind(kind);
    if (!sought.kind.empty() && kind != sought.kind) continue;
    if (at < sought.from || at > sought.until) continue;
    if (sought.failed) {
      const auto* const ended = event == nullptr ? nullptr : std::get_if<event::Ended>(&event->what);
      if (ended == nullptr || !is_failure(ended->outcome)) continue;
    }
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
