// Files of other supervisors as a first fleet: what they say is translated, and what cannot be is named with its line.
//
// A translation never fails because of a key that nobody here knows. It is refused if the file is not what it should be
// in its own language, for then nobody knows what was meant.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/bad_input.hpp>

namespace holdfast::up {

enum class ForeignFormat : std::uint8_t { supervisord, procfile, compose };
std::string_view to_string(ForeignFormat) noexcept;
std::optional<ForeignFormat> foreign_format_of(std::string_view word) noexcept;
// The words of all, for messages.
std::vector<std::string_view> foreign_formats();

// By its name, or else by its text. nullopt: it looks like none of them.
std::optional<ForeignFormat> guessed_format(const std::filesystem::path& file, std::string_view text);

struct ImportOrder {
  std::filesystem::path file{};  // for messages, and for what stands beside it
  std::string text{};
  ForeignFormat format{};
  std::string name{};  // of the fleet; empty: as the file says, or as its folder is called
  // The environment in which the file would be read.
  std::function<std::optional<std::string>(const std::string&)> variable{};
};

struct Imported {
  std::string text{};                  // a file for `holdfast up`, with comments
  std::vector<file::Complaint> notes;  // what was left out or is different, and why; in the order of the file
  std::size_t services = 0;            // those that stand as a comment not included
};

// Throws file::BadInput, which lists everything that is wrong.
Imported import_fleet(const ImportOrder& order);

}  // namespace holdfast::up
