#include <holdfast_sim/picture/fleet_map.hpp>

#include <algorithm>
#include <utility>
#include <variant>

#include <holdfast/detail/enumerators.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::sim {

static_assert(holdfast::detail::enumerators_of<CellState>() == kCellStates && kCellStates <= kInFault,
              "a cell has three bits for its state");

namespace {

CellState state_of(const Termination::Reason reason) noexcept {
  const bool good = reason == Termination::Reason::completed || reason == Termination::Reason::cancelled;
  return good ? CellState::done : CellState::lost;
}

// The state that an event leads to; nullopt: it leads to none.
std::optional<CellState> state_after(const Event::What& what) noexcept {
  if (std::holds_alternative<event::Added>(what)) return CellState::waiting;
  if (std::holds_alternative<event::Started>(what)) return CellState::waiting;
  if (std::holds_alternative<event::Running>(what)) return CellState::running;
  if (std::holds_alternative<event::BackingOff>(what)) return CellState::waiting;
  if (std::holds_alternative<event::Stopping>(what)) return CellState::stopping;
  if (const auto* const terminated = std::get_if<event::Terminated>(&what)) return state_of(terminated->why.reason);
  if (const auto* const removed = std::get_if<event::Removed>(&what)) {
    return removed->forgotten ? std::nullopt : std::optional{CellState::done};  // what it was when it terminated
  }
  return std::nullopt;
}

}  // namespace

FleetMap::FleetMap(Duration length, std::uint32_t buckets)
    : bucket_(std::max(Duration{1}, Duration{(length.count() + buckets - 1) / buckets})),
      buckets_(static_cast<std::uint32_t>((length.count() + bucket_.count() - 1) / bucket_.count())),
      restarts_(buckets_) {}

std::size_t FleetMap::row_of(const Event& event) {
  const auto slot = static_cast<std::size_t>(event.service.slot);
  if (!std::holds_alternative<event::Added>(event.what)) return by_slot_[slot];
  if (slot >= by_slot_.size()) by_slot_.resize(slot + 1);
  const auto known = by_name_.find(event.name);
  if (known != by_name_.end()) return by_slot_[slot] = known->second;
  rows_.push_back({std::string{event.name}, {}, std::nullopt});
  pens_.emplace_back();
  by_name_.emplace(event.name, rows_.size() - 1);
  return by_slot_[slot] = rows_.size() - 1;
}

void FleetMap::on_event(const Event& event) {
  if (event.about_supervisor()) return;
  const std::size_t row = row_of(event);
  if (const auto* const ended = std::get_if<event::Ended>(&event.what)) {
    if (is_failure(ended->outcome)) note_trouble(row, event.at);
    forget_run(row, event.at);
  }
  if (std::holds_alternative<event::Started>(event.what)) forget_run(row, event.at);
  if (std::holds_alternative<event::Started>(event.what) && event.run.value > 1) {
    const auto bucket = static_cast<std::size_t>(event.at.nanoseconds / bucket_.count());
    ++restarts_[std::min(bucket, restarts_.size() - 1)];
  }
  const auto state = state_after(event.what);
  if (!state || *state == pens_[row].state) return;
  draw(row, event.at);
  pens_[row].state = *state;
}

// What was special about the latest run.
void FleetMap::forget_run(std::size_t row, TimePoint at) {
  Pen& pen = pens_[row];
  if (!pen.run_hangs && !pen.run_waits) return;
  draw(row, at);
  pen.run_hangs = pen.run_waits = false;
}

void FleetMap::on_chaos(const ChaosEvent& event) {
  const std::size_t row = by_slot_[event.service.slot];
  draw(row, event.at);
  Pen& pen = pens_[row];
  switch (meaning_of(event.kind)) {
    case ChaosMeaning::timer_is_late:
    case ChaosMeaning::drain_is_late:
    case ChaosMeaning::slowed: return;    // the row shows how long it starts
    case ChaosMeaning::disturbed: break;  // where it makes a run fail the row shows that
    case ChaosMeaning::down:
    case ChaosMeaning::off:
    case ChaosMeaning::unsupervised:
    case ChaosMeaning::hung: pen.fault_until = std::max(pen.fault_until, event.until); break;
    case ChaosMeaning::run_hangs: pen.run_hangs = true; break;
    case ChaosMeaning::run_is_over: pen.run_hangs = true; return note_trouble(row, event.at);  // by itself, or by chaos
    case ChaosMeaning::run_waits: pen.run_waits = true; return;
    case ChaosMeaning::run_is_served: pen.run_waits = false; return;
    case ChaosMeaning::run_is_silent:
    case ChaosMeaning::run_is_heard: return;  // what keeps it silent was reported
  }
  note_trouble(row, event.at);
  note_fault(event);
}

void FleetMap::note_fault(const ChaosEvent& event) {
  const auto key = std::tuple{event.at, event.until, event.kind};
  const auto known = faults_.find(key);
  if (known != faults_.end()) {
    ++known->second;
  } else if (faults_.size() < kFaultsMax) {
    faults_.emplace(key, 1);
  } else {
    ++more_faults_;
  }
}

void FleetMap::finish(TimePoint end) {
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    draw(row, end);
    Pen& pen = pens_[row];
    if (pen.drawn < buckets_) finish_cell(row);
    if (pen.drawn < buckets_) put(row, 0, buckets_ - pen.drawn);
    write_run(row);
  }
}

std::vector<FleetMap::Fault> FleetMap::faults() const {
  std::vector<Fault> all;
  for (const auto& [key, services] : faults_) {
    all.push_back({std::get<2>(key), std::get<0>(key), std::get<1>(key), services});
  }
  return all;
}

void FleetMap::note_trouble(std::size_t row, TimePoint at) {
  if (!rows_[row].first_trouble) rows_[row].first_trouble = at;
}

// A fault that ends on the way changes the cell.
void FleetMap::draw(std::size_t row, TimePoint until) {
  Pen& pen = pens_[row];
  const bool waits = pen.run_waits && pen.state == CellState::running;
  const auto state = static_cast<std::uint8_t>(waits ? CellState::waiting : pen.state);
  const bool present = pen.state != CellState::absent;
  if (present && pen.run_hangs) return draw_as(row, state | kInFault, until);
  if (present && pen.fault_until > pen.since) draw_as(row, state | kInFault, std::min(until, pen.fault_until));
  draw_as(row, state, until);
}

void FleetMap::draw_as(std::size_t row, std::uint8_t cell, TimePoint until) {
  Pen& pen = pens_[row];
  while (pen.since < until && pen.drawn < buckets_) {
    const TimePoint bucket_end = TimePoint{} + bucket_ * (std::int64_t{pen.drawn} + 1);
    if (until >= bucket_end && pen.since == bucket_end - bucket_) {
      // Whole buckets at once.
      const std::int64_t whole = std::min<std::int64_t>((until - pen.since) / bucket_, buckets_ - pen.drawn);
      put(row, cell, static_cast<std::uint64_t>(whole));
      pen.since = pen.since + bucket_ * whole;
      continue;
    }
    const TimePoint to = std::min(until, bucket_end);
    pen.time[cell] += (to - pen.since).count();
    pen.since = to;
    if (to == bucket_end) finish_cell(row);
  }
  pen.since = std::max(pen.since, until);
}

// The state that lasted longest; of several the first. A fault shows if it lasted for half of that.
void FleetMap::finish_cell(std::size_t row) {
  Pen& pen = pens_[row];
  std::uint8_t longest = 0;
  const auto of = [&pen](std::uint8_t state) { return pen.time[state] + pen.time[state | kInFault]; };
  for (std::uint8_t state = 1; state < kCellStates; ++state) {
    if (of(state) > of(longest)) longest = state;
  }
  const bool in_fault = 2 * pen.time[longest | kInFault] > of(longest);
  pen.time = {};
  put(row, in_fault ? longest | kInFault : longest, 1);
}

void FleetMap::put(std::size_t row, std::uint8_t cell, std::uint64_t count) {
  Pen& pen = pens_[row];
  if (pen.run > 0 && pen.cell != cell) write_run(row);
  pen.cell = cell;
  pen.run += count;
  pen.drawn += static_cast<std::uint32_t>(count);
}

void FleetMap::write_run(std::size_t row) {
  Pen& pen = pens_[row];
  if (pen.run == 0) return;
  constexpr std::uint64_t kShort = 15;
  auto& cells = rows_[row].cells;
  if (pen.run <= kShort) {
    cells.push_back(static_cast<std::uint8_t>((pen.run - 1) << 4 | pen.cell));
  } else {
    cells.push_back(static_cast<std::uint8_t>(kShort << 4 | pen.cell));
    std::uint64_t rest = pen.run - kShort - 1;
    for (; rest >= 0x80; rest >>= 7) cells.push_back(static_cast<std::uint8_t>(0x80 | (rest & 0x7f)));
    cells.push_back(static_cast<std::uint8_t>(rest));
  }
  pen.run = 0;
}

FleetMap draw_fleet(const Scenario& scenario, Seed seed, Duration length, std::uint32_t buckets) {
  FleetMap map{std::max(length, Duration{1}), buckets};
  Simulation simulation{scenario, {&map}, seed};
  simulation.run_to_end();
  map.finish(TimePoint{} + length);
  return map;
}

}  // namespace holdfast::sim
