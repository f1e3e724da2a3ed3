#include <holdfast/up/import.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <holdfast/file/fleet.hpp>
#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/up/import_compose.hpp>
#include <holdfast/up/import_procfile.hpp>
#include <holdfast/up/import_supervisord.hpp>

namespace holdfast::up {

namespace {

struct Known {
  ForeignFormat format;
  std::string_view word;
  ImportedFleet (*import)(const ImportOrder& order, std::vector<file::Complaint>& faults);
};

constexpr std::array kKnown{Known{ForeignFormat::supervisord, "supervisord", import_supervisord},
                            Known{ForeignFormat::procfile, "procfile", import_procfile},
                            Known{ForeignFormat::compose, "compose", import_compose}};

const Known& known(ForeignFormat format) {
  return *std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& one) { return one.format == format; });
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = file::trimmed(text.substr(0, end));
    if (!line.empty()) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string name_of(const ImportOrder& order) {
  const auto folder = std::filesystem::absolute(order.file).parent_path().filename().string();
  return as_group_name(folder.empty() ? "fleet" : folder);
}

// All notes in the order of the file.
std::vector<file::Complaint> all_notes(const ImportedFleet& fleet) {
  auto notes = fleet.notes;
  for (const auto& group : fleet.groups) notes.insert(notes.end(), group.notes.begin(), group.notes.end());
  std::stable_sort(notes.begin(), notes.end(), [](const file::Complaint& a, const file::Complaint& b) {
    return std::pair{a.file, a.line} < std::pair{b.file, b.line};
  });
  for (auto& note : notes) std::replace(note.key.begin(), note.key.end(), ' ', '.');
  return notes;
}

// What came out is read as `up` would read it. Something in it may still be too much of a good thing, such as a name.
void works(const Imported& imported, const ImportOrder& order) {
  const auto made = file::printable(order.file.generic_string()) + " as a fleet";
  static_cast<void>(file::parse_fleet(imported.text, made));
}

}  // namespace

std::string_view to_string(ForeignFormat format) noexcept { return known(format).word; }

std::optional<ForeignFormat> foreign_format_of(std::string_view word) noexcept {
  const auto found = std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& one) { return one.word == word; });
  return found == kKnown.end() ? std::nullopt : std::optional{found->format};
}

std::vector<std::string_view> foreign_formats() {
  std::vector<std::string_view> words;
  words.reserve(kKnown.size());
  for (const auto& one : kKnown) words.push_back(one.word);
  return words;
}

std::optional<ForeignFormat> guessed_format(const std::filesystem::path& file, std::string_view text) {
  const auto name = file::lower_case(file.filename().string());
  if (name.find("procfile") != std::string::npos) return ForeignFormat::procfile;
  if (name.ends_with(".conf") || name.ends_with(".ini")) return ForeignFormat::supervisord;
  if (name.ends_with(".yml") || name.ends_with(".yaml")) return ForeignFormat::compose;
  for (const auto line : lines_of(text)) {
    if (line == "services:") return ForeignFormat::compose;
    if (line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') return ForeignFormat::supervisord;
    return std::nullopt;
  }
  return std::nullopt;
}

Imported import_fleet(const ImportOrder& order) {
  auto faults = faults_of_text(order.text, order.file.generic_string());
  if (!faults.empty()) throw file::BadInput(std::move(faults));
  auto fleet = known(order.format).import(order, faults);
  for (auto& fault : faults) std::replace(fault.key.begin(), fault.key.end(), ' ', '.');
  if (!faults.empty()) throw file::BadInput(std::move(faults));
  if (fleet.name.empty()) fleet.name = name_of(order);
  Imported imported;
  imported.text = text_of(fleet);
  imported.notes = all_notes(fleet);
  for (const auto& group : fleet.groups) imported.services += group.is_comment ? 0 : group.count.value_or(1);
  if (imported.services > 0) works(imported, order);
  return imported;
}

}  // namespace holdfast::up
