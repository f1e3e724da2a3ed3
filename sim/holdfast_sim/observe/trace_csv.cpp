#include <holdfast_sim/observe/trace_csv.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ostream>
#include <type_traits>
#include <variant>

#include <holdfast/event_fields.hpp>
#include <holdfast_sim/observe/detail/chaos_fields.hpp>

namespace holdfast::sim {

namespace {

template <class Field, class What>
void visit_columns(Field& field, const What& what) {
  if constexpr (std::is_same_v<What, event::Added>) {
    field("runs_before", what.runs_before.value);
    field("can_be_killed", what.can_be_killed);
    field("runs_side_by_side", what.runs_side_by_side);
  } else if constexpr (!event::HasPolicy<What>) {
    visit_fields(field, what);
  }
}

class ColumnLister {
 public:
  template <class Value>
  void operator()(std::string_view key, const Value&) {
    if (std::find(columns.begin(), columns.end(), key) == columns.end()) columns.push_back(key);
  }
  std::vector<std::string_view> columns{"t_ns", "service", "n", "run", "kind", "chaos"};
};

template <std::size_t Index = 0>
void list_columns(ColumnLister& lister) {
  if constexpr (Index < std::variant_size_v<Event::What>) {
    const std::variant_alternative_t<Index, Event::What> what{};
    visit_columns(lister, what);
    list_columns<Index + 1>(lister);
  }
}

// Puts each field into the cell of its column.
class CellWriter {
 public:
  explicit CellWriter(std::vector<std::string>& cells) : cells_(cells) {}

  template <class Value>
  void operator()(std::string_view key, const Value& value) {
    const auto& columns = TraceCsvWriter::columns();
    const auto column = std::find(columns.begin(), columns.end(), key);
    put(cells_[static_cast<std::size_t>(column - columns.begin())], value);
  }

 private:
  static void put(std::string& cell, Duration value) { cell = std::to_string(value.count()); }
  static void put(std::string& cell, bool value) { cell = value ? "true" : ""; }
  static void put(std::string& cell, std::string_view value) { cell = value; }
  template <class Value>
  static void put(std::string& cell, const std::optional<Value>& value) {
    if (value) put(cell, *value);
  }
  template <class Value>
  static void put(std::string& cell, const Value& value) {
    if constexpr (std::is_integral_v<Value>) {
      cell = std::to_string(value);
    } else {
      cell = to_string(value);
    }
  }

  std::vector<std::string>& cells_;
};

void append_cell(std::string& line, const std::string& cell) {
  if (cell.find_first_of(",\"\r\n") == std::string::npos) {
    line += cell;
    return;
  }
  line += '"';
  for (const char c : cell) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

}  // namespace

const std::vector<std::string_view>& TraceCsvWriter::columns() {
  static const auto all = [] {
    ColumnLister lister;
    list_columns(lister);
    const ChaosEvent chaos;
    visit_chaos(lister, chaos);
    return lister.columns;
  }();
  return all;
}

TraceCsvWriter::TraceCsvWriter(std::ostream& out) : out_(out), cells_(columns().size()) {
  std::string head;
  for (const auto column : columns()) head += (head.empty() ? "" : ",") + std::string{column};
  out_ << head << '\n';
}

template <class Visit>
void TraceCsvWriter::row(const Visit& visit) {
  for (auto& cell : cells_) cell.clear();
  CellWriter writer{cells_};
  visit(writer);
  line_.clear();
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (i > 0) line_ += ',';
    append_cell(line_, cells_[i]);
  }
  line_ += '\n';
  out_.write(line_.data(), static_cast<std::streamsize>(line_.size()));
}

void TraceCsvWriter::on_event(const Event& event) {
  row([&](CellWriter& cell) {
    cell("t_ns", event.at.nanoseconds);
    if (!event.about_supervisor()) {
      cell("service", event.name);
      cell("run", event.run.value);
    }
    cell("n", event.n);
    visit_what(event.what, [&](const auto& what) {
      cell("kind", std::string_view{what.kKind});
      visit_columns(cell, what);
    });
  });
}

void TraceCsvWriter::on_chaos(const ChaosEvent& event) {
  row([&](CellWriter& cell) {
    cell("t_ns", event.at.nanoseconds);
    cell("service", event.name);
    cell("chaos", event.kind);
    visit_chaos(cell, event);
  });
}

}  // namespace holdfast::sim
