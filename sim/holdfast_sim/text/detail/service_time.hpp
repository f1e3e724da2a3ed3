// Lengths of time summed over many services.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <holdfast/detail/wide.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// In nanoseconds: a large fleet's do not fit into 64 bits.
using ServiceTime = holdfast::detail::Wide;

}  // namespace holdfast::sim

#pragma GCC visibility pop
