// The links of a chain as JSON, wherever chains stand.
#pragma once

#include <vector>

#include <boost/json.hpp>

#include <holdfast_sim/explain/explain.hpp>

namespace holdfast::sim::detail {

boost::json::array json_of(const std::vector<Link>& chain);

}  // namespace holdfast::sim::detail
