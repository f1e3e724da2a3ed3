// A run as a table for programs that analyse data: CSV with a row for each event and a column for each field.
//
// The columns are the same for every run. A field that an event does not have is empty. Of `added`, the policy is left
// out: it stands in the trace of lines.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/observe/observer.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

class TraceCsvWriter final : public Observer {
 public:
  // Writes the header. `out` outlives the writer.
  explicit TraceCsvWriter(std::ostream& out);

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;

  static const std::vector<std::string_view>& columns();

 private:
  template <class Visit>
  void row(const Visit& visit);

  std::ostream& out_;
  std::vector<std::string> cells_;
  std::string line_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
