// Scenario files: whatever the text, it is refused with complaints that have their place, or it becomes a scenario that
// survives being written and read.
#include <optional>

#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/format/scenario_writer.hpp>

#include "fuzz.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::sim;

const std::string kFile = "x.toml";
const std::string kFolder = HOLDFAST_SOURCE_DIR "/tests/bad_scenarios";  // holds good_record.csv

std::optional<Scenario> accepted(std::string_view text) {
  return fuzz::accepted(text, kFile, [text] {
    std::vector<Complaint> warnings;
    auto scenario = parse_scenario(text, kFile, kFolder, &warnings);
    fuzz::claim_sound(warnings, text, kFile);
    return scenario;
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto scenario = accepted(fuzz::text_of(data, size));
  if (!scenario) return 0;
  const auto written = scenario_text(*scenario);
  const auto read = accepted(written);
  fuzz::claim(read.has_value(), "what was written is read", written);
  fuzz::claim(*read == *scenario, "a scenario survives being written and read", written);
  fuzz::claim(scenario_text(*read) == written, "the same scenario is the same text", written);
  static_cast<void>(recorded_files(*scenario));
  return 0;
}
