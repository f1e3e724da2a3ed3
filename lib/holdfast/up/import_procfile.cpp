#include <holdfast/up/import_procfile.hpp>

#include <algorithm>
#include <system_error>

#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/values.hpp>

namespace holdfast::up {

namespace {

constexpr unsigned kFirstPort = 5000;  // foreman's; the next process has 100 more
constexpr unsigned kPortStep = 100;
constexpr unsigned kPortMax = 65500;

bool is_process_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || file::is_digit(c) || c == '_' || c == '-';
  });
}

// Whether a shell makes something else of a word than itself.
bool needs_shell(std::string_view command) {
  return command.find_first_of("$`|&;<>()*?[]#~{}!") != std::string_view::npos;
}

// "NAME=value program …" sets a variable.
bool begins_with_variable(std::string_view command) {
  const auto end = std::min(command.find_first_of(" \t"), command.size());
  return command.substr(0, end).find('=') != std::string_view::npos;
}

// The commands of a shell that are more than one, or none of its own: the shell stays their parent.
bool is_one_command(std::string_view command) {
  return command.find_first_of("`|&;<>()!\n") == std::string_view::npos && !begins_with_variable(command);
}

}  // namespace

ImportedFleet import_procfile(const ImportOrder& order, std::vector<file::Complaint>& faults) {
  const auto file = order.file.generic_string();
  ImportedFleet fleet{.name = order.name};
  fleet.remarks = {
      "Imported from " + file::printable(file) + ", a Procfile.",
      "Differences: foreman ends all when one process ends; here each is started again after a failure. Nobody is "
      "given up on unless the file says so."};
  std::error_code error;
  const bool has_env = std::filesystem::exists(order.file.parent_path() / ".env", error);
  unsigned port = kFirstPort;
  std::uint32_t number = 0;
  std::string_view text = order.text;
  while (!text.empty()) {
    ++number;
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = file::trimmed(line);
    if (line.empty() || line.front() == '#') continue;
    const auto colon = line.find(':');
    const auto name = line.substr(0, std::min(colon, line.size()));
    const auto command = file::trimmed(line.substr(std::min(colon, line.size() - 1) + 1));
    if (colon == std::string_view::npos || !is_process_name(name) || command.empty()) {
      faults.push_back(
          {file, number, 0, "", "is " + file::in_quotes(line) + "; a line of a Procfile is NAME: COMMAND"});
      continue;
    }
    ImportedGroup group;
    group.name = as_group_name(name);
    group.at = {file, number};
    group.called = std::string{name};
    const auto note = [&](std::string says) {
      group.notes.push_back({file, number, 0, std::string{name}, std::move(says)});
    };
    const auto words = shell_words(command);
    if (!words) {
      faults.push_back(
          {file, number, 0, std::string{name}, "has a quote that is not closed: " + file::in_quotes(command)});
      continue;
    }
    std::vector<std::string> made;
    if (needs_shell(command) || begins_with_variable(command)) {
      const std::string exec = is_one_command(command) && !command.starts_with("exec ") ? "exec " : "";
      made = {"sh", "-c", exec + std::string{command}};
    } else {
      made = *words;
    }
    for (auto& word : made) word = with_placeholders(word).value_or(word);
    group.put("command", toml_words(made));
    if (has_env) group.put("environment_files", toml_words({"-.env"}));
    if (command.find("PORT") != std::string_view::npos) {
      file::TomlValue variables;
      const auto value = std::to_string(std::min(port, kPortMax));
      file::put(variables, "PORT", file::toml(std::string_view{value}));
      group.put("environment", variables);
      note("has the PORT that foreman would give it");
    }
    port += kPortStep;
    if (name == "release") {
      group.is_comment = true;
      note("is run once when an application is released, and is no service; so it stands as a comment");
    }
    fleet.groups.push_back(std::move(group));
  }
  if (fleet.groups.empty() && faults.empty()) {
    faults.push_back({file, 0, 0, "", "has no processes; a line of a Procfile is NAME: COMMAND"});
  }
  if (has_env) {
    fleet.notes.push_back({file, 0, 0, "", ".env beside it is read by each service (environment_files)"});
  }
  return fleet;
}

}  // namespace holdfast::up
