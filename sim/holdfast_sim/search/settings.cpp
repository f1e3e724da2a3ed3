#include <holdfast_sim/search/settings.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>

#include <fmt/format.h>

#include <holdfast/file/message_text.hpp>
#include <holdfast/file/toml_document.hpp>
#include <holdfast/file/toml_text.hpp>
#include <holdfast/file/values.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>

namespace holdfast::sim {

namespace {

using file::TomlValue;

struct Step {
  std::string key;
  std::optional<std::size_t> index = std::nullopt;  // "fleet[0]"
};

struct Setting {
  std::string text;  // as a whole
  std::vector<Step> path;
  TomlValue value;
};

[[noreturn]] void refuse(const std::string& setting, const std::string& says) {
  throw BadSetting(fmt::format("{}: {}", file::in_quotes(setting), says));
}

bool is_bare(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// "fleet[0]"
std::optional<Step> step_of(std::string_view text) {
  const auto bracket = text.find('[');
  Step step{std::string{text.substr(0, bracket)}};
  if (!is_bare(step.key)) return std::nullopt;
  if (bracket == std::string_view::npos) return step;
  std::size_t index = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data() + bracket + 1, end, index);
  if (error != std::errc{} || stopped + 1 != end || *stopped != ']') return std::nullopt;
  step.index = index;
  return step;
}

// As TOML, or else a text as it stands.
TomlValue value_of(std::string_view text) {
  try {
    const auto parsed = file::parse_toml(fmt::format("x = {}\n", text), "");
    if (parsed.entries.size() == 1 && parsed.entries[0].key == "x" &&
        parsed.entries[0].value.kind != TomlValue::Kind::time) {
      return parsed.entries[0].value;
    }
  } catch (const BadInput&) {  // "10s"
  }
  return file::toml(text);
}

Setting setting_of(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) refuse(text, "is not a setting; write a key and its value, like duration=1h");
  const auto trimmed = [](std::string_view part) {
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    return part;
  };
  Setting setting{text, {}, value_of(trimmed(std::string_view{text}.substr(equals + 1)))};
  auto path = trimmed(std::string_view{text}.substr(0, equals));
  for (;;) {
    const auto dot = path.find('.');
    const auto step = step_of(path.substr(0, dot));
    if (!step) {
      refuse(text, "has no path of keys before its \"=\"; write one like supervisor.backoff.max or fleet[0].count");
    }
    setting.path.push_back(*step);
    if (dot == std::string_view::npos) return setting;
    path.remove_prefix(dot + 1);
  }
}

TomlValue& entry_of(TomlValue& table, const std::string& key) {
  if (table.kind != TomlValue::Kind::table) table = TomlValue{};
  for (auto& entry : table.entries) {
    if (entry.key == key) return entry.value;
  }
  table.entries.push_back({key, {}, TomlValue{}});
  return table.entries.back().value;
}

TomlValue& item_of(TomlValue& array, const Step& step, const Setting& setting) {
  const bool is_array = array.kind == TomlValue::Kind::array;
  if (is_array && *step.index < array.items.size()) return array.items[*step.index];
  const auto count = is_array ? array.items.size() : 0;
  refuse(setting.text, count == 0 ? fmt::format("the file has no {}[…]", step.key)
                                  : fmt::format("the file has {0}[0] to {0}[{1}]", step.key, count - 1));
}

// The table of an array whose `name` it is.
TomlValue& named(TomlValue& array, const std::string& name, const Setting& setting) {
  std::vector<std::string_view> names;
  for (auto& item : array.items) {
    const auto* const its = item.find("name");
    if (its == nullptr) continue;
    if (its->text == name) return item;
    names.emplace_back(its->text);
  }
  refuse(setting.text,
         fmt::format("no table has the name {}: {}", file::in_quotes(name),
                     file::did_you_mean(file::nearest(name, names), "there are: " + file::listed(names))));
}

void apply(const Setting& setting, TomlValue& document) {
  TomlValue* at = &document;
  for (const Step& step : setting.path) {
    if (at->kind == TomlValue::Kind::array) {
      if (step.index) refuse(setting.text, "has two numbers in a row where a name or a key would stand");
      at = &named(*at, step.key, setting);
      continue;
    }
    at = &entry_of(*at, step.key);
    if (step.index) at = &item_of(*at, step, setting);
  }
  *at = setting.value;
}

// Lines of a text that nobody has seen help nobody.
BadInput without_lines(const BadInput& bad, const std::vector<std::string>& settings) {
  auto complaints = bad.complaints();
  std::string all;
  for (const auto& setting : settings) all += (all.empty() ? "" : ", ") + setting;
  for (auto& complaint : complaints) {
    complaint.line = complaint.column = 0;
    complaint.file += " with " + all;
  }
  return BadInput{std::move(complaints)};
}

}  // namespace

std::string text_with(const std::vector<std::string>& settings, std::string_view text, const std::string& file,
                      const std::filesystem::path& folder, std::vector<Complaint>* warnings) {
  parse_scenario(text, file, folder, settings.empty() ? warnings : nullptr);
  if (settings.empty()) return std::string{text};
  auto document = file::parse_toml(text, file);
  for (const auto& setting : settings) apply(setting_of(setting), document);
  auto changed = file::toml_text(document);
  try {
    parse_scenario(changed, file, folder, warnings);
  } catch (const BadInput& bad) {
    throw without_lines(bad, settings);
  }
  if (warnings != nullptr) {
    for (auto& warning : *warnings) warning.line = warning.column = 0;
  }
  return changed;
}

Scenario parse_scenario_with(const std::vector<std::string>& settings, std::string_view text, const std::string& file,
                             const std::filesystem::path& folder, std::vector<Complaint>* warnings) {
  return parse_scenario(text_with(settings, text, file, folder, warnings), file, folder);
}

}  // namespace holdfast::sim
