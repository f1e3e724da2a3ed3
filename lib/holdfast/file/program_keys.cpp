#include <holdfast/file/program_keys.hpp>

#include <algorithm>
#include <csignal>

#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/probe_text.hpp>
#include <holdfast/file/size_text.hpp>

namespace holdfast::file {

std::string_view to_string(StopsFirst first) noexcept { return first == StopsFirst::group ? "group" : "process"; }

std::string_view to_string(LogTo to) noexcept {
  switch (to) {
    case LogTo::output: return "output";
    case LogTo::file: return "file";
    case LogTo::nothing: return "nothing";
  }
  return "output";
}

// ---------------------------------------------------------------------------------------------------------------------
// Sizes and counts
// ---------------------------------------------------------------------------------------------------------------------

namespace {

constexpr std::string_view kUnlimited = "unlimited";

std::string size_hint(std::string_view text) {
  const auto meant = meant_size(text);
  return meant ? "write " + in_quotes(size_text(*meant)) : "";
}

bool is_size(std::string_view text) { return parse_size(text).has_value(); }
bool is_size_limit(std::string_view text) { return text == kUnlimited || is_size(text); }

const Spelt kSizeForm{.is = "a size like \"10MiB\"",
                      .pattern = "^[0-9][0-9_]*(B|KiB|MiB|GiB|TiB)$",
                      .fits = is_size,
                      .hint = size_hint,
                      .examples = {"10MiB", "3B"}};
const Spelt kSizeLimitForm{.is = "a size like \"10MiB\", or \"unlimited\"",
                           .pattern = "^([0-9][0-9_]*(B|KiB|MiB|GiB|TiB)|unlimited)$",
                           .fits = is_size_limit,
                           .hint = size_hint,
                           .examples = {"64KiB", kUnlimited}};

std::uint64_t size_of(const TomlValue& value) { return parse_size(value.text).value_or(0); }

}  // namespace

std::vector<Form> Value<Size>::forms() { return {kSizeForm}; }
Size Value<Size>::read(const TomlValue& value) { return {size_of(value)}; }
TomlValue Value<Size>::write(Size size) { return toml(std::string_view{size_text(size.bytes)}); }

std::vector<Form> Value<SizeLimit>::forms() { return {kSizeLimitForm}; }
SizeLimit Value<SizeLimit>::read(const TomlValue& value) {
  if (value.text == kUnlimited) return {};
  return {size_of(value)};
}
TomlValue Value<SizeLimit>::write(const SizeLimit& limit) {
  return toml(std::string_view{limit.most ? size_text(*limit.most) : std::string{kUnlimited}});
}

std::vector<Form> Value<CountLimit>::forms() { return {Integer{0}, Word{{kUnlimited}}}; }
CountLimit Value<CountLimit>::read(const TomlValue& value) {
  if (value.kind == TomlValue::Kind::text) return {};
  return {static_cast<std::uint64_t>(value.integer)};
}
TomlValue Value<CountLimit>::write(const CountLimit& limit) {
  return limit.most ? toml(*limit.most) : toml(kUnlimited);
}

// ---------------------------------------------------------------------------------------------------------------------
// Signals, masks, numbers, texts with names
// ---------------------------------------------------------------------------------------------------------------------

const std::vector<NamedSignal>& stop_signals() {
  static const std::vector<NamedSignal> all{
      {"TERM", SIGTERM}, {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"HUP", SIGHUP},     {"USR1", SIGUSR1},
      {"USR2", SIGUSR2}, {"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"WINCH", SIGWINCH}, {"PWR", SIGPWR}};
  return all;
}

std::vector<Form> Value<StopSignal>::forms() {
  Word word;
  for (const auto& signal : stop_signals()) word.words.push_back(signal.name);
  return {std::move(word)};
}
StopSignal Value<StopSignal>::read(const TomlValue& value) {
  for (const auto& signal : stop_signals()) {
    if (signal.name == value.text) return {signal.number};
  }
  return {};
}
TomlValue Value<StopSignal>::write(StopSignal written) {
  for (const auto& signal : stop_signals()) {
    if (signal.number == written.number) return toml(signal.name);
  }
  return toml(stop_signals().front().name);
}

namespace {

bool is_mask(std::string_view text) {
  const bool octal = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '7'; });
  return octal && (text.size() == 3 || (text.size() == 4 && text.front() == '0'));
}

const Spelt kMaskForm{.is = "three octal digits like \"022\"",
                      .pattern = "^0?[0-7]{3}$",
                      .fits = is_mask,
                      .hint = nullptr,
                      .examples = {"027", "777"}};

bool is_endpoint(std::string_view text) { return parse_endpoint(text).has_value(); }

// "http://localhost:9464/metrics", ":9464", "9464".
std::string endpoint_hint(std::string_view text) {
  text = trimmed(text);
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) text.remove_prefix(scheme + 3);
  text = text.substr(0, text.find('/'));
  const auto meant = meant_port(text);
  if (meant.empty()) {
    return text.find(':') == std::string_view::npos
               ? ""
               : "no name is looked up: write an address and a port, as in \"127.0.0.1:9464\"";
  }
  const auto parts = parse_probe_port(meant.front() == '"' ? meant.substr(1, meant.size() - 2) : meant);
  if (!parts) return "";
  const bool is_ipv6 = parts->address.find(':') != std::string::npos;
  return "write " +
         in_quotes((is_ipv6 ? '[' + parts->address + ']' : parts->address) + ':' + std::to_string(parts->port));
}

const Spelt kPortForm{.is = "a port, or an address and a port like \"127.0.0.1:5433\"",
                      .pattern = "^(.+:)?[^:]{1,40}$",
                      .fits = is_probe_port,
                      .hint = probe_port_hint,
                      .examples = {"127.0.0.1:5433", "80${INDEX}"}};
const Spelt kUrlForm{.is = "an address like \"http://127.0.0.1:8080/healthz\"",
                     .pattern = "^http://.+$",
                     .fits = is_probe_url,
                     .hint = probe_url_hint,
                     .examples = {"http://127.0.0.1:8080/healthz", "http://[::1]"}};

const Spelt kEndpointForm{.is = "an address and a port like \"127.0.0.1:9464\"",
                          .pattern = "^.+:[0-9]{1,5}$",
                          .fits = is_endpoint,
                          .hint = endpoint_hint,
                          .examples = {"127.0.0.1:9464", "[::1]:80"}};

}  // namespace

std::vector<Form> Value<FileModeMask>::forms() { return {kMaskForm}; }
FileModeMask Value<FileModeMask>::read(const TomlValue& value) {
  unsigned bits = 0;
  for (const char digit : value.text) bits = bits * 8 + static_cast<unsigned>(digit - '0');
  return {bits};
}
TomlValue Value<FileModeMask>::write(FileModeMask mask) {
  std::string text;
  for (unsigned shift = 9; shift > 0;) text += static_cast<char>('0' + ((mask.bits >> (shift -= 3)) & 7U));
  return toml(std::string_view{text});
}

using NamesAndTexts = std::vector<std::pair<std::string, std::string>>;

NamesAndTexts Value<NamesAndTexts>::read(const TomlValue& value) {
  NamesAndTexts texts;
  texts.reserve(value.entries.size());
  for (const auto& entry : value.entries) texts.emplace_back(entry.key, entry.value.text);
  return texts;
}
TomlValue Value<NamesAndTexts>::write(const NamesAndTexts& texts) {
  TomlValue written;
  for (const auto& [name, text] : texts) put(written, name, toml(std::string_view{text}));
  return written;
}

std::vector<Form> Value<AskedPort>::forms() { return {Integer{1, 65'535}, kPortForm}; }
AskedPort Value<AskedPort>::read(const TomlValue& value) {
  return {value.kind == TomlValue::Kind::integer ? std::to_string(value.integer) : value.text};
}
TomlValue Value<AskedPort>::write(const AskedPort& port) {
  const std::string_view text = port.at;
  std::string_view rest = text;
  const auto number = take_number(rest);
  return number && rest.empty() && std::to_string(*number) == text ? toml(*number) : toml(text);
}
std::vector<Form> Value<AskedPage>::forms() { return {kUrlForm}; }

std::optional<AddressAndPort> parse_endpoint(std::string_view text) {
  constexpr std::uint64_t kPortMax = 65'535;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto address = text.substr(0, colon);
  auto digits = text.substr(colon + 1);
  const auto port = take_number(digits);
  if (!is_address(address) || !port || !digits.empty() || *port > kPortMax) return std::nullopt;
  if (address.starts_with('[')) address = address.substr(1, address.size() - 2);
  return AddressAndPort{std::string{address}, static_cast<std::uint16_t>(*port)};
}

// ---------------------------------------------------------------------------------------------------------------------
// The tables
// ---------------------------------------------------------------------------------------------------------------------

void describe(TableOf<ProgramLimits>& table) {
  table.name("limits");
  table.is_small();
  table.key("open_files", &ProgramLimits::open_files, {.otherwise = "holdfast's own", .help = "descriptors"});
  table.key("processes", &ProgramLimits::processes,
            {.otherwise = "holdfast's own", .help = "of the user, threads included"});
  table.key("memory", &ProgramLimits::memory, {.otherwise = "holdfast's own", .help = "address space of a process"});
  table.key("locked_memory", &ProgramLimits::locked_memory,
            {.otherwise = "holdfast's own", .help = "memory that is kept out of the swap"});
  table.key("stack", &ProgramLimits::stack, {.otherwise = "holdfast's own", .help = "stack of the first thread"});
  table.key("file_size", &ProgramLimits::file_size,
            {.otherwise = "holdfast's own", .help = "of a file that it writes"});
  table.key("core", &ProgramLimits::core, {.otherwise = "holdfast's own", .help = "of a core dump; `\"0B\"`: none"});
}

void describe(TableOf<ProgramLog>& table) {
  table.name("log");
  table.is_small();
  table.key("to", &ProgramLog::to,
            {.otherwise = "`\"file\"` with a `path`, else `\"output\"`",
             .help = "where its lines go: to the standard output of `up`, to a file of their own, or nowhere"});
  table.key(
      "path", &ProgramLog::path,
      {.otherwise = "none", .help = "of the file, relative to the folder of this file; two services never share one"});
  table.key("max_bytes", &ProgramLog::max_bytes,
            {.needs = "path",
             .help = "a file that would become larger is renamed to `path.1`, `path.1` to `path.2` …, and a new one "
                     "begins"});
  table.key("keep", &ProgramLog::keep,
            {.forms = {Integer{0, kLogFilesMax}}, .needs = "path", .help = "how many renamed files stay"});
}

namespace {

constexpr Length kProbeTime{kProbeTimeMin};

}  // namespace

void describe(TableOf<ReadyWhen>& table) {
  table.name("ready");
  table.is_small();
  table.alternative<AskedPort>(
      "tcp", &ReadyWhen::by, {.help = "it takes a connection on this port, of 127.0.0.1 unless an address says more"});
  table.alternative<AskedPage>(
      "http", &ReadyWhen::by,
      {.help = "it answers a GET for this page with a status of 200 to 399; https is not spoken: `exec` may"});
  table.alternative<AskingCommand>(
      "exec", &ReadyWhen::by,
      {.help =
           "this command ends with exit status 0; it runs as the service does (user, folder, environment, limits)"});
  table.alternative<OutputText>("line", &ReadyWhen::by,
                                {.help = "a line that this run has written to its output has this text in it"});
  table.alternative<OwnDescriptor>("fd", &ReadyWhen::by,
                                   {.help = "it writes a line end to this descriptor, as under s6 and dinit"});
  table.key("every", &ReadyWhen::every,
            {.forms = {kProbeTime}, .help = "of `tcp`, `http` and `exec`: one attempt begins in each such time"});
  table.key("timeout", &ReadyWhen::timeout,
            {.forms = {kProbeTime}, .help = "of the same: how long one attempt may take; `start_timeout` limits all"});
}

void describe(TableOf<HealthWhen>& table) {
  table.name("health");
  table.is_small();
  table.alternative<AskingCommand>("exec", &HealthWhen::by, {.help = "see `ready`"});
  table.alternative<AskedPort>("tcp", &HealthWhen::by, {.help = "see `ready`"});
  table.alternative<AskedPage>("http", &HealthWhen::by, {.help = "see `ready`"});
  table.key("every", &HealthWhen::every, {.forms = {kProbeTime}, .help = "one probe begins in each such time"});
  table.key("timeout", &HealthWhen::timeout, {.forms = {kProbeTime}, .help = "how long one probe may take"});
  table.key("failures", &HealthWhen::failures,
            {.forms = {Integer{1, kProbeFailuresMax}},
             .help = "so many failed probes in a row, and it is stopped and has failed"});
}

void describe(TableOf<Errand>& table) {
  table.name("errand");
  table.is_small();
  table.key("exec", &Errand::words,
            {.forms = {Texts{1, true}}, .required = true, .help = "the command, when a time stands beside it"});
  table.key("timeout", &Errand::timeout,
            {.forms = {kPositiveLength}, .help = "how long it may take; then it is killed, and has failed"});
}

Errand Value<Errand>::read(const TomlValue& value) {
  Errand errand;
  if (value.kind == TomlValue::Kind::array) {
    errand.words = Value<std::vector<std::string>>::read(value);
  } else {
    read_keys(value, table_of<Errand>(), &errand);
  }
  return errand;
}

TomlValue Value<Errand>::write(const Errand& errand) {
  if (errand.timeout == Errand{}.timeout) return Value<std::vector<std::string>>::write(errand.words);
  return written_keys(table_of<Errand>(), &errand);
}

namespace {

// Every key needs the command, and only what differs from the default is written beside it.
template <auto kMember>
bool is_set(const Program& program) {
  return program.*kMember != Program{}.*kMember;
}

}  // namespace

void describe(TableOf<Program>& table) {
  table.name("program");
  table.key("command", &Program::command,
            {.forms = {Texts{1, true}},
             .otherwise = "none: it is only rehearsed",
             .help = "the program and its arguments, which no shell splits or expands. A program without a slash is "
                     "searched for in PATH, one with a slash is relative to `folder`. `${NAME}` is the service's name, "
                     "`${INDEX}` its number in the group"});
  table.key("environment", &Program::environment,
            {.needs = "command",
             .otherwise = "that of `up`",
             .help = "variables beside those of `up`; these win over `environment_files`",
             .written = is_set<&Program::environment>});
  table.key("environment_files", &Program::environment_files,
            {.needs = "command",
             .otherwise = "none",
             .help = "files of lines `NAME=value`, read when `up` starts; the later one wins. A `-` before the path: "
                     "it may be missing",
             .written = is_set<&Program::environment_files>});
  table.key("folder", &Program::folder,
            {.needs = "command",
             .otherwise = "the folder of this file",
             .help = "where it runs, relative to the folder of this file",
             .written = is_set<&Program::folder>});
  table.key("user", &Program::user,
            {.needs = "command",
             .otherwise = "that of `up`",
             .help = "a name or a number; with its groups",
             .written = is_set<&Program::user>});
  table.key("group", &Program::group,
            {.needs = "command",
             .otherwise = "the user's",
             .help = "a name or a number",
             .written = is_set<&Program::group>});
  table.key("umask", &Program::umask,
            {.needs = "command", .otherwise = "that of `up`", .help = "permissions that its files do not get"});
  table.key("limits", &Program::limits,
            {.needs = "command",
             .otherwise = "those of `up`",
             .help = "of setrlimit(2), soft and hard",
             .written = is_set<&Program::limits>});
  table.key("stop_signal", &Program::stop_signal,
            {.needs = "command", .help = "what asks it to stop", .written = is_set<&Program::stop_signal>});
  table.key("stop_to", &Program::stop_to,
            {.needs = "command",
             .help = "who gets it first: the whole process group, or the process alone, which stops its own children",
             .written = is_set<&Program::stop_to>});
  table.key("log", &Program::log,
            {.needs = "command",
             .otherwise = "its lines go to the output of `up`",
             .help = "where its lines go",
             .written = is_set<&Program::log>});
  table.without_key(&Program::ready);  // a form of the policy's key: describe_probes()
  table.key("health", &Program::health,
            {.needs = "command",
             .otherwise = "nobody asks",
             .help = "how it is asked whether it is well while it is `running`. It makes a `watchdog` of `failures` "
                     "times the longer of `every` and `timeout`, and one `timeout` more, for which each good answer is "
                     "a sign of life"});
  table.key("before_start", &Program::before_start,
            {.needs = "command",
             .otherwise = "none",
             .help = "a command that runs before each start, as the service does (user, folder, environment, limits, "
                     "log); until it has ended the service is `starting`. If it fails, the start has failed"});
  table.key("after_stop", &Program::after_stop,
            {.needs = "command",
             .otherwise = "none",
             .help = "a command that runs after each end, before the next start; `EXIT_CODE` and `EXIT_STATUS` tell "
                     "it how the service has ended. What becomes of it changes nothing"});
}

void describe(TableOf<RecordingFolder>& table) {
  table.name("recording");
  table.is_small();
  table.key("folder", &RecordingFolder::folder,
            {.required = true, .help = "where they are written, relative to the folder of this file"});
  table.key("keep", &RecordingFolder::keep,
            {.forms = {Integer{1, kLogFilesMax}}, .help = "how many recordings stay, the present one included"});
}

void describe(TableOf<Production>& table) {
  table.name("production");
  table.key("control", &Production::control,
            {.otherwise = "a socket of the fleet's name in a folder of the user's",
             .help = "path of the socket on which `up` takes commands, relative to the folder of this file"});
  table.key("endpoint", &Production::endpoint,
            {.forms = {kEndpointForm},
             .otherwise = "none",
             .help = "where `up` serves metrics, health and a list of services"});
  table.key("recording", &Production::recording,
            {.otherwise = "none", .help = "each start of `up` writes a recording for `holdfast replay`"});
}

}  // namespace holdfast::file
