#include <holdfast/up/import_compose.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/program_keys.hpp>
#include <holdfast/file/size_text.hpp>
#include <holdfast/file/values.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>
#include <holdfast/up/environment_file.hpp>
#include <holdfast/up/import_variables.hpp>
#include <holdfast/up/import_yaml.hpp>

namespace holdfast::up {

namespace {

using Faults = std::vector<file::Complaint>;
using Kind = YamlNode::Kind;

constexpr std::uint64_t kReplicasMax = 1000;  // of one service

// ---------------------------------------------------------------------------------------------------------------------
// Why a key is not here. The reason stands behind "left out: ".
// ---------------------------------------------------------------------------------------------------------------------

constexpr std::string_view kNoImage = "no image is fetched or built; the program has to be on this machine";
constexpr std::string_view kNoNetwork =
    "there is no network of its own; services share that of the machine, as 127.0.0.1";
constexpr std::string_view kNoVolume =
    "there is no file system of its own; services see the machine's, in their `folder`";
constexpr std::string_view kNoConfinement = "services are plain processes, with `user`, `umask` and `limits`";
constexpr std::string_view kNoCgroup = "there are no control groups; services have limits = { memory = \"1GiB\" }";
constexpr std::string_view kNoLabels = "nobody here reads labels";
constexpr std::string_view kNoTerminal = "no terminal can be handed to a service";

constexpr std::array kServiceReasons{
    Reason{"image", kNoImage},
    Reason{"build", kNoImage},
    Reason{"platform", kNoImage},
    Reason{"pull_policy", kNoImage},
    Reason{"runtime", kNoImage},
    Reason{"isolation", kNoImage},
    Reason{"provider", kNoImage},
    Reason{"ports", "the program listens on a port of this machine by itself"},
    Reason{"expose", "services share the machine's network, so nothing needs to be exposed"},
    Reason{"networks", kNoNetwork},
    Reason{"network_mode", kNoNetwork},
    Reason{"links", kNoNetwork},
    Reason{"external_links", kNoNetwork},
    Reason{"hostname", kNoNetwork},
    Reason{"domainname", kNoNetwork},
    Reason{"mac_address", kNoNetwork},
    Reason{"extra_hosts", kNoNetwork},
    Reason{"dns", kNoNetwork},
    Reason{"dns_opt", kNoNetwork},
    Reason{"dns_search", kNoNetwork},
    Reason{"volumes", kNoVolume},
    Reason{"volumes_from", kNoVolume},
    Reason{"tmpfs", kNoVolume},
    Reason{"configs", kNoVolume},
    Reason{"secrets", kNoVolume},
    Reason{"read_only", kNoVolume},
    Reason{"shm_size", kNoVolume},
    Reason{"storage_opt", kNoVolume},
    Reason{"devices", kNoConfinement},
    Reason{"gpus", kNoConfinement},
    Reason{"privileged", kNoConfinement},
    Reason{"cap_add", kNoConfinement},
    Reason{"cap_drop", kNoConfinement},
    Reason{"security_opt", kNoConfinement},
    Reason{"device_cgroup_rules", kNoConfinement},
    Reason{"userns_mode", kNoConfinement},
    Reason{"group_add", "a service has the groups of its `user`"},
    Reason{"ipc", kNoConfinement},
    Reason{"pid", kNoConfinement},
    Reason{"uts", kNoConfinement},
    Reason{"sysctls", kNoConfinement},
    Reason{"credential_spec", kNoConfinement},
    Reason{"cgroup", kNoCgroup},
    Reason{"cgroup_parent", kNoCgroup},
    Reason{"cpus", kNoCgroup},
    Reason{"cpu_count", kNoCgroup},
    Reason{"cpu_percent", kNoCgroup},
    Reason{"cpu_period", kNoCgroup},
    Reason{"cpu_quota", kNoCgroup},
    Reason{"cpu_rt_period", kNoCgroup},
    Reason{"cpu_rt_runtime", kNoCgroup},
    Reason{"cpu_shares", kNoCgroup},
    Reason{"cpuset", kNoCgroup},
    Reason{"mem_limit", kNoCgroup},
    Reason{"mem_reservation", kNoCgroup},
    Reason{"mem_swappiness", kNoCgroup},
    Reason{"memswap_limit", kNoCgroup},
    Reason{"blkio_config", kNoCgroup},
    Reason{"oom_kill_disable", kNoCgroup},
    Reason{"oom_score_adj", kNoCgroup},
    Reason{"pids_limit", "services have limits = { processes = 200 }, which counts those of their user"},
    Reason{"container_name", "a service is called as its group is"},
    Reason{"labels", kNoLabels},
    Reason{"label_file", kNoLabels},
    Reason{"annotations", kNoLabels},
    Reason{"logging", "lines go to the output of `up`, or to the `log.path` of a service"},
    Reason{"attach", "\"holdfast logs -f NAME\" shows the lines of one service"},
    Reason{"init", "`up` reaps what processes leave behind; as process 1 it needs no init"},
    Reason{"tty", kNoTerminal},
    Reason{"stdin_open", kNoTerminal},
    Reason{"develop", "\"holdfast reload\" reads the file again, and \"holdfast restart NAME\" starts a service again"},
    Reason{"models", kNoImage},
    Reason{"post_start",
           "a command before each start is `before_start`; what waits for the service is another service"},
    Reason{"pre_stop", "a command after each end is `after_stop`; there is none before"},
    Reason{"use_api_socket", kNoImage},
};

constexpr std::array kTopReasons{
    Reason{"version", "a file of holdfast has none"},
    Reason{"networks", kNoNetwork},
    Reason{"volumes", kNoVolume},
    Reason{"configs", kNoVolume},
    Reason{"secrets", kNoVolume},
    Reason{"models", kNoImage},
    Reason{"include", "it is not followed; import that file by itself"},
};

constexpr std::array kDeployReasons{
    Reason{"restart_policy", "it is for Swarm; `restart` and `backoff` say who starts again, and when"},
    Reason{"resources", kNoCgroup},
    Reason{"labels", kNoLabels},
};
constexpr std::string_view kForSwarm = "it is for a cluster; `up` runs the services of one machine";

// ---------------------------------------------------------------------------------------------------------------------
// Values
// ---------------------------------------------------------------------------------------------------------------------

std::optional<bool> yes_or_no(std::string_view text) {
  const auto word = file::lower_case(text);
  if (word == "yes" || word == "true" || word == "on") return true;
  if (word == "no" || word == "false" || word == "off") return false;
  return std::nullopt;
}

// "1m30s", "1h5m", "500ms" as Compose has them: whole numbers, each with its unit. Zero, or up to a year.
std::optional<Duration> length_of(std::string_view text) {
  using namespace std::chrono_literals;
  struct Unit {
    std::string_view name;
    Duration length;
  };
  constexpr std::array kUnits{Unit{"us", 1us}, Unit{"ms", 1ms}, Unit{"s", 1s}, Unit{"m", 1min}, Unit{"h", 1h}};
  constexpr Duration kMost = std::chrono::hours{365 * 24};
  if (text == "0") return Duration::zero();
  if (text.empty()) return std::nullopt;
  Duration sum{0};
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = number_of(text.substr(0, digits), 0, 1'000'000'000);
    text.remove_prefix(digits);
    const auto letters = std::min(text.find_first_of("0123456789"), text.size());
    const auto* const unit = std::find_if(kUnits.begin(), kUnits.end(),
                                          [&](const Unit& one) { return one.name == text.substr(0, letters); });
    text.remove_prefix(letters);
    if (!number || unit == kUnits.end() || *number > static_cast<std::uint64_t>(kMost / unit->length)) {
      return std::nullopt;
    }
    sum += static_cast<std::int64_t>(*number) * unit->length;
    if (sum > kMost) return std::nullopt;
  }
  return sum;
}

bool is_name_of_variable(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || file::is_digit(c) || c == '_' || c == '-' || c == '.';
  });
}

bool is_key_of_health(std::string_view key) {
  constexpr std::array<std::string_view, 7> kKeys{"test",         "interval",       "timeout", "retries",
                                                  "start_period", "start_interval", "disable"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

// What all services of a file share.
struct ComposeShared {
  const ImportOrder& order;
  std::string file;
  ComposeVariables& variables;
  Faults& faults;
  // Of services that come before others.
  std::map<std::string, std::uint32_t> known{};  // lines
};

// What a service waits for.
struct Dependency {
  std::string name;
  std::uint32_t line = 0;
  bool is_required = true;
};

// ---------------------------------------------------------------------------------------------------------------------
// A service
// ---------------------------------------------------------------------------------------------------------------------

class ComposeService {
 public:
  ComposeService(const YamlNode::Entry& entry, ComposeShared& shared)
      : entry_(entry), name_(entry.key), shared_(shared), entries_(entry.value.entries()) {}

  struct Made {
    ImportedGroup group;
    std::vector<Dependency> dependencies;
  };

  Made made() {
    made_.group.at = {shared_.file, entry_.line};
    made_.group.called = name_;
    made_.group.name = as_group_name(name_);
    if (entry_.value.kind() != Kind::table) {
      complain(entry_.line, "", "is no table of keys; required is at least an image or a command");
      return std::move(made_);
    }
    add_command();
    add_count();
    add_restart();
    add_stop();
    add_process();
    add_environment();
    add_health();
    add_dependencies();
    add_limits();
    add_rest();
    return std::move(made_);
  }

 private:
  void complain(std::uint32_t line, std::string_view key, std::string says) {
    shared_.faults.push_back({shared_.file, line, 0, path_of(key), std::move(says)});
  }
  void note(std::uint32_t line, std::string_view key, std::string says) {
    made_.group.notes.push_back({shared_.file, line, 0, path_of(key), std::move(says)});
  }
  void leave_out(std::uint32_t line, std::string_view key, std::string_view why) {
    note(line, key, "left out: " + std::string{why});
  }
  [[nodiscard]] std::string path_of(std::string_view key) const {
    return key.empty() ? name_ : name_ + ' ' + std::string{key};
  }

  const YamlNode::Entry* find(std::string_view key) {
    seen_.insert(std::string{key});
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const YamlNode::Entry& one) { return one.key == key; });
    return found == entries_.end() || found->value.kind() == Kind::nothing ? nullptr : &*found;
  }

  // A text with its variables replaced. nullopt: something is wrong, which is said.
  std::optional<std::string> text_of(std::string_view key, const YamlNode& node) {
    if (node.kind() != Kind::text) {
      complain(node.line(), key, "is no text; required is one");
      return std::nullopt;
    }
    auto replaced = shared_.variables.replaced(node.text());
    if (!replaced.fault.empty()) {
      complain(node.line(), key, replaced.fault);
      return std::nullopt;
    }
    constexpr std::array kRefused{'\0', kIndexMark};  // written as "\x01" in YAML
    if (replaced.text.find_first_of(std::string_view{kRefused.data(), kRefused.size()}) != std::string::npos) {
      complain(node.line(), key, "has a control character that cannot be passed on (a byte of 0 or 1)");
      return std::nullopt;
    }
    return std::move(replaced.text);
  }
  std::optional<std::string> text(std::string_view key) {
    const auto* const entry = find(key);
    return entry == nullptr ? std::nullopt : text_of(key, entry->value);
  }
  // Texts of a list. Without those that are wrong.
  std::vector<std::string> texts_of(std::string_view key, const YamlNode& node) {
    std::vector<std::string> all;
    for (const auto& item : node.items()) {
      if (auto one = text_of(key, item)) all.push_back(std::move(*one));
    }
    return all;
  }
  // The words of a command: a list, or a text that is split as a shell does it.
  std::vector<std::string> words_of(std::string_view key, const YamlNode& node) {
    if (node.kind() == Kind::list) return texts_of(key, node);
    const auto line = text_of(key, node);
    if (!line) return {};
    auto words = shell_words(*line);
    if (!words) complain(node.line(), key, "has a quote that is not closed: " + file::in_quotes(*line));
    return std::move(words).value_or(std::vector<std::string>{});
  }
  std::optional<Duration> length(std::string_view key, const YamlNode& node) {
    const auto word = text_of(key, node);
    if (!word) return std::nullopt;
    const auto read = length_of(*word);
    if (!read) {
      complain(node.line(), key,
               "is " + file::in_quotes(*word) + "; allowed is a length of up to a year like 90s or 1m30s");
    }
    return read;
  }

  // As our files have it: a `${` of the program's own is "$${" there. No text has a mark for a number in it.
  static std::string placed(const std::string& text) { return *with_placeholders(text); }
  static std::vector<std::string> all_placed(std::vector<std::string> words) {
    for (auto& word : words) word = placed(word);
    return words;
  }

  void stand_as_comment() {
    made_.group.is_comment = true;
    made_.group.may_be_over = true;
  }

  void add_command() {
    const auto* const entrypoint = find("entrypoint");
    const auto* const command = find("command");
    std::vector<std::string> words;
    if (entrypoint != nullptr) words = words_of("entrypoint", entrypoint->value);
    if (command != nullptr) {
      const auto more = words_of("command", command->value);
      words.insert(words.end(), more.begin(), more.end());
    }
    if (const auto* const extends = find("extends")) {
      stand_as_comment();
      note(extends->line, "extends", "what it extends is not read, so this group stands as a comment");
    }
    if (words.empty() || words.front().empty()) {
      stand_as_comment();
      made_.group.put_raw("command", "[]");
      return note(entry_.line, "",
                  "has no command: that of its image is meant. Write it here; until then this group stands as a "
                  "comment");
    }
    if (words.front().starts_with('-')) {
      stand_as_comment();
      note(command->line, "command",
           "begins with an option, which is meant for the program of its image. Write that before it; until then this "
           "group stands as a comment");
    }
    made_.group.put("command", toml_words(all_placed(std::move(words))));
  }

  void add_count() {
    const auto* replicas = find("scale");
    std::string_view key = "scale";
    YamlNode node = replicas != nullptr ? replicas->value : YamlNode{};
    if (const auto* const deploy = find("deploy")) {
      for (const auto& entry : deploy->value.entries()) {
        if (entry.key == "replicas") {
          node = entry.value;
          key = "deploy.replicas";
          continue;
        }
        const auto why = reason_of(kDeployReasons, entry.key);
        leave_out(entry.line, "deploy." + std::string{entry.key}, why.empty() ? kForSwarm : why);
      }
    }
    if (node.kind() == Kind::nothing) return;
    const auto word = text_of(key, node);
    if (!word) return;
    const auto number = number_of(*word, 0, kReplicasMax);
    if (!number) {
      return complain(
          node.line(), key,
          "is " + file::in_quotes(*word) + "; allowed is a whole number from 0 to " + std::to_string(kReplicasMax));
    }
    if (*number == 0) {
      stand_as_comment();
      return note(node.line(), key, "is 0, so this group stands as a comment");
    }
    if (*number > 1) made_.group.count = static_cast<std::uint32_t>(*number);
  }

  // The preset is Docker's own law.
  void add_restart() {
    const auto* const entry = find("restart");
    const auto word = text("restart");
    if (!word) return;
    const auto colon = std::min(word->find(':'), word->size());
    const auto kind = word->substr(0, colon);
    if (kind == "no" || kind == "false") {
      made_.group.may_be_over = true;
      return made_.group.put("restart", toml_text_of("never"));
    }
    const auto retries =
        colon < word->size() ? number_of(word->substr(colon + 1), 0, kImportedRetriesMax) : std::nullopt;
    const bool is_known = kind == "always" || kind == "unless-stopped" || kind == "on-failure";
    if (!is_known || (colon < word->size() && (!retries || kind != "on-failure"))) {
      return complain(entry->line, "restart",
                      "is " + file::in_quotes(*word) +
                          "; allowed are no, always, unless-stopped, on-failure and on-failure:N, N from 0 to " +
                          std::to_string(kImportedRetriesMax));
    }
    made_.group.put("restart", toml_text_of(kind == "on-failure" ? "on_failure" : "always"));
    if (!retries) return made_.group.put("backoff", toml_text_of("docker"));
    made_.group.put_raw("backoff", "{ preset = \"docker\", breaker = { max_failures = " + std::to_string(*retries + 1) +
                                       ", window = \"36500d\" } }");
  }

  void add_stop() {
    if (const auto* const entry = find("stop_grace_period")) {
      if (const auto grace = length("stop_grace_period", entry->value)) {
        made_.group.put("stop_grace", toml_text_of(holdfast::to_string(*grace)));
      }
    }
    const auto* const entry = find("stop_signal");
    const auto word = text("stop_signal");
    if (!word) return;
    std::string name;
    for (const char c : *word) name += (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
    if (name.starts_with("SIG")) name.erase(0, 3);
    const auto number = number_of(name, 1, 64);
    const auto& known = file::stop_signals();
    const auto found = std::find_if(known.begin(), known.end(), [&](const file::NamedSignal& one) {
      return one.name == name || (number && *number == static_cast<std::uint64_t>(one.number));
    });
    if (found == known.end()) {
      leave_out(entry->line, "stop_signal",
                name == "KILL" || name == "9"
                    ? "a service is asked before it is killed; stop_grace says how long it has"
                    : "allowed are TERM, INT, QUIT, HUP, USR1, USR2, ABRT, ALRM, WINCH and PWR");
    } else if (found->name != "TERM") {
      made_.group.put("stop_signal", toml_text_of(found->name));
    }
  }

  void add_process() {
    if (const auto folder = text("working_dir"); folder && !folder->empty()) {
      made_.group.put("folder", toml_text_of(placed(*folder)));
    }
    if (const auto user = text("user"); user && !user->empty()) {
      const auto colon = std::min(user->find(':'), user->size());
      made_.group.put("user", toml_text_of(std::string_view{*user}.substr(0, colon)));
      if (colon < user->size()) made_.group.put("group", toml_text_of(std::string_view{*user}.substr(colon + 1)));
    }
    if (const auto* const profiles = find("profiles")) {
      stand_as_comment();
      note(profiles->line, "profiles",
           "it starts only if one of them is asked for, and every service here starts with the fleet; so this group "
           "stands as a comment");
    }
  }

  void add_environment() {
    if (const auto* const entry = find("env_file")) add_files(*entry);
    const auto* const entry = find("environment");
    if (entry == nullptr) return;
    file::TomlValue table;
    const auto add = [&](std::uint32_t line, std::string_view name, const std::optional<std::string>& value) {
      if (!is_name_of_variable(name)) {
        return complain(
            line, "environment",
            "has the variable " + file::in_quotes(name) + "; allowed are letters, digits and _ in its name");
      }
      std::erase_if(table.entries, [&](const file::TomlEntry& one) { return one.key == name; });
      if (value) return file::put(table, name, toml_text_of(placed(*value)));
      const auto here = shared_.variables.value_of(std::string{name});
      if (!here) {
        return leave_out(line, "environment",
                         std::string{name} + " has no value, and is not set here; services have the variables of `up`");
      }
      file::put(table, name, toml_text_of(placed(*here)));
      note(line, "environment", std::string{name} + " has the value that it had when this was imported");
    };
    if (entry->value.kind() == Kind::list) {
      for (const auto& item : entry->value.items()) {
        const auto line = text_of("environment", item);
        if (!line) continue;
        const auto equals = line->find('=');
        add(item.line(), std::string_view{*line}.substr(0, equals),
            equals == std::string::npos ? std::nullopt : std::optional{line->substr(equals + 1)});
      }
    } else if (entry->value.kind() == Kind::table) {
      for (const auto& [name, line, value] : entry->value.entries()) {
        if (value.kind() == Kind::nothing) {
          add(line, name, std::nullopt);
        } else if (const auto one = text_of("environment", value)) {
          add(line, name, *one);
        }
      }
    } else {
      complain(entry->line, "environment", "is a text; allowed are a list of NAME=value, and a table");
    }
    if (!table.entries.empty()) made_.group.put("environment", table);
  }

  void add_files(const YamlNode::Entry& entry) {
    std::vector<std::string> paths;
    const auto add = [&](const YamlNode& node) {
      bool may_be_missing = false;
      YamlNode path = node;
      if (node.kind() == Kind::table) {
        path = node.find("path");
        may_be_missing = yes_or_no(node.find("required").text()) == false;
        if (const auto format = node.find("format"); format.kind() != Kind::nothing) {
          leave_out(format.line(), "env_file", "a file of variables has one format here: NAME=value, nothing expanded");
        }
      }
      if (const auto text = text_of("env_file", path)) paths.push_back((may_be_missing ? "-" : "") + *text);
    };
    if (entry.value.kind() == Kind::list) {
      for (const auto& item : entry.value.items()) add(item);
    } else {
      add(entry.value);
    }
    if (!paths.empty()) made_.group.put("environment_files", toml_words(paths));
  }

  // It is ready when it is well for the first time, and has failed when it is no more.
  void add_health() {
    const auto* const entry = find("healthcheck");
    if (entry == nullptr) return;
    const auto& check = entry->value;
    if (check.kind() != Kind::table) return complain(entry->line, "healthcheck", "is no table of keys");
    std::map<std::string_view, YamlNode> keys;
    for (const auto& [key, line, value] : check.entries()) {
      if (is_key_of_health(key)) {
        keys.emplace(key, value);
      } else {
        leave_out(line, "healthcheck." + std::string{key}, "Compose has no such key");
      }
    }
    const auto words = test_of(keys["test"]);
    if (yes_or_no(keys["disable"].text()) == true || words.empty()) {
      if (keys["test"].kind() == Kind::nothing && yes_or_no(keys["disable"].text()) != true) {
        leave_out(entry->line, "healthcheck", "it has no test; that of its image is meant");
      }
      return;
    }
    file::TomlValue ready;
    file::TomlValue health;
    file::put(ready, "exec", toml_words(words));
    file::put(health, "exec", toml_words(words));
    const auto put_length = [&](file::TomlValue& table, std::string_view key, std::string_view from) {
      if (keys[from].kind() == Kind::nothing) return;
      const auto read = length("healthcheck." + std::string{from}, keys[from]);
      if (read && *read > Duration::zero()) file::put(table, key, toml_text_of(holdfast::to_string(*read)));
    };
    put_length(ready, "every", keys["start_interval"].kind() == Kind::nothing ? "interval" : "start_interval");
    put_length(ready, "timeout", "timeout");
    put_length(health, "every", "interval");
    put_length(health, "timeout", "timeout");
    add_retries(health, keys["retries"]);
    if (const auto period = keys["start_period"]; period.kind() != Kind::nothing) {
      leave_out(period.line(), "healthcheck.start_period",
                "it may take any time until its check is good for the first time; `start_timeout` limits that");
    }
    made_.group.put("ready", ready);
    made_.group.put("health", health);
    note(entry->line, "healthcheck",
         "a service whose check fails so often is stopped and starts again, which Compose does not do");
  }

  void add_retries(file::TomlValue& health, const YamlNode& node) {
    if (node.kind() == Kind::nothing) return;
    const auto word = text_of("healthcheck.retries", node);
    if (!word) return;
    const auto number = number_of(*word, 1, 1000);
    if (!number) {
      return complain(node.line(), "healthcheck.retries",
                      "is " + file::in_quotes(*word) + "; allowed is a whole number from 1 to 1000");
    }
    file::put(health, "failures", file::toml(*number));
  }

  std::vector<std::string> test_of(const YamlNode& node) {
    if (node.kind() == Kind::nothing) return {};
    if (node.kind() != Kind::list) {
      const auto line = text_of("healthcheck.test", node);
      return line ? std::vector<std::string>{"sh", "-c", placed(*line)} : std::vector<std::string>{};
    }
    auto words = all_placed(texts_of("healthcheck.test", node));
    if (words.empty() || words.front() == "NONE") return {};
    const auto kind = words.front();
    words.erase(words.begin());
    const bool is_shell = kind == "CMD-SHELL";
    if ((kind != "CMD" && !is_shell) || words.empty()) {
      complain(node.line(), "healthcheck.test",
               "begins with " + file::in_quotes(kind) + "; allowed are NONE, and CMD or CMD-SHELL with a command");
      return {};
    }
    return is_shell ? std::vector<std::string>{"sh", "-c", words.front()} : words;
  }

  void add_dependencies() {
    const auto* const entry = find("depends_on");
    if (entry == nullptr) return;
    bool restarts = false;
    const auto add = [&](std::string_view name, std::uint32_t line, bool is_required) {
      if (!shared_.known.contains(std::string{name})) {
        if (is_required) {
          complain(line, "depends_on", "has " + file::in_quotes(name) + ", and there is no such service");
        }
        return;
      }
      const auto is_there = [&](const Dependency& one) { return one.name == name; };
      auto& all = made_.dependencies;
      if (std::none_of(all.begin(), all.end(), is_there)) all.push_back({std::string{name}, line, is_required});
    };
    if (entry->value.kind() == Kind::list) {
      for (const auto& item : entry->value.items()) add(item.text(), item.line(), true);
    } else if (entry->value.kind() == Kind::table) {
      for (const auto& [name, line, value] : entry->value.entries()) {
        const auto condition = value.find("condition");
        restarts = restarts || yes_or_no(value.find("restart").text()) == true;
        if (condition.text() == "service_completed_successfully") {
          leave_out(line, "depends_on",
                    "nobody waits for a job to be over; make \"" + std::string{name} +
                        "\" the `before_start` of this service");
          continue;
        }
        add(name, line, yes_or_no(value.find("required").text()) != false);
      }
    } else {
      complain(entry->line, "depends_on", "is a text; allowed are a list of services, and a table");
    }
    if (restarts) made_.group.put("on_dependency", toml_text_of("restart"));
  }

  void add_limits() {
    const auto* const entry = find("ulimits");
    if (entry == nullptr) return;
    struct Limit {
      std::string_view theirs;
      std::string_view ours;
      bool is_size;
    };
    constexpr std::array kLimits{Limit{"nofile", "open_files", false}, Limit{"nproc", "processes", false},
                                 Limit{"as", "memory", true},          Limit{"memlock", "locked_memory", true},
                                 Limit{"stack", "stack", true},        Limit{"fsize", "file_size", true},
                                 Limit{"core", "core", true}};
    file::TomlValue limits;
    for (const auto& [key, line, value] : entry->value.entries()) {
      const std::string path = "ulimits." + std::string{key};
      const auto* const limit =
          std::find_if(kLimits.begin(), kLimits.end(), [&key = key](const Limit& one) { return one.theirs == key; });
      if (limit == kLimits.end()) {
        leave_out(line, path, "limits has open_files, processes, memory, locked_memory, stack, file_size and core");
        continue;
      }
      const bool has_two = value.kind() == Kind::table;
      const auto word = text_of(path, has_two ? value.find("hard") : value);
      if (!word) continue;
      if (has_two && value.find("soft").text() != value.find("hard").text()) {
        note(line, path, "soft and hard limit are one here, the hard one");
      }
      const auto number = number_of(*word, 0, file::kSizeMax);
      if (*word == "-1" || *word == "unlimited") {
        file::put(limits, limit->ours, toml_text_of("unlimited"));
      } else if (!number) {
        complain(line, path, "is " + file::in_quotes(*word) + "; allowed is a whole number, and -1 for none");
      } else if (limit->is_size) {
        file::put(limits, limit->ours, toml_text_of(file::size_text(*number)));
      } else {
        file::put(limits, limit->ours, file::toml(*number));
      }
    }
    if (!limits.entries.empty()) made_.group.put("limits", limits);
  }

  void add_rest() {
    for (const auto& [key, line, value] : entries_) {
      if (seen_.contains(std::string{key})) continue;
      if (key.starts_with("x-")) {
        leave_out(line, key, "it is an extension of somebody's own");
        continue;
      }
      const auto why = reason_of(kServiceReasons, key);
      leave_out(line, key, why.empty() ? "Compose has no such key" : why);
    }
  }

  const YamlNode::Entry& entry_;
  const std::string name_;
  ComposeShared& shared_;
  const std::vector<YamlNode::Entry> entries_;
  std::set<std::string> seen_;
  Made made_;
};

// Compose reads the .env file beside it; what is set in the environment wins.
ComposeVariables::Lookup lookup_of(const ImportOrder& order, Faults& faults) {
  std::map<std::string, std::string> beside;
  const auto path = order.file.parent_path() / ".env";
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    const auto read = read_environment_file(path, true);
    if (!read.problem.empty()) faults.push_back({path.generic_string(), 0, 0, "", read.problem});
    for (const auto& [name, value] : read.variables) beside[name] = value;
  }
  return [&order, beside = std::move(beside)](const std::string& name) -> std::optional<std::string> {
    auto value = order.variable ? order.variable(name) : std::nullopt;
    if (!value) {
      const auto found = beside.find(name);
      if (found != beside.end()) value = found->second;
    }
    if (value && !faults_of_text(*value, "").empty()) return std::nullopt;
    return value;
  };
}

// What comes first stands in the file as a comment, or has a name that this service cannot wait for.
void add_after(ImportedGroup& group, const std::vector<Dependency>& dependencies,
               const std::map<std::string, const ImportedGroup*>& groups, const std::string& file) {
  std::vector<std::string> after;
  std::vector<std::string> after_if_present;
  for (const auto& [name, line, is_required] : dependencies) {
    const auto& other = *groups.at(name);
    if (other.is_comment) {
      group.notes.push_back(
          {file, line, 0, group.called + " depends_on",
           "left out: " + file::in_quotes(name) + " stands as a comment, and nobody can wait for it"});
      continue;
    }
    if (&other == &group) continue;
    (is_required ? after : after_if_present).push_back(other.name);
  }
  if (!after.empty()) group.put("after", toml_words(after));
  if (!after_if_present.empty()) group.put("after_if_present", toml_words(after_if_present));
}

}  // namespace

ImportedFleet import_compose(const ImportOrder& order, Faults& faults) {
  const auto file = order.file.generic_string();
  ImportedFleet fleet{.name = order.name};
  fleet.remarks = {
      "Imported from " + file::printable(file) + ", a Compose file.",
      "Differences: services are processes of this machine, with its files, its users and its network. They "
      "find each other at 127.0.0.1, not by their names. A service that does not say `restart` is started "
      "again after a failure. Nobody is given up on unless the file says so. A service is waited for until "
      "its health check is good."};
  const YamlDocument document{order.text, file, faults};
  if (!faults.empty()) return fleet;
  const auto services = document.root().find("services");
  if (services.kind() != Kind::table) {
    faults.push_back({file, 0, 0, "services", "is missing; required is a table of services"});
    return fleet;
  }
  ComposeVariables variables{lookup_of(order, faults)};
  for (const auto& [key, line, value] : document.root().entries()) {
    if (key == "services") continue;
    if (key == "name" && value.kind() == Kind::text) {
      const auto name = variables.replaced(value.text());
      if (fleet.name.empty()) fleet.name = as_group_name(name.text);
      continue;
    }
    const auto why = reason_of(kTopReasons, key);
    const bool is_extension = key.starts_with("x-");
    fleet.notes.push_back({file, line, 0, std::string{key},
                           "left out: " + std::string{is_extension  ? "it is an extension of somebody's own"
                                                      : why.empty() ? "Compose has no such key"
                                                                    : why}});
  }
  ComposeShared shared{order, file, variables, faults};
  const auto entries = services.entries();
  for (const auto& entry : entries) {
    if (!entry.key.starts_with("x-")) shared.known.emplace(entry.key, entry.line);
  }
  std::vector<std::vector<Dependency>> dependencies;
  dependencies.reserve(entries.size());
  fleet.groups.reserve(entries.size());  // pointers to them stay
  std::map<std::string, const ImportedGroup*> groups;
  for (const auto& entry : entries) {
    if (entry.key.starts_with("x-")) continue;
    auto made = ComposeService{entry, shared}.made();
    fleet.groups.push_back(std::move(made.group));
    dependencies.push_back(std::move(made.dependencies));
    groups.emplace(entry.key, &fleet.groups.back());
  }
  for (std::size_t i = 0; i < fleet.groups.size(); ++i) add_after(fleet.groups[i], dependencies[i], groups, file);
  std::stable_sort(faults.begin(), faults.end(),
                   [](const file::Complaint& a, const file::Complaint& b) { return a.line < b.line; });
  if (fleet.groups.empty() && faults.empty()) faults.push_back({file, 0, 0, "services", "has no service"});
  for (const auto& name : variables.used()) {
    fleet.notes.push_back({file, 0, 0, "", "${" + name + "} has the value that it had when this was imported"});
  }
  for (const auto& name : variables.unset()) {
    fleet.notes.push_back({file, 0, 0, "", "${" + name + "} is not set here, and became an empty text"});
  }
  return fleet;
}

}  // namespace holdfast::up
