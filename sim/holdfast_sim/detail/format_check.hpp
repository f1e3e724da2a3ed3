// Holds a TOML file against the format, key by key.
#pragma once

#include <holdfast_sim/detail/complaints.hpp>
#include <holdfast_sim/detail/toml_document.hpp>
#include <holdfast_sim/scenario_format.hpp>

namespace holdfast::sim::detail {

// Complains about unknown, missing and lonely keys, wrong types and values out of range, and marks what it complains
// about as refused. Everything else has the form that the format asks for.
void check_format(TomlValue& document, const format::Table& rules, Complaints& complaints);

// "key", or "\"a key\"" if it cannot stand bare.
std::string key_text(std::string_view key);

}  // namespace holdfast::sim::detail
