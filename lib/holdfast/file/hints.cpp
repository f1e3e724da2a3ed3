#include <holdfast/file/hints.hpp>

#include <algorithm>
#include <array>
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
  const auto unit = text.find_last_not_of("0123456789 ");
  const auto meant = meant_duration(spelt + (lower_case(text.substr(unit, 1)) == "h" ? "min" : "s"));
  return meant ? write_text(to_string(*meant)) : "";
}

}  // namespace

std::string length_hint(std::string_view text, const Length& length, const Key& key) {
  text = trimmed(text);
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

// "50%", "0.5", "3" in quotes.
std::string number_in_quotes(std::string_view text, const Key& key) {
  text = trimmed(text);
  const bool percent = text.ends_with('%');
  const auto digits = trimmed(text.substr(0, text.size() - (percent ? 1 : 0)));
  std::string_view rest = digits;
  const auto whole = take_number(rest);
  if (!whole) return "";
  const auto* const number = form_of<Number>(key);
  if (percent && number && rest.empty() && *whole <= 100) return share_hint(static_cast<double>(*whole), *number);
  const bool fraction = rest.size() > 1 && rest.front() == '.' && std::all_of(rest.begin() + 1, rest.end(), is_digit);
  if (percent || (!rest.empty() && !(fraction && number))) return "";
  if (!number && !form_of<Integer>(key)) return "";
  return "write " + std::string{digits} + " without quotes";
}

std::string about_text(std::string_view text, const Key& key) {
  if (form_of<Number>(key) || form_of<Integer>(key)) return number_in_quotes(text, key);
  if (form_of<True>(key)) return "write true, without quotes";
  const auto* const inner = form_of<Inner>(key);
  if (!inner) return "";
  auto length = parse_duration(text);
  if (!length) length = meant_duration(text);
  if (length && inner->table().find("for")) return "write { for = " + in_quotes(to_string(*length)) + " }";
  return inner->table().find("of") ? "write { of = " + in_quotes(text) + " }" : "";
}

std::string about_boolean(bool value, const Key& key) {
  if (has_word(key, "off")) return value ? "leave the key out, or write a table" : write_text("off");
  if (has_word(key, "always")) return write_text(value ? "always" : "never");
  const auto* const inner = form_of<Inner>(key);
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
  const bool is_share = range.above_min && range.max == Ratio::from(1);
  const bool is_percentage = number >= 2 && number <= 100;
  if (!is_share || !is_percentage) return "";
  return "write " + decimal(number / 100) + " for " + decimal(number).substr(0, decimal(number).find(".0")) + " %";
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
constexpr std::array kThens{
    Foreign{"exit1", "fail"},      Foreign{"exit0", "end"},          Foreign{"crash", "fail"},
    Foreign{"error", "fail"},      Foreign{"failure", "fail"},       Foreign{"fails", "fail"},
    Foreign{"failed", "fail"},     Foreign{"die", "fail"},           Foreign{"dies", "fail"},
    Foreign{"crashes", "fail"},    Foreign{"crashed", "fail"},       Foreign{"abort", "fail"},
    Foreign{"segfault", "fail"},   Foreign{"kill", "fail"},          Foreign{"killed", "fail"},
    Foreign{"panic", "throw"},     Foreign{"exception", "throw"},    Foreign{"raise", "throw"},
    Foreign{"throws", "throw"},    Foreign{"exit", "end"},           Foreign{"exits", "end"},
    Foreign{"stop", "end"},        Foreign{"stops", "end"},          Foreign{"ends", "end"},
    Foreign{"quit", "end"},        Foreign{"success", "end"},        Foreign{"succeed", "end"},
    Foreign{"ok", "end"},          Foreign{"complete", "end"},       Foreign{"completed", "end"},
    Foreign{"done", "end"},        Foreign{"return", "end"},         Foreign{"finish", "end"},
    Foreign{"freeze", "hang"},     Foreign{"hangs", "hang"},         Foreign{"stuck", "hang"},
    Foreign{"block", "hang"},      Foreign{"deadlock", "hang"},      Foreign{"sleep", "hang"},
    Foreign{"permanent", "fatal"}, Foreign{"unrecoverable", "fatal"}};
constexpr std::array kObediences{
    Foreign{"obeys", "obey"},       Foreign{"stop", "obey"},    Foreign{"end", "obey"},  Foreign{"exit", "obey"},
    Foreign{"immediately", "obey"}, Foreign{"yes", "obey"},     Foreign{"true", "obey"}, Foreign{"ignores", "ignore"},
    Foreign{"ignored", "ignore"},   Foreign{"never", "ignore"}, Foreign{"no", "ignore"}, Foreign{"false", "ignore"},
    Foreign{"hang", "ignore"},      Foreign{"none", "ignore"}};
constexpr std::array kOffs{Foreign{"none", "off"},  Foreign{"no", "off"},       Foreign{"false", "off"},
                           Foreign{"never", "off"}, Foreign{"disabled", "off"}, Foreign{"disable", "off"},
                           Foreign{"null", "off"},  Foreign{"0", "off"}};
constexpr std::array kAfterwards{Foreign{"exit", "return"}, Foreign{"stop", "return"},     Foreign{"quit", "return"},
                                 Foreign{"end", "return"},  Foreign{"shutdown", "return"}, Foreign{"returns", "return"},
                                 Foreign{"waits", "wait"},  Foreign{"stay", "wait"},       Foreign{"keep", "wait"},
                                 Foreign{"idle", "wait"}};

template <std::size_t kSize>
std::string_view ours(const std::array<Foreign, kSize>& words, std::string_view squeezed_word) {
  const auto* const found =
      std::find_if(words.begin(), words.end(), [&](const Foreign& foreign) { return foreign.word == squeezed_word; });
  return found == words.end() ? std::string_view{} : found->instead;
}

std::string_view our_word(std::string_view text, const Key& key) {
  const auto word = squeezed(text);
  if (has_word(key, "always")) return ours(kRestarts, word);
  if (has_word(key, "hang")) return ours(kThens, word);
  if (has_word(key, "obey")) return ours(kObediences, word);
  if (has_word(key, "off")) return ours(kOffs, word);
  return has_word(key, "wait") ? ours(kAfterwards, word) : std::string_view{};
}

}  // namespace

std::string word_hint(std::string_view text, const Key& key) {
  if (const auto word = our_word(text, key); !word.empty()) return write_text(word);
  // Docker's "on-failure:5".
  if (const auto colon = text.find(':'); colon != std::string_view::npos && has_word(key, "on_failure")) {
    std::string_view rest = text.substr(colon + 1);
    const auto tries = take_number(rest);
    if (squeezed(text.substr(0, colon)) == "onfailure" && tries && rest.empty()) {
      return write_text("on_failure") + ", and backoff = { breaker = { max_failures = " + std::to_string(*tries) +
             " } }";
    }
  }
  if (has_word(key, "obey")) {
    auto meant = parse_duration(text);
    if (!meant) meant = meant_duration(text);
    if (meant) return "write { takes = " + in_quotes(to_string(*meant)) + " }";
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
constexpr std::string_view kJitter =
    "every wait is drawn from 0 to its ceiling, and ceilings double: nothing to be set";
constexpr std::string_view kOf = "whom it is about is of = \"feed\", inside storm, outage or hang";
constexpr std::string_view kShare = "how many it hits is share = 0.5, inside storm, outage or hang";
constexpr std::string_view kFor = "how long it lasts is for = \"5min\", inside outage or hang";
constexpr std::string_view kFixed = "a length that is always the same is a text alone: \"1h\"";
constexpr std::string_view kBetween = "anything between two lengths is { uniform = [\"1s\", \"5s\"] }";
constexpr std::string_view kOnAverage = "a length on average is { exponential = \"1h\" }";
constexpr std::string_view kSpread = "lengths around one of them are { log_normal = { median = \"1h\", sigma = 0.5 } }";
constexpr std::string_view kNamesItself = "the distribution is the key itself: { exponential = \"1h\" }";
constexpr std::string_view kTakes = "how long it takes is { takes = \"5s\" }";
constexpr std::string_view kNot = "this version of the format has nothing like it";

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

constexpr std::array kForeignKeys{
    // systemd
    ForeignKey{"restartsec", kBase}, ForeignKey{"restartmaxdelaysec", kMax}, ForeignKey{"restartsteps", kJitter},
    ForeignKey{"startlimitburst", kTries}, ForeignKey{"startlimitinterval", kTries},
    ForeignKey{"startlimitintervalsec", kTries}, ForeignKey{"startlimitaction", kTries},
    ForeignKey{"timeoutstopsec", kGrace}, ForeignKey{"timeoutsec", kGrace}, ForeignKey{"killmode", kGrace},
    ForeignKey{"killsignal", kGrace}, ForeignKey{"sendsigkill", kGrace}, ForeignKey{"execstart", kRuns},
    ForeignKey{"type", kRuns}, ForeignKey{"runtimemaxsec", kRuns}, ForeignKey{"watchdogsec", kNot},
    ForeignKey{"timeoutstartsec", kNot}, ForeignKey{"requires", kNot}, ForeignKey{"wants", kNot},
    ForeignKey{"bindsto", kNot},
    // supervisord
    ForeignKey{"autorestart", kRestartKey}, ForeignKey{"autostart", kNot}, ForeignKey{"startretries", kTries},
    ForeignKey{"startsecs", kCooldown}, ForeignKey{"stopwaitsecs", kGrace}, ForeignKey{"stopsignal", kGrace},
    ForeignKey{"killasgroup", kGrace}, ForeignKey{"stopasgroup", kGrace}, ForeignKey{"exitcodes", kRuns},
    ForeignKey{"numprocs", kCount}, ForeignKey{"processname", "write name = \"feed\""}, ForeignKey{"priority", kNot},
    ForeignKey{"command", kRuns}, ForeignKey{"cmd", kRuns}, ForeignKey{"program", kRuns}, ForeignKey{"image", kRuns},
    // Docker
    ForeignKey{"restartpolicy", kRestartKey}, ForeignKey{"condition", kRestartKey}, ForeignKey{"maxattempts", kTries},
    ForeignKey{"maximumretrycount", kTries}, ForeignKey{"stopgraceperiod", kGrace}, ForeignKey{"replicas", kCount},
    ForeignKey{"scale", kCount}, ForeignKey{"dependson", kNot}, ForeignKey{"healthcheck", kNot},
    // Kubernetes
    ForeignKey{"backofflimit", kTries}, ForeignKey{"crashloopbackoff", kBase},
    ForeignKey{"terminationgraceperiodseconds", kGrace}, ForeignKey{"initialdelayseconds", kNot},
    ForeignKey{"livenessprobe", kNot}, ForeignKey{"readinessprobe", kNot},
    // OTP
    ForeignKey{"intensity", kTries}, ForeignKey{"maxr", kTries}, ForeignKey{"maxt", kTries},
    ForeignKey{"period", kTries}, ForeignKey{"strategy", kNot},
    ForeignKey{"children", "write a [[fleet]] for each kind of service"},
    // libraries of retries, and plain words
    ForeignKey{"delay", kBase}, ForeignKey{"initialdelay", kBase}, ForeignKey{"mindelay", kBase},
    ForeignKey{"initialbackoff", kBase}, ForeignKey{"minbackoff", kBase}, ForeignKey{"restartdelay", kBase},
    ForeignKey{"maxdelay", kMax}, ForeignKey{"maxbackoff", kMax}, ForeignKey{"multiplier", kJitter},
    ForeignKey{"factor", kJitter}, ForeignKey{"jitter", kJitter}, ForeignKey{"maxretries", kTries},
    ForeignKey{"retries", kTries}, ForeignKey{"maxrestarts", kTries}, ForeignKey{"threshold", kTries},
    ForeignKey{"resetafter", kCooldown}, ForeignKey{"graceperiod", kGrace}, ForeignKey{"stoptimeout", kGrace},
    ForeignKey{"draintimeout", "the drain's deadline is shutdown_timeout = \"30s\" in [supervisor]"},
    ForeignKey{"shutdowngrace", "the drain's deadline is shutdown_timeout = \"30s\" in [supervisor]"},
    ForeignKey{"fixed", kFixed}, ForeignKey{"constant", kFixed}, ForeignKey{"exactly", kFixed},
    ForeignKey{"maxseconds", kTries},
    ForeignKey{"mtbf", "write runs_for = { exponential = \"4h\" } and then = \"fail\""},
    ForeignKey{"mttf", "write runs_for = { exponential = \"4h\" } and then = \"fail\""}, ForeignKey{"mttr", kFor},
    ForeignKey{"instances", kCount}, ForeignKey{"size", kCount}, ForeignKey{"number", kCount},
    ForeignKey{"probability", kShare}, ForeignKey{"fraction", kShare}, ForeignKey{"percent", kShare},
    ForeignKey{"percentage", kShare}, ForeignKey{"target", kOf}, ForeignKey{"targets", kOf},
    ForeignKey{"services", kOf}, ForeignKey{"length", kFor}, ForeignKey{"lasts", kFor},
    ForeignKey{"when", "when it begins is at = \"30min\""}, ForeignKey{"after", "when it begins is at = \"30min\""},
    ForeignKey{"begin", "when it begins is at = \"30min\""}, ForeignKey{"until", kFor}, ForeignKey{"crash", kStorm},
    ForeignKey{"kill", kStorm}, ForeignKey{"failure", kStorm}, ForeignKey{"fail", kStorm}, ForeignKey{"down", kOutage},
    ForeignKey{"downtime", kOutage}, ForeignKey{"unavailable", kOutage}, ForeignKey{"partition", kOutage},
    ForeignKey{"freeze", kHang}, ForeignKey{"stall", kHang}, ForeignKey{"pause", kHang},
    ForeignKey{"id", "write name = \"feed\""}, ForeignKey{"title", "write name = \"feed\""}};

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
constexpr std::array kOfFleets{
    ForeignKey{"shutdown", kGrace}, ForeignKey{"stop", kGrace},      ForeignKey{"grace", kGrace},
    ForeignKey{"timeout", kGrace},  ForeignKey{"behaviour", kRuns},  ForeignKey{"behavior", kRuns},
    ForeignKey{"start", kRuns},     ForeignKey{"significant", kNot}, ForeignKey{"modules", kNot}};
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
  if (table.find("stop_grace") && table.find("restart")) return advice_of(kOfFleets, word);
  if (table.find("base") && table.find("cooldown")) return advice_of(kOfBackoffs, word);
  return table.find("takes") ? advice_of(kOfStops, word) : "";
}

}  // namespace

std::string key_hint(std::string_view key, const Table& table, const Table& whole) {
  const auto word = squeezed(key);
  const bool at_the_top = &table == &whole;
  if (table.find("for") && (word == "duration" || word == "time")) return "write for";
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
  return "there are no patterns" +
         (group.empty() ? std::string{} : ": " + in_quotes(group) + " would be all services of that group");
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

std::string about_bare_value(std::string_view value) {
  if (value.empty()) return "a value is missing behind the =";
  const auto lower = lower_case(value);
  if (lower == "true" || lower == "yes" || lower == "on") return "write true";
  if (lower == "false" || lower == "no" || lower == "off")
    return "write false, or " + in_quotes(lower) + " where a text is allowed";
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
  if (line.starts_with(';') || line.starts_with("//")) return "a comment begins with #";
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
  return value->find_first_of("\"'[{") == std::string_view::npos ? about_bare_value(*value) : "";
}

}  // namespace holdfast::file
