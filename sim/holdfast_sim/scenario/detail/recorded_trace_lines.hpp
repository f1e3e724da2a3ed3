// A recorded trace together with where things stand in its file, for messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/scenario/recorded_trace.hpp>

namespace holdfast::sim::detail {

struct TraceWithLines {
  RecordedTrace trace;
  std::vector<std::uint32_t> entity_lines;  // of the first row of each entity
};

// Throws BadInput.
TraceWithLines parse_trace_with_lines(std::string_view text, const std::string& file);

}  // namespace holdfast::sim::detail
