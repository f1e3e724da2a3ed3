#include <holdfast/file/hints.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/policy.hpp>

#include <holdfast/file/duration_text.hpp>
#include <holdfast/file/format_check.hpp>
#include <holdfast/file/letters.hpp>
#include <holdfast/file/meant_duration.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/probe_text.hpp>

namespace holdfast::file {

namespace {

using holdfast::to_string;
using Kind = TomlValue::Kind;

// A word without case and separators: "Restart-Sec" is "restartsec".
std::string squeezed(std::string_view text) {
  std::string word = lower_case(text);
  std::erase_if(word, [](char c) { return c == '-' || c == '_' || c == ' ' || c == '.'; });
  return word;
}

std::string write_text(std::string_view text) { return "write " + in_quotes(text); }

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Lengths of time
// ---------------------------------------------------------------------------------------------------------------------

namespace {

template <class Form>
const Form* form_of(const Key& key) {
  for (const auto& form : key.forms) {
    if (const auto* const found = std::get_if<Form>(&form)) return found;
  }
  return nullptr;
}

bool has_distributions(const Table& table) { return table.find("uniform") && table.find("exponential"); }

std::string write_uniform(Duration least, Duration greatest) {
  return "write { uniform = [" + in_quotes(to_string(least)) + ", " + in_quotes(to_string(greatest)) + "] }";
}

// "1s..5s", "1s-5s", "1s to 5s", where a distribution is allowed.
std::string about_range(std::string_view text, const Key& key) {
  const auto* const inner = form_of<Inner>(key);
  if (!inner || !has_distributions(inner->table())) return "";
  constexpr std::array<std::string_view, 7> kBetween{"...", "..", "-", "\xE2\x80\x93", " to ", " and ", ","};
  for (const auto between : kBetween) {
    const auto at = text.find(between);
    if (at == std::string_view::npos) continue;
    const auto least = meant_duration(trimmed(text.substr(0, at)));
    const auto greatest = meant_duration(trimmed(text.substr(at + between.size())));
    if (least && greatest && *least <= *greatest) return write_uniform(*least, *greatest);
  }
  return "";
}

bool means_endless(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords{"inf",       "infinity", "infinite", "never",  "forever",
                                                   "unlimited", "always",   "endless",  "eternal"};
  return std::find(kWords.begin(), kWords.end(), squeezed(text)) != kWords.end();
}

bool means_nothing(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords{"none", "off",     "no",   "null", "disabled",
                                                   "nil",  "disable", "zero", "false"};
  return std::find(kWords.begin(), kWords.end(), squeezed(text)) != kWords.end();
}

bool holds_without(const Key& key) {
  return !key.required && !key.otherwise.empty() && !key.otherwise.starts_with('*') && key.otherwise != "see below";
}

// "leave the key out (then: once)"
std::string leave_out(const Key& key) {
  const bool says_more = holds_without(key) && key.otherwise != "none";
  return std::string{"leave the key out"} + (says_more ? " (then: " + std::string{key.otherwise} + ")" : "");
}

// Zero where a length has to be longer: what is meant is mostly that there is none.
std::string about_too_short(const Key& key) { return holds_without(key) ? leave_out(key) : ""; }

std::string write_either(Duration one, Duration other) {
  return write_text(to_string(one)) + " or " + in_quotes(to_string(other));
}

}  // namespace

namespace {

// Blanks that nobody sees are others, as copied from a page of the web: no-break and thin ones.
std::string with_plain_blanks(std::string_view text) {
  constexpr std::array<std::string_view, 4> kBlanks{"\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89", "\xE2\x80\x87"};
  std::string plain{text};
  for (const auto blank : kBlanks) {
    for (auto at = plain.find(blank); at != std::string::npos; at = plain.find(blank))
      plain.replace(at, blank.size(), " ");
  }
  return plain;
}

// "1h30" lacks the unit that is next.
std::string with_missing_unit(std::string_view text, Duration least, const Key& key) {
  if (text.empty() || !is_digit(text.back())) return "";
  if (const auto seconds = meant_seconds(text)) {
    return *seconds < least ? about_too_short(key) : write_text(to_string(*seconds)) + " if seconds are meant";
  }
  const std::string spelt{text};
  if (const auto either = either_duration(spelt + "s")) return write_either(either->first, either->second);
  const auto unit = lower_case(text.substr(text.find_last_not_of("0123456789 "), 1));
  const auto meant = meant_duration(spelt + (unit == "d" ? "h" : unit == "h" ? "min" : "s"));
  return meant && *meant >= least ? write_text(to_string(*meant)) : "";
}

}  // namespace

std::string length_hint(std::string_view text, const Length& length, const Key& key) {
  const std::string plain = with_plain_blanks(text);
  text = trimmed(plain);
  if (const auto meant = meant_duration(text)) {
    return *meant < length.min ? about_too_short(key) : write_text(to_string(*meant));
  }
  if (const auto either = either_duration(text); either && either->first >= length.min) {
    return write_either(either->first, either->second);
  }
  if (auto hint = with_missing_unit(text, length.min, key); !hint.empty()) return hint;
  if (auto hint = about_range(text, key); !hint.empty()) return hint;
  if (text.starts_with('-') && meant_duration(text.substr(1))) return "a length of time is never negative";
  if (means_nothing(text)) {
    if (length.min > Duration::zero() || key.otherwise == "none") return about_too_short(key);
    // Without the key another one's length may hold, which is none only by chance.
    const bool is_anothers = key.otherwise.starts_with("the ");
    if (holds_without(key) && !is_anothers) return leave_out(key);
    return write_text("0s") + (is_anothers ? " for none, or " + leave_out(key) : "");
  }
  if (!means_endless(text)) return "";
  return holds_without(key) ? leave_out(key) : "the longest is " + in_quotes(to_string(kDurationMax));
}

// ---------------------------------------------------------------------------------------------------------------------
// Types
// ---------------------------------------------------------------------------------------------------------------------

namespace {

bool has_word(const Key& key, std::string_view word) {
  const auto* const form = form_of<Word>(key);
  return form && std::find(form->words.begin(), form->words.end(), word) != form->words.end();
}

std::string number_text(const TomlValue& value) {
  return value.kind == Kind::integer ? std::to_string(value.integer) : decimal(value.number);
}

std::string length_of_number(const TomlValue& value, Duration least, const Key& key) {
  const auto meant = meant_duration(number_text(value) + "s");
  if (meant && *meant < least) return about_too_short(key);
  return meant ? "write " + in_quotes(to_string(*meant)) + " if seconds are meant" : "";
}

// Of the whole, or relative to others of its kind: what people write in percent.
bool is_share(const Number& range) { return range.above_min || range.max == Ratio::from(1); }

// Of a percentage, "99.9": its hundredth, "0.999", by its digits, for 99.9 / 100 is no round number.
std::string write_share(std::string_view percentage) {
  const auto point = std::min(percentage.find('.'), percentage.size());
  std::string digits = std::string(point < 3 ? 3 - point : 0, '0') + std::string{percentage.substr(0, point)};
  const std::size_t whole = digits.size() - 2;
  if (point < percentage.size()) digits += percentage.substr(point + 1);
  digits.insert(whole, 1, '.');
  while (digits.back() == '0' && digits[digits.size() - 2] != '.') digits.pop_back();
  const bool is_whole = percentage.substr(point).find_first_not_of(".0") == std::string_view::npos;
  return "write " + digits + " for " + std::string{percentage.substr(0, is_whole ? point : percentage.size())} + " %";
}

// "50%", "0.5", "3" in quotes.
std::string number_in_quotes(std::string_view text, const Key& key) {
  text = trimmed(text);
  const bool percent = text.ends_with('%');
  const auto digits = trimmed(text.substr(0, text.size() - (percent ? 1 : 0)));
  std::string_view rest = digits;
  const auto whole = take_number(rest);
  if (!whole) return "";
  const auto* const number = form_of<Number>(key);
  const bool fraction = rest.size() > 1 && rest.front() == '.' && std::all_of(rest.begin() + 1, rest.end(), is_digit);
  const bool is_zero = digits.find_first_not_of("0.") == std::string_view::npos;
  if (percent && is_zero) return "";
  if (percent && number && (rest.empty() || fraction) && *whole <= 100 && is_share(*number)) return write_share(digits);
  if (percent || (!rest.empty() && !(fraction && number))) return "";
  if (!number && !form_of<Integer>(key)) return "";
  return "write " + std::string{digits} + " without quotes";
}

// The variables of a shell are none of ours: "${HOME}" is written "$${HOME}".
std::string for_a_program(std::string_view text) {
  std::string escaped;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto rest = text.substr(at);
    const bool is_ours = rest.starts_with("${NAME}") || rest.starts_with("${INDEX}") || escaped.ends_with('$');
    escaped += rest.starts_with("${") && !is_ours ? "$$" : rest.substr(0, 1);
  }
  return escaped;
}

// "postgres -D /srv/data" as the array that it means; what only a shell understands stays one text for a shell.
std::string write_array(std::string_view text, const Key& key) {
  const bool is_command = form_of<Texts>(key)->min > 0;
  if (is_command && text.find_first_of("|&;<>()$`\\\"'*?[]#~%\n") != std::string_view::npos) {
    return "write [\"sh\", \"-c\", " + in_quotes(for_a_program(text)) +
           "] for a shell, or each argument as a text: [\"program\", \"argument\"]";
  }
  std::string array;
  for (text = trimmed(text); !text.empty();) {
    const auto end = is_command ? std::min(text.find_first_of(" \t"), text.size()) : text.size();
    array += (array.empty() ? "" : ", ") + in_quotes(text.substr(0, end));
    text = trimmed(text.substr(end));
  }
  return "write [" + array + "]" + (is_command ? ": no shell splits it" : "");
}

// "<= 3", "0..3", "3-5", where a count may be a range.
std::string about_count(std::string_view text) {
  text = trimmed(text);
  std::string packed;
  for (const char c : text) {
    if (!is_blank(c)) packed += c;
  }
  std::string_view rest = packed;
  const auto ends_with_number = [&](std::string_view sign) {
    if (!rest.starts_with(sign)) return std::optional<std::uint64_t>{};
    std::string_view digits = rest.substr(sign.size());
    const auto number = take_number(digits);
    return digits.empty() ? number : std::nullopt;
  };
  if (const auto most = ends_with_number("<=")) return "write { max = " + std::to_string(*most) + " }";
  if (const auto least = ends_with_number(">=")) return "write { min = " + std::to_string(*least) + " }";
  if (const auto over = ends_with_number(">")) return "write { min = " + std::to_string(*over + 1) + " }";
  if (const auto under = ends_with_number("<"); under && *under > 0) {
    return "write { max = " + std::to_string(*under - 1) + " }";
  }
  const auto least = take_number(rest);
  if (!least) return "";
  for (const std::string_view between : {"...", "..", "-"}) {
    const auto most = ends_with_number(between);
    if (most && *least <= *most) {
      return "write { min = " + std::to_string(*least) + ", max = " + std::to_string(*most) + " }";
    }
  }
  return "";
}

bool is_range_of_counts(const Key& key) {
  const auto* const inner = form_of<Inner>(key);
  return inner && form_of<Integer>(key) && inner->table().find("min") && inner->table().find("max");
}

bool asks_programs(const Key& key) {
  const auto* const inner = form_of<Inner>(key);
  return inner && inner->table().find("tcp") && inner->table().find("http");
}

// An address where a table is wanted that says how to ask.
std::string write_probe(std::string_view text) {
  const auto lower = lower_case(text);
  if (lower == "http" || text.starts_with('/')) {
    const std::string path = text.starts_with('/') ? std::string{text} : "/healthz";
    return "write { http = " + in_quotes("http://127.0.0.1:8080" + path) + " }";
  }
  if (lower == "tcp" || lower == "port") return "write { tcp = 8080 }";
  if (lower.starts_with("http")) {
    if (is_probe_url(text)) return "write { http = " + in_quotes(text) + " }";
    const auto hint = probe_url_hint(text);
    return hint.starts_with("write \"") ? "write { http = " + hint.substr(sizeof "write") + " }" : hint;
  }
  const auto port = meant_port(text);
  return port.empty() ? "" : "write { tcp = " + port + " }";
}

// What stands in a table.
struct Entry {
  std::string_view key;
  std::string value;
};

std::string example_of(const Key& key);

std::string with_braces(const std::vector<Entry>& entries) {
  std::string text;
  for (const auto& entry : entries) text += (text.empty() ? "" : ", ") + std::string{entry.key} + " = " + entry.value;
  return text.empty() ? "{ }" : "{ " + text + " }";
}

// A table with these entries, and with what else it has to have.
std::string whole_table(const Table& table, std::vector<Entry> entries) {
  const auto has = [&](std::string_view key) {
    return std::any_of(entries.begin(), entries.end(), [key](const Entry& entry) { return entry.key == key; });
  };
  for (const auto& key : table.keys) {
    if (!key.required || has(key.name)) continue;
    const bool is_of_resource = key.name == "of" && table.find("slots");
    entries.push_back({key.name, is_of_resource ? in_quotes("db") : example_of(key)});
  }
  if (table.choice != Table::Choice::free && std::none_of(table.of.begin(), table.of.end(), has)) {
    std::string_view chosen = table.of.front();
    for (const std::string_view better : {"running", "tcp"}) {
      if (table.find(better)) chosen = better;
    }
    entries.push_back({chosen, example_of(*table.find(chosen))});
  }
  return with_braces(entries);
}

// A value that a key may have.
std::string example_of(const Key& key) {
  if (const auto* const words = form_of<Word>(key)) return in_quotes(words->words.front());
  if (is_range_of_counts(key)) return "{ min = 2 }";
  if (key.name == "tcp") return "8080";
  if (key.name == "file") return in_quotes("trace.csv");
  if (key.name == "folder") return in_quotes("recordings");
  if (key.name == "resource") return in_quotes("db");
  if (form_of<Length>(key)) return in_quotes("5min");
  if (const auto* const integer = form_of<Integer>(key))
    return std::to_string(std::max<std::uint64_t>(integer->min, 3));
  if (form_of<Number>(key)) return "0.5";
  if (const auto* const inner = form_of<Inner>(key)) return whole_table(inner->table(), {});
  return form_of<Texts>(key) && !form_of<Text>(key) ? "[\"feed\"]" : in_quotes("feed");
}

// "running >= 2", "running = 2".
std::string about_condition(std::string_view text, const Table& table) {
  text = trimmed(text);
  const auto end = std::min(text.find_first_of(" <>=:"), text.size());
  const auto* const key = table.find(text.substr(0, end));
  if (!key || !is_range_of_counts(*key) || !key->needs.empty()) return "";
  auto rest = trimmed(text.substr(end));
  auto count = about_count(rest);
  while (!rest.empty() && (rest.front() == '=' || rest.front() == ':' || is_blank(rest.front()))) rest.remove_prefix(1);
  auto digits = rest;
  if (count.empty() && take_number(digits) && digits.empty()) count = "write " + std::string{rest};
  if (count.empty()) return "";
  return "write " + with_braces({{key->name, count.substr(sizeof "write")}}) + ", with of = \"feed\" in it for a group";
}

std::string_view our_word(std::string_view text, const Key& key);

// A text where a table is wanted: what in the table it may be.
std::string about_text_of_table(std::string_view text, const Table& table) {
  text = trimmed(text);
  if (text.empty()) return "";
  auto length = parse_duration(text);
  if (!length) length = meant_duration(text);
  for (const std::string_view name : {"for", "base", "open_for", "takes", "every"}) {
    if (length && table.find(name)) return "write " + whole_table(table, {{name, in_quotes(to_string(*length))}});
  }
  if (auto hint = about_condition(text, table); !hint.empty()) return hint;
  for (const auto& key : table.keys) {
    if (!form_of<Word>(key)) continue;
    const auto& words = form_of<Word>(key)->words;
    const auto same =
        std::find_if(words.begin(), words.end(), [&](std::string_view word) { return is_the_same_word(word, text); });
    const auto word = same != words.end() ? *same : key.required ? our_word(text, key) : std::string_view{};
    if (!word.empty()) return "write " + whole_table(table, {{key.name, in_quotes(word)}});
  }
  if (const auto* const share = table.find("share"); share && text.ends_with('%')) {
    const auto hint = number_in_quotes(text, *share);
    const auto note = hint.find(" for ");
    return note == std::string::npos
               ? ""
               : "write " + whole_table(table, {{"share", hint.substr(sizeof "write", note - sizeof "write")}}) +
                     hint.substr(note);
  }
  if (table.find("cohort") && (text == "all" || text == "*")) return "write " + whole_table(table, {});
  if (text.find(' ') != std::string_view::npos) return "";
  for (const std::string_view name : {"file", "resource", "folder", "path", "of"}) {
    if (table.find(name)) return "write " + whole_table(table, {{name, in_quotes(text)}});
  }
  return "";
}

// "A=1 B=2" as the table that it means.
std::string about_variables(const std::vector<std::string_view>& texts) {
  std::vector<Entry> entries;
  entries.reserve(texts.size());
  for (std::string_view text : texts) {
    text = trimmed(text);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) return "";
    const auto name = text.substr(0, equals);
    auto value = text.substr(equals + 1);
    if (key_text(name) != name) return "";
    if (value.size() > 1 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    entries.push_back({name, in_quotes(value)});
  }
  return entries.empty() ? "" : "write " + with_braces(entries);
}

std::string about_text(std::string_view text, const Key& key) {
  if (asks_programs(key) && !trimmed(text).empty()) return write_probe(trimmed(text));
  if (form_of<NamedTexts>(key)) {
    std::vector<std::string_view> texts;
    for (auto rest = trimmed(text); !rest.empty();) {
      const auto end = std::min(rest.find_first_of(" ,\n"), rest.size());
      if (end > 0) texts.push_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return about_variables(texts);
  }
  if (form_of<Texts>(key) && !form_of<Text>(key) && !trimmed(text).empty()) return write_array(text, key);
  if (is_range_of_counts(key)) {
    if (auto hint = about_count(text); !hint.empty()) return hint;
  }
  if (form_of<Number>(key) || form_of<Integer>(key)) return number_in_quotes(text, key);
  if (form_of<True>(key)) return "write true, without quotes";
  const auto* const inner = form_of<Inner>(key);
  return inner ? about_text_of_table(text, inner->table()) : "";
}

std::string about_boolean(bool value, const Key& key) {
  if (has_word(key, "return")) return write_text(value ? "return" : "wait");
  if (has_word(key, "off")) return value ? "leave the key out, or write a table" : write_text("off");
  if (has_word(key, "on_failure")) return write_text(value ? "always" : "never");
  if (has_word(key, "notified")) return write_text(value ? "notified" : "at_once");
  if (has_word(key, "obey")) return write_text(value ? "obey" : "ignore");
  if (has_word(key, "equal")) return write_text(value ? "full" : "none");
  if (has_word(key, "fixed")) return write_text(value ? "exponential" : "fixed");
  if (has_word(key, "go_on")) return write_text(value ? "go_on" : "stop");
  if (has_word(key, "keep")) return value ? "" : write_text("keep");
  if (has_word(key, "docker")) return value ? "" : "write { base = \"0s\", growth = \"fixed\" } to wait for nothing";
  const auto* const inner = form_of<Inner>(key);
  if (!value) return key.required || (!inner && !holds_without(key)) ? "" : leave_out(key);
  if (!inner) return "";
  const auto& table = inner->table();
  const auto whole = whole_table(table, {});
  if (whole != "{ }") return "write " + whole;
  if (table.find("of")) return "write { }, or { of = \"feed\" } for a part of the fleet";
  return table.find("open_for") || table.find("burst") ? "write { } for its defaults" : "";
}

// A number where a table is wanted.
std::string about_number_of_table(const TomlValue& value, const Table& table) {
  if (table.find("tcp")) return "";
  const auto number = number_text(value);
  for (const std::string_view name : {"for", "takes", "base"}) {
    const auto length = table.find(name) && value.kind != Kind::text ? meant_duration(number + "s") : std::nullopt;
    if (length) return "write " + whole_table(table, {{name, in_quotes(to_string(*length))}}) + " if seconds are meant";
  }
  for (const std::string_view name : {"running", "runs", "slots", "share", "exponential", "proportional"}) {
    const auto* const key = table.find(name);
    if (!key || (key->name == "share" && value.kind == Kind::integer)) continue;  // "3" is no share
    if (fits(value, *key)) return "write " + whole_table(table, {{name, number}});
    const auto* const range = form_of<Number>(*key);
    const auto share =
        range ? share_hint(value.kind == Kind::integer ? static_cast<double>(value.integer) : value.number, *range)
              : std::string{};
    const auto end = share.find(" for ");
    if (end != std::string::npos)
      return "write { " + std::string{name} + " = " + share.substr(sizeof "write", end - sizeof "write") + " }" +
             share.substr(end);
  }
  return "";
}

// A number of tries where a breaker is wanted; 0 of them is no limit, to others.
std::string about_tries(std::int64_t tries, const Key& key) {
  if (tries == 0) return write_text("off");
  const auto advice = "write { max_failures = " + std::to_string(tries) + " }";
  return is_good_advice(advice, key) ? advice : write_text("off");
}

std::string about_table(const Key& key, const std::string& header) {
  return form_of<Tables>(key) ? "write it in double brackets, [[" + header + "]], one for each" : "";
}

// Texts in brackets: ["tcp:80"], or a command, as Docker's CMD has it.
std::string about_asking(std::vector<std::string_view> texts) {
  if (texts.size() == 1) {
    if (auto hint = write_probe(trimmed(texts.front())); !hint.empty()) return hint;
  }
  if (texts.front() == "CMD") texts.erase(texts.begin());
  std::string array;
  if (!texts.empty() && texts.front() == "CMD-SHELL") {
    texts.erase(texts.begin());
    array = "\"sh\", \"-c\"";
  }
  if (texts.empty()) return "";
  for (const auto text : texts) array += (array.empty() ? "" : ", ") + in_quotes(for_a_program(text));
  return "write { exec = [" + array + "] }";
}

// One value, or several names, where no array may be.
std::string about_items(const TomlValue& value, const Key& key, const std::string& header) {
  const auto* const inner = form_of<Inner>(key);
  const auto written = [](const TomlValue& item) {
    return item.kind == Kind::text                                   ? in_quotes(item.text)
           : item.kind == Kind::integer || item.kind == Kind::number ? number_text(item)
                                                                     : std::string{};
  };
  if (value.items.size() == 1) {
    const auto& item = value.items.front();
    const auto text = written(item);
    if (text.empty()) return "";
    if (fits(item, key)) return "write " + text + " without brackets";
    if (const auto* const length = form_of<Length>(key); length && item.kind == Kind::text) {
      return length_hint(item.text, *length, key);
    }
    return form_of<Word>(key) && item.kind == Kind::text ? word_hint(item.text, key) : type_hint(item, key, header);
  }
  const auto* const of = inner ? inner->table().find("of") : nullptr;
  if (!of || value.items.empty() || !form_of<Texts>(*of)) return "";
  std::string names;
  for (const auto& item : value.items) {
    if (item.kind != Kind::text) return "";
    names += (names.empty() ? "" : ", ") + in_quotes(item.text);
  }
  return "write " + whole_table(inner->table(), {{"of", '[' + names + ']'}});
}

std::string about_array(const TomlValue& value, const Key& key, const std::string& header) {
  const bool of_tables = !value.items.empty() && value.items.front().kind == Kind::table;
  if (of_tables && form_of<Inner>(key)) {
    return "write it in single brackets, [" + header + "]: there is only one";
  }
  const auto* const inner = form_of<Inner>(key);
  if (inner && has_distributions(inner->table()) && value.items.size() == 2) {
    const auto least = meant_duration(value.items[0].text);
    const auto greatest = meant_duration(value.items[1].text);
    if (least && greatest && *least <= *greatest) return write_uniform(*least, *greatest);
  }
  const auto is_count = [](const TomlValue& item) { return item.kind == Kind::integer && item.integer >= 0; };
  if (is_range_of_counts(key) && value.items.size() == 2 && is_count(value.items[0]) && is_count(value.items[1]) &&
      value.items[0].integer <= value.items[1].integer) {
    return "write { min = " + std::to_string(value.items[0].integer) +
           ", max = " + std::to_string(value.items[1].integer) + " }";
  }
  std::vector<std::string_view> texts;
  for (const auto& item : value.items) {
    if (item.kind == Kind::text) texts.push_back(item.text);
  }
  if (texts.size() == value.items.size() && !texts.empty()) {
    if (form_of<NamedTexts>(key)) return about_variables(texts);
    if (asks_programs(key)) return about_asking(texts);
  }
  return about_items(value, key, header);
}

}  // namespace

std::string type_hint(const TomlValue& value, const Key& key, std::string_view path) {
  std::string header;  // "expect.fleet" of "expect.fleet[0]"
  bool in_index = false;
  for (const char c : path) {
    in_index = in_index ? c != ']' : c == '[';
    if (!in_index && c != ']') header += c;
  }
  const bool wants_length = form_of<Length>(key) != nullptr;
  switch (value.kind) {
    case Kind::text: return about_text(value.text, key);
    case Kind::boolean: return about_boolean(value.boolean, key);
    case Kind::table: return about_table(key, header);
    case Kind::array: return about_array(value, key, header);
    case Kind::time: return wants_length ? "write a length of time in quotes, like \"5min\"" : "";
    case Kind::integer:
      if (wants_length && value.integer >= 0) return length_of_number(value, form_of<Length>(key)->min, key);
      if (form_of<True>(key) && value.integer == 1) return "write true";
      if (asks_programs(key) && value.integer > 0 && value.integer < 65'536) {
        return "write { tcp = " + std::to_string(value.integer) + " } to ask this port";
      }
      if (has_word(key, "off")) return about_tries(value.integer, key);
      if (form_of<Inner>(key) && value.integer >= 0) return about_number_of_table(value, form_of<Inner>(key)->table());
      if (const auto* const spelt = form_of<Spelt>(key); spelt && spelt->hint) {
        return spelt->hint(std::to_string(value.integer));
      }
      return form_of<Name>(key) || form_of<Text>(key) ? write_text(std::to_string(value.integer)) : "";
    case Kind::number:
      if (wants_length && value.number >= 0) return length_of_number(value, form_of<Length>(key)->min, key);
      if (form_of<Integer>(key) && value.number >= 0 && value.number < 1e15 &&
          value.number == static_cast<double>(static_cast<std::int64_t>(value.number))) {
        return "write " + std::to_string(static_cast<std::int64_t>(value.number));
      }
      return form_of<Inner>(key) && value.number >= 0 ? about_number_of_table(value, form_of<Inner>(key)->table()) : "";
  }
  return "";
}

std::string share_hint(double number, const Number& range) {
  const bool is_percentage = number >= 2 && number <= 100;
  return is_share(range) && is_percentage ? write_share(decimal(number)) : "";
}

// ---------------------------------------------------------------------------------------------------------------------
// Words of others
// ---------------------------------------------------------------------------------------------------------------------

namespace {

struct Foreign {
  std::string_view word;     // squeezed
  std::string_view instead;  // a word of ours
};

// By the first word that the key allows.
constexpr std::array kRestarts{Foreign{"unlessstopped", "always"},
                               Foreign{"permanent", "always"},
                               Foreign{"yes", "always"},
                               Foreign{"true", "always"},
                               Foreign{"on", "always"},
                               Foreign{"onsuccess", "always"},
                               Foreign{"any", "always"},
                               Foreign{"alwaysrestart", "always"},
                               Foreign{"respawn", "always"},
                               Foreign{"onfailure", "on_failure"},
                               Foreign{"onabnormal", "on_failure"},
                               Foreign{"onabort", "on_failure"},
                               Foreign{"onwatchdog", "on_failure"},
                               Foreign{"onerror", "on_failure"},
                               Foreign{"onfail", "on_failure"},
                               Foreign{"onexit", "always"},
                               Foreign{"oncrash", "on_failure"},
                               Foreign{"transient", "on_failure"},
                               Foreign{"unexpected", "on_failure"},
                               Foreign{"failure", "on_failure"},
                               Foreign{"no", "never"},
                               Foreign{"none", "never"},
                               Foreign{"false", "never"},
                               Foreign{"off", "never"},
                               Foreign{"temporary", "never"},
                               Foreign{"oneshot", "never"},
                               Foreign{"once", "never"}};
constexpr std::array kReadies{
    Foreign{"notify", "notified"},   Foreign{"sdnotify", "notified"},   Foreign{"systemd", "notified"},
    Foreign{"explicit", "notified"}, Foreign{"manual", "notified"},     Foreign{"signalled", "notified"},
    Foreign{"reported", "notified"}, Foreign{"yes", "notified"},        Foreign{"true", "notified"},
    Foreign{"now", "at_once"},       Foreign{"immediately", "at_once"}, Foreign{"immediate", "at_once"},
    Foreign{"started", "at_once"},   Foreign{"onstart", "at_once"},     Foreign{"simple", "at_once"},
    Foreign{"exec", "at_once"},      Foreign{"always", "at_once"},      Foreign{"none", "at_once"},
    Foreign{"no", "at_once"},        Foreign{"false", "at_once"},       Foreign{"instant", "at_once"}};
constexpr std::array kModes{Foreign{"down", "gone"},
                            Foreign{"off", "gone"},
                            Foreign{"dead", "gone"},
                            Foreign{"hostdown", "gone"},
                            Foreign{"hostoff", "gone"},
                            Foreign{"poweroff", "gone"},
                            Foreign{"host", "gone"},
                            Foreign{"power", "gone"},
                            Foreign{"reboot", "gone"},
                            Foreign{"absent", "gone"},
                            Foreign{"offline", "gone"},
                            Foreign{"away", "gone"},
                            Foreign{"fail", "failing"},
                            Foreign{"fails", "failing"},
                            Foreign{"failed", "failing"},
                            Foreign{"failure", "failing"},
                            Foreign{"error", "failing"},
                            Foreign{"errors", "failing"},
                            Foreign{"crash", "failing"},
                            Foreign{"crashing", "failing"},
                            Foreign{"broken", "failing"},
                            Foreign{"crashloop", "failing"},
                            Foreign{"refuse", "refusing"},
                            Foreign{"refused", "refusing"},
                            Foreign{"unreachable", "refusing"},
                            Foreign{"connectionrefused", "refusing"},
                            Foreign{"rejecting", "refusing"}};
constexpr std::array kThens{Foreign{"exit1", "fail"},
                            Foreign{"exit0", "end"},
                            Foreign{"crash", "fail"},
                            Foreign{"error", "fail"},
                            Foreign{"failure", "fail"},
                            Foreign{"fails", "fail"},
                            Foreign{"failed", "fail"},
                            Foreign{"die", "fail"},
                            Foreign{"dies", "fail"},
                            Foreign{"crashes", "fail"},
                            Foreign{"crashed", "fail"},
                            Foreign{"abort", "fail"},
                            Foreign{"segfault", "fail"},
                            Foreign{"kill", "fail"},
                            Foreign{"killed", "fail"},
                            Foreign{"panic", "throw"},
                            Foreign{"exception", "throw"},
                            Foreign{"raise", "throw"},
                            Foreign{"throws", "throw"},
                            Foreign{"exit", "end"},
                            Foreign{"exits", "end"},
                            Foreign{"stop", "end"},
                            Foreign{"stops", "end"},
                            Foreign{"ends", "end"},
                            Foreign{"quit", "end"},
                            Foreign{"success", "end"},
                            Foreign{"succeed", "end"},
                            Foreign{"ok", "end"},
                            Foreign{"complete", "end"},
                            Foreign{"completed", "end"},
                            Foreign{"done", "end"},
                            Foreign{"return", "end"},
                            Foreign{"finish", "end"},
                            Foreign{"freeze", "hang"},
                            Foreign{"hangs", "hang"},
                            Foreign{"stuck", "hang"},
                            Foreign{"block", "hang"},
                            Foreign{"deadlock", "hang"},
                            Foreign{"sleep", "hang"},
                            Foreign{"permanent", "fatal"},
                            Foreign{"unrecoverable", "fatal"},
                            Foreign{"exit(1)", "fail"},
                            Foreign{"exit(0)", "end"},
                            Foreign{"oom", "fail"},
                            Foreign{"oomkilled", "fail"},
                            Foreign{"sigkill", "fail"},
                            Foreign{"sigsegv", "fail"},
                            Foreign{"timeout", "hang"},
                            Foreign{"hung", "hang"},
                            Foreign{"loop", "hang"},
                            Foreign{"livelock", "hang"},
                            Foreign{"terminate", "end"},
                            Foreign{"terminates", "end"}};
constexpr std::array kObediences{
    Foreign{"obeys", "obey"},       Foreign{"stop", "obey"},    Foreign{"end", "obey"},  Foreign{"exit", "obey"},
    Foreign{"immediately", "obey"}, Foreign{"yes", "obey"},     Foreign{"true", "obey"}, Foreign{"ignores", "ignore"},
    Foreign{"ignored", "ignore"},   Foreign{"never", "ignore"}, Foreign{"no", "ignore"}, Foreign{"false", "ignore"},
    Foreign{"hang", "ignore"},      Foreign{"none", "ignore"},  Foreign{"die", "obey"},  Foreign{"dies", "obey"},
    Foreign{"killed", "obey"},      Foreign{"ends", "obey"}};
constexpr std::array kOffs{Foreign{"none", "off"},  Foreign{"no", "off"},       Foreign{"false", "off"},
                           Foreign{"never", "off"}, Foreign{"disabled", "off"}, Foreign{"disable", "off"},
                           Foreign{"null", "off"},  Foreign{"0", "off"}};
constexpr std::array kAfterwards{Foreign{"exit", "return"}, Foreign{"stop", "return"},     Foreign{"quit", "return"},
                                 Foreign{"end", "return"},  Foreign{"shutdown", "return"}, Foreign{"returns", "return"},
                                 Foreign{"waits", "wait"},  Foreign{"stay", "wait"},       Foreign{"keep", "wait"},
                                 Foreign{"idle", "wait"}};

constexpr std::array kDos{Foreign{"terminate", "stop"},    Foreign{"kill", "stop"},      Foreign{"shutdown", "stop"},
                          Foreign{"halt", "stop"},         Foreign{"delete", "remove"},  Foreign{"rm", "remove"},
                          Foreign{"reboot", "restart"},    Foreign{"roll", "restart"},   Foreign{"rollout", "restart"},
                          Foreign{"rolling", "restart"},   Foreign{"deploy", "restart"}, Foreign{"redeploy", "restart"},
                          Foreign{"bounce", "restart"},    Foreign{"reload", "restart"}, Foreign{"clear", "reset"},
                          Foreign{"resetfailed", "reset"}, Foreign{"forget", "reset"}};
constexpr std::array kFollowing{
    Foreign{"ignore", "keep"},    Foreign{"none", "keep"},         Foreign{"nothing", "keep"},
    Foreign{"no", "keep"},        Foreign{"off", "keep"},          Foreign{"continue", "keep"},
    Foreign{"goon", "keep"},      Foreign{"run", "keep"},          Foreign{"stay", "keep"},
    Foreign{"wants", "keep"},     Foreign{"hold", "wait"},         Foreign{"block", "wait"},
    Foreign{"pause", "wait"},     Foreign{"waits", "wait"},        Foreign{"follow", "restart"},
    Foreign{"partof", "restart"}, Foreign{"propagate", "restart"}, Foreign{"restarts", "restart"},
    Foreign{"fail", "stop"},      Foreign{"end", "stop"},          Foreign{"exit", "stop"},
    Foreign{"bindsto", "stop"},   Foreign{"requires", "stop"},     Foreign{"stops", "stop"},
    Foreign{"terminate", "stop"}};
constexpr std::array kRepairOrders{
    Foreign{"sequential", "in_turn"},   Foreign{"serial", "in_turn"},   Foreign{"onebyone", "in_turn"},
    Foreign{"queue", "in_turn"},        Foreign{"fifo", "in_turn"},     Foreign{"sequentially", "in_turn"},
    Foreign{"parallel", "each"},        Foreign{"independent", "each"}, Foreign{"individual", "each"},
    Foreign{"individually", "each"},    Foreign{"single", "each"},      Foreign{"all", "together"},
    Foreign{"atonce", "together"},      Foreign{"same", "together"},    Foreign{"shared", "together"},
    Foreign{"simultaneous", "together"}};
constexpr std::array kServedOrders{Foreign{"fifo", "oldest"},   Foreign{"first", "oldest"}, Foreign{"queue", "oldest"},
                                   Foreign{"old", "oldest"},    Foreign{"lifo", "newest"},  Foreign{"last", "newest"},
                                   Foreign{"stack", "newest"},  Foreign{"new", "newest"},   Foreign{"latest", "newest"},
                                   Foreign{"firstin", "oldest"}};
constexpr std::array kStales{Foreign{"drop", "dropped"}, Foreign{"discard", "dropped"}, Foreign{"discarded", "dropped"},
                             Foreign{"skip", "dropped"}, Foreign{"ignore", "dropped"},  Foreign{"ignored", "dropped"},
                             Foreign{"serve", "served"}, Foreign{"keep", "served"},     Foreign{"kept", "served"}};
constexpr std::array kHeartbeats{Foreign{"continue", "go_on"}, Foreign{"keep", "go_on"}, Foreign{"yes", "go_on"},
                                 Foreign{"on", "go_on"},       Foreign{"beat", "go_on"}, Foreign{"stops", "stop"},
                                 Foreign{"no", "stop"},        Foreign{"none", "stop"},  Foreign{"off", "stop"},
                                 Foreign{"silent", "stop"},    Foreign{"pause", "stop"}};
constexpr std::array kSigns{
    Foreign{"heartbeats", "heartbeat"}, Foreign{"ping", "heartbeat"},     Foreign{"beat", "heartbeat"},
    Foreign{"keepalive", "heartbeat"},  Foreign{"work", "progress"},      Foreign{"counter", "progress"},
    Foreign{"probe", "health"},         Foreign{"healthcheck", "health"}, Foreign{"check", "health"}};
constexpr std::array kCounted{Foreign{"failure", "failures"}, Foreign{"errors", "failures"},
                              Foreign{"crashes", "failures"}, Foreign{"all", "ends"},
                              Foreign{"any", "ends"},         Foreign{"exits", "ends"},
                              Foreign{"restarts", "ends"},    Foreign{"starts", "ends"}};
constexpr std::array kHolding{Foreign{"startup", "start"}, Foreign{"boot", "start"},  Foreign{"starting", "start"},
                              Foreign{"lifetime", "run"},  Foreign{"running", "run"}, Foreign{"always", "run"},
                              Foreign{"runs", "run"},      Foreign{"life", "run"}};
constexpr std::array kJitters{Foreign{"on", "full"},     Foreign{"yes", "full"},          Foreign{"true", "full"},
                              Foreign{"random", "full"}, Foreign{"fulljitter", "full"},   Foreign{"uniform", "full"},
                              Foreign{"half", "equal"},  Foreign{"equaljitter", "equal"}, Foreign{"off", "none"},
                              Foreign{"no", "none"},     Foreign{"false", "none"},        Foreign{"disabled", "none"}};
constexpr std::array kGrowths{
    Foreign{"double", "exponential"}, Foreign{"doubles", "exponential"}, Foreign{"doubling", "exponential"},
    Foreign{"exp", "exponential"},    Foreign{"binary", "exponential"},  Foreign{"geometric", "exponential"},
    Foreign{"constant", "fixed"},     Foreign{"const", "fixed"},         Foreign{"static", "fixed"},
    Foreign{"flat", "fixed"},         Foreign{"none", "fixed"},          Foreign{"off", "fixed"},
    Foreign{"no", "fixed"},           Foreign{"same", "fixed"}};
constexpr std::array kPresets{
    Foreign{"k8s", "kubernetes"}, Foreign{"kube", "kubernetes"}, Foreign{"kubelet", "kubernetes"},
    Foreign{"moby", "docker"},    Foreign{"dockerd", "docker"},  Foreign{"erlang", "otp"},
    Foreign{"elixir", "otp"},     Foreign{"beam", "otp"},        Foreign{"supervisor", "supervisord"},
    Foreign{"runsv", "runit"},    Foreign{"s6supervise", "s6"},  Foreign{"hashicorp", "nomad"}};
constexpr std::array kUnlimitedWords{Foreign{"infinity", "unlimited"}, Foreign{"inf", "unlimited"},
                                     Foreign{"none", "unlimited"}, Foreign{"max", "unlimited"},
                                     Foreign{"nolimit", "unlimited"}};
constexpr std::array kLogTargets{
    Foreign{"stdout", "output"},     Foreign{"stderr", "output"},  Foreign{"terminal", "output"},
    Foreign{"console", "output"},    Foreign{"inherit", "output"}, Foreign{"journal", "output"},
    Foreign{"none", "nothing"},      Foreign{"off", "nothing"},    Foreign{"null", "nothing"},
    Foreign{"/dev/null", "nothing"}, Foreign{"rotate", "file"}};
constexpr std::array kStopTargets{Foreign{"mixed", "process"},      Foreign{"main", "process"},
                                  Foreign{"pid", "process"},        Foreign{"leader", "process"},
                                  Foreign{"all", "group"},          Foreign{"pgid", "group"},
                                  Foreign{"controlgroup", "group"}, Foreign{"cgroup", "group"}};

template <std::size_t kSize>
std::string_view ours(const std::array<Foreign, kSize>& words, std::string_view squeezed_word) {
  const auto* const found =
      std::find_if(words.begin(), words.end(), [&](const Foreign& foreign) { return foreign.word == squeezed_word; });
  return found == words.end() ? std::string_view{} : found->instead;
}

// "SIGTERM" and "term" are TERM.
std::string_view our_signal(std::string_view squeezed_word, const Key& key) {
  if (squeezed_word.starts_with("sig")) squeezed_word.remove_prefix(3);
  for (const auto ours : form_of<Word>(key)->words) {
    if (lower_case(ours) == squeezed_word) return ours;
  }
  return {};
}

// By a word that no other list has.
std::string_view our_word_of(std::string_view word, const Key& key) {
  if (has_word(key, "TERM")) return our_signal(word, key);
  if (has_word(key, "output")) return ours(kLogTargets, word);
  if (has_word(key, "process")) return ours(kStopTargets, word);
  if (has_word(key, "on_failure")) return ours(kRestarts, word);
  if (has_word(key, "fatal")) return ours(kThens, word);
  if (has_word(key, "notified")) return ours(kReadies, word);
  if (has_word(key, "gone")) return ours(kModes, word);
  if (has_word(key, "obey")) return ours(kObediences, word);
  if (has_word(key, "off")) return ours(kOffs, word);
  if (has_word(key, "return")) return ours(kAfterwards, word);
  if (has_word(key, "reset")) return ours(kDos, word);
  if (has_word(key, "keep")) return ours(kFollowing, word);
  if (has_word(key, "in_turn")) return ours(kRepairOrders, word);
  if (has_word(key, "oldest")) return ours(kServedOrders, word);
  if (has_word(key, "dropped")) return ours(kStales, word);
  if (has_word(key, "go_on")) return ours(kHeartbeats, word);
  if (has_word(key, "heartbeat")) return ours(kSigns, word);
  if (has_word(key, "ends")) return ours(kCounted, word);
  if (has_word(key, "run")) return ours(kHolding, word);
  if (has_word(key, "equal")) return ours(kJitters, word);
  if (has_word(key, "fixed")) return ours(kGrowths, word);
  if (has_word(key, "docker")) return ours(kPresets, word);
  return has_word(key, "unlimited") ? ours(kUnlimitedWords, word) : std::string_view{};
}

// Empty where the key does not have it: a poisoned run cannot "hang".
std::string_view our_word(std::string_view text, const Key& key) {
  const auto word = our_word_of(squeezed(text), key);
  return has_word(key, word) ? word : std::string_view{};
}

// A word where a table would say more: "10%" for a jitter, "linear" for a growth, "off" for a backoff.
std::string about_word_of_table(std::string_view text, const Key& key) {
  const auto* const inner = form_of<Inner>(key);
  if (!inner) return "";
  const auto& table = inner->table();
  const auto word = squeezed(text);
  if (table.find("linear")) {
    if (word == "linear" || word == "additive") return "write { linear = \"1s\" }";
    if (word == "steps" || word == "stepped") return "write { steps = 5 }";
  }
  if (has_word(key, "docker")) {
    if (word == "off" || word == "none" || word == "no" || word == "immediate") {
      return "write { base = \"0s\", growth = \"fixed\" } to wait for nothing";
    }
    const auto* const growth = table.find("growth");
    const auto* const words = growth ? form_of<Word>(*growth) : nullptr;
    if (words) {
      const auto law = has_word(*growth, word) ? std::string_view{word} : our_word(text, *growth);
      if (!law.empty()) return "write { growth = " + in_quotes(law) + " }";
    }
    if (word == "linear") return "write { growth = { linear = \"1s\" } }";
  }
  for (const std::string_view name : {"proportional", "exponential", "max_failures"}) {
    const auto* const number = table.find(name);
    if (!number) continue;
    const auto share = number_in_quotes(text, *number);
    const auto value = share.substr(0, std::min(share.find(" for "), share.find(" without ")));
    const auto note = share.find(" for ");
    if (!value.empty()) {
      return "write { " + std::string{name} + " = " + value.substr(sizeof "write") + " }" +
             (note == std::string::npos ? "" : share.substr(note));
    }
  }
  return "";
}

}  // namespace

std::string word_hint(std::string_view text, const Key& key) {
  if (const auto word = our_word(text, key); !word.empty()) return write_text(word);
  if (asks_programs(key) && !trimmed(text).empty()) return write_probe(trimmed(text));
  // Docker's "on-failure:5".
  if (const auto colon = text.find(':'); colon != std::string_view::npos && has_word(key, "on_failure")) {
    std::string_view rest = text.substr(colon + 1);
    const auto tries = take_number(rest);
    if (squeezed(text.substr(0, colon)) == "onfailure" && tries && rest.empty()) {
      const bool is_limit = *tries > 0 && *tries <= kMaxFailuresMax;
      return write_text("on_failure") + ", and backoff = { breaker = " +
             (is_limit ? "{ max_failures = " + std::to_string(*tries) + " } }" : "\"off\" }: without a limit");
    }
  }
  if (auto hint = about_word_of_table(text, key); !hint.empty()) return hint;
  const auto* const inner = form_of<Inner>(key);
  auto meant = parse_duration(text);
  if (!meant) meant = meant_duration(text);
  for (const std::string_view name : {"takes", "base"}) {
    if (meant && inner && inner->table().find(name)) {
      return "write { " + std::string{name} + " = " + in_quotes(to_string(*meant)) + " }";
    }
  }
  return "";
}

namespace {

struct ForeignKey {
  std::string_view key;     // squeezed
  std::string_view advice;  // what to write instead
};

constexpr std::string_view kBase = "how long the first wait may be is backoff = { base = \"1s\" }";
constexpr std::string_view kMax = "how long every wait may be is backoff = { max = \"60s\" }";
constexpr std::string_view kTries =
    "when to give up is backoff = { breaker = { max_failures = 5, window = \"10min\" } }";
constexpr std::string_view kGrace = "how long a stop may take is stop_grace = \"10s\"";
constexpr std::string_view kRestartKey = "write restart = \"always\", \"on_failure\" or \"never\"";
constexpr std::string_view kRuns = "a scenario states how long runs last: runs_for = \"1h\" and then = \"fail\"";
constexpr std::string_view kCount = "how many services there are is count = 3";
constexpr std::string_view kCooldown = "a run that makes failures forgotten lasts backoff = { cooldown = \"5min\" }";
constexpr std::string_view kJitter = "from where to where a wait is drawn is backoff = { jitter = \"equal\" }";
constexpr std::string_view kGrowth = "how waits grow is backoff = { growth = { exponential = 1.5 } }";
constexpr std::string_view kSteps =
    "so many steps from base to max are backoff = { growth = { steps = 5 }, jitter = \"none\" }";
constexpr std::string_view kOf = "whom it is about is of = \"feed\", inside storm, outage or hang";
constexpr std::string_view kShare = "how many it hits is share = 0.5, inside storm, outage or hang";
constexpr std::string_view kFor = "how long it lasts is for = \"5min\", inside outage or hang";
constexpr std::string_view kFixed = "a length that is always the same is a text alone: \"1h\"";
constexpr std::string_view kBetween = "anything between two lengths is { uniform = [\"1s\", \"5s\"] }";
constexpr std::string_view kOnAverage = "a length on average is { exponential = \"1h\" }";
constexpr std::string_view kSpread = "lengths around one of them are { log_normal = { median = \"1h\", sigma = 0.5 } }";
constexpr std::string_view kNamesItself = "the distribution is the key itself: { exponential = \"1h\" }";
constexpr std::string_view kTakes = "how long it takes is { takes = \"5s\" }";
constexpr std::string_view kReady = "a run that says when it is ready is ready = \"notified\"";
constexpr std::string_view kReadyProbe =
    "a program is asked whether it is ready with ready = { http = \"http://127.0.0.1:8080/ready\" }, { tcp = 8080 } or "
    "{ exec = [\"pg_isready\"] }";
constexpr std::string_view kHealth =
    "a program is asked whether it is well with health = { http = \"http://127.0.0.1:8080/healthz\", every = \"10s\", "
    "timeout = \"3s\", failures = 3 }, or with tcp = 8080 or exec = [\"pg_isready\"] instead of http";
constexpr std::string_view kWatchdog = "how long a run may give no sign of life is watchdog = \"30s\"";
constexpr std::string_view kStarts =
    "a run is up when it says so (ready = \"notified\") or when it answers (ready = { tcp = 8080 }); "
    "one that makes failures forgotten lasts backoff = { cooldown = \"5min\" }";
constexpr std::string_view kStartTimeout =
    "how long a start may take is start_timeout = \"30s\", with ready = \"notified\"";
constexpr std::string_view kAfter = "write after = [\"db\"] with the groups that come first";
constexpr std::string_view kFollows = "write after = [\"db\"] and on_dependency = \"restart\" or \"stop\"";
constexpr std::string_view kBefore = "the group that comes later says so: after = [\"db\"]";
constexpr std::string_view kReadyAfter = "how long a start takes is ready_after = \"8s\", with ready = \"notified\"";
constexpr std::string_view kRecovers =
    "how long a repair takes is recovers_after = \"5min\", with runs_for and then = \"fail\"";
constexpr std::string_view kHalfOpen =
    "when an open breaker tries again is backoff = { breaker = { half_open = { open_for = \"30s\" } } }";
constexpr std::string_view kOwnHalfOpen = "when an open breaker tries again is half_open = { open_for = \"30s\" }";
constexpr std::string_view kOwnBase = "how long the first wait may be is base = \"1s\"";
constexpr std::string_view kOwnMax = "how long every wait may be is max = \"1min\"";
constexpr std::string_view kMaxFailures = "how many failures open it is max_failures = 5";
constexpr std::string_view kWindow = "within which time they count is window = \"10min\"";
constexpr std::string_view kOpenFor = "how long it stays open is open_for = \"30s\"";
constexpr std::string_view kOpenForMax = "how long it stays open at most is open_for_max = \"10min\"";
constexpr std::string_view kProbe = "there is one probe; how long it has to last is probe_success_after = \"10s\"";
constexpr std::string_view kKind = "the kind is the key itself: outage = { of = \"feed\", for = \"5min\" }";
constexpr std::string_view kEvery = "after how long it begins again is every = \"6h\", at the latest at until = \"2d\"";
constexpr std::string_view kAt = "when it begins is at = \"30min\"";
constexpr std::string_view kStopCommand = "what an operator does is command = { of = \"web\", do = \"stop\" }";
constexpr std::string_view kRestartCommand = "what an operator does is command = { of = \"web\", do = \"restart\" }";
constexpr std::string_view kRemoveCommand = "what an operator does is command = { of = \"web\", do = \"remove\" }";
constexpr std::string_view kResetCommand = "what an operator does is command = { of = \"web\", do = \"reset\" }";
constexpr std::string_view kInstant =
    "a storm is one instant; what lasts is outage = { of = \"feed\", for = \"5min\" }, in place of storm";
constexpr std::string_view kGone = "a host that is off is mode = \"gone\"";
constexpr std::string_view kFile = "write file = \"trace.csv\"";
constexpr std::string_view kDuration = "how long the rehearsal is, is duration = \"1h\"";
constexpr std::string_view kComment = "nothing like it is kept: write it as a comment, behind #";
constexpr std::string_view kDrainDeadline = "the drain's deadline is shutdown_timeout = \"30s\"";
constexpr std::string_view kNot = "this version of the format has nothing like it";

constexpr std::string_view kCommand = "the program is an array of texts: command = [\"web\", \"--port\", \"8080\"]";
constexpr std::string_view kEnvironment = "variables are environment = { PORT = \"8080\" }";
constexpr std::string_view kEnvironmentFiles = "files of variables are environment_files = [\"web.env\"]";
constexpr std::string_view kFolder = "where it runs is folder = \"/srv/web\"";
constexpr std::string_view kLog = "where its lines go is log = { path = \"web.log\", max_bytes = \"10MiB\", keep = 5 }";
constexpr std::string_view kStopSignal = "what asks it to stop is stop_signal = \"TERM\"";
constexpr std::string_view kBeforeStart = "a command before each start is before_start = [\"/srv/web/bin/migrate\"]";
constexpr std::string_view kAfterStop = "a command after each end is after_stop = [\"/srv/web/bin/clean\"]";
constexpr std::string_view kStopTo = "whom the stop signal reaches is stop_to = \"group\" or \"process\"";
constexpr std::string_view kSuccess = "exit statuses that are a clean end are exit_rules = { clean = [3] }";
constexpr std::string_view kFatal = "exit statuses after which no restart helps are exit_rules = { fatal = [78] }";
constexpr std::string_view kFailure = "exit statuses that are a failure are exit_rules = { failure = [0] }";
constexpr std::string_view kLimits = "limits are limits = { open_files = 65536, core = \"0B\" }";
constexpr std::string_view kUser = "whose rights it has is user = \"www-data\"";
constexpr std::string_view kUserGroup = "whose rights it has is group = \"www-data\"";
constexpr std::string_view kUmask = "permissions that its files do not get are umask = \"022\"";
constexpr std::string_view kControl =
    "the socket for commands is control = \"/run/holdfast/shop.sock\", in [supervisor]";
constexpr std::string_view kEndpoint = "where metrics are served is endpoint = \"127.0.0.1:9464\", in [supervisor]";

constexpr std::string_view kStorm = "runs that fail at once are storm = { of = \"feed\" }";
constexpr std::string_view kOutage = "what cannot run for a while is outage = { of = \"feed\", for = \"5min\" }";
constexpr std::string_view kStall = "a supervisor that stands still is stall = { for = \"5min\" }";
constexpr std::string_view kHang = "runs that neither end nor obey are hang = { of = \"feed\", for = \"5min\" }";

constexpr std::string_view kFleet = "services stand in [[fleet]]";
constexpr std::string_view kChaos = "what goes wrong stands in [[chaos]]";
constexpr std::string_view kExpect = "what must hold stands in [expect]";
constexpr std::string_view kSupervisor = "what holds for every service stands in [supervisor]";

// At the top of the file.
constexpr std::array kForeignTables{ForeignKey{"service", kFleet},
                                    ForeignKey{"services", kFleet},
                                    ForeignKey{"program", kFleet},
                                    ForeignKey{"programs", kFleet},
                                    ForeignKey{"process", kFleet},
                                    ForeignKey{"processes", kFleet},
                                    ForeignKey{"group", kFleet},
                                    ForeignKey{"groups", kFleet},
                                    ForeignKey{"unit", kFleet},
                                    ForeignKey{"worker", kFleet},
                                    ForeignKey{"workers", kFleet},
                                    ForeignKey{"container", kFleet},
                                    ForeignKey{"containers", kFleet},
                                    ForeignKey{"children", kFleet},
                                    ForeignKey{"child", kFleet},
                                    ForeignKey{"events", kChaos},
                                    ForeignKey{"event", kChaos},
                                    ForeignKey{"failures", kChaos},
                                    ForeignKey{"faults", kChaos},
                                    ForeignKey{"fault", kChaos},
                                    ForeignKey{"disturbance", kChaos},
                                    ForeignKey{"expectations", kExpect},
                                    ForeignKey{"expected", kExpect},
                                    ForeignKey{"assert", kExpect},
                                    ForeignKey{"asserts", kExpect},
                                    ForeignKey{"check", kExpect},
                                    ForeignKey{"checks", kExpect},
                                    ForeignKey{"defaults", kSupervisor},
                                    ForeignKey{"policy", kSupervisor},
                                    ForeignKey{"supervisord", kSupervisor},
                                    ForeignKey{"limits", "limits of a run stand in [budget]"}};

// Not by the deduction guide of std::array, which no clang expands for more than 256 elements.
constexpr auto kForeignKeys = std::to_array(
    {// systemd
     ForeignKey{"restartsec", kBase}, ForeignKey{"restartmaxdelaysec", kMax},
     ForeignKey{"restartrandomizeddelaysec", kJitter}, ForeignKey{"restartsteps", kSteps},
     ForeignKey{"startlimitburst", kTries}, ForeignKey{"startlimitinterval", kTries},
     ForeignKey{"startlimitintervalsec", kTries}, ForeignKey{"startlimitaction", kTries},
     ForeignKey{"timeoutstopsec", kGrace}, ForeignKey{"timeoutsec", kGrace}, ForeignKey{"killmode", kStopTo},
     ForeignKey{"killsignal", kStopSignal}, ForeignKey{"sendsigkill", kGrace}, ForeignKey{"execstart", kCommand},
     ForeignKey{"execstartpre", kBeforeStart}, ForeignKey{"execstoppost", kAfterStop},
     ForeignKey{"prestart", kBeforeStart}, ForeignKey{"poststop", kAfterStop}, ForeignKey{"finish", kAfterStop},
     ForeignKey{"type", kRuns}, ForeignKey{"runtimemaxsec", kRuns}, ForeignKey{"watchdogsec", kWatchdog},
     ForeignKey{"timeoutstartsec", kStartTimeout}, ForeignKey{"requires", kAfter}, ForeignKey{"wants", kAfter},
     ForeignKey{"bindsto", kFollows}, ForeignKey{"partof", kFollows}, ForeignKey{"requisite", kAfter},
     ForeignKey{"before", kBefore}, ForeignKey{"upholds", kAfter},
     // supervisord
     ForeignKey{"autorestart", kRestartKey}, ForeignKey{"autostart", kNot}, ForeignKey{"startretries", kTries},
     ForeignKey{"startsecs", kStarts}, ForeignKey{"stopwaitsecs", kGrace}, ForeignKey{"stopsignal", kStopSignal},
     ForeignKey{"killasgroup", kStopTo}, ForeignKey{"stopasgroup", kStopTo}, ForeignKey{"exitcodes", kSuccess},
     ForeignKey{"numprocs", kCount}, ForeignKey{"processname", "write name = \"feed\""}, ForeignKey{"priority", kNot},
     ForeignKey{"cmd", kCommand}, ForeignKey{"program", kCommand}, ForeignKey{"image", kCommand},
     // programs, by whatever name
     ForeignKey{"exec", kCommand}, ForeignKey{"args", kCommand}, ForeignKey{"argv", kCommand},
     ForeignKey{"arguments", kCommand}, ForeignKey{"entrypoint", kCommand}, ForeignKey{"script", kCommand},
     ForeignKey{"run", kCommand}, ForeignKey{"binary", kCommand}, ForeignKey{"executable", kCommand},
     ForeignKey{"shell", kCommand}, ForeignKey{"env", kEnvironment}, ForeignKey{"envs", kEnvironment},
     ForeignKey{"variables", kEnvironment}, ForeignKey{"envfile", kEnvironmentFiles},
     ForeignKey{"environmentfile", kEnvironmentFiles}, ForeignKey{"dotenv", kEnvironmentFiles},
     ForeignKey{"workingdir", kFolder}, ForeignKey{"workingdirectory", kFolder}, ForeignKey{"workdir", kFolder},
     ForeignKey{"directory", kFolder}, ForeignKey{"dir", kFolder}, ForeignKey{"cwd", kFolder},
     ForeignKey{"chdir", kFolder}, ForeignKey{"rootdir", kFolder}, ForeignKey{"logfile", kLog},
     ForeignKey{"logs", kLog}, ForeignKey{"logging", kLog}, ForeignKey{"loglocation", kLog}, ForeignKey{"stdout", kLog},
     ForeignKey{"stderr", kLog}, ForeignKey{"stdoutlogfile", kLog}, ForeignKey{"stderrlogfile", kLog},
     ForeignKey{"stdoutlogfilemaxbytes", kLog}, ForeignKey{"stdoutlogfilebackups", kLog},
     ForeignKey{"stderrlogfilemaxbytes", kLog}, ForeignKey{"stderrlogfilebackups", kLog},
     ForeignKey{"redirectstderr", kLog}, ForeignKey{"standardoutput", kLog}, ForeignKey{"standarderror", kLog},
     ForeignKey{"outfile", kLog}, ForeignKey{"errorfile", kLog}, ForeignKey{"runas", kUser}, ForeignKey{"uid", kUser},
     ForeignKey{"username", kUser}, ForeignKey{"gid", kUserGroup}, ForeignKey{"groupname", kUserGroup},
     ForeignKey{"supplementarygroups", kUser}, ForeignKey{"dynamicuser", kUser}, ForeignKey{"filemode", kUmask},
     ForeignKey{"ulimit", kLimits}, ForeignKey{"ulimits", kLimits}, ForeignKey{"rlimit", kLimits},
     ForeignKey{"rlimits", kLimits}, ForeignKey{"limitnofile", kLimits}, ForeignKey{"limitcore", kLimits},
     ForeignKey{"limitnproc", kLimits}, ForeignKey{"minfds", kLimits}, ForeignKey{"minprocs", kLimits},
     ForeignKey{"nofile", kLimits}, ForeignKey{"termsignal", kStopSignal}, ForeignKey{"successexitstatus", kSuccess},
     ForeignKey{"exitcode", kSuccess}, ForeignKey{"stopexitcodes", kSuccess},
     ForeignKey{"restartpreventexitstatus", kFatal}, ForeignKey{"socket", kControl}, ForeignKey{"serverurl", kControl},
     ForeignKey{"unixhttpserver", kControl}, ForeignKey{"controlsocket", kControl}, ForeignKey{"metrics", kEndpoint},
     ForeignKey{"inethttpserver", kEndpoint}, ForeignKey{"http", kEndpoint}, ForeignKey{"listen", kEndpoint},
     // Docker
     ForeignKey{"restartpolicy", kRestartKey}, ForeignKey{"condition", kRestartKey}, ForeignKey{"maxattempts", kTries},
     ForeignKey{"maximumretrycount", kTries}, ForeignKey{"stopgraceperiod", kGrace}, ForeignKey{"replicas", kCount},
     ForeignKey{"scale", kCount}, ForeignKey{"dependson", kAfter}, ForeignKey{"healthcheck", kHealth},
     ForeignKey{"healthprobe", kHealth}, ForeignKey{"healthcmd", kHealth}, ForeignKey{"probe", kHealth},
     ForeignKey{"healthz", kHealth}, ForeignKey{"livez", kHealth}, ForeignKey{"readyz", kReadyProbe},
     // Kubernetes
     ForeignKey{"backofflimit", kTries}, ForeignKey{"crashloopbackoff", kBase},
     ForeignKey{"terminationgraceperiodseconds", kGrace}, ForeignKey{"initialdelayseconds", kReadyAfter},
     ForeignKey{"livenessprobe", kHealth}, ForeignKey{"readinessprobe", kReadyProbe}, ForeignKey{"liveness", kHealth},
     ForeignKey{"readiness", kReadyProbe}, ForeignKey{"httpget", kHealth}, ForeignKey{"tcpsocket", kHealth},
     ForeignKey{"periodseconds", kHealth}, ForeignKey{"timeoutseconds", kHealth},
     ForeignKey{"successthreshold", kHealth}, ForeignKey{"test", kHealth}, ForeignKey{"startupprobe", kStartTimeout},
     // OTP
     ForeignKey{"intensity", kTries}, ForeignKey{"maxr", kTries}, ForeignKey{"maxt", kTries},
     ForeignKey{"period", kTries}, ForeignKey{"strategy", kNot},
     ForeignKey{"children", "write a [[fleet]] for each kind of service"},
     // libraries of retries, and plain words
     ForeignKey{"delay", kBase}, ForeignKey{"initialdelay", kBase}, ForeignKey{"mindelay", kBase},
     ForeignKey{"initialbackoff", kBase}, ForeignKey{"minbackoff", kBase}, ForeignKey{"restartdelay", kBase},
     ForeignKey{"maxdelay", kMax}, ForeignKey{"maxbackoff", kMax}, ForeignKey{"multiplier", kGrowth},
     ForeignKey{"factor", kGrowth}, ForeignKey{"jitter", kJitter}, ForeignKey{"step", kGrowth},
     ForeignKey{"maxretries", kTries}, ForeignKey{"retries", kTries}, ForeignKey{"maxrestarts", kTries},
     ForeignKey{"threshold", kTries}, ForeignKey{"resetafter", kCooldown}, ForeignKey{"graceperiod", kGrace},
     ForeignKey{"stoptimeout", kGrace},
     ForeignKey{"draintimeout", "the drain's deadline is shutdown_timeout = \"30s\" in [supervisor]"},
     ForeignKey{"shutdowngrace", "the drain's deadline is shutdown_timeout = \"30s\" in [supervisor]"},
     ForeignKey{"fixed", kFixed}, ForeignKey{"constant", kFixed}, ForeignKey{"exactly", kFixed},
     ForeignKey{"maxseconds", kTries},
     ForeignKey{"mtbf", "write runs_for = { exponential = \"4h\" } and then = \"fail\""},
     ForeignKey{"mttf", "write runs_for = { exponential = \"4h\" } and then = \"fail\""}, ForeignKey{"mttr", kRecovers},
     ForeignKey{"instances", kCount}, ForeignKey{"size", kCount}, ForeignKey{"number", kCount},
     ForeignKey{"probability", kShare}, ForeignKey{"fraction", kShare}, ForeignKey{"percent", kShare},
     ForeignKey{"percentage", kShare}, ForeignKey{"target", kOf}, ForeignKey{"targets", kOf},
     ForeignKey{"services", kOf}, ForeignKey{"length", kFor}, ForeignKey{"lasts", kFor}, ForeignKey{"until", kFor},
     ForeignKey{"crash", kStorm}, ForeignKey{"kill", kStorm}, ForeignKey{"failure", kStorm}, ForeignKey{"fail", kStorm},
     ForeignKey{"down", kOutage}, ForeignKey{"downtime", kOutage}, ForeignKey{"unavailable", kOutage},
     ForeignKey{"partition", kOutage}, ForeignKey{"freeze", kHang}, ForeignKey{"suspend", kStall},
     ForeignKey{"starve", kStall}, ForeignKey{"pause", kHang}, ForeignKey{"id", "write name = \"feed\""},
     ForeignKey{"label", "write name = \"feed\""},
     // more of systemd, Docker, Kubernetes, PM2, runit, dinit, Nomad
     ForeignKey{"timeoutabortsec", kGrace}, ForeignKey{"finalkillsignal", kGrace}, ForeignKey{"notifyaccess", kReady},
     ForeignKey{"execstop", kStopSignal}, ForeignKey{"execreload", kNot}, ForeignKey{"nice", kNot},
     ForeignKey{"pidfile", kNot}, ForeignKey{"ports", kNot}, ForeignKey{"volumes", kNot}, ForeignKey{"cpus", kNot},
     ForeignKey{"labels", kNot}, ForeignKey{"networks", kNot}, ForeignKey{"success", kSuccess},
     ForeignKey{"fatal", kFatal}, ForeignKey{"restartforceexitstatus", kFailure},
     ForeignKey{"podfailurepolicy", kFatal}, ForeignKey{"onexitcodes", kFatal},
     ForeignKey{"successexitcodes", kSuccess}, ForeignKey{"exitcodesuccess", kSuccess},
     ForeignKey{"remainafterexit", kNot}, ForeignKey{"oompolicy", kNot}, ForeignKey{"partof", kNot},
     ForeignKey{"onfailure", kNot}, ForeignKey{"prestop", kNot}, ForeignKey{"startperiod", kStartTimeout},
     ForeignKey{"failurethreshold", kTries}, ForeignKey{"minreadyseconds", kCooldown},
     ForeignKey{"parallelism", kCount}, ForeignKey{"amount", kCount}, ForeignKey{"maxrestart", kTries},
     ForeignKey{"attempts", kTries}, ForeignKey{"respawn", kRestartKey}, ForeignKey{"respawnlimit", kTries},
     ForeignKey{"maxdeathtally", kTries}, ForeignKey{"restartlimitcount", kTries},
     ForeignKey{"restartlimitinterval", kTries}, ForeignKey{"minuptime", kCooldown},
     ForeignKey{"expbackoffrestartdelay", kBase}, ForeignKey{"killtimeout", kGrace}, ForeignKey{"timeoutkill", kGrace},
     ForeignKey{"listentimeout", kStartTimeout}, ForeignKey{"readytimeout", kStartTimeout},
     ForeignKey{"waitready", kReady}, ForeignKey{"initialinterval", kBase}, ForeignKey{"basedelay", kBase},
     ForeignKey{"maxinterval", kMax}, ForeignKey{"delayfunction", kGrowth}, ForeignKey{"resettimeout", kHalfOpen},
     ForeignKey{"waitdurationinopenstate", kHalfOpen}, ForeignKey{"halfopenmaxcalls", kHalfOpen},
     ForeignKey{"runtime", kRuns}, ForeignKey{"lifetime", kRuns}, ForeignKey{"uptime", kRuns},
     ForeignKey{"failsevery", kRuns}, ForeignKey{"crashafter", kRuns}, ForeignKey{"failrate", kRuns},
     ForeignKey{"errorrate", kRuns}, ForeignKey{"startup", kReadyAfter}, ForeignKey{"startuptime", kReadyAfter},
     ForeignKey{"warmup", kReadyAfter}, ForeignKey{"boottime", kReadyAfter}, ForeignKey{"starttime", kReadyAfter},
     ForeignKey{"title", "write name = \"feed\""}});

// The names of the tables on the way from `table` to one that has the key: "backoff", "backoff.breaker".
std::vector<std::string_view> way_to(std::string_view key, const Table& table, int depth = 0) {
  if (depth > 2) return {};
  for (const auto& outer : table.keys) {
    const auto* const inner = form_of<Inner>(outer);
    if (!inner) continue;
    if (inner->table().find(key)) return {outer.name};
    if (auto way = way_to(key, inner->table(), depth + 1); !way.empty()) {
      way.insert(way.begin(), outer.name);
      return way;
    }
  }
  return {};
}

std::string inside(std::string_view key, const std::vector<std::string_view>& way) {
  std::string text = "it stands inside ";
  std::string example;
  std::string closing;
  for (std::size_t i = 0; i < way.size(); ++i) {
    text += (i > 0 ? "." : "") + std::string{way[i]};
    example += std::string{way[i]} + " = { ";
    closing += " }";
  }
  return text + ": " + example + std::string{key} + " = \xE2\x80\xA6" + closing;
}

// The header of a table of the file that has the key itself.
std::string elsewhere(std::string_view key, const Table& table, const Table& whole) {
  if (&whole != &table && whole.find(key)) return "it stands at the top of the file, before the first [table]";
  for (const auto& outer : whole.keys) {
    const auto* const inner = form_of<Inner>(outer);
    const auto* const tables = form_of<Tables>(outer);
    const auto* const other = inner ? &inner->table() : tables ? &tables->table() : nullptr;
    if (!other || other == &table || !other->find(key)) continue;
    return "it stands in " + std::string{tables ? "[[" : "["} + std::string{outer.name} + (tables ? "]]" : "]");
  }
  return "";
}

}  // namespace

namespace {

// Inside a table of a table of the file: "share" stands inside storm of [[chaos]].
std::string deep_elsewhere(std::string_view key, const Table& table, const Table& whole) {
  for (const auto& outer : whole.keys) {
    const auto* const inner = form_of<Inner>(outer);
    const auto* const tables = form_of<Tables>(outer);
    const auto* const other = inner ? &inner->table() : tables ? &tables->table() : nullptr;
    if (!other || other == &table) continue;
    const auto way = way_to(key, *other);
    if (way.empty()) continue;
    std::string place;
    for (const auto& part : way) place += (place.empty() ? "" : ".") + std::string{part};
    return "it stands inside " + place + " of " + (tables ? "[[" : "[") + std::string{outer.name} +
           (tables ? "]]" : "]");
  }
  return "";
}

// Words that mean something else elsewhere.
constexpr std::array kOfDistributions{
    ForeignKey{"min", kBetween},      ForeignKey{"max", kBetween},       ForeignKey{"from", kBetween},
    ForeignKey{"to", kBetween},       ForeignKey{"low", kBetween},       ForeignKey{"high", kBetween},
    ForeignKey{"least", kBetween},    ForeignKey{"greatest", kBetween},  ForeignKey{"lower", kBetween},
    ForeignKey{"upper", kBetween},    ForeignKey{"between", kBetween},   ForeignKey{"range", kBetween},
    ForeignKey{"mean", kOnAverage},   ForeignKey{"average", kOnAverage}, ForeignKey{"avg", kOnAverage},
    ForeignKey{"rate", kOnAverage},   ForeignKey{"lambda", kOnAverage},  ForeignKey{"poisson", kOnAverage},
    ForeignKey{"mtbf", kOnAverage},   ForeignKey{"mttf", kOnAverage},    ForeignKey{"median", kSpread},
    ForeignKey{"sigma", kSpread},     ForeignKey{"stddev", kSpread},     ForeignKey{"std", kSpread},
    ForeignKey{"normal", kSpread},    ForeignKey{"gaussian", kSpread},   ForeignKey{"gauss", kSpread},
    ForeignKey{"type", kNamesItself}, ForeignKey{"kind", kNamesItself},  ForeignKey{"distribution", kNamesItself},
    ForeignKey{"dist", kNamesItself}, ForeignKey{"value", kFixed},       ForeignKey{"fixed", kFixed},
    ForeignKey{"constant", kFixed},   ForeignKey{"exactly", kFixed}};
// Of `ready` and `health`.
constexpr std::string_view kProbeEvery = "one probe begins in each every = \"10s\"";
constexpr std::string_view kProbeTimeout = "how long one probe may take is timeout = \"3s\"";
constexpr std::string_view kProbeHttp = "a page is asked for with http = \"http://127.0.0.1:8080/healthz\"";
constexpr std::string_view kProbeTcp = "a port is asked with tcp = 8080, or tcp = \"127.0.0.1:8080\"";
constexpr std::string_view kProbeExec =
    "a command is asked with exec = [\"pg_isready\", \"-q\"], which no shell splits";
constexpr std::string_view kProbeFailures = "how many failures in a row mean that it hangs is failures = 3, in health";
constexpr std::string_view kProbeStart =
    "how long a start may take, with all its attempts, is start_timeout = \"30s\", beside ready in [[fleet]]";
constexpr std::string_view kProbeOnce = "one good answer is enough";
constexpr std::string_view kProbeLine = "a part of a line of output is line = \"listening on\"";
constexpr std::string_view kProbeFd = "the descriptor that a program of s6 or dinit writes a line end to is fd = 3";
constexpr std::array kOfAsking{
    ForeignKey{"within", kProbeStart},
    ForeignKey{"starttimeout", kProbeStart},
    ForeignKey{"startperiod", kProbeStart},
    ForeignKey{"initialdelay", kProbeStart},
    ForeignKey{"initialdelayseconds", kProbeStart},
    ForeignKey{"delay", kProbeStart},
    ForeignKey{"interval", kProbeEvery},
    ForeignKey{"periodseconds", kProbeEvery},
    ForeignKey{"period", kProbeEvery},
    ForeignKey{"startinterval", kProbeEvery},
    ForeignKey{"timeoutseconds", kProbeTimeout},
    ForeignKey{"retries", kProbeFailures},
    ForeignKey{"failurethreshold", kProbeFailures},
    ForeignKey{"threshold", kProbeFailures},
    ForeignKey{"failures", kProbeFailures},
    ForeignKey{"successthreshold", kProbeOnce},
    ForeignKey{"httpget", kProbeHttp},
    ForeignKey{"url", kProbeHttp},
    ForeignKey{"https",
               "https is not spoken here; ask with exec = [\"curl\", \"--fail\", \"--silent\", \"https://…\"]"},
    ForeignKey{"path", kProbeHttp},
    ForeignKey{"scheme", kProbeHttp},
    ForeignKey{"get", kProbeHttp},
    ForeignKey{"tcpsocket", kProbeTcp},
    ForeignKey{"port", kProbeTcp},
    ForeignKey{"host", kProbeTcp},
    ForeignKey{"test", kProbeExec},
    ForeignKey{"command", kProbeExec},
    ForeignKey{"cmd", kProbeExec},
    ForeignKey{"script", kProbeExec},
    ForeignKey{"shell", kProbeExec},
    ForeignKey{"pattern", kProbeLine},
    ForeignKey{"log", kProbeLine},
    ForeignKey{"output", kProbeLine},
    ForeignKey{"text", kProbeLine},
    ForeignKey{"notificationfd", kProbeFd},
    ForeignKey{"pipefd", kProbeFd},
    ForeignKey{"descriptor", kProbeFd},
    ForeignKey{"grpc", "grpc is not spoken here; ask with exec = [\"grpc_health_probe\", \"-addr=127.0.0.1:8080\"]"}};
constexpr std::array kOfFleets{ForeignKey{"shutdown", kGrace},  ForeignKey{"stop", kGrace},
                               ForeignKey{"grace", kGrace},     ForeignKey{"timeout", kGrace},
                               ForeignKey{"type", kReady},      ForeignKey{"behaviour", kRuns},
                               ForeignKey{"behavior", kRuns},   ForeignKey{"start", kRuns},
                               ForeignKey{"significant", kNot}, ForeignKey{"modules", kNot}};
constexpr std::array kOfBreakers{ForeignKey{"max", kMaxFailures},         ForeignKey{"failures", kMaxFailures},
                                 ForeignKey{"threshold", kMaxFailures},   ForeignKey{"limit", kMaxFailures},
                                 ForeignKey{"burst", kMaxFailures},       ForeignKey{"count", kMaxFailures},
                                 ForeignKey{"attempts", kMaxFailures},    ForeignKey{"retries", kMaxFailures},
                                 ForeignKey{"maxretries", kMaxFailures},  ForeignKey{"maxattempts", kMaxFailures},
                                 ForeignKey{"maxrestarts", kMaxFailures}, ForeignKey{"failurethreshold", kMaxFailures},
                                 ForeignKey{"interval", kWindow},         ForeignKey{"period", kWindow},
                                 ForeignKey{"within", kWindow},           ForeignKey{"per", kWindow},
                                 ForeignKey{"duration", kWindow},         ForeignKey{"for", kWindow},
                                 ForeignKey{"timeout", kOwnHalfOpen},     ForeignKey{"resettimeout", kOwnHalfOpen},
                                 ForeignKey{"resetafter", kOwnHalfOpen},  ForeignKey{"openfor", kOwnHalfOpen},
                                 ForeignKey{"cooldown", kOwnHalfOpen}};
constexpr std::array kOfProbes{
    ForeignKey{"open", kOpenFor},       ForeignKey{"for", kOpenFor},           ForeignKey{"after", kOpenFor},
    ForeignKey{"timeout", kOpenFor},    ForeignKey{"delay", kOpenFor},         ForeignKey{"wait", kOpenFor},
    ForeignKey{"base", kOpenFor},       ForeignKey{"max", kOpenForMax},        ForeignKey{"openmax", kOpenForMax},
    ForeignKey{"probes", kProbe},       ForeignKey{"maxcalls", kProbe},        ForeignKey{"success", kProbe},
    ForeignKey{"successafter", kProbe}, ForeignKey{"successthreshold", kProbe}};
constexpr std::array kOfChaos{ForeignKey{"type", kKind},
                              ForeignKey{"kind", kKind},
                              ForeignKey{"action", kKind},
                              ForeignKey{"name", kKind},
                              ForeignKey{"fault", kKind},
                              ForeignKey{"repeat", kEvery},
                              ForeignKey{"times", kEvery},
                              ForeignKey{"interval", kEvery},
                              ForeignKey{"count", kEvery},
                              ForeignKey{"cron", kEvery},
                              ForeignKey{"schedule", kEvery},
                              ForeignKey{"period", kEvery},
                              ForeignKey{"time", kAt},
                              ForeignKey{"start", kAt},
                              ForeignKey{"from", kAt},
                              ForeignKey{"stop", kStopCommand},
                              ForeignKey{"terminate", kStopCommand},
                              ForeignKey{"restart", kRestartCommand},
                              ForeignKey{"rollout", kRestartCommand},
                              ForeignKey{"deploy", kRestartCommand},
                              ForeignKey{"reload", kRestartCommand},
                              ForeignKey{"remove", kRemoveCommand},
                              ForeignKey{"reset", kResetCommand},
                              ForeignKey{"when", kAt},
                              ForeignKey{"begin", kAt},
                              ForeignKey{"after", kAt},
                              ForeignKey{"latency", kNot},
                              ForeignKey{"network", kNot},
                              ForeignKey{"cpu", kNot},
                              ForeignKey{"memory", kNot}};
constexpr std::array kOfStorms{ForeignKey{"for", kInstant},   ForeignKey{"duration", kInstant},
                               ForeignKey{"time", kInstant},  ForeignKey{"length", kInstant},
                               ForeignKey{"lasts", kInstant}, ForeignKey{"until", kInstant}};
constexpr std::array kOfOutages{ForeignKey{"gone", kGone}, ForeignKey{"off", kGone},  ForeignKey{"down", kGone},
                                ForeignKey{"host", kGone}, ForeignKey{"kind", kGone}, ForeignKey{"type", kGone}};
constexpr std::array kOfRecordings{
    ForeignKey{"path", kFile},   ForeignKey{"csv", kFile},      ForeignKey{"trace", kFile}, ForeignKey{"name", kFile},
    ForeignKey{"source", kFile}, ForeignKey{"filename", kFile}, ForeignKey{"from", kFile}};
constexpr std::array kOfExpectations{
    ForeignKey{"mttr", "half of the recoveries take no longer than recovery_median_max = \"1min\""},
    ForeignKey{"recoveryp50max", "write recovery_median_max"},
    ForeignKey{"recoveryp95max", "write recovery_p90_max or recovery_p99_max"},
    ForeignKey{"recoveryp999max", "write recovery_p99_max or recovery_max"},
    ForeignKey{"p50", "write recovery_median_max"},
    ForeignKey{"p90", "write recovery_p90_max"},
    ForeignKey{"p99", "write recovery_p99_max"},
    ForeignKey{"uptime", "write availability_min = 0.999"},
    ForeignKey{"sla", "write availability_min = 0.999"},
    ForeignKey{"slo", "write availability_min = 0.999"},
    ForeignKey{"lost", "services that are lost are circuit_open, failed and abandoned: 0 of each"},
    ForeignKey{"crashes", "write failures"},
    ForeignKey{"errors", "write failures"},
    ForeignKey{"drain", "write drain_max or drained_by"},
    ForeignKey{"down", "write down_at_once_max"},
    ForeignKey{"downmax", "write down_at_once_max"},
    ForeignKey{"maxdown", "write down_at_once_max"},
    ForeignKey{"storms", "write storm_max"},
    ForeignKey{"restartsmax", "write restarts = { max = 100 }"},
    ForeignKey{"maxrestarts", "write restarts = { max = 100 }"},
    ForeignKey{"exitstatus", "what is expected are counts and times: of lost services circuit_open, failed, abandoned"},
    ForeignKey{"verdict", "what is expected are counts and times: of lost services circuit_open, failed, abandoned"}};
// Of tables inside others.
constexpr std::string_view kTargets = "whom it is about is of = \"feed\"";
constexpr std::string_view kHowMany = "how many of them it hits is share = 0.5";
constexpr std::string_view kHolds = "what holds at every instant is always = { of = \"web\", running = { min = 2 } }";
constexpr std::string_view kWhile = "where it has to hold is whenever = { of = \"web\", running = { min = 2 } }";
constexpr std::string_view kUp = "services that are up are counted by running = { min = 2 }";
constexpr std::string_view kPath = "the file is path = \"web.log\"";
constexpr std::string_view kMaxBytes = "how large it may become is max_bytes = \"10MiB\"";
constexpr std::string_view kKeep = "how many older files stay is keep = 5";
constexpr std::string_view kTo = "where its lines go is to = \"file\", \"output\" or \"nothing\"";
constexpr std::string_view kDo = "the command is do = \"restart\"";
constexpr std::string_view kBatches = "so many at once are batches = { size = 3, gap = \"1min\" }";
constexpr std::string_view kSlots = "how many are served at once is slots = 3";
constexpr std::string_view kServing = "how long serving a start takes is takes = \"2s\"";
constexpr std::string_view kNeeded = "what is needed is resource = \"db\"";
constexpr std::string_view kOpenFiles = "descriptors are open_files = 65536";
constexpr std::string_view kProcesses = "processes and threads are processes = 4096";
constexpr std::string_view kMemory = "address space is memory = \"1GiB\"";
constexpr std::array kOfProperties{
    ForeignKey{"when", kWhile},
    ForeignKey{"if", kWhile},
    ForeignKey{"while", kWhile},
    ForeignKey{"condition", kHolds},
    ForeignKey{"holds", kHolds},
    ForeignKey{"invariant", kHolds},
    ForeignKey{"check", kHolds},
    ForeignKey{"assert", kHolds},
    ForeignKey{"that", kHolds},
    ForeignKey{"running", kHolds},
    ForeignKey{"of", kHolds},
    ForeignKey{"up", kHolds},
    ForeignKey{"down", kHolds},
    ForeignKey{"min", kHolds},
    ForeignKey{"max", kHolds},
    ForeignKey{"timeout", "so long after whenever has begun to hold, at the latest, is within = \"50s\""},
    ForeignKey{"for", "so long after whenever has begun to hold, at the latest, is within = \"50s\""},
    ForeignKey{"after", "not at earlier instants is from = \"1min\""},
    ForeignKey{"start", "not at earlier instants is from = \"1min\""},
    ForeignKey{"end", "not at later instants is until = \"10min\""},
    ForeignKey{"to", "not at later instants is until = \"10min\""}};
constexpr std::array kOfConditions{ForeignKey{"name", kTargets},
                                   ForeignKey{"group", kTargets},
                                   ForeignKey{"service", kTargets},
                                   ForeignKey{"fleet", kTargets},
                                   ForeignKey{"services", kTargets},
                                   ForeignKey{"up", kUp},
                                   ForeignKey{"down", kUp},
                                   ForeignKey{"ready", kUp},
                                   ForeignKey{"alive", kUp},
                                   ForeignKey{"healthy", kUp},
                                   ForeignKey{"count", kUp},
                                   ForeignKey{"min", kUp},
                                   ForeignKey{"max", kUp},
                                   ForeignKey{"within", "how long ago it counts is window = \"10s\""},
                                   ForeignKey{"per", "how long ago it counts is window = \"10s\""}};
constexpr std::array kOfLogs{
    ForeignKey{"file", kPath},      ForeignKey{"filename", kPath},  ForeignKey{"logfile", kPath},
    ForeignKey{"location", kPath},  ForeignKey{"folder", kPath},    ForeignKey{"dir", kPath},
    ForeignKey{"directory", kPath}, ForeignKey{"size", kMaxBytes},  ForeignKey{"maxsize", kMaxBytes},
    ForeignKey{"max", kMaxBytes},   ForeignKey{"limit", kMaxBytes}, ForeignKey{"rotate", kMaxBytes},
    ForeignKey{"backups", kKeep},   ForeignKey{"maxfile", kKeep},   ForeignKey{"maxfiles", kKeep},
    ForeignKey{"files", kKeep},     ForeignKey{"count", kKeep},     ForeignKey{"maxbackups", kKeep},
    ForeignKey{"stdout", kTo},      ForeignKey{"stderr", kTo},      ForeignKey{"output", kTo},
    ForeignKey{"driver", kTo},      ForeignKey{"target", kTo},      ForeignKey{"level", kNot},
    ForeignKey{"format", kNot}};
// Of all that has targets.
constexpr std::array kOfTargets{
    ForeignKey{"name", kTargets},     ForeignKey{"group", kTargets},    ForeignKey{"groups", kTargets},
    ForeignKey{"service", kTargets},  ForeignKey{"services", kTargets}, ForeignKey{"target", kTargets},
    ForeignKey{"targets", kTargets},  ForeignKey{"fleet", kTargets},    ForeignKey{"who", kTargets},
    ForeignKey{"match", kTargets},    ForeignKey{"pattern", kTargets},  ForeignKey{"probability", kHowMany},
    ForeignKey{"fraction", kHowMany}, ForeignKey{"percent", kHowMany},  ForeignKey{"percentage", kHowMany},
    ForeignKey{"ratio", kHowMany},    ForeignKey{"chance", kHowMany},   ForeignKey{"part", kHowMany},
    ForeignKey{"count", kHowMany}};
constexpr std::array kOfCommands{
    ForeignKey{"restart", kDo},      ForeignKey{"command", kDo},    ForeignKey{"stop", kDo},
    ForeignKey{"remove", kDo},       ForeignKey{"reset", kDo},      ForeignKey{"action", kDo},
    ForeignKey{"what", kDo},         ForeignKey{"type", kDo},       ForeignKey{"kind", kDo},
    ForeignKey{"verb", kDo},         ForeignKey{"operation", kDo},  ForeignKey{"size", kBatches},
    ForeignKey{"gap", kBatches},     ForeignKey{"batch", kBatches}, ForeignKey{"rolling", kBatches},
    ForeignKey{"parallel", kBatches}};
constexpr std::array kOfResources{
    ForeignKey{"size", kSlots},        ForeignKey{"capacity", kSlots},  ForeignKey{"limit", kSlots},
    ForeignKey{"connections", kSlots}, ForeignKey{"workers", kSlots},   ForeignKey{"concurrency", kSlots},
    ForeignKey{"count", kSlots},       ForeignKey{"max", kSlots},       ForeignKey{"time", kServing},
    ForeignKey{"duration", kServing},  ForeignKey{"latency", kServing}, ForeignKey{"servicetime", kServing},
    ForeignKey{"for", kServing}};
constexpr std::string_view kMultiplied = "what each delay is multiplied with is exponential = 1.5";
constexpr std::string_view kAdded = "what is added to each delay is linear = \"1s\"";
constexpr std::string_view kAround = "a share below and above the delay is proportional = 0.1";
constexpr std::array kOfGrowths{ForeignKey{"factor", kMultiplied}, ForeignKey{"multiplier", kMultiplied},
                                ForeignKey{"base", kMultiplied},   ForeignKey{"rate", kMultiplied},
                                ForeignKey{"step", kAdded},        ForeignKey{"increment", kAdded},
                                ForeignKey{"delay", kAdded}};
constexpr std::array kOfJitters{ForeignKey{"share", kAround},   ForeignKey{"factor", kAround},
                                ForeignKey{"percent", kAround}, ForeignKey{"ratio", kAround},
                                ForeignKey{"jitter", kAround},  ForeignKey{"random", kAround}};
constexpr std::array kOfNeeds{ForeignKey{"name", kNeeded}, ForeignKey{"of", kNeeded}, ForeignKey{"on", kNeeded}};
constexpr std::array kOfCapacities{ForeignKey{"name", "the name of the resource is of = \"db\""},
                                   ForeignKey{"resource", "the name of the resource is of = \"db\""},
                                   ForeignKey{"capacity", kSlots}, ForeignKey{"size", kSlots},
                                   ForeignKey{"limit", kSlots}};
constexpr std::array kOfLimits{
    ForeignKey{"nofile", kOpenFiles}, ForeignKey{"files", kOpenFiles},   ForeignKey{"fds", kOpenFiles},
    ForeignKey{"nproc", kProcesses},  ForeignKey{"threads", kProcesses}, ForeignKey{"tasks", kProcesses},
    ForeignKey{"mem", kMemory},       ForeignKey{"ram", kMemory},        ForeignKey{"as", kMemory}};
constexpr std::array kOfTheFile{ForeignKey{"time", kDuration},
                                ForeignKey{"length", kDuration},
                                ForeignKey{"until", kDuration},
                                ForeignKey{"for", kDuration},
                                ForeignKey{"timeout", kDuration},
                                ForeignKey{"end", kDuration},
                                ForeignKey{"description", kComment},
                                ForeignKey{"comment", kComment},
                                ForeignKey{"author", kComment},
                                ForeignKey{"version", kComment},
                                ForeignKey{"scenario", "name, seed and duration stand at the top, without a [table]"},
                                ForeignKey{"simulation", "name, seed and duration stand at the top, without a [table]"},
                                ForeignKey{"title", "write name = \"failure storm\""}};
constexpr std::array kOfSupervisors{ForeignKey{"timeout", kDrainDeadline}, ForeignKey{"draintimeout", kDrainDeadline},
                                    ForeignKey{"shutdowngrace", kDrainDeadline}, ForeignKey{"grace", kGrace},
                                    ForeignKey{"stop", kGrace}};
constexpr std::array kOfBackoffs{ForeignKey{"min", kOwnBase},   ForeignKey{"initial", kOwnBase},
                                 ForeignKey{"start", kOwnBase}, ForeignKey{"first", kOwnBase},
                                 ForeignKey{"cap", kOwnMax},    ForeignKey{"limit", kOwnMax}};
constexpr std::array kOfStops{ForeignKey{"delay", kTakes}, ForeignKey{"after", kTakes}, ForeignKey{"time", kTakes},
                              ForeignKey{"for", kTakes},   ForeignKey{"lasts", kTakes}, ForeignKey{"duration", kTakes}};

template <std::size_t kSize>
std::string advice_of(const std::array<ForeignKey, kSize>& keys, std::string_view word) {
  const auto* const found =
      std::find_if(keys.begin(), keys.end(), [&](const ForeignKey& candidate) { return candidate.key == word; });
  return found == keys.end() ? "" : std::string{found->advice};
}

}  // namespace

namespace {

std::string write_word(std::string_view word, const Table& table) {
  return table.find(word) ? "write " + std::string{word} : "";
}

std::string advice_for_targets(const Table& table, std::string_view word) {
  if (!table.find("cohort")) return "";
  if (table.find("do")) {
    if (auto advice = advice_of(kOfCommands, word); !advice.empty()) return advice;
  } else if (!table.find("for")) {
    if (auto advice = advice_of(kOfStorms, word); !advice.empty()) return advice;
  }
  return advice_of(kOfTargets, word);
}

std::string advice_in(const Table& table, std::string_view word) {
  if (has_distributions(table)) return advice_of(kOfDistributions, word);
  if (table.find("tcp")) return advice_of(kOfAsking, word);
  if (table.find("stop_grace") && table.find("restart")) return advice_of(kOfFleets, word);
  if (table.find("base") && table.find("cooldown")) return advice_of(kOfBackoffs, word);
  if (table.find("max_failures")) return advice_of(kOfBreakers, word);
  if (table.find("open_for")) return advice_of(kOfProbes, word);
  if (table.find("storm") && table.find("outage")) return advice_of(kOfChaos, word);
  if (table.name == "property") return advice_of(kOfProperties, word);
  if (table.name == "condition") return advice_of(kOfConditions, word);
  if (table.name == "log") return advice_of(kOfLogs, word);
  if (table.name == "resource") return advice_of(kOfResources, word);
  if (table.name == "growth") return advice_of(kOfGrowths, word);
  if (table.name == "jitter") return advice_of(kOfJitters, word);
  if (table.name == "needs") return advice_of(kOfNeeds, word);
  if (table.name == "capacity") return advice_of(kOfCapacities, word);
  if (table.name == "limits") return advice_of(kOfLimits, word);
  if (table.find("fail") && table.find("throw")) return write_word(ours(kThens, word), table);
  if (auto advice = advice_for_targets(table, word); !advice.empty()) return advice;
  if (table.find("file")) return advice_of(kOfRecordings, word);
  if (table.find("mode")) return advice_of(kOfOutages, word);
  if (table.find("all_running_by")) return advice_of(kOfExpectations, word);
  if (table.find("shutdown_timeout")) return advice_of(kOfSupervisors, word);
  return table.find("takes") ? advice_of(kOfStops, word) : "";
}

}  // namespace

bool is_the_same_word(std::string_view a, std::string_view b) { return squeezed(a) == squeezed(b); }

std::string foreign_key_hint(std::string_view key, const Table& table, const Table& whole) {
  const auto word = squeezed(key);
  if (&table == &whole) return advice_of(kOfTheFile, word);
  auto advice = advice_in(table, word);
  return advice.empty() && table.find("stop_grace") && table.find("restart") ? advice_of(kForeignKeys, word) : advice;
}

std::string key_hint(std::string_view key, const Table& table, const Table& whole) {
  const auto word = squeezed(key);
  const bool at_the_top = &table == &whole;
  if (at_the_top) {
    if (auto advice = advice_of(kOfTheFile, word); !advice.empty()) return advice;
  }
  if (table.find("for") && (word == "duration" || word == "time")) return "write for";
  if (table.find("for") && table.find("of") && word == "until") return std::string{kFor};
  if (auto advice = advice_in(table, word); !advice.empty()) return advice;
  if (at_the_top) {
    if (auto advice = advice_of(kForeignTables, word); !advice.empty()) return advice;
  } else if (const auto way = way_to(key, table); !way.empty()) {
    return inside(key, way);
  }
  if (auto place = elsewhere(key, table, whole); !place.empty()) return place;
  if (auto advice = advice_of(kForeignKeys, word); !advice.empty()) return advice;
  return deep_elsewhere(key, table, whole);
}

std::string pattern_hint(std::string_view name) {
  const auto lower = lower_case(name);
  if (lower == "*" || lower == "all" || lower == "any" || lower == ".*") {
    return "to mean the whole fleet leave the key out";
  }
  const auto at = name.find_first_of("*?[%{");
  if (at == std::string_view::npos) return "";
  auto group = name.substr(0, at);
  if (group.ends_with('-') || group.ends_with('.')) group.remove_suffix(1);
  return "a pattern has * for any text and {3..17} for a number, and matches a service" +
         (group.empty() ? std::string{} : "; " + in_quotes(group) + " would be all services of that group");
}

// ---------------------------------------------------------------------------------------------------------------------
// Lines that are no TOML
// ---------------------------------------------------------------------------------------------------------------------

namespace {

// What stands behind the first "=" of a line, without a comment; nullopt: there is none.
std::optional<std::string_view> value_of(std::string_view line) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  auto value = line.substr(equals + 1);
  if (value.find_first_of("\"'") == std::string_view::npos) value = value.substr(0, value.find('#'));
  return trimmed(value);
}

bool is_word(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '-' || c == '.' ||
           c == ':' || c == '/' || c == ' ';
  };
  return !text.empty() && text.size() <= 60 && std::all_of(text.begin(), text.end(), fits);
}

bool has_curly_quote(std::string_view line) {
  constexpr std::array<std::string_view, 8> kQuotes{"“", "”", "„", "‟", "‘", "’", "«", "»"};
  return std::any_of(kQuotes.begin(), kQuotes.end(),
                     [line](std::string_view quote) { return line.find(quote) != std::string_view::npos; });
}

// "1,000", "010", a number of more than 64 bits.
std::string about_digits(std::string_view value) {
  if (value.size() < 2 || value.find_first_not_of("0123456789,_") != std::string_view::npos ||
      !is_digit(value.front())) {
    return "";
  }
  if (value.find(',') != std::string_view::npos) return "a number has no commas; 1_000 is a thousand";
  if (value.front() == '0') return "a number has no leading zero";
  constexpr std::size_t kDigitsOf64Bits = 19;
  return value.size() < kDigitsOf64Bits ? "" : "the largest whole number is 9223372036854775807";
}

std::string about_bare_value(std::string_view value) {
  if (value.empty()) return "a value is missing behind the =";
  if (value == "true" || value == "false") return "";
  const auto lower = lower_case(value);
  if (lower == "true" || lower == "yes" || lower == "on") return "write true";
  if (lower == "false" || lower == "no" || lower == "off")
    return "write false, or " + in_quotes(lower) + " where a text is allowed";
  if (lower == "null" || lower == "none" || lower == "nil" || lower == "~")
    return "leave the key out: there is no null";
  if (const auto length = meant_duration(value)) return write_text(to_string(*length)) + " in quotes";
  if (const auto either = either_duration(value)) return write_either(either->first, either->second) + " in quotes";
  if (value.ends_with('%')) {
    const Key share{.name = "share", .forms = {Number{Ratio{}, Ratio::from(1), true}}};
    const auto hint = number_in_quotes(value, share);
    return hint.empty() ? "a share is a number from 0 to 1, like 0.5" : hint;
  }
  const bool is_number = is_digit(value.front()) || value.front() == '-' || value.front() == '+';
  return is_word(value) && !is_number ? write_text(value) + " in quotes" : "";
}

// "{ share = 50% }", "[web, db]": the first value that stands bare and may not.
std::string about_inner_values(std::string_view value) {
  if (value.find_first_of("{[") == std::string_view::npos) return "";
  std::string_view piece;
  while (!value.empty()) {
    const auto end = std::min(value.find_first_of("{}[],"), value.size());
    piece = trimmed(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    if (const auto equals = piece.rfind('='); equals != std::string_view::npos)
      piece = trimmed(piece.substr(equals + 1));
    if (piece.empty() || piece.find_first_of("\"'#") != std::string_view::npos) continue;
    if (auto hint = about_bare_value(piece); !hint.empty()) return hint;
  }
  return "";
}

// "{ a = 1, }", or a brace that is not closed in its line.
std::string about_braces(std::string_view value) {
  if (value.find('{') == std::string_view::npos) return "";
  const auto opened = std::count(value.begin(), value.end(), '{');
  const auto closed = std::count(value.begin(), value.end(), '}');
  if (opened > closed) return "a table in braces ends in the line where it begins; a longer one has a [header]";
  std::string packed;
  for (const char c : value) {
    if (!is_blank(c)) packed += c;
  }
  return packed.find(",}") != std::string::npos ? "leave out the comma before the }" : "";
}

}  // namespace

std::string syntax_hint(std::string_view line) {
  line = trimmed(line);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with('#')) return "";
  if (line.starts_with(';') || line.starts_with("//") || line.starts_with("/*") || line.starts_with("--")) {
    return line.starts_with("---") ? "a scenario is TOML, not YAML" : "a comment begins with #";
  }
  if (line.starts_with('{')) return "a scenario is TOML, not JSON: name = \"feed\" in lines of their own";
  if (line.starts_with('<')) return "a scenario is TOML, not XML";
  if (line.starts_with('[') && line.find(':') != std::string_view::npos) return "write [[fleet]], with a name in it";
  if (has_curly_quote(line)) return "write straight quotes: \"\xE2\x80\xA6\"";
  const auto value = value_of(line);
  if (!value) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return "";
    const auto key = trimmed(line.substr(0, colon));
    return is_word(key) ? "write " + std::string{key} + " = \xE2\x80\xA6 with an equals sign" : "";
  }
  if (value->size() > 1 && value->front() == '"' && std::count(value->begin(), value->end(), '"') == 1) {
    return "a text ends in the line where it begins: its second quote is missing";
  }
  if (value->find('"') != std::string_view::npos && value->find('\\') != std::string_view::npos) {
    return "a backslash begins an escape: write '\xE2\x80\xA6' in single quotes, or each backslash twice";
  }
  if (auto braces = about_braces(*value); !braces.empty()) return braces;
  if (value->size() > 1 && (value->ends_with(';') || value->ends_with(','))) {
    return std::string{"leave out the "} + value->back() + " at the end of the line";
  }
  if (value->find('`') != std::string_view::npos) return "a text stands in straight quotes: \"\xE2\x80\xA6\"";
  if (value->size() > 1 && value->back() == '"' && std::count(value->begin(), value->end(), '"') == 1) {
    return "a text begins with a quote: its first one is missing";
  }
  if (auto about = about_digits(*value); !about.empty()) return about;
  return value->find_first_of("\"'[{") == std::string_view::npos ? about_bare_value(*value)
                                                                 : about_inner_values(*value);
}

}  // namespace holdfast::file
