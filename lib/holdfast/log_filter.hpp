// Which events of a crash loop a log can leave out, because a service that crashes all the time would fill it.
//
//     if (const auto unlogged = filter.look_at(event, wanted)) write(log_line(event, *unlogged));
//
// A service is in a loop if it ends again and again after runs shorter than a minute. The log shows the first three
// ends of a loop with all that follows each (the wait, the next start), then those whose number is a power of two, and
// from the 64th on every 64th. The next line of the service says how many lines were left out: `unlogged=12`. Nothing
// else is left out: the log shows trips, terminations, kills, abandonments, warnings, commands, stops and fatal errors,
// and every end of a run that was asked to stop.
//
// A service that has recovered from a loop writes no further line. Its last line may therefore be about an end; see
// its metrics and the page /services for its state.
//
// The filter decides by the events alone, so the same events give the same lines. It keeps 32 bytes for each service.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <holdfast/event.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

class LogFilter {
 public:
  // How many lines of this service were left out since its last one; nullopt: leave this one out as well. Call it for
  // every event, in order. `wanted`: the log's level lets the line through; other lines are not counted.
  std::optional<std::uint64_t> look_at(const Event& event, bool wanted = true);

 private:
  struct Loop {
    std::uint32_t generation = 0;  // of the service that has the slot
    bool quiet = false;            // what follows the latest end is left out, as was the end
    bool asked = false;            // the present run was asked to stop
    std::uint64_t ends = 0;        // in a row, each after less than a minute
    std::uint64_t unlogged = 0;
  };

  Loop& loop_of(ServiceId service);
  [[nodiscard]] static bool is_left_out(Loop& loop, const Event& event);

  std::vector<Loop> loops_;  // by slot
};

}  // namespace holdfast

#pragma GCC visibility pop
