#include "command_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/letters.hpp>
#include <holdfast_sim/text/wording.hpp>

namespace holdfast::tools {

namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* const command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const auto* const option : command.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string_view nearest_of(std::string_view word, const std::vector<std::string>& candidates) {
  const auto lower = file::lower_case(word);
  const auto same = std::find(candidates.begin(), candidates.end(), lower);  // "RUN", "--JSON"
  if (same != candidates.end()) return *same;
  return sim::nearest(word, {candidates.begin(), candidates.end()});
}

std::string in_quotes(std::string_view word) { return '"' + sim::printable(word) + '"'; }

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, ", ")); }

// Whether a word in the place of a command is more likely the path of a file.
bool looks_like_a_file(const std::string& word) {
  std::error_code error;
  return word.ends_with(".toml") || word.ends_with(".ndjson") || std::filesystem::is_regular_file(word, error);
}

}  // namespace

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stopped == end ? std::optional{number} : std::nullopt;
}

namespace {

std::uint64_t seed_from(std::string_view text) {
  if (const auto seed = whole_number(text)) return *seed;
  const bool is_range = text.find("..") != std::string_view::npos;
  throw UsageError{
      fmt::format("--seed: {} is not a whole number from 0 to 18446744073709551615{}", in_quotes(text),
                  is_range ? "; for a range write: holdfast sweep FILE --seeds " + std::string{text} : "")};
}

sim::SeedRange seeds_from(std::string_view text) {
  const auto dots = text.find("..");
  const auto first = whole_number(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : whole_number(text.substr(dots + 2));
  if (first && last && *first <= *last) {
    if (*last - *first != UINT64_MAX) return {*first, *last};
    throw UsageError{
        fmt::format("--seeds: {} is not a range of seeds that can be counted: leave one out", in_quotes(text))};
  }
  if (first && last) {
    throw UsageError{fmt::format("--seeds: {} is not a range of seeds, the smaller stands first: write {}..{}",
                                 in_quotes(text), *last, *first)};
  }
  // "1-1000", "1:1000", "1...1000", "1..=1000", "1 1000": the digits at both ends are meant.
  const auto digits = [](char c) { return c >= '0' && c <= '9'; };
  const auto head_end = std::find_if_not(text.begin(), text.end(), digits);
  const auto tail_begin = std::find_if_not(text.rbegin(), text.rend(), digits).base();
  const auto from = whole_number({text.begin(), head_end});
  const auto to = tail_begin >= head_end ? whole_number({tail_begin, text.end()}) : std::nullopt;
  const std::string_view between{head_end, std::max(head_end, tail_begin)};
  const bool meant = from && to && *from <= *to && between.find_first_of("0123456789,;") == std::string_view::npos;
  throw UsageError{fmt::format("--seeds: {} is not a range of seeds; write {}, or a single seed like 7",
                               in_quotes(text),
                               meant ? fmt::format("{}..{}", *from, *to) : "the first and the last like 1..1000")};
}

}  // namespace

CLI::Option* add_scenario(CLI::App& line, std::string& path) {
  return line.add_option("FILE", path, "The scenario, a TOML file; - is standard input")->required();
}

CLI::Option* add_seed(CLI::App& line, std::optional<std::uint64_t>& seed, const std::string& help) {
  const auto set = [&seed](const std::string& text) { seed = seed_from(text); };
  return line.add_option_function<std::string>("--seed", set, help)->type_name("N");
}

CLI::Option* add_seeds(CLI::App& line, std::function<void(const sim::SeedRange&)> set, const std::string& help) {
  const auto read = [set = std::move(set)](const std::string& text) { set(seeds_from(text)); };
  return line.add_option_function<std::string>("--seeds", read, help)->type_name("A..B");
}

CLI::Option* add_jobs(CLI::App& line, unsigned& jobs) {
  constexpr unsigned kJobsMax = 1024;
  return line.add_option("--jobs", jobs, "Runs at a time; by default one for each processor")
      ->type_name("N")
      ->check(CLI::Range(1U, kJobsMax));
}

void refuse_unknown_command(const CLI::App& app, const std::string& word) {
  const auto names = command_names(app);
  const auto all = fmt::format("The commands are {}; \"holdfast help\" says what each does", joined(names));
  if (word.empty()) throw UsageError{fmt::format("a command is missing. {}", all)};
  if (word == "version" || word == "-V" || word == "-v") {
    throw UsageError{fmt::format("{} is not a command; write: holdfast --version", in_quotes(word))};
  }
  if (word.front() == '-') {
    throw UsageError{fmt::format("{} is not an option of holdfast itself: options stand behind a command. {}",
                                 in_quotes(word), all)};
  }
  const auto near = nearest_of(word, names);
  if (near.empty() && looks_like_a_file(word)) {
    const auto* const verb = word.ends_with(".ndjson") ? "replay" : "run";
    throw UsageError{fmt::format("{0} is not a command; did you mean: holdfast {1} {0}", sim::printable(word), verb)};
  }
  const auto guess = near.empty() ? std::string{} : fmt::format(" Did you mean \"{}\"?", near);
  throw UsageError{fmt::format("{} is not a command.{} {}", in_quotes(word), guess, all)};
}

void refuse_empty_words(const std::vector<std::string>& words) {
  constexpr std::array<std::string_view, 9> kNamingFiles{"--trace",  "--scenario", "--out",    "-o",      "--page",
                                                         "--output", "--junit",    "--ledger", "--corpus"};
  for (std::size_t i = 1; i < words.size(); ++i) {
    const bool is_value = words[i - 1].starts_with('-') && words[i - 1].size() > 1;
    const bool names_file = std::find(kNamingFiles.begin(), kNamingFiles.end(), words[i - 1]) != kNamingFiles.end();
    if (!words[i].empty() || (is_value && !names_file)) continue;
    throw UsageError{"a word of the command line is empty (\"\"): perhaps a variable of the shell that is not set"};
  }
}

void refuse_file_like_an_option(const std::string& command, const std::vector<std::string>& words) {
  for (const auto& word : words) {
    if (word.size() < 2 || word.front() != '-' || !looks_like_a_file(word)) continue;
    throw UsageError{fmt::format("{0} begins like an option; write: holdfast {1} -- {2} (or ./{2})", in_quotes(word),
                                 command, sim::printable(word))};
  }
}

std::string in_plain_words(std::string_view says) {
  const auto colon = says.find(": ");
  if (colon == std::string_view::npos) return std::string{says};
  const auto option = says.substr(0, colon);
  auto rest = says.substr(colon + 2);
  if (rest.starts_with("At Most 1 required")) return fmt::format("{} stands more than once", option);
  if (rest.starts_with("1 required ") && rest.ends_with(" missing")) {
    rest = rest.substr(0, rest.size() - std::string_view{" missing"}.size());
    rest.remove_prefix(std::string_view{"1 required "}.size());
    return fmt::format("{} lacks what stands behind it, {}", option, rest.substr(0, rest.find(':')));
  }
  if (option == "Could not convert") return fmt::format("{} is not what that option takes", rest);
  return std::string{says};
}

void refuse_leftovers(const CLI::App& command) {
  const auto words = command.remaining();
  if (words.empty()) return;
  const auto& word = words.front();
  const auto name = "holdfast " + command.get_name();
  if (word.size() > 1 && word.front() == '-') {
    const auto names = option_names(command);
    const auto near = nearest_of(word.substr(0, word.find('=')), names);
    refuse_file_like_an_option(command.get_name(), {word});
    throw UsageError{fmt::format("{} is not an option of \"{}\".{} The options are {}", in_quotes(word), name,
                                 near.empty() ? std::string{} : fmt::format(" Did you mean {}?", near), joined(names))};
  }
  throw UsageError{fmt::format("{} is one word too many; \"holdfast help {}\" shows what \"{}\" takes", in_quotes(word),
                               command.get_name(), name)};
}

}  // namespace holdfast::tools
