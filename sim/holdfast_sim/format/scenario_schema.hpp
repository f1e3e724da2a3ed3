// What may stand in a scenario file, for editors, other programs and people. `holdfast schema` prints it.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <string>

#include <holdfast/file/table_of.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// The description itself: file::table_of<Scenario>() is what it lists.
void describe(file::TableOf<Scenario>& table);

// A JSON Schema, draft 2020-12. What it refuses the reader refuses, too; rules across keys are the reader's alone.
std::string scenario_schema();

// The same as tables of Markdown: for each table of the file a heading with its name, and a row for each key.
std::string scenario_keys();

}  // namespace holdfast::sim

#pragma GCC visibility pop
