// What the commands share when they read the command line.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/search/sweep.hpp>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace holdfast::tools {

// The command line is not as it should be; what() says what would be right.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Decimal only, and the whole range: CLI11 would read "010" as eight.
std::optional<std::uint64_t> whole_number(std::string_view text);

// Options that several commands have. What they set outlives the parsing. A wrong value throws UsageError.
CLI::Option* add_scenario(CLI::App& line, std::string& path);
CLI::Option* add_seed(CLI::App& line, std::optional<std::uint64_t>& seed, const std::string& help);
// "A..B", or "A".
CLI::Option* add_seeds(CLI::App& line, std::function<void(const sim::SeedRange&)> set, const std::string& help);
CLI::Option* add_jobs(CLI::App& line, unsigned& jobs);

// Throws UsageError about the first word of the command line that is not a command.
[[noreturn]] void refuse_unknown_command(const CLI::App& app, const std::string& word);

// Throws UsageError if a word is empty where a file or a folder stands: no file is called that, and an option that
// names none would do nothing. What other options take is refused where it is read.
void refuse_empty_words(const std::vector<std::string>& words);

// Throws UsageError if one of these words is a file whose name begins like an option.
void refuse_file_like_an_option(const std::string& command, const std::vector<std::string>& words);

// What CLI11 says of a wrong command line, as a person would.
std::string in_plain_words(std::string_view says);

// Throws UsageError if the command was given words that it does not know.
void refuse_leftovers(const CLI::App& command);

// A path may be "-".
inline bool is_standard_stream(std::string_view path) noexcept { return path == "-"; }

}  // namespace holdfast::tools
