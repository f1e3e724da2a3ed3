// A file of supervisord (4.2) as a fleet.
#pragma once

#include <holdfast/up/import.hpp>
#include <holdfast/up/import_writing.hpp>

namespace holdfast::up {

// Reads the files that it includes, too. What is wrong is added to `faults`.
ImportedFleet import_supervisord(const ImportOrder& order, std::vector<file::Complaint>& faults);

}  // namespace holdfast::up
