#include <holdfast_sim/format/recorded_trace_writer.hpp>

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace holdfast::sim {

namespace {

using holdfast::to_string;

// The order of the rows. Rows of one time keep their order, and names come up for the first time in the order of their
// numbers; whatever may stand next may be taken at once, since what may be taken only ever grows.
class RowOrder {
 public:
  explicit RowOrder(const RecordedTrace& trace)
      : trace_(trace), of_entity_(trace.entities.size()), of_cause_(trace.causes.size()) {
    const auto& rows = trace.failures;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      if (row == 0 || rows[row].from != rows[row - 1].from) look_at(row);
    }
  }

  // Fewer than all rows: no file has them.
  std::vector<std::size_t> find() {
    std::vector<std::size_t> order;
    while (!free_.empty()) {
      const std::size_t row = free_.top();
      free_.pop();
      order.push_back(row);
      const auto& failure = trace_.failures[row];
      if (failure.entity == entities_) release(of_entity_, ++entities_);
      if (failure.cause == causes_) release(of_cause_, ++causes_);
      if (row + 1 < trace_.failures.size() && trace_.failures[row + 1].from == failure.from) look_at(row + 1);
    }
    return order;
  }

 private:
  using Waiting = std::vector<std::vector<std::size_t>>;

  // The row is the next of its time: it may be taken, or it waits for a name that has to come before one of its own.
  void look_at(std::size_t row) {
    const auto& failure = trace_.failures[row];
    if (failure.entity > entities_) {
      if (failure.entity < of_entity_.size()) of_entity_[failure.entity].push_back(row);
    } else if (failure.cause > causes_) {
      if (failure.cause < of_cause_.size()) of_cause_[failure.cause].push_back(row);
    } else {
      free_.push(row);
    }
  }

  void release(Waiting& waiting, std::size_t name) {
    if (name >= waiting.size()) return;
    for (const std::size_t row : std::exchange(waiting[name], {})) look_at(row);
  }

  const RecordedTrace& trace_;
  std::uint32_t entities_ = 0;  // that have come up
  std::uint32_t causes_ = 0;
  Waiting of_entity_;  // rows that wait until the entity before theirs has come up
  Waiting of_cause_;
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> free_;
};

std::string row_text(const RecordedTrace& trace, const Failure& failure, bool with_severity) {
  return trace.entities[failure.entity] + ',' + to_string(failure.from) + ',' + to_string(failure.until) + ',' +
         (with_severity ? to_string(failure.severity) + ',' : "") + trace.causes[failure.cause] + '\n';
}

bool names_are_there(const RecordedTrace& trace) {
  return std::all_of(trace.failures.begin(), trace.failures.end(), [&trace](const Failure& failure) {
    return failure.entity < trace.entities.size() && failure.cause < trace.causes.size();
  });
}

}  // namespace

std::string recorded_trace_text(const RecordedTrace& trace, const std::string& file) {
  const bool with_severity = trace.has_severities();
  std::string text{with_severity ? kRecordedHeaderWithSeverity : kRecordedHeader};
  text += '\n';
  if (names_are_there(trace)) {
    for (const std::size_t row : RowOrder{trace}.find()) text += row_text(trace, trace.failures[row], with_severity);
  }
  if (parse_recorded_trace(text, file) != trace) {
    throw BadInput({{file, 0, 0, "", "cannot be written: no file becomes this trace"}});
  }
  return text;
}

}  // namespace holdfast::sim
