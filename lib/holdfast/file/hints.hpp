// Advice for people who write a scenario as another program would want it: lengths of time in other forms, the words of
// systemd, Docker, Kubernetes, supervisord and OTP, keys in the wrong table, and punctuation that is not TOML.
//
// Each function returns what to write instead, as a part of a sentence that begins with "write" or the like, or an
// empty text if it has no advice. Whoever shows advice about a value asks is_good_advice() first (format_check.hpp):
// what it says to write must not be refused in turn.
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <string>
#include <string_view>

#include <holdfast/file/keys.hpp>
#include <holdfast/file/toml_document.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// About a text where a length of time is allowed.
std::string length_hint(std::string_view text, const Length& length, const Key& key);

// About a value of a TOML type that the key at `path` does not accept.
std::string type_hint(const TomlValue& value, const Key& key, std::string_view path);

// About a number that is too large for a share: 50 for 50 %.
std::string share_hint(double number, const Number& range);

// About a text where certain words are allowed.
std::string word_hint(std::string_view text, const Key& key);

// About a key that `table` does not have, and that is a word of other programs there. `whole` is the table of the file.
std::string foreign_key_hint(std::string_view key, const Table& table, const Table& whole);
// Whether they differ in case and separators only.
bool is_the_same_word(std::string_view a, std::string_view b);

// About any other key that `table` does not have.
std::string key_hint(std::string_view key, const Table& table, const Table& whole);

// About a name that nobody has, and that looks like a pattern.
std::string pattern_hint(std::string_view name);

// About a line that is not TOML.
std::string syntax_hint(std::string_view line);

}  // namespace holdfast::file

#pragma GCC visibility pop
