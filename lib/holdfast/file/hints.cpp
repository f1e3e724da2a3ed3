#include <holdfast/file/hints.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/file/duration_text.hpp>
#include <holdfast/file/letters.hpp>
#include <holdfast/file/meant_duration.hpp>
#include <holdfast/file/message_text.hpp>

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
  constexpr std::array<std::string_view, 14> kWords{"inf",  "infinity", "infinite",  "never",  "forever",
                                                    "none", "off",      "unlimited", "no",     "always",
                                                    "null", "disabled", "endless",   "eternal"};
  return std::find(kWords.begin(), kWords.end(), squeezed(text)) != kWords.end();
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

// "1h30" lacks the unit that is next; "5:30" may be two things.
std::string with_missing_unit(std::string_view text) {
  if (text.empty() || !is_digit(text.back())) return "";
  const std::string spelt{text};
  if (const auto seconds = meant_duration(spelt + "s");
      seconds && text.find_first_not_of("0123456789.,_") == text.npos) {
    return write_text(to_string(*seconds)) + " if seconds are meant";
  }
  const auto colon = text.find(':');
  if (colon != std::string_view::npos) {
    const auto hours = meant_duration(spelt.substr(0, colon) + "h" + spelt.substr(colon + 1) + "min");
    const auto minutes = meant_duration(spelt.substr(0, colon) + "min" + spelt.substr(colon + 1) + "s");
    return hours && minutes ? write_text(to_string(*minutes)) + " or " + in_quotes(to_string(*hours)) : "";
  }
  const auto unit = lower_case(text.substr(text.find_last_not_of("0123456789 "), 1));
  const auto meant = meant_duration(spelt + (unit == "d" ? "h" : unit == "h" ? "min" : "s"));
  return meant ? write_text(to_string(*meant)) : "";
}

}  // namespace

std::string length_hint(std::string_view text, const Length& length, const Key& key) {
  const std::string plain = with_plain_blanks(text);
  text = trimmed(plain);
  if (const auto meant = meant_duration(text); meant && *meant >= length.min) return write_text(to_string(*meant));
  if (auto hint = with_missing_unit(text); !hint.empty()) return hint;
  if (auto hint = about_range(text, key); !hint.empty()) return hint;
  if (text.starts_with('-') && meant_duration(text.substr(1))) return "a length of time is never negative";
  if (!means_endless(text)) return "";
  if (key.otherwise.empty() || key.otherwise.starts_with('*') || key.otherwise == "see below") {
    return "the longest is " + in_quotes(to_string(kDurationMax));
  }
  return "leave the key out" +
         (key.otherwise == "none" ? std::string{} : " (then: " + std::string{key.otherwise} + ")");
}

// ---------------------------------------------------------------------------------------------------------------------
// Types
// ---------------------------------------------------------------------------------------------------------------------

namespace {

bool has_word(const Key& key, std::string_view word) {
  const auto* const form = form_of<Word>(key);
  return form && std::find(form->words.begin(), form->words.end(), word) != form->words.end();
}

std::string length_of_number(const TomlValue& value) {
  const auto number = value.kind == Kind::integer ? std::to_string(value.integer) : decimal(value.number);
  const auto meant = meant_duration(number + "s");
  return meant ? "write " + in_quotes(to_string(*meant)) + " if seconds are meant" : "";
}

bool is_share(const Number& range) { return range.above_min && range.max == Ratio::from(1); }

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
  if (percent && number && (rest.empty() || fraction) && *whole <= 100 && is_share(*number)) return write_share(digits);
  if (percent || (!rest.empty() && !(fraction && number))) return "";
  if (!number && !form_of<Integer>(key)) return "";
  return "write " + std::string{digits} + " without quotes";
}

// "postgres -D /srv/data" as the array that it means; what only a shell understands stays one text for a shell.
std::string write_array(std::string_view text, const Key& key) {
  const bool is_command = key.name == "command" || key.name == "exec";
  if (is_command && text.find_first_of("|&;<>()$`\\\"'*?[]#~%\n") != std::string_view::npos) {
    return "write [\"sh\", \"-c\", " + in_quotes(text) +
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
  if (lower_case(text).starts_with("http")) return "write { http = " + in_quotes(text) + " }";
  const bool is_port = text.find(':') != std::string_view::npos && is_digit(text.back());
  return is_port ? "write { tcp = " + in_quotes(text) + " }" : "";
}

std::string about_text(std::string_view text, const Key& key) {
  if (asks_programs(key) && !trimmed(text).empty()) return write_probe(trimmed(text));
  if (form_of<Texts>(key) && !form_of<Text>(key) && !trimmed(text).empty()) return write_array(text, key);
  if (is_range_of_counts(key)) {
    if (auto hint = about_count(text); !hint.empty()) return hint;
  }
  if (form_of<Number>(key) || form_of<Integer>(key)) return number_in_quotes(text, key);
  if (form_of<True>(key)) return "write true, without quotes";
  const auto* const inner = form_of<Inner>(key);
  if (!inner) return "";
  auto length = parse_duration(text);
  if (!length) length = meant_duration(text);
  for (const std::string_view name : {"for", "base", "open_for"}) {
    if (length && inner->table().find(name)) {
      return "write { " + std::string{name} + " = " + in_quotes(to_string(*length)) + " }";
    }
  }
  if (inner->table().find("file")) return "write { file = " + in_quotes(text) + " }";
  return inner->table().find("of") ? "write { of = " + in_quotes(text) + " }" : "";
}

std::string about_boolean(bool value, const Key& key) {
  if (has_word(key, "off")) return value ? "leave the key out, or write a table" : write_text("off");
  if (has_word(key, "always")) return write_text(value ? "always" : "never");
  if (has_word(key, "notified")) return write_text(value ? "notified" : "at_once");
  if (has_word(key, "obey")) return write_text(value ? "obey" : "ignore");
  if (has_word(key, "wait")) return write_text(value ? "return" : "wait");
  const auto* const inner = form_of<Inner>(key);
  if (inner && inner->table().find("open_for")) return value ? "write { } for its defaults" : "leave the key out";
  if (value && inner && inner->table().find("of")) return "write { }, or { of = \"feed\" } for a part of the fleet";
  return "";
}

std::string about_table(const Key& key, const std::string& header) {
  return form_of<Tables>(key) ? "write it in double brackets, [[" + header + "]], one for each" : "";
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
  if (value.items.size() == 1 && value.items.front().kind == Kind::text) return "write one text, without brackets";
  return "";
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
      if (wants_length && value.integer >= 0) return length_of_number(value);
      if (form_of<True>(key) && value.integer == 1) return "write true";
      if (asks_programs(key) && value.integer > 0 && value.integer < 65'536) {
        return "write { tcp = " + std::to_string(value.integer) + " } to ask this port";
      }
      if (has_word(key, "off") && value.integer > 0) {
        return "write { max_failures = " + std::to_string(value.integer) + " }";
      }
      if (const auto* const spelt = form_of<Spelt>(key); spelt && spelt->hint) {
        return spelt->hint(std::to_string(value.integer));
      }
      return form_of<Name>(key) || form_of<Text>(key) ? write_text(std::to_string(value.integer)) : "";
    case Kind::number:
      if (wants_length && value.number >= 0) return length_of_number(value);
      if (form_of<Integer>(key) && value.number >= 0 && value.number < 1e15 &&
          value.number == static_cast<double>(static_cast<std::int64_t>(value.number))) {
        return "write " + std::to_string(static_cast<std::int64_t>(value.number));
      }
      return "";
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

std::string_view our_word(std::string_view text, const Key& key) {
  const auto word = squeezed(text);
  if (has_word(key, "TERM")) return our_signal(word, key);
  if (has_word(key, "output")) return ours(kLogTargets, word);
  if (has_word(key, "process")) return ours(kStopTargets, word);
  if (has_word(key, "always")) return ours(kRestarts, word);
  if (has_word(key, "hang")) return ours(kThens, word);
  if (has_word(key, "notified")) return ours(kReadies, word);
  if (has_word(key, "gone")) return ours(kModes, word);
  if (has_word(key, "obey")) return ours(kObediences, word);
  if (has_word(key, "off")) return ours(kOffs, word);
  return has_word(key, "wait") ? ours(kAfterwards, word) : std::string_view{};
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
      return write_text("on_failure") + ", and backoff = { breaker = { max_failures = " + std::to_string(*tries) +
             " } }";
    }
  }
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
    "when an open breaker tries again is breaker = { half_open = { open_for = \"30s\" } }";
constexpr std::string_view kMaxFailures = "how many failures open it is max_failures = 5";
constexpr std::string_view kWindow = "within which time they count is window = \"10min\"";
constexpr std::string_view kOpenFor = "how long it stays open is open_for = \"30s\"";
constexpr std::string_view kOpenForMax = "how long it stays open at most is open_for_max = \"10min\"";
constexpr std::string_view kProbe = "there is one probe; how long it has to last is probe_success_after = \"10s\"";
constexpr std::string_view kKind = "the kind is the key itself: outage = { of = \"feed\", for = \"5min\" }";
constexpr std::string_view kEvery = "after how long it begins again is every = \"6h\", at the latest at until = \"2d\"";
constexpr std::string_view kAt = "when it begins is at = \"30min\"";
constexpr std::string_view kNoStop =
    "a scenario stops no single service: its runs fail in a storm or an outage, or all stop with shutdown = true";
constexpr std::string_view kInstant =
    "a storm is one instant; what lasts is outage = { of = \"feed\", for = \"5min\" }";
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
     ForeignKey{"services", kOf}, ForeignKey{"length", kFor}, ForeignKey{"lasts", kFor},
     ForeignKey{"when", "when it begins is at = \"30min\""}, ForeignKey{"after", "when it begins is at = \"30min\""},
     ForeignKey{"begin", "when it begins is at = \"30min\""}, ForeignKey{"until", kFor}, ForeignKey{"crash", kStorm},
     ForeignKey{"kill", kStorm}, ForeignKey{"failure", kStorm}, ForeignKey{"fail", kStorm}, ForeignKey{"down", kOutage},
     ForeignKey{"downtime", kOutage}, ForeignKey{"unavailable", kOutage}, ForeignKey{"partition", kOutage},
     ForeignKey{"freeze", kHang}, ForeignKey{"stall", kHang}, ForeignKey{"pause", kHang},
     ForeignKey{"id", "write name = \"feed\""}, ForeignKey{"label", "write name = \"feed\""},
     // more of systemd, Docker, Kubernetes, PM2, runit, dinit, Nomad
     ForeignKey{"timeoutabortsec", kGrace}, ForeignKey{"finalkillsignal", kGrace}, ForeignKey{"notifyaccess", kReady},
     ForeignKey{"execstop", kRuns}, ForeignKey{"execreload", kRuns}, ForeignKey{"execstartpre", kRuns},
     ForeignKey{"user", kRuns}, ForeignKey{"group", kRuns}, ForeignKey{"workingdirectory", kRuns},
     ForeignKey{"directory", kRuns}, ForeignKey{"environment", kRuns}, ForeignKey{"env", kRuns},
     ForeignKey{"umask", kRuns}, ForeignKey{"nice", kRuns}, ForeignKey{"pidfile", kRuns},
     ForeignKey{"limitnofile", kRuns}, ForeignKey{"stdoutlogfile", kRuns}, ForeignKey{"redirectstderr", kRuns},
     ForeignKey{"ports", kRuns}, ForeignKey{"volumes", kRuns}, ForeignKey{"args", kRuns},
     ForeignKey{"entrypoint", kRuns}, ForeignKey{"success", kSuccess}, ForeignKey{"fatal", kFatal},
     ForeignKey{"restartforceexitstatus", kFailure}, ForeignKey{"podfailurepolicy", kFatal},
     ForeignKey{"onexitcodes", kFatal}, ForeignKey{"successexitcodes", kSuccess},
     ForeignKey{"exitcodesuccess", kSuccess}, ForeignKey{"remainafterexit", kNot}, ForeignKey{"oompolicy", kNot},
     ForeignKey{"partof", kNot}, ForeignKey{"onfailure", kNot}, ForeignKey{"prestop", kNot},
     ForeignKey{"startperiod", kStartTimeout}, ForeignKey{"failurethreshold", kTries},
     ForeignKey{"minreadyseconds", kCooldown}, ForeignKey{"parallelism", kCount}, ForeignKey{"amount", kCount},
     ForeignKey{"maxrestart", kTries}, ForeignKey{"attempts", kTries}, ForeignKey{"respawn", kRestartKey},
     ForeignKey{"respawnlimit", kTries}, ForeignKey{"maxdeathtally", kTries}, ForeignKey{"restartlimitcount", kTries},
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
constexpr std::array kOfFleets{
    ForeignKey{"shutdown", kGrace}, ForeignKey{"stop", kGrace},      ForeignKey{"grace", kGrace},
    ForeignKey{"timeout", kGrace},  ForeignKey{"type", kReady},      ForeignKey{"after", kNot},
    ForeignKey{"before", kNot},     ForeignKey{"behaviour", kRuns},  ForeignKey{"behavior", kRuns},
    ForeignKey{"start", kRuns},     ForeignKey{"significant", kNot}, ForeignKey{"modules", kNot}};
constexpr std::array kOfBreakers{ForeignKey{"max", kMaxFailures},         ForeignKey{"failures", kMaxFailures},
                                 ForeignKey{"threshold", kMaxFailures},   ForeignKey{"limit", kMaxFailures},
                                 ForeignKey{"burst", kMaxFailures},       ForeignKey{"count", kMaxFailures},
                                 ForeignKey{"attempts", kMaxFailures},    ForeignKey{"retries", kMaxFailures},
                                 ForeignKey{"maxretries", kMaxFailures},  ForeignKey{"maxattempts", kMaxFailures},
                                 ForeignKey{"maxrestarts", kMaxFailures}, ForeignKey{"failurethreshold", kMaxFailures},
                                 ForeignKey{"interval", kWindow},         ForeignKey{"period", kWindow},
                                 ForeignKey{"within", kWindow},           ForeignKey{"per", kWindow},
                                 ForeignKey{"duration", kWindow},         ForeignKey{"for", kWindow},
                                 ForeignKey{"timeout", kHalfOpen},        ForeignKey{"resettimeout", kHalfOpen},
                                 ForeignKey{"resetafter", kHalfOpen},     ForeignKey{"openfor", kHalfOpen},
                                 ForeignKey{"cooldown", kHalfOpen}};
constexpr std::array kOfProbes{
    ForeignKey{"open", kOpenFor},       ForeignKey{"for", kOpenFor},           ForeignKey{"after", kOpenFor},
    ForeignKey{"timeout", kOpenFor},    ForeignKey{"delay", kOpenFor},         ForeignKey{"wait", kOpenFor},
    ForeignKey{"base", kOpenFor},       ForeignKey{"max", kOpenForMax},        ForeignKey{"openmax", kOpenForMax},
    ForeignKey{"probes", kProbe},       ForeignKey{"maxcalls", kProbe},        ForeignKey{"success", kProbe},
    ForeignKey{"successafter", kProbe}, ForeignKey{"successthreshold", kProbe}};
constexpr std::array kOfChaos{
    ForeignKey{"type", kKind},     ForeignKey{"kind", kKind},      ForeignKey{"action", kKind},
    ForeignKey{"name", kKind},     ForeignKey{"fault", kKind},     ForeignKey{"repeat", kEvery},
    ForeignKey{"times", kEvery},   ForeignKey{"interval", kEvery}, ForeignKey{"count", kEvery},
    ForeignKey{"cron", kEvery},    ForeignKey{"schedule", kEvery}, ForeignKey{"period", kEvery},
    ForeignKey{"time", kAt},       ForeignKey{"start", kAt},       ForeignKey{"from", kAt},
    ForeignKey{"stop", kNoStop},   ForeignKey{"restart", kNoStop}, ForeignKey{"terminate", kNoStop},
    ForeignKey{"remove", kNoStop}, ForeignKey{"latency", kNot},    ForeignKey{"network", kNot},
    ForeignKey{"cpu", kNot},       ForeignKey{"memory", kNot}};
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
constexpr std::array kOfBackoffs{ForeignKey{"min", kBase},   ForeignKey{"initial", kBase}, ForeignKey{"start", kBase},
                                 ForeignKey{"first", kBase}, ForeignKey{"cap", kMax},      ForeignKey{"limit", kMax}};
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

std::string advice_in(const Table& table, std::string_view word) {
  if (has_distributions(table)) return advice_of(kOfDistributions, word);
  if (table.find("tcp")) return advice_of(kOfAsking, word);
  if (table.find("stop_grace") && table.find("restart")) return advice_of(kOfFleets, word);
  if (table.find("base") && table.find("cooldown")) return advice_of(kOfBackoffs, word);
  if (table.find("max_failures")) return advice_of(kOfBreakers, word);
  if (table.find("open_for")) return advice_of(kOfProbes, word);
  if (table.find("storm") && table.find("outage")) return advice_of(kOfChaos, word);
  if (table.find("file")) return advice_of(kOfRecordings, word);
  if (table.find("mode")) return advice_of(kOfOutages, word);
  if (table.find("share") && !table.find("for")) return advice_of(kOfStorms, word);
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
  const auto lower = lower_case(value);
  if (lower == "true" || lower == "yes" || lower == "on") return "write true";
  if (lower == "false" || lower == "no" || lower == "off")
    return "write false, or " + in_quotes(lower) + " where a text is allowed";
  if (lower == "null" || lower == "none" || lower == "nil" || lower == "~")
    return "leave the key out: there is no null";
  if (const auto length = meant_duration(value)) return write_text(to_string(*length)) + " in quotes";
  if (value.ends_with('%')) return "a share is a number from 0 to 1, like 0.5";
  return is_word(value) && !is_digit(value.front()) ? write_text(value) + " in quotes" : "";
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
  return value->find_first_of("\"'[{") == std::string_view::npos ? about_bare_value(*value) : "";
}

}  // namespace holdfast::file
