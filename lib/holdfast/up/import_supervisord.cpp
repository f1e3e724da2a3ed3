#include <holdfast/up/import_supervisord.hpp>

#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include <holdfast/file/fleet.hpp>
#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/program_keys.hpp>
#include <holdfast/file/size_text.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast/file/values.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>
#include <holdfast/up/import_ini.hpp>

namespace holdfast::up {

namespace {

namespace fs = std::filesystem;
using Faults = std::vector<file::Complaint>;

constexpr std::uint64_t kProcessesMax = 1000;  // of one program
constexpr std::uint64_t kWrittenOutMax = 100;  // of one program whose processes are groups of their own
constexpr std::uint64_t kSecondsMax = std::uint64_t{365} * 86400;
constexpr std::size_t kIncludedMax = 1000;  // files
constexpr std::string_view kProgram = "program:";

// ---------------------------------------------------------------------------------------------------------------------
// Why a key is not here. The reason stands behind "left out: ".
// ---------------------------------------------------------------------------------------------------------------------

constexpr std::array kProgramReasons{
    Reason{"serverurl", "services get no variables of supervisord; commands go to the control socket of `up`"},
    Reason{"stdout_capture_maxbytes", "nobody here reads supervisord's events out of the output"},
    Reason{"stderr_capture_maxbytes", "nobody here reads supervisord's events out of the output"},
    Reason{"stdout_events_enabled", "\"holdfast logs -f\" and \"holdfast events -f\" show what happens"},
    Reason{"stderr_events_enabled", "\"holdfast logs -f\" and \"holdfast events -f\" show what happens"},
    Reason{"stdout_syslog", "there is no syslog here; run `up` below something that takes its output"},
    Reason{"stderr_syslog", "there is no syslog here; run `up` below something that takes its output"},
    Reason{"stderr_logfile_maxbytes", "both streams go to one log, and `max_bytes` is the limit of both"},
    Reason{"stderr_logfile_backups", "both streams go to one log, and `keep` is for both"},
};

constexpr std::array kMainReasons{
    Reason{"logfile", "`up` writes its log to its output; send that to a file"},
    Reason{"logfile_maxbytes", "`up` writes its log to its output"},
    Reason{"logfile_backups", "`up` writes its log to its output"},
    Reason{"loglevel", "the log of `up` has one level; \"holdfast events\" shows more"},
    Reason{"pidfile", "there is none: a lock says who has a fleet, and \"holdfast status\" shows the process"},
    Reason{"nodaemon", "`up` stays in the foreground always; systemd, a container or `setsid` may put it away"},
    Reason{"silent", "`up` writes to its output; send that elsewhere"},
    Reason{"minfds", "`up` raises its own limit of open files; services have limits = { open_files = 65536 }"},
    Reason{"minprocs", "services have limits = { processes = 200 }"},
    Reason{"nocleanup", "there are no files of AUTO logs to be cleaned up"},
    Reason{"childlogdir", "there are no AUTO logs: lines go to the output of `up`, or to the `log.path` of a service"},
    Reason{"user", "start `up` as this user, or give each service its `user`"},
    Reason{"directory", "`up` keeps its folder; a service without `folder` runs in the folder of this file"},
    Reason{"strip_ansi", "lines are written as they come"},
};

constexpr std::array kSectionReasons{
    Reason{"group:", "there are no groups of programs; commands take several names: \"holdfast restart a b\""},
    Reason{"eventlistener:", "it speaks supervisord's event protocol; \"holdfast events -f --json\" shows events"},
    Reason{"fcgi-program:", "nobody here makes the socket of FastCGI programs; let the program listen itself"},
    Reason{"unix_http_server", "the control socket is a Unix socket of mode 0600 (`control` in [supervisor])"},
    Reason{"inet_http_server", "commands never come over TCP; `endpoint` in [supervisor] serves metrics and health"},
    Reason{"supervisorctl", "\"holdfast status\" and its sisters find the control socket themselves"},
    Reason{"rpcinterface:", "there is no XML-RPC; commands go to the control socket"},
    Reason{"ctlplugin:", "there are no plug-ins"},
};

std::string_view reason_of_section(std::string_view name) {
  for (const auto& [begin, why] : kSectionReasons) {
    if (begin.ends_with(':') ? name.starts_with(begin) : name == begin) return why;
  }
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Values
// ---------------------------------------------------------------------------------------------------------------------

std::optional<bool> truth_of(std::string_view text) {
  const auto word = file::lower_case(text);
  if (word == "yes" || word == "true" || word == "on" || word == "1") return true;
  if (word == "no" || word == "false" || word == "off" || word == "0") return false;
  return std::nullopt;
}

// "50MB" as supervisord has it: KB, MB and GB are powers of 1024.
std::optional<std::uint64_t> bytes_of(std::string_view text) {
  const auto lower = file::lower_case(text);
  unsigned shift = 0;
  if (lower.ends_with("kb")) shift = 10;
  if (lower.ends_with("mb")) shift = 20;
  if (lower.ends_with("gb")) shift = 30;
  const auto digits = file::trimmed(std::string_view{lower}.substr(0, lower.size() - (shift == 0 ? 0 : 2)));
  const auto number = number_of(digits, 0, file::kSizeMax >> shift);
  if (!number) return std::nullopt;
  return *number << shift;
}

// %(process_num)02d of a number.
std::string formatted(std::uint64_t number, std::string_view format) {
  auto text = std::to_string(number);
  const bool has_zeros = format.starts_with('0');
  const auto width = number_of(has_zeros ? format.substr(1) : format, 0, 20).value_or(0);
  if (text.size() < width) text.insert(0, width - text.size(), has_zeros ? '0' : ' ');
  return text;
}

std::vector<std::string> split_at(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    const auto part = file::trimmed(text.substr(0, end));
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

struct Variables {
  std::vector<std::pair<std::string, std::string>> all{};
  std::string fault{};
};

// KEY="value",KEY2='value',KEY3=value
Variables variables_of(std::string_view text) {
  Variables read;
  const auto is_between = [](char c) { return c == ',' || c == '\n' || file::is_blank(c); };
  for (;;) {
    while (!text.empty() && is_between(text.front())) text.remove_prefix(1);
    if (text.empty()) return read;
    const auto equals = text.find('=');
    const auto name = file::trimmed(text.substr(0, std::min(equals, text.size())));
    if (equals == std::string_view::npos || name.empty() || name.find_first_of(",\"' \t\n") != std::string_view::npos) {
      read.fault = "is " + file::in_quotes(text) + " here; allowed is KEY=\"value\",KEY2=\"value\"";
      return read;
    }
    text.remove_prefix(equals + 1);
    while (!text.empty() && file::is_blank(text.front())) text.remove_prefix(1);
    std::string value;
    if (!text.empty() && (text.front() == '"' || text.front() == '\'')) {
      const auto end = text.find(text.front(), 1);
      if (end == std::string_view::npos) {
        read.fault = "has a quote that is not closed, before " + file::in_quotes(text);
        return read;
      }
      value = text.substr(1, end - 1);
      text.remove_prefix(end + 1);
    } else {
      const auto end = std::min(text.find_first_of(",\n"), text.size());
      value = file::trimmed(text.substr(0, end));
      text.remove_prefix(end);
    }
    read.all.emplace_back(name, std::move(value));
  }
}

bool is_bare_key(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || file::is_digit(c) || c == '_' || c == '-';
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// %(…)s
// ---------------------------------------------------------------------------------------------------------------------

struct Expanded {
  std::string text{};     // with kIndexMark where the number of a process stands
  std::string fault{};    // it is no format of supervisord's
  std::string missing{};  // a variable of the environment that is not set here
};

class Expansions {
 public:
  Expansions(const ImportOrder& order, std::string program, std::uint64_t processes)
      : order_(order), program_(std::move(program)), processes_(processes) {}

  // The number of a process; nullopt: a mark stands for it.
  void set_number(std::optional<std::uint64_t> number) { number_ = number; }
  // A format that a mark cannot stand for was met.
  [[nodiscard]] bool needs_numbers() const noexcept { return needs_numbers_; }

  Expanded of(std::string_view text) {
    Expanded made;
    while (!text.empty()) {
      const auto at = text.find('%');
      made.text += text.substr(0, at);
      if (at == std::string_view::npos) break;
      text.remove_prefix(at + 1);
      if (text.starts_with('%')) {
        made.text += '%';
        text.remove_prefix(1);
        continue;
      }
      const auto close = text.find(')');
      const auto letter = text.find_first_of("sdi", close == std::string_view::npos ? 0 : close);
      if (!text.starts_with('(') || close == std::string_view::npos || letter == std::string_view::npos) {
        made.fault = "has a % that begins no %(name)s; a % itself is %%";
        return made;
      }
      const auto name = text.substr(1, close - 1);
      const auto format = text.substr(close + 1, letter - close - 1);
      text.remove_prefix(letter + 1);
      if (!add(made, name, format)) return made;
    }
    return made;
  }

 private:
  bool add(Expanded& made, std::string_view name, std::string_view format) {
    if (format.size() > 4 || !std::all_of(format.begin(), format.end(), file::is_digit)) {
      made.fault =
          "has the format " + file::in_quotes(format) + " behind %(" + file::printable(name) + "); allowed are digits";
      return false;
    }
    if (name == "process_num") {
      if (number_) {
        made.text += formatted(*number_, format);
      } else {
        needs_numbers_ = needs_numbers_ || !format.empty();
        made.text += kIndexMark;
      }
    } else if (name == "program_name" || name == "group_name") {
      made.text += program_;
    } else if (name == "numprocs") {
      made.text += formatted(processes_, format);
    } else if (name == "here") {
      made.text += fs::absolute(order_.file).parent_path().string();
    } else if (name == "host_node_name") {
      std::array<char, 256> host{};
      static_cast<void>(::gethostname(host.data(), host.size() - 1));
      made.text += host.data();
    } else if (name.starts_with("ENV_")) {
      const std::string variable{name.substr(4)};
      const auto value = order_.variable ? order_.variable(variable) : std::nullopt;
      if (!value || !faults_of_text(*value, "").empty() || value->find('\n') != std::string::npos) {
        made.missing = variable;
        return false;
      }
      used_.insert(variable);
      made.text += *value;
    } else {
      made.fault = "has %(" + file::printable(name) +
                   ")s; known are program_name, process_num, group_name, numprocs, here, host_node_name and ENV_NAME";
      return false;
    }
    return true;
  }

  const ImportOrder& order_;
  const std::string program_;
  const std::uint64_t processes_;
  std::optional<std::uint64_t> number_;
  std::set<std::string> used_;
  bool needs_numbers_ = false;

 public:
  // Variables of the environment that stand in texts now.
  [[nodiscard]] const std::set<std::string>& used() const noexcept { return used_; }
};

// ---------------------------------------------------------------------------------------------------------------------
// A program
// ---------------------------------------------------------------------------------------------------------------------

// What all programs of a file share.
struct Shared {
  const ImportOrder& order;
  std::vector<std::pair<std::string, std::string>> environment{};  // of [supervisord], as it is written
  std::optional<std::string> umask{};
  std::map<std::string, std::string> logs{};  // path: whose
  Faults& faults;
};

class Program {
 public:
  Program(const IniSection& section, Shared& shared)
      : section_(section),
        shared_(shared),
        name_(section.name.substr(kProgram.size())),
        processes_(number("numprocs", 1, 1, kProcessesMax)),
        first_(number("numprocs_start", 0, 0, std::numeric_limits<std::uint32_t>::max())),
        expansions_(shared.order, name_, processes_) {}

  // One group, or one for each process where ${INDEX} cannot say what the file says.
  std::vector<ImportedGroup> groups() {
    const auto logs_before = shared_.logs;
    const auto faults_before = shared_.faults.size();
    auto one = group(std::nullopt);
    if (!needs_numbers() || shared_.faults.size() > faults_before) return {std::move(one)};
    if (processes_ > kWrittenOutMax) {
      complain(find("numprocs"), "is " + std::to_string(processes_) +
                                     ", and %(process_num) is used in a way that makes "
                                     "each process a group of its own; allowed are up to " +
                                     std::to_string(kWrittenOutMax));
      return {};
    }
    std::vector<ImportedGroup> made;
    shared_.logs = logs_before;
    for (auto n = first_; n < first_ + processes_; ++n) {
      made.push_back(group(n));
      if (n > first_) made.back().notes.clear();
    }
    return made;
  }

 private:
  [[nodiscard]] bool needs_numbers() const {
    return processes_ > 1 && (expansions_.needs_numbers() || unsayable_ || (first_ != 0 && uses_numbers_));
  }

  ImportedGroup group(std::optional<std::uint64_t> number) {
    group_ = {};
    number_ = number;
    // A single process has the first number.
    expansions_.set_number(processes_ == 1 ? std::optional{first_} : number);
    group_.at = section_.at;
    group_.called = '[' + section_.name + ']';
    group_.name = as_group_name(number ? name_ + '-' + std::to_string(*number) : name_);
    if (processes_ > 1 && !number) group_.count = static_cast<std::uint32_t>(processes_);
    add_command();
    add_start_and_stop();
    add_restarts();
    add_process();
    add_environment();
    add_log();
    add_rest();
    for (const auto& variable : expansions_.used()) {
      note(nullptr, "%(ENV_" + variable + ")s has the value that it had when this was imported");
    }
    return std::move(group_);
  }

  const IniKey* find(std::string_view key) {
    seen_.insert(std::string{key});
    return section_.find(key);
  }

  [[nodiscard]] std::string key_path(const IniKey* key) const {
    return section_.name + (key != nullptr ? ' ' + key->name : "");
  }
  void complain(const IniKey* key, std::string says) {
    const auto& at = key != nullptr ? key->at : section_.at;
    shared_.faults.push_back({at.file, at.line, 0, key_path(key), std::move(says)});
  }
  void note(const IniKey* key, std::string says) {
    const auto& at = key != nullptr ? key->at : section_.at;
    group_.notes.push_back({at.file, at.line, 0, key_path(key), std::move(says)});
  }
  void leave_out(const IniKey& key, std::string_view why) { note(&key, "left out: " + std::string{why}); }

  std::uint64_t number(std::string_view name, std::uint64_t otherwise, std::uint64_t min, std::uint64_t max) {
    const auto* const key = find(name);
    if (key == nullptr) return otherwise;
    const auto read = number_of(key->value, min, max);
    if (!read) {
      complain(key, "is " + file::in_quotes(key->value) + "; allowed is a whole number from " + std::to_string(min) +
                        " to " + std::to_string(max));
    }
    return read.value_or(otherwise);
  }
  std::optional<std::uint64_t> number_if_there(std::string_view name, std::uint64_t min, std::uint64_t max) {
    if (find(name) == nullptr) return std::nullopt;
    return number(name, min, min, max);
  }
  std::optional<bool> truth(std::string_view name) {
    const auto* const key = find(name);
    if (key == nullptr) return std::nullopt;
    const auto read = truth_of(key->value);
    if (!read) complain(key, "is " + file::in_quotes(key->value) + "; allowed are true and false");
    return read;
  }

  // The text that a key has for this group; marks stand for numbers. nullopt: it is not there, or something is wrong.
  std::optional<std::string> expanded(const IniKey* key, std::string_view text) {
    const auto made = expansions_.of(text);
    if (!made.fault.empty()) {
      complain(key, made.fault);
      return std::nullopt;
    }
    if (!made.missing.empty()) {
      missing_ = made.missing;
      return std::nullopt;
    }
    uses_numbers_ = uses_numbers_ || text.find("%(process_num)") != std::string_view::npos;
    return made.text;
  }
  std::optional<std::string> text(std::string_view name) {
    const auto* const key = find(name);
    if (key == nullptr) return std::nullopt;
    missing_.clear();
    auto made = expanded(key, key->value);
    if (!made && !missing_.empty()) {
      leave_out(*key, "it needs the variable " + missing_ + ", which is not set here; set it and import again");
    }
    return made;
  }
  // As our files have it.
  std::string placed(const std::string& text) {
    auto made = with_placeholders(text);
    if (!made) unsayable_ = true;
    return made.value_or("");
  }

  void add_command() {
    const auto* const key = find("command");
    if (key == nullptr || key->value.empty()) {
      complain(key, "has no command; required is command=/path/to/program");
      return;
    }
    const auto line = text("command");
    if (!line) {
      group_.is_comment = true;
      group_.put_raw("command", "[]");
      return;
    }
    const auto words = shell_words(*line);
    if (!words || words->empty()) {
      complain(key, "has a quote that is not closed: " + file::in_quotes(key->value));
      return;
    }
    std::vector<std::string> made;
    made.reserve(words->size());
    for (const auto& word : *words) made.push_back(placed(word));
    if (made.front().empty()) complain(key, "has an empty word where the program stands");
    group_.put("command", toml_words(made));
  }

  void add_start_and_stop() {
    if (truth("autostart") == false) {
      group_.is_comment = true;
      note(find("autostart"),
           "is false: every service here starts with the fleet, so this group stands as a comment. "
           "\"holdfast up FILE NAME…\" starts some services alone");
    }
    if (const auto* const key = find("priority")) {
      group_.level = priority(*key);
    } else {
      group_.level = 999;
    }
    if (const auto seconds = number_if_there("stopwaitsecs", 0, kSecondsMax); seconds && *seconds != 10) {
      group_.put("stop_grace", toml_text_of(holdfast::to_string(std::chrono::seconds{*seconds})));
    }
    add_stop_signal();
    const bool as_group = truth("stopasgroup").value_or(false);
    if (!as_group) group_.put("stop_to", toml_text_of("process"));
    if (truth("killasgroup") == false) {
      leave_out(*find("killasgroup"), "whoever is left of a service's process group is killed with it always");
    }
  }

  int priority(const IniKey& key) {
    const bool is_below = key.value.starts_with('-');
    const auto read = number_of(std::string_view{key.value}.substr(is_below ? 1 : 0), 0, 1'000'000'000);
    if (!read) complain(&key, "is " + file::in_quotes(key.value) + "; allowed is a whole number");
    const auto level = static_cast<int>(read.value_or(0));
    return is_below ? -level : level;
  }

  void add_stop_signal() {
    const auto* const key = find("stopsignal");
    if (key == nullptr) return;
    std::string name;
    for (const char c : key->value) name += (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
    if (name.starts_with("SIG")) name.erase(0, 3);
    const auto& known = file::stop_signals();
    const auto wanted = number_of(name, 1, 64);
    const auto found = std::find_if(known.begin(), known.end(), [&](const file::NamedSignal& one) {
      return one.name == name || (wanted && *wanted == static_cast<std::uint64_t>(one.number));
    });
    if (found == known.end()) {
      leave_out(*key, name == "KILL" || name == "9"
                          ? "a service is asked before it is killed; stop_grace says how long it has"
                          : "allowed are TERM, INT, QUIT, HUP, USR1, USR2, ABRT, ALRM, WINCH and PWR");
    } else if (found->name != "TERM") {
      group_.put("stop_signal", toml_text_of(found->name));
    }
  }

  void add_restarts() {
    const auto* const key = find("autorestart");
    const auto word = key != nullptr ? file::lower_case(key->value) : "unexpected";
    const auto is_true = truth_of(word);
    if (!is_true && word != "unexpected") {
      complain(key, "is " + file::in_quotes(key->value) + "; allowed are true, false and unexpected");
    }
    const std::string_view restart = !is_true ? "on_failure" : *is_true ? "always" : "never";
    group_.put("restart", toml_text_of(restart));
    group_.may_be_over = restart == "never";
    if (const auto* const level = find("priority"); level != nullptr && group_.may_be_over) {
      note(level,
           "nobody waits for it, because its only run may be over by then; a job before a service is its before_start");
    }
    add_exit_rules();
    const auto seconds = number_if_there("startsecs", 0, kSecondsMax);
    const auto retries = number_if_there("startretries", 0, kImportedRetriesMax);
    if (!seconds && !retries) return;
    // The preset is supervisord's own law: a second more after each failed start, and then it gives up.
    std::string backoff = "{ preset = \"supervisord\"";
    if (seconds) backoff += ", cooldown = \"" + holdfast::to_string(std::chrono::seconds{*seconds}) + '"';
    if (retries) {
      backoff += ", breaker = { max_failures = " + std::to_string(*retries + 1) + ", window = \"36500d\" }";
    }
    group_.put_raw("backoff", backoff + " }");
  }

  void add_exit_rules() {
    const auto* const key = find("exitcodes");
    if (key == nullptr) return;
    std::set<std::uint64_t> clean;
    for (const auto& part : split_at(key->value, ",")) {
      const auto code = number_of(part, 0, 255);
      if (!code) {
        return complain(key,
                        "has " + file::in_quotes(part) + "; allowed are numbers from 0 to 255 with commas between");
      }
      clean.insert(*code);
    }
    std::string rules;
    const bool zero_is_clean = clean.erase(0) > 0;
    if (!clean.empty()) {
      rules = "clean = [";
      for (const auto code : clean) rules += (code == *clean.begin() ? "" : ", ") + std::to_string(code);
      rules += ']';
    }
    if (!zero_is_clean) rules += rules.empty() ? "failure = [0]" : ", failure = [0]";
    if (!rules.empty()) group_.put_raw("exit_rules", "{ " + rules + " }");
  }

  void add_process() {
    if (const auto folder = text("directory")) group_.put("folder", toml_text_of(placed(*folder)));
    if (const auto user = text("user"); user && !user->empty()) {
      uses_numbers_here(*user);
      group_.put("user", toml_text_of(*user));
    }
    const auto* const key = find("umask");
    const auto& mask = key != nullptr ? std::optional{key->value} : shared_.umask;
    if (!mask) return;
    auto digits = *mask;
    while (digits.size() > 3 && digits.starts_with('0')) digits.erase(0, 1);
    if (digits.size() < 3) digits.insert(0, 3 - digits.size(), '0');
    const bool works =
        digits.size() == 3 && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '7'; });
    if (!works) return complain(key, "is " + file::in_quotes(*mask) + "; allowed are octal digits like 022");
    group_.put("umask", toml_text_of(digits));
  }

  // A key that has no placeholders here.
  void uses_numbers_here(const std::string& text) {
    if (text.find(kIndexMark) != std::string::npos) unsayable_ = true;
  }

  void add_environment() {
    file::TomlValue table;
    add_variables(table, nullptr, shared_.environment);
    if (const auto* const key = find("environment")) {
      // Expanded first, as supervisord does it: a value may have several variables in it.
      const auto line = text("environment");
      if (line) {
        const auto read = variables_of(*line);
        if (!read.fault.empty()) return complain(key, read.fault);
        add_variables(table, key, read.all);
      }
    }
    if (!table.entries.empty()) group_.put("environment", table);
  }

  void add_variables(file::TomlValue& table, const IniKey* key,
                     const std::vector<std::pair<std::string, std::string>>& variables) {
    for (const auto& [name, value] : variables) {
      if (!is_bare_key(name)) {
        note(key, "left out: the variable " + file::in_quotes(name) + " has a name that no program expects");
        continue;
      }
      std::erase_if(table.entries, [&name = name](const file::TomlEntry& entry) { return entry.key == name; });
      file::put(table, name, toml_text_of(placed(value)));
    }
  }

  void add_log() {
    const bool redirects = truth("redirect_stderr").value_or(false);
    const auto* const out = find("stdout_logfile");
    const auto* const err = find("stderr_logfile");
    const auto out_to = text("stdout_logfile").value_or("AUTO");
    auto err_to = text("stderr_logfile").value_or("AUTO");
    const bool out_is_dropped = is_nowhere(out_to);
    if (redirects) err_to = out_to;
    std::string log;
    if (out_is_dropped && is_nowhere(err_to)) {
      log = "to = \"nothing\"";
    } else if (out_is_dropped) {
      leave_out(*out, "both streams go to one log; log = { to = \"nothing\" } drops both");
      if (is_file(err_to)) log = log_path(*err, err_to);
    } else if (is_file(out_to)) {
      log = log_path(*out, out_to);
      if (err != nullptr && !redirects && err_to != out_to) {
        leave_out(*err, "both streams go to one log, where each line says which it is");
      }
    } else if (is_file(err_to) && !redirects) {
      leave_out(*err, "both streams go to one log; log = { path = \"…\" } takes both");
    } else if (redirects && err != nullptr) {
      leave_out(*err, "redirect_stderr=true stands beside it");
    }
    const bool has_file = log.starts_with("path");
    for (const char* const name : {"stdout_logfile_maxbytes", "stdout_logfile_backups"}) {
      const auto* const key = find(name);
      if (key == nullptr) continue;
      if (!has_file) {
        leave_out(*key, "this log is no file here");
        continue;
      }
      const bool is_size = key->name.ends_with("maxbytes");
      const auto value = is_size ? bytes_of(key->value) : number_of(key->value, 0, 1'000'000'000);
      if (!value) {
        complain(key, "is " + file::in_quotes(key->value) +
                          (is_size ? "; allowed is a size like 50MB" : "; allowed is a whole number"));
      } else if (!is_size && *value > file::kLogFilesMax) {
        leave_out(*key, "allowed are up to " + std::to_string(file::kLogFilesMax) + " files");
      } else if (is_size && *value == 0) {
        leave_out(*key, "a log file has a limit here; 10MiB unless `max_bytes` says more");
      } else {
        log += is_size ? ", max_bytes = \"" + file::size_text(*value) + '"' : ", keep = " + std::to_string(*value);
      }
    }
    if (!log.empty()) group_.put_raw("log", "{ " + log + " }");
  }

  static bool is_nowhere(std::string_view path) { return file::lower_case(path) == "none" || path == "/dev/null"; }
  static bool is_file(std::string_view path) {
    const auto lower = file::lower_case(path);
    return !is_nowhere(path) && lower != "auto" && lower != "syslog" && lower != "none" && !path.empty() &&
           !path.starts_with("/dev/std") && !path.starts_with("/dev/fd/") && !path.starts_with("/proc/self/fd/");
  }

  std::string log_path(const IniKey& key, std::string path) {
    if (group_.count && path.find(kIndexMark) == std::string::npos) {
      path += '.';
      path += kIndexMark;
      note(&key, "has a number at its end here: two services never share a file");
    }
    const auto written = placed(path);
    const auto [other, is_new] = shared_.logs.try_emplace(written, group_.name);
    if (!is_new && !group_.is_comment) {
      leave_out(key, "service " + file::in_quotes(other->second) + " writes to this file; two never share one");
      return {};
    }
    return "path = " + value_of(written);
  }
  static std::string value_of(const std::string& text) {
    ImportedGroup one;
    one.put("", toml_text_of(text));
    return one.lines.front().second;
  }

  void add_rest() {
    if (processes_ > 1) {
      const auto last = std::to_string(number_ ? first_ + processes_ - 1 : processes_ - 1);
      const auto begin = std::to_string(number_ ? first_ : 0);
      note(find("process_name"), "the services are called " + file::printable(name_) + '-' + begin + " to " +
                                     file::printable(name_) + '-' + last + " here");
    } else if (const auto* const key = find("process_name")) {
      if (key->value != "%(program_name)s" && text("process_name") != name_) {
        note(key, "the service is called " + file::in_quotes(group_.name) + " here, as its program");
      }
    }
    if (first_ != 0 && !number_ && processes_ > 1) note(find("numprocs_start"), "numbers begin with 0 here");
    for (const auto& key : section_.keys) {
      if (seen_.contains(key.name)) continue;
      const auto why = reason_of(kProgramReasons, key.name);
      leave_out(key, why.empty() ? "supervisord 4.2 has no such key" : why);
    }
  }

  const IniSection& section_;
  Shared& shared_;
  const std::string name_;
  std::set<std::string> seen_;  // keys that were asked for
  const std::uint64_t processes_;
  const std::uint64_t first_;
  Expansions expansions_;
  std::optional<std::uint64_t> number_;  // of the process that the group is
  std::string missing_;
  bool uses_numbers_ = false;
  bool unsayable_ = false;  // a text that placeholders cannot say
  ImportedGroup group_;
};

// ---------------------------------------------------------------------------------------------------------------------
// The file
// ---------------------------------------------------------------------------------------------------------------------

class Files {
 public:
  Files(const ImportOrder& order, Faults& faults) : order_(order), faults_(faults) {}

  std::vector<IniSection> read() {
    std::vector<IniSection> sections;
    parse_ini(order_.text, order_.file.generic_string(), sections, faults_);
    const auto include = std::find_if(sections.begin(), sections.end(),
                                      [](const IniSection& section) { return section.name == "include"; });
    if (include == sections.end()) return sections;
    const auto* const files = include->find("files");
    if (files == nullptr) {
      faults_.push_back({include->at.file, include->at.line, 0, "include", "has no files; required is files=PATTERN"});
      return sections;
    }
    const auto key = *files;  // the sections move when more come
    Expansions expansions{order_, "", 0};
    const auto patterns = expansions.of(key.value);
    if (!patterns.fault.empty() || !patterns.missing.empty()) {
      faults_.push_back({key.at.file, key.at.line, 0, "include files",
                         patterns.fault.empty() ? "needs the variable " + patterns.missing + ", which is not set here"
                                                : patterns.fault});
      return sections;
    }
    for (const auto& pattern : split_at(patterns.text, " \t\n")) include_all(pattern, key, sections);
    return sections;
  }

 private:
  void include_all(const std::string& pattern, const IniKey& key, std::vector<IniSection>& sections) {
    const auto whole = (order_.file.parent_path() / pattern).string();
    glob_t found{};
    const bool any = ::glob(whole.c_str(), 0, nullptr, &found) == 0;
    for (std::size_t i = 0; any && i < found.gl_pathc && i < kIncludedMax; ++i) {
      const std::string path{found.gl_pathv[i]};
      const auto read = file::read_small_file(path, file::kFleetFileSizeMax);
      if (!read.problem.empty()) {
        faults_.push_back({key.at.file, key.at.line, 0, "include files", file::printable(path) + ' ' + read.problem});
        continue;
      }
      auto wrong = faults_of_text(read.text, path);
      faults_.insert(faults_.end(), wrong.begin(), wrong.end());
      if (wrong.empty()) parse_ini(read.text, path, sections, faults_);
    }
    ::globfree(&found);
  }

  const ImportOrder& order_;
  Faults& faults_;
};

void add_main(const IniSection& section, ImportedFleet& fleet, Shared& shared) {
  for (const auto& key : section.keys) {
    const auto note = [&](std::string says) {
      fleet.notes.push_back({key.at.file, key.at.line, 0, section.name + ' ' + key.name, std::move(says)});
    };
    if (key.name == "identifier") {
      if (fleet.name.empty()) fleet.name = as_group_name(key.value);
    } else if (key.name == "umask") {
      shared.umask = key.value;
    } else if (key.name == "environment") {
      Expansions expansions{shared.order, "", 0};
      const auto line = expansions.of(key.value);
      const auto read = variables_of(line.text);
      if (!line.missing.empty()) {
        note("left out: it needs the variable " + line.missing + ", which is not set here; set it and import again");
      } else if (!line.fault.empty() || !read.fault.empty()) {
        shared.faults.push_back(
            {key.at.file, key.at.line, 0, section.name + ' ' + key.name, line.fault.empty() ? read.fault : line.fault});
      } else {
        shared.environment = read.all;
        note("stands in each service");
      }
    } else {
      const auto why = reason_of(kMainReasons, key.name);
      note("left out: " + std::string{why.empty() ? "supervisord 4.2 has no such key" : why});
    }
  }
}

}  // namespace

ImportedFleet import_supervisord(const ImportOrder& order, Faults& faults) {
  ImportedFleet fleet{.name = order.name};
  fleet.remarks = {
      "Imported from " + file::printable(order.file.generic_string()) + ", a file of supervisord.",
      "What that file does not say has holdfast's defaults, not supervisord's: nobody is given up on, delays double up "
      "to a minute, logs without a file go to the output of \"holdfast up\", and relative paths begin in the folder "
      "of this file."};
  Shared shared{.order = order, .faults = faults};
  const auto sections = Files{order, faults}.read();
  for (const auto& section : sections) {
    if (section.name == "supervisord") add_main(section, fleet, shared);
  }
  std::size_t programs = 0;
  for (const auto& section : sections) {
    if (section.name == "supervisord" || section.name == "include") continue;
    if (section.name.starts_with(kProgram)) {
      ++programs;
      auto groups = Program{section, shared}.groups();
      for (auto& group : groups) fleet.groups.push_back(std::move(group));
      continue;
    }
    const auto why = reason_of_section(section.name);
    fleet.notes.push_back({section.at.file, section.at.line, 0, '[' + section.name + ']',
                           "left out: " + std::string{why.empty() ? "supervisord 4.2 has no such section" : why}});
  }
  if (programs == 0 && faults.empty()) {
    faults.push_back({order.file.generic_string(), 0, 0, "",
                      "has no [program:x], so there is nothing to import; the files that it includes were read, too"});
  }
  return fleet;
}

}  // namespace holdfast::up
