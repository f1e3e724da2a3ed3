// Lengths of time summed over many services.
//
// Thread-safety: values, safe anywhere.
#pragma once

#pragma GCC visibility push(default)

namespace holdfast::sim {

// In nanoseconds: a large fleet's do not fit into 64 bits.
__extension__ using ServiceTime = unsigned __int128;

}  // namespace holdfast::sim

#pragma GCC visibility pop
