#include <holdfast_sim/format/scenario_schema.hpp>

#include <holdfast/file/json_schema.hpp>
#include <holdfast/file/key_reference.hpp>
#include <holdfast_sim/format/detail/scenario_keys.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim {

std::string scenario_schema() { return file::json_schema(file::table_of<Scenario>(), "A scenario of holdfast"); }

std::string scenario_keys() {
  return file::key_reference(file::table_of<Scenario>()) + '\n' + file::preset_reference();
}

}  // namespace holdfast::sim
