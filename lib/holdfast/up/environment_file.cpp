#include <holdfast/up/environment_file.hpp>

#include <algorithm>
#include <system_error>

#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/small_file.hpp>

namespace holdfast::up {

namespace {

constexpr std::size_t kEnvironmentFileMax = std::size_t{1} << 20;  // bytes
constexpr std::string_view kExport = "export ";

bool is_variable_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || file::is_digit(c) || c == '_' || c == '.' || c == '-';
  };
  return !name.empty() && !file::is_digit(name.front()) && std::all_of(name.begin(), name.end(), fits);
}

bool says_nothing(std::string_view line) { return line.empty() || line.front() == '#' || line.front() == ';'; }

std::string_view without_quotes(std::string_view value) {
  const bool quoted =
      value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.front() == value.back();
  return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

EnvironmentFile parse_environment(std::string_view text, const std::string& name) {
  EnvironmentFile read;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = file::trimmed(line);
    if (says_nothing(line)) continue;
    if (line.starts_with(kExport)) line = file::trimmed(line.substr(kExport.size()));
    const auto equals = line.find('=');
    const auto variable = file::trimmed(line.substr(0, std::min(equals, line.size())));
    if (equals == std::string_view::npos || !is_variable_name(variable) || line.find('\0') != std::string_view::npos) {
      read.problem =
          "line " + std::to_string(number) + " of " + name + " is " + file::in_quotes(line) + "; allowed is NAME=value";
      return read;
    }
    read.variables.emplace_back(variable, without_quotes(file::trimmed(line.substr(equals + 1))));
  }
  return read;
}

EnvironmentFile read_environment_file(const std::filesystem::path& path, bool may_be_missing) {
  std::error_code error;
  const bool exists = std::filesystem::exists(path, error);
  if (may_be_missing && !exists && !error) return {};
  const auto read = file::read_small_file(path, kEnvironmentFileMax);
  if (!read.problem.empty()) return {{}, path.generic_string() + ": " + read.problem};
  return parse_environment(read.text, path.generic_string());
}

}  // namespace holdfast::up
