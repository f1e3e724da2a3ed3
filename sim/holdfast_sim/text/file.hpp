// The simulator reads its files with the library holdfast-file (lib/holdfast/file). The names of that library are the
// simulator's, too: holdfast::sim::BadInput is holdfast::file::BadInput.
#pragma once

#pragma GCC visibility push(default)

namespace holdfast::file {}

namespace holdfast::sim {

using namespace file;

}  // namespace holdfast::sim

#pragma GCC visibility pop
