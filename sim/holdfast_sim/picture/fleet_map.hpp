// In which state each service was over time: a row for each service, a cell for each bucket of time.
//
//     FleetMap map{length, 1200};
//     Simulation simulation{scenario, {&map}};
//     simulation.run_to_end();
//     map.finish(simulation.end().at);
//     map.rows()[17].cells;   // run-length encoded
//
// A cell shows the state in which the service was longest, and whether a fault held it for most of the bucket. Memory
// is O(services + changes of cells).
//
// Thread-safety: none.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// What a cell shows. The numbers are part of the page.
enum class CellState : std::uint8_t { absent, running, waiting, stopping, lost, done };
inline constexpr std::size_t kCellStates = 6;
// Added to a state: an outage, a hang or a host that is off.
inline constexpr std::uint8_t kInFault = 8;

class FleetMap final : public Observer {
 public:
  // Runs of equal cells, each of a byte: the cell in its low four bits, and how many less one in its high four. Fifteen
  // there means that the rest follows: how many less sixteen, seven bits a byte, the lowest first, and the highest bit
  // set where another follows.
  struct Row {
    std::string name;
    std::vector<std::uint8_t> cells;
    std::optional<TimePoint> first_trouble;  // its first failure or fault
  };
  // A fault that began and ended for so many services at once.
  struct Fault {
    ChaosEvent::Kind kind = ChaosEvent::Kind::storm;
    TimePoint from, until;  // equal: a storm
    std::uint64_t services = 0;
  };
  static constexpr std::size_t kFaultsMax = 5000;

  // REQUIRES: length > 0; buckets > 0.
  FleetMap(Duration length, std::uint32_t buckets);

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;
  // REQUIRES: called once, after the last event.
  void finish(TimePoint end);

  [[nodiscard]] const std::vector<Row>& rows() const noexcept { return rows_; }
  [[nodiscard]] Duration bucket() const noexcept { return bucket_; }
  [[nodiscard]] std::uint32_t buckets() const noexcept { return buckets_; }
  [[nodiscard]] std::vector<Fault> faults() const;
  // Faults beyond kFaultsMax, which are drawn in the rows alone.
  [[nodiscard]] std::uint64_t more_faults() const noexcept { return more_faults_; }
  // Starts of runs but for each service's first, by bucket.
  [[nodiscard]] const std::vector<std::uint64_t>& restarts() const noexcept { return restarts_; }

 private:
  // What a row is doing.
  struct Pen {
    CellState state = CellState::absent;
    TimePoint since;        // drawn up to here
    TimePoint fault_until;  // in a fault before
    bool run_hangs = false;
    bool run_waits = false;               // for a resource
    std::uint32_t drawn = 0;              // buckets
    std::uint8_t cell = 0;                // of the run of cells that is not written yet
    std::uint64_t run = 0;                // its length; 0: none
    std::array<std::int64_t, 16> time{};  // in the bucket that is not finished, by cell
  };

  [[nodiscard]] std::size_t row_of(const Event& event);
  void draw(std::size_t row, TimePoint until);
  void draw_as(std::size_t row, std::uint8_t cell, TimePoint until);
  void finish_cell(std::size_t row);
  void put(std::size_t row, std::uint8_t cell, std::uint64_t count);
  void write_run(std::size_t row);
  void forget_run(std::size_t row, TimePoint at);
  void note_trouble(std::size_t row, TimePoint at);
  void note_fault(const ChaosEvent& event);

  const Duration bucket_;
  const std::uint32_t buckets_;
  std::vector<Row> rows_;
  std::vector<Pen> pens_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::vector<std::size_t> by_slot_;
  std::map<std::tuple<TimePoint, TimePoint, ChaosEvent::Kind>, std::uint64_t> faults_;
  std::uint64_t more_faults_ = 0;
  std::vector<std::uint64_t> restarts_;
};

// The map of a run over `length`, however early it had nothing left to do: what is lost then stays so.
FleetMap draw_fleet(const Scenario& scenario, Seed seed, Duration length, std::uint32_t buckets);

}  // namespace holdfast::sim

#pragma GCC visibility pop
