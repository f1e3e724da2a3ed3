// Going through the services of a supervisor in the order of adding, a few at a time, while they come and go.
//
// The walk sees each service in its state at that moment. It sees a service that is present all the while once, does
// not see one that is removed before it gets there, and sees one that is added behind it.
//
// Thread-safety: none; all on the scheduler's executor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <holdfast/event.hpp>
#include <holdfast/snapshot.hpp>

namespace holdfast {
class Supervisor;
}

namespace holdfast::detail {

class FleetWalk;

// The walks through one supervisor's services.
class FleetWalks {
 public:
  FleetWalks() = default;
  ~FleetWalks() { close(); }
  FleetWalks(const FleetWalks&) = delete;
  FleetWalks& operator=(const FleetWalks&) = delete;

  void open(const Supervisor& supervisor) noexcept { supervisor_ = &supervisor; }
  // Give it every event; a `removed` one before the supervisor forgets the service.
  void on_event(const Event& event);
  // The supervisor is gone: all walks are over.
  void close() noexcept { supervisor_ = nullptr; }

 private:
  friend class FleetWalk;
  const Supervisor* supervisor_ = nullptr;
  std::vector<FleetWalk*> walks_;
};

class FleetWalk {
 public:
  explicit FleetWalk(std::shared_ptr<FleetWalks> all);
  ~FleetWalk();
  FleetWalk(const FleetWalk&) = delete;
  FleetWalk& operator=(const FleetWalk&) = delete;

  // Appends the next services, at most this many. False: there are no more.
  bool next(std::size_t most, std::vector<ServiceSnapshot>& to);

 private:
  friend class FleetWalks;
  const std::shared_ptr<FleetWalks> all_;
  std::optional<std::uint32_t> slot_;  // of the next service; nullopt: there is none
};

}  // namespace holdfast::detail
