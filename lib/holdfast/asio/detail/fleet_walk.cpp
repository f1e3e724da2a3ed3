#include <holdfast/asio/detail/fleet_walk.hpp>

#include <algorithm>
#include <utility>
#include <variant>

#include <holdfast/supervisor.hpp>

namespace holdfast::detail {

// A restart in place removes a service and adds it again under its name: the walk sees it all the same.
void FleetWalks::on_event(const Event& event) {
  if (walks_.empty() || !supervisor_ || !std::holds_alternative<event::Removed>(event.what)) return;
  for (FleetWalk* const walk : walks_) {
    if (walk->slot_ == event.service.slot && !supervisor_->id(event.name)) {
      walk->slot_ = supervisor_->slot_after(event.service.slot);
    }
  }
}

FleetWalk::FleetWalk(std::shared_ptr<FleetWalks> all) : all_(std::move(all)) {
  all_->walks_.push_back(this);
  if (all_->supervisor_) slot_ = all_->supervisor_->first_slot();
}

FleetWalk::~FleetWalk() { all_->walks_.erase(std::find(all_->walks_.begin(), all_->walks_.end(), this)); }

bool FleetWalk::next(std::size_t most, std::vector<ServiceSnapshot>& to) {
  if (!all_->supervisor_) return false;
  for (; most > 0 && slot_; --most) {
    if (auto service = all_->supervisor_->snapshot_in(*slot_)) to.push_back(std::move(*service));
    slot_ = all_->supervisor_->slot_after(*slot_);
  }
  return slot_.has_value();
}

}  // namespace holdfast::detail
