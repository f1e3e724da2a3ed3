#include <holdfast/up/rights.hpp>

#include <fcntl.h>
#include <grp.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>

namespace holdfast::up {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPathByDefault = "/bin:/usr/bin";
constexpr std::size_t kFirstLineMax = 256;  // as the kernel reads it

std::string path_variable_of(const Process& process) {
  for (auto one = process.environment.rbegin(); one != process.environment.rend(); ++one) {
    if (one->first == "PATH") return one->second;
  }
  const char* const inherited = process.inherit_environment ? std::getenv("PATH") : nullptr;
  return inherited != nullptr ? inherited : std::string{kPathByDefault};
}

std::vector<fs::path> folders_of(std::string_view path_variable) {
  std::vector<fs::path> folders;
  for (;;) {
    const auto end = path_variable.find(':');
    folders.emplace_back(path_variable.substr(0, end));
    if (end == std::string_view::npos) return folders;
    path_variable.remove_prefix(end + 1);
  }
}

// Of those that are in PATH, the one that is spelt most like it.
std::string meant_program(const std::string& name, const std::vector<fs::path>& folders) {
  std::vector<std::string> names;
  for (const auto& folder : folders) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{folder, error}) names.push_back(entry.path().filename().string());
  }
  const std::vector<std::string_view> known{names.begin(), names.end()};
  return std::string{file::nearest(name, known)};
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// The first one that can be executed, or else the first that is there; empty: none is.
fs::path found_in(const std::vector<fs::path>& folders, const std::string& name, const fs::path& from) {
  fs::path there;
  for (const auto& folder : folders) {
    auto candidate = from / folder / name;
    if (!is_file(candidate)) continue;
    if (may_access(candidate, X_OK)) return candidate;
    if (there.empty()) there = std::move(candidate);
  }
  return there;
}

// The words behind "#!" of a script; empty: it is none.
std::vector<std::string> interpreter_of(const fs::path& program) {
  std::ifstream in{program, std::ios::binary};
  std::string line(kFirstLineMax, '\0');
  in.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(in.gcount()));
  if (!line.starts_with("#!")) return {};
  line = line.substr(2, line.find('\n') - 2);
  std::vector<std::string> words;
  for (auto rest = file::trimmed(line); !rest.empty();) {
    const auto end = std::min(rest.find_first_of(" \t"), rest.size());
    words.emplace_back(rest.substr(0, end));
    rest = file::trimmed(rest.substr(end));
  }
  return words;
}

std::string trouble_with_interpreter(const fs::path& program, const std::vector<fs::path>& folders,
                                     const fs::path& from) {
  const auto words = interpreter_of(program);
  if (words.empty()) return "";
  const auto begins = file::in_quotes(program.string()) + " begins with " + file::in_quotes("#!" + words.front());
  if (!is_file(from / words.front()) || !may_access(from / words.front(), X_OK)) {
    return begins + ", which cannot be executed";
  }
  const bool is_env = fs::path{words.front()}.filename() == "env" && words.size() == 2 && words[1].front() != '-';
  if (is_env && found_in(folders, words[1], from).empty()) {
    return begins + " and " + file::in_quotes(words[1]) + ", which is in no folder of PATH";
  }
  return "";
}

}  // namespace

RightsOf::RightsOf(const holdfast::detail::Identity& identity) {
  if (::geteuid() != 0 || !identity.user) return;
  groups_before_.resize(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  if (::getgroups(static_cast<int>(groups_before_.size()), groups_before_.data()) < 0) return;
  has_changed_ = true;
  if (identity.groups) ::setgroups(identity.groups->size(), identity.groups->data());
  if (identity.group) ::setfsgid(*identity.group);
  ::setfsuid(*identity.user);
}

RightsOf::~RightsOf() {
  if (!has_changed_) return;
  ::setfsuid(::geteuid());
  ::setfsgid(::getegid());
  ::setgroups(groups_before_.size(), groups_before_.data());
}

bool may_access(const fs::path& path, int mode) { return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0; }

std::string trouble_with_program(const Process& process) {
  const auto& name = process.command.front();
  const fs::path from = process.folder.empty() ? fs::current_path() : fs::path{process.folder};
  const auto path_variable = path_variable_of(process);
  const auto folders = folders_of(path_variable);
  const bool is_path = name.find('/') != std::string::npos;
  const auto found = is_path ? (from / name).lexically_normal() : found_in(folders, name, from);
  std::error_code error;
  if (is_path && !fs::exists(found, error)) {
    return error && error != std::errc::no_such_file_or_directory
               ? "cannot look at " + file::in_quotes(found.string()) + ": " + error.message()
               : file::in_quotes(found.string()) + " does not exist; required is a program";
  }
  if (found.empty()) {
    const auto meant = meant_program(name, folders);
    return file::in_quotes(name) + " is in no folder of PATH, which is " + file::in_quotes(path_variable) + "; " +
           (meant.empty() ? "required is a program, or its path" : "did you mean " + file::in_quotes(meant) + "?");
  }
  if (!is_file(found)) return file::in_quotes(found.string()) + " is no file; required is a program";
  if (!may_access(found, X_OK)) {
    const auto who = process.user.empty() ? std::string{"this user"} : "user " + file::in_quotes(process.user);
    return file::in_quotes(found.string()) + " may not be executed by " + who + "; required is a program that may";
  }
  return trouble_with_interpreter(found, folders, from);
}

std::string trouble_with_writing_in(const fs::path& folder) {
  std::error_code error;
  auto there = folder;
  while (!fs::exists(there, error) && there.has_relative_path()) {
    if (error && error != std::errc::no_such_file_or_directory) break;
    there = there.parent_path();
  }
  if (!fs::is_directory(there, error)) {
    return file::in_quotes(there.string()) + (error ? ": " + error.message() : " is no folder") +
           "; required is a folder";
  }
  if (may_access(there, W_OK | X_OK)) return "";
  return "files cannot be made in " + file::in_quotes(there.string()) +
         "; required is a folder that holdfast may write into";
}

}  // namespace holdfast::up
