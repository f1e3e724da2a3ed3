// What happened to one service up to a chosen event, kept while a run is repeated.
//
// Memory: at most kHappeningsMax events of the service, and O(services) bits. Nothing else of the fleet is kept. Of
// more events those in the middle go: the latest stay, and those with which the latest row of failures began.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <holdfast_sim/observe/observer.hpp>

namespace holdfast::sim::detail {

inline constexpr std::size_t kHappeningsMax = std::size_t{1} << 16;
inline constexpr std::size_t kOfRowKept = 32;  // from its first failure on

// An event of the supervisor, or what the simulation did.
struct Happening {
  std::uint64_t number = 0;   // in the run, from 1, as the lines of a trace count them
  std::uint64_t waiting = 0;  // services that waited for their turn to start just before
  std::variant<Event, ChaosEvent> what{};

  [[nodiscard]] const Event* event() const noexcept { return std::get_if<Event>(&what); }
  [[nodiscard]] const ChaosEvent* chaos() const noexcept { return std::get_if<ChaosEvent>(&what); }
  // What kind of event it is; null: another.
  template <class Kind>
  [[nodiscard]] const Kind* as() const noexcept {
    return event() == nullptr ? nullptr : std::get_if<Kind>(&event()->what);
  }
  [[nodiscard]] TimePoint at() const noexcept { return event() != nullptr ? event()->at : chaos()->at; }
  [[nodiscard]] std::string_view service() const noexcept { return event() != nullptr ? event()->name : chaos()->name; }
  // As traces have it: "ended", "outage".
  [[nodiscard]] std::string_view kind() const noexcept;
};

class History final : public Observer {
 public:
  // Of this service and of the supervisor itself, up to the event with this number.
  History(std::string service, std::uint64_t last) : service_(std::move(service)), last_(last) {}

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;

  // The last event has come.
  [[nodiscard]] bool complete() const noexcept { return count_ >= last_; }
  // In order. Texts and policies in them live as long as the history.
  [[nodiscard]] const std::deque<Happening>& happenings() const noexcept { return kept_; }
  // Something in the middle was forgotten, because there was too much.
  [[nodiscard]] bool cut() const noexcept { return cut_; }

 private:
  void count_waiting(const Event& event);
  void keep(Happening happening);
  void note_row(const Event& event);
  [[nodiscard]] bool reaches_row(const Happening& happening) const noexcept;
  std::string_view keep(std::string_view text) { return *texts_.emplace(text).first; }

  std::string service_;
  std::uint64_t last_;
  std::uint64_t count_ = 0;
  std::uint64_t waiting_ = 0;
  std::vector<bool> waits_;  // by slot
  std::deque<Happening> kept_;
  std::set<std::string, std::less<>> texts_;
  std::deque<ServicePolicy> policies_;
  std::uint64_t ended_ = 0;  // number of the latest end of a run
  std::uint64_t row_ = 0;    // number of the failure with which the latest row of failures began
  TimePoint row_at_;
  bool cut_ = false;
};

}  // namespace holdfast::sim::detail
