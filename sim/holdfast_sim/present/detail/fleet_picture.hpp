// The fleet over time as a picture in the terminal: how many services stood where, and the worst moments.
#pragma once

#include <cstddef>
#include <string>

#include <holdfast_sim/report/report_data.hpp>

namespace holdfast::sim {

inline constexpr std::size_t kPictureWidthMin = 40;

// Lines of at most `width` columns of UTF-8. The stacked areas are averages of what a column covers. The bars beneath
// show the worst moment in it, and a moment with one service down is never invisible there; they are higher where the
// areas would show next to nothing, because most of the fleet runs all the time.
std::string fleet_picture(const FleetHistory& history, std::size_t width, bool colours);

}  // namespace holdfast::sim
