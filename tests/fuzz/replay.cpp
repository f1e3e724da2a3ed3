// Calls a fuzzer's target with inputs from files, in a build without libFuzzer: tests/fuzz/meson.build says which.
//
//   replay PATH...      files, and those that stand in folders
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz.hpp"

namespace {

namespace fs = std::filesystem;

// A target that nothing ever broke has no folder of regressions.
std::vector<fs::path> files_of(const fs::path& path) {
  if (!fs::exists(path)) return {};
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{path}) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void replay(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
  holdfast::fuzz::claim(in.good() || in.eof(), "an input can be read", file.string());
  std::printf("%s\n", file.string().c_str());
  std::fflush(stdout);  // if an input fails, its name is the last one printed
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t replayed = 0;
  for (int i = 1; i < argc; ++i) {
    const auto files = files_of(argv[i]);
    for (const auto& file : files) replay(file);
    replayed += files.size();
  }
  holdfast::fuzz::claim(replayed > 0, "there is an input");
  std::printf("%zu inputs\n", replayed);
}
