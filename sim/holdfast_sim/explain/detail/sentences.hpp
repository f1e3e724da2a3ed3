// An event of a chain in plain words. What follows from what is in causes.hpp.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <holdfast_sim/explain/detail/causes.hpp>
#include <holdfast_sim/explain/detail/history.hpp>
#include <holdfast_sim/scenario/roster.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

namespace holdfast::sim::detail {

class Sentences {
 public:
  // All outlive the sentences. `lines`: of the entries of chaos in the file, as far as they are known.
  Sentences(const std::deque<Happening>& all, const std::vector<Cause>& causes, const Scenario& scenario, Seed seed,
            const std::vector<std::uint32_t>& lines)
      : all_(all), causes_(causes), scenario_(scenario), roster_(roster_of(scenario)), seed_(seed), lines_(lines) {}

  [[nodiscard]] std::string of(std::size_t index) const;
  // Of failures like the one before: so many, with waits from the shortest to the longest, and the last at `last`.
  [[nodiscard]] static std::string of_folded(std::uint64_t count, TimePoint last, Duration shortest, Duration longest);
  // Which entry of chaos an event is; nullopt: none.
  [[nodiscard]] std::optional<std::uint32_t> entry_of(std::size_t index) const;
  [[nodiscard]] std::uint32_t line_of(std::uint32_t entry) const noexcept {
    return entry < lines_.size() ? lines_[entry] : 0;
  }

 private:
  struct OfEvent;

  [[nodiscard]] std::string says(std::size_t index, const ChaosEvent& chaos) const;
  [[nodiscard]] std::string of_starts(const ChaosEvent& chaos) const;
  [[nodiscard]] std::string of_silence(std::size_t index, const ChaosEvent& chaos) const;
  [[nodiscard]] std::string of_wait(const ChaosEvent& chaos) const;
  [[nodiscard]] std::string end(std::size_t index, const event::Ended& ended) const;
  [[nodiscard]] std::string begin(std::size_t index) const;
  [[nodiscard]] std::string goings_on(std::size_t index) const;
  [[nodiscard]] std::string wait(std::size_t index, const event::BackingOff& what) const;
  [[nodiscard]] std::string trip(std::size_t index, const event::BreakerTripped& what) const;
  [[nodiscard]] std::string stop(std::size_t index, const event::Stopping& what) const;
  [[nodiscard]] std::string slow_start(std::size_t index, Duration allowed) const;
  template <class Kind, class IsIt>
  [[nodiscard]] std::string by_operator(std::size_t index, const IsIt& is_it, std::string_view does,
                                        std::string_view otherwise) const;
  [[nodiscard]] std::string command(std::size_t index, Command what) const;
  [[nodiscard]] std::string reconfigured(std::size_t index) const;
  [[nodiscard]] std::string added(std::size_t index) const;
  [[nodiscard]] std::string shutdown(std::size_t index, const event::ShutdownRequested& what) const;
  [[nodiscard]] std::string run(std::size_t index) const;
  [[nodiscard]] std::string entry_text(std::uint32_t entry) const;
  [[nodiscard]] const ServicePolicy* policy_at(std::size_t index) const;
  [[nodiscard]] const FleetGroup* group_of(std::size_t index) const;

  const std::deque<Happening>& all_;
  const std::vector<Cause>& causes_;
  const Scenario& scenario_;
  Roster roster_;
  Seed seed_;
  const std::vector<std::uint32_t>& lines_;
};

// "exponential with a mean of 4h".
std::string law_text(const Distribution& law);

}  // namespace holdfast::sim::detail
