// What the fuzzers share: the claims that they make about every input.
//
// A target is a function of one input, LLVMFuzzerTestOneInput. libFuzzer calls it with inputs that it makes up
// (tools/fuzz), replay.cpp with those of files, in any build. A claim that does not hold ends the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/bad_input.hpp>
#include <holdfast/file/complaints.hpp>
#include <holdfast/file/message_text.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace holdfast::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void claim(bool holds, std::string_view says, std::string_view found = "") {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n%.*s\n", static_cast<int>(says.size()), says.data(),
               static_cast<int>(found.size()), found.data());
  std::abort();
}

// The lengths of a text's lines. Behind the last line's end there is one more, an empty one.
inline std::vector<std::size_t> lines_of(std::string_view text) {
  std::vector<std::size_t> lengths{0};
  for (const char c : text) {
    if (c == '\n') {
      lengths.push_back(0);
    } else {
      ++lengths.back();
    }
  }
  return lengths;
}

inline bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return file::invalid_utf8(text) == std::string_view::npos;
}

// Complaints stand where the file has something, in its order, and can be shown on a terminal.
inline void claim_sound(const std::vector<file::Complaint>& complaints, std::string_view text,
                        const std::string& file) {
  const auto lines = lines_of(text);
  claim(complaints.size() <= file::Complaints::kMax + 1, "there are not more complaints than anybody reads");
  for (const auto& complaint : complaints) {
    const std::string shown = to_string(complaint);
    claim(is_plain(shown), "a complaint is UTF-8 without control characters", shown);
    claim(shown.size() < 4096, "a complaint can be read", shown);
    if (complaint.file != file || complaint.line == 0) continue;
    claim(complaint.line <= lines.size(), "a complaint's line is one of the file", shown);
    claim(complaint.column <= lines[complaint.line - 1] + 1, "a complaint's column is one of its line", shown);
  }
}

// What read() makes of the text; nullopt: it is refused, with complaints that can be shown.
template <class Read>
auto accepted(std::string_view text, const std::string& file, const Read& read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const file::BadInput& bad) {
    claim(!bad.complaints().empty(), "a refusal has a complaint");
    claim_sound(bad.complaints(), text, file);
    return std::nullopt;
  }
}

}  // namespace holdfast::fuzz
