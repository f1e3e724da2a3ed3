// Keeps the events of a run, for tests and for small tools. Memory grows with every event: long runs want a Trace.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/observe/observer.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

class EventLog final : public Observer {
 public:
  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;

  // In order; their views stay valid as long as the log does.
  [[nodiscard]] const std::vector<Event>& events() const noexcept { return events_; }
  [[nodiscard]] const std::vector<ChaosEvent>& chaos() const noexcept { return chaos_; }

  // The events of one service, in order.
  [[nodiscard]] std::vector<Event> of(std::string_view service) const;

  // One line an event, for messages and for comparing a history with a literal:
  // "1s feed#1 ended failed after 1s: boom".
  // See describe().
  [[nodiscard]] std::vector<std::string> lines() const;
  [[nodiscard]] std::vector<std::string> lines_of(std::string_view service) const;

  void clear();

 private:
  std::string_view keep(std::string_view text);

  std::vector<Event> events_;
  std::vector<ChaosEvent> chaos_;
  std::deque<std::string> texts_;
  std::deque<ServicePolicy> policies_;
};

// An event as a sentence for a person: time, service and run, kind, fields.
std::string describe(const Event& event);

}  // namespace holdfast::sim

#pragma GCC visibility pop
