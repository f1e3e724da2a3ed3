// A Procfile, as foreman, honcho and Heroku read it, as a fleet.
#pragma once

#include <holdfast/up/import.hpp>
#include <holdfast/up/import_writing.hpp>

namespace holdfast::up {

// What is wrong is added to `faults`.
ImportedFleet import_procfile(const ImportOrder& order, std::vector<file::Complaint>& faults);

}  // namespace holdfast::up
