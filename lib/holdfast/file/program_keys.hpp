// The keys of programs: what real processes are made of.
#pragma once

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/file/policy_keys.hpp>
#include <holdfast/file/program.hpp>
#include <holdfast/file/table_of.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

void describe(TableOf<ProgramLimits>& table);
void describe(TableOf<ProgramLog>& table);
void describe(TableOf<ReadyWhen>& table);
void describe(TableOf<HealthWhen>& table);
void describe(TableOf<Errand>& table);
void describe(TableOf<Program>& table);
void describe(TableOf<RecordingFolder>& table);
void describe(TableOf<Production>& table);

template <>
inline constexpr std::array kEnumerators<StopsFirst>{StopsFirst::group, StopsFirst::process};
template <>
inline constexpr std::array kEnumerators<LogTo>{LogTo::output, LogTo::file, LogTo::nothing};

template <>
struct Value<Size> {
  static std::vector<Form> forms();
  static Size read(const TomlValue& value);
  static TomlValue write(Size size);
};
template <>
struct Value<SizeLimit> {
  static std::vector<Form> forms();
  static SizeLimit read(const TomlValue& value);
  static TomlValue write(const SizeLimit& limit);
};
template <>
struct Value<CountLimit> {
  static std::vector<Form> forms();
  static CountLimit read(const TomlValue& value);
  static TomlValue write(const CountLimit& limit);
};
template <>
struct Value<StopSignal> {
  static std::vector<Form> forms();
  static StopSignal read(const TomlValue& value);
  static TomlValue write(StopSignal written);
};
template <>
struct Value<FileModeMask> {
  static std::vector<Form> forms();
  static FileModeMask read(const TomlValue& value);
  static TomlValue write(FileModeMask mask);
};
template <>
struct Value<std::vector<std::pair<std::string, std::string>>> {
  static std::vector<Form> forms() { return {NamedTexts{}}; }
  static std::vector<std::pair<std::string, std::string>> read(const TomlValue& value);
  static TomlValue write(const std::vector<std::pair<std::string, std::string>>& texts);
};

template <>
struct Value<AskedPort> {
  static std::vector<Form> forms();
  static AskedPort read(const TomlValue& value);
  static TomlValue write(const AskedPort& port);
};
template <>
struct Value<AskedPage> {
  static std::vector<Form> forms();
  static AskedPage read(const TomlValue& value) { return {value.text}; }
  static TomlValue write(const AskedPage& page) { return toml(std::string_view{page.url}); }
};
template <>
struct Value<AskingCommand> {
  static std::vector<Form> forms() { return {Texts{1, true}}; }
  static AskingCommand read(const TomlValue& value) { return {Value<std::vector<std::string>>::read(value)}; }
  static TomlValue write(const AskingCommand& command) { return Value<std::vector<std::string>>::write(command.words); }
};
template <>
struct Value<OutputText> {
  static std::vector<Form> forms() { return {Text{}}; }
  static OutputText read(const TomlValue& value) { return {value.text}; }
  static TomlValue write(const OutputText& line) { return toml(std::string_view{line.text}); }
};
template <>
struct Value<OwnDescriptor> {
  static std::vector<Form> forms() { return {Integer{3, kOwnDescriptorMax}}; }
  static OwnDescriptor read(const TomlValue& value) { return {static_cast<std::uint32_t>(value.integer)}; }
  static TomlValue write(OwnDescriptor descriptor) { return toml(std::uint64_t{descriptor.number}); }
};

// The words alone, or a table with them and a time.
template <>
struct Value<Errand> {
  static std::vector<Form> forms() { return {Texts{1, true}, Inner{table_of<Errand>}}; }
  static Errand read(const TomlValue& value);
  static TomlValue write(const Errand& errand);
};

// "127.0.0.1:9464" in its parts; a port of 0 to 65535. nullopt: it is no such text.
struct AddressAndPort {
  std::string address;
  std::uint16_t port = 0;
};
std::optional<AddressAndPort> parse_endpoint(std::string_view text);

// The names of signals that may ask a program to stop, without SIG, and their numbers.
struct NamedSignal {
  std::string_view name;
  int number;
};
const std::vector<NamedSignal>& stop_signals();

}  // namespace holdfast::file

#pragma GCC visibility pop
