// Which keys of the format a scenario's text has.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <holdfast_sim/detail/toml_document.hpp>
#include <holdfast_sim/scenario_format.hpp>

namespace holdfast::test {

// The paths of its keys, as scenario_format.hpp lists them.
inline void collect_paths(const sim::detail::TomlValue& value, const std::string& path, std::set<std::string>& paths) {
  if (!path.empty()) paths.insert(path);
  for (const auto& item : value.items) collect_paths(item, path, paths);
  for (const auto& entry : value.entries) {
    collect_paths(entry.value, path.empty() ? entry.key : path + '.' + entry.key, paths);
  }
}

inline std::set<std::string> keys_of(std::string_view text) {
  std::set<std::string> present;
  collect_paths(sim::detail::parse_toml(text, "x.toml"), "", present);
  return present;
}

// The paths that the format lists and that are not among these. A table that may stand in several places counts as
// present if it stands in one of them; the format lists it at the first.
inline std::set<std::string> missing_keys(const std::set<std::string>& present) {
  static const std::pair<std::string_view, std::string_view> kPlaces[] = {{"runs_for", "on_stop.takes"},
                                                                          {"supervisor.backoff", "fleet.backoff"}};
  const auto stands = [&present](std::string path) {
    if (present.contains(path)) return true;
    for (const auto& [first, other] : kPlaces) {
      const auto at = path.find(first);
      if (at != std::string::npos && present.contains(path.replace(at, first.size(), other))) return true;
    }
    return false;
  };
  std::set<std::string> missing;
  for (const auto& [path, key] : sim::format::list_format().keys) {
    if (!stands(path)) missing.insert(path);
  }
  return missing;
}

inline std::set<std::string> missing_keys(std::string_view text) { return missing_keys(keys_of(text)); }

}  // namespace holdfast::test
