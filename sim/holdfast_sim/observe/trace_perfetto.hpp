// A run as a Perfetto trace: what ui.perfetto.dev and trace_processor read.
//
// Each service has a track, under that of its group, with a slice for each phase; what else happens to it is an
// instant. What chaos does for a while stands on a track of its own below. Arrows lead from a cause to its effect. Two
// counters show how many services run and how many wait for their next run. A phase that lasts for no time has no
// slice.
//
// The format is TrackEvent (protos/perfetto/trace in Perfetto's repository). Names and texts are written once; nothing
// of a clock, so the same trace gives the same bytes.
//
// Thread-safety: none. Memory is O(services) and the texts that are remembered, of which there are at most 65 536.
#pragma once

#include <iosfwd>
#include <memory>

#include <holdfast_sim/observe/observer.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

class PerfettoWriter final : public Observer {
 public:
  // `out` outlives the writer.
  explicit PerfettoWriter(std::ostream& out);
  ~PerfettoWriter();
  PerfettoWriter(const PerfettoWriter&) = delete;
  PerfettoWriter& operator=(const PerfettoWriter&) = delete;

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;

  // Ends at this time what still goes on. REQUIRES: nothing was reported after it. Called once, at the end.
  void finish(TimePoint at);

 private:
  class Fleet;
  std::unique_ptr<Fleet> fleet_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
