#include <holdfast/up/recordings.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <holdfast/up/control_path.hpp>

namespace holdfast::up {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRecordingEnding = ".ndjson";

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  const auto size = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return {text.data(), size};
}

void keep_the_latest(const fs::path& folder, const std::string& prefix, std::uint32_t keep) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator{folder, error}) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(kRecordingEnding)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  for (std::size_t i = 0; i + keep < found.size(); ++i) fs::remove(found[i], error);
}

}  // namespace

Recording::Recording(const fs::path& folder, const std::string& fleet, std::uint32_t keep) {
  std::error_code error;
  fs::create_directories(folder, error);
  const auto prefix = as_file_name(fleet) + '-';
  path_ = folder / (prefix + time_of_day() + '-' + std::to_string(::getpid()) + std::string{kRecordingEnding});
  stream_.open(path_, std::ios::binary | std::ios::trunc);
  if (!stream_) {
    throw std::runtime_error{"cannot write the recording " + path_.string() + ": " +
                             std::generic_category().message(errno)};
  }
  keep_the_latest(folder, prefix, keep);
}

}  // namespace holdfast::up
