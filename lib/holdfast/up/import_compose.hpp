// A Compose file (the Compose Specification of 2024, with the keys of the versions 2 and 3 before it) as a fleet.
#pragma once

#include <holdfast/up/import.hpp>
#include <holdfast/up/import_writing.hpp>

namespace holdfast::up {

// Reads the .env file beside it, too. What is wrong is added to `faults`.
ImportedFleet import_compose(const ImportOrder& order, std::vector<file::Complaint>& faults);

}  // namespace holdfast::up
