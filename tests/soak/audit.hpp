// Compares what the supervisor says with its events.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <holdfast/event.hpp>
#include <holdfast/snapshot.hpp>

#include "support.hpp"

namespace soak {

// Every event, into a ledger that works out phases and counters by itself, and notes each rule that is broken.
class Books final : public holdfast::EventSink {
 public:
  void on_event(const holdfast::Event& event) override;

  // What is wrong, a line each; none if counters and every service agree with the events.
  [[nodiscard]] std::vector<std::string> differences(const holdfast::Counters& counters,
                                                     const std::vector<holdfast::ServiceSnapshot>& services) const;
  // The same at the end of everything: besides, each service has terminated, and no run is alive any more.
  // Without memory reports of late ends may be lost.
  [[nodiscard]] std::vector<std::string> differences_at_the_end(const holdfast::Counters& counters,
                                                                const std::vector<holdfast::ServiceSnapshot>& services,
                                                                bool ends_may_be_lost) const;

  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  [[nodiscard]] std::uint64_t failed_recordings() const noexcept { return failed_recordings_; }
  [[nodiscard]] std::uint64_t late_ends() const noexcept { return late_ends_; }

 private:
  void forget(holdfast::ServiceId service);
  void remember(holdfast::ServiceId service);

  holdfast::test::Ledger ledger_{true};
  std::uint64_t events_ = 0;
  std::uint64_t failed_recordings_ = 0;
  std::uint64_t late_ends_ = 0;
  std::map<std::uint32_t, std::uint64_t> left_;  // runs that a removed service has left behind, by slot
  std::uint64_t pending_ends_ = 0;
};

// What a snapshot that was taken in another thread says about itself does not contradict itself.
std::vector<std::string> contradictions(const holdfast::Counters& counters,
                                        const std::vector<holdfast::ServiceSnapshot>& services);

}  // namespace soak
