// A tree of TOML values as the text of a file, laid out as people write scenarios.
#pragma once

#include <string>

#include <holdfast_sim/detail/toml_document.hpp>

namespace holdfast::sim::detail {

// The inverse of parse_toml, but for positions: tables of the file and arrays of tables have headers of their own,
// whatever is further in stands on its key's line. REQUIRES: keys are bare, texts are UTF-8, no value is a time.
std::string toml_text(const TomlValue& document);

}  // namespace holdfast::sim::detail
