// What a group of services is in the world of real processes, as a file has it, and what its supervisor has there.
//
// A rehearsal reads and checks these keys, and does nothing with them. holdfast/up makes processes of them.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <holdfast/policy.hpp>
#include <holdfast/probe_times.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// Bytes, which a file has as "10MiB".
struct Size {
  std::uint64_t bytes = 0;
  friend bool operator==(Size, Size) = default;
};

// A limit of setrlimit(2): nullopt is "unlimited".
struct CountLimit {
  std::optional<std::uint64_t> most{};
  friend bool operator==(const CountLimit&, const CountLimit&) = default;
};
struct SizeLimit {
  std::optional<std::uint64_t> most{};  // bytes
  friend bool operator==(const SizeLimit&, const SizeLimit&) = default;
};

// Soft and hard ones at once; nullopt: the supervisor's.
struct ProgramLimits {
  std::optional<CountLimit> open_files{};
  std::optional<CountLimit> processes{};  // of the user
  std::optional<SizeLimit> memory{};      // address space
  std::optional<SizeLimit> locked_memory{};
  std::optional<SizeLimit> stack{};
  std::optional<SizeLimit> file_size{};
  std::optional<SizeLimit> core{};
  friend bool operator==(const ProgramLimits&, const ProgramLimits&) = default;
};

// A signal by its number on this system.
struct StopSignal {
  int number = 15;  // SIGTERM
  friend bool operator==(StopSignal, StopSignal) = default;
};

enum class StopsFirst : std::uint8_t { group, process };
std::string_view to_string(StopsFirst) noexcept;

// The permissions that a program's files do not get.
struct FileModeMask {
  unsigned bits = 0;
  friend bool operator==(FileModeMask, FileModeMask) = default;
};

enum class LogTo : std::uint8_t { output, file, nothing };
std::string_view to_string(LogTo) noexcept;

struct ProgramLog {
  std::optional<LogTo> to{};  // nullopt: a file if there is a path, or else the supervisor's output
  std::string path{};
  Size max_bytes{std::uint64_t{10} << 20};  // of one file
  std::uint32_t keep = 5;                   // full files beside the one that is written
  friend bool operator==(const ProgramLog&, const ProgramLog&) = default;

  [[nodiscard]] LogTo target() const noexcept { return to.value_or(path.empty() ? LogTo::output : LogTo::file); }
};
inline constexpr std::uint32_t kLogFilesMax = 1000;

// What says that a program is ready or well (holdfast/asio/probe.hpp).
struct AskedPort {
  std::string at{};  // probe_text.hpp
  friend bool operator==(const AskedPort&, const AskedPort&) = default;
};
struct AskedPage {
  std::string url{};  // probe_text.hpp
  friend bool operator==(const AskedPage&, const AskedPage&) = default;
};
struct AskingCommand {
  std::vector<std::string> words{};
  friend bool operator==(const AskingCommand&, const AskingCommand&) = default;
};
struct OutputText {
  std::string text{};
  friend bool operator==(const OutputText&, const OutputText&) = default;
};
struct OwnDescriptor {
  std::uint32_t number = 3;
  friend bool operator==(const OwnDescriptor&, const OwnDescriptor&) = default;
};
inline constexpr std::uint32_t kOwnDescriptorMax = 255;

struct ReadyWhen {
  std::variant<AskedPort, AskedPage, AskingCommand, OutputText, OwnDescriptor> by{};
  Duration every = ReadyTimes{}.every;      // of the first three
  Duration timeout = ReadyTimes{}.timeout;  // the same
  friend bool operator==(const ReadyWhen&, const ReadyWhen&) = default;
};
struct HealthWhen {
  std::variant<AskingCommand, AskedPort, AskedPage> by{};
  Duration every = HealthTimes{}.every;
  Duration timeout = HealthTimes{}.timeout;
  std::uint32_t failures = HealthTimes{}.failures;
  friend bool operator==(const HealthWhen&, const HealthWhen&) = default;

  [[nodiscard]] HealthTimes times() const noexcept { return {every, timeout, failures}; }
};

// A command that runs before a program starts, or after it has ended.
struct Errand {
  std::vector<std::string> words{};
  Duration timeout = std::chrono::seconds{90};  // what takes longer is killed, and has failed
  friend bool operator==(const Errand&, const Errand&) = default;
};

// In `command`, the values of `environment`, `environment_files`, `folder`, `log.path`, `ready`, `health`,
// `before_start` and `after_stop` stand placeholders (placeholders.hpp).
struct Program {
  std::vector<std::string> command{};  // empty: the group is only rehearsed
  std::vector<std::pair<std::string, std::string>> environment{};
  std::vector<std::string> environment_files{};
  std::string folder{};
  std::string user{};
  std::string group{};
  std::optional<FileModeMask> umask{};
  ProgramLimits limits{};
  StopSignal stop_signal{};
  StopsFirst stop_to = StopsFirst::group;
  ProgramLog log{};
  std::optional<ReadyWhen> ready{};    // nullopt: the policy's `ready` says all; else that is "notified"
  std::optional<HealthWhen> health{};  // the policy's watchdog comes from it
  std::optional<Errand> before_start{};
  std::optional<Errand> after_stop{};
  friend bool operator==(const Program&, const Program&) = default;
};

struct RecordingFolder {
  std::string folder{};
  std::uint32_t keep = 8;
  friend bool operator==(const RecordingFolder&, const RecordingFolder&) = default;
};

// What [supervisor] has besides its policies.
struct Production {
  std::string control{};   // path of the socket; empty: the default
  std::string endpoint{};  // "127.0.0.1:9464"; empty: none
  std::optional<RecordingFolder> recording{};
  friend bool operator==(const Production&, const Production&) = default;
};

// A file with a command in it is for long-running programs of somebody else. So what is not said about giving up and
// stopping means something else there: an open breaker tries again (half-open), and a stop has this long.
inline constexpr Duration kProgramStopGrace = std::chrono::seconds{10};

}  // namespace holdfast::file

#pragma GCC visibility pop
