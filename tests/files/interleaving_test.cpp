// A run is a function of its scenario and seed, whatever else its process does meanwhile. Other processes recorded the
// digests with which the test compares its runs.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::interleaving_test {

namespace {

using namespace holdfast::sim;
namespace fs = std::filesystem;

std::vector<fs::path> scenario_files() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator{fs::path{HOLDFAST_SOURCE_DIR} / "scenarios"}) {
    if (entry.path().extension() == ".toml") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string recorded_digest(fs::path scenario) {
  std::ifstream in{scenario.replace_extension(".digest")};
  std::string digest;
  in >> digest;
  return digest;
}

struct Rehearsed {
  explicit Rehearsed(const fs::path& file) : scenario(read_scenario(file)), recorded(recorded_digest(file)) {}

  Scenario scenario;
  std::string recorded;
  Digest digest;
  Simulation simulation{scenario, {&digest}};
};

// Takes and gives back memory of changing sizes, so that what a run allocates lies elsewhere each time.
class OtherWork {
 public:
  void some() {
    for (int i = 0; i < 16; ++i) {
      state_ = state_ * 6364136223846793005U + 1442695040888963407U;
      const std::size_t size = 1 + (state_ >> 33) % 5000;
      blocks_[(state_ >> 20) % blocks_.size()] = std::make_unique<unsigned char[]>(size);
    }
  }
  std::uint64_t next_slice() {
    some();
    return 1 + (state_ >> 40) % 20000;
  }

 private:
  std::uint64_t state_ = 1;
  std::array<std::unique_ptr<unsigned char[]>, 512> blocks_;
};

}  // namespace

TEST_CASE("simulations advanced in turns in one process have the digests they have alone") {
  std::vector<std::unique_ptr<Rehearsed>> runs;
  for (const fs::path& file : scenario_files()) runs.push_back(std::make_unique<Rehearsed>(file));
  REQUIRE(runs.size() > 1);

  OtherWork work;
  auto going = runs.size();
  std::vector<bool> ended(runs.size(), false);
  while (going > 0) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (ended[i] || !runs[i]->simulation.run_to_end(work.next_slice())) continue;
      ended[i] = true;
      --going;
    }
  }

  for (const auto& run : runs) {
    INFO(run->scenario.name);
    CHECK(run->digest.text() == run->recorded);
  }
}

TEST_CASE("a simulation stepped timer by timer, between others that begin and end, has the digest it has alone") {
  const auto files = scenario_files();
  const auto small =
      std::find_if(files.begin(), files.end(), [](const fs::path& file) { return file.stem() == "clean_exits"; });
  REQUIRE(small != files.end());
  Rehearsed stepped{*small};
  OtherWork work;
  std::size_t steps = 0;
  while (!stepped.simulation.run_to_end(1)) {
    work.some();
    if (steps++ % 8 != 0) continue;
    Rehearsed other{*small};
    other.simulation.run_to_end(steps);
  }
  CHECK(steps > 100);
  CHECK(stepped.digest.text() == stepped.recorded);
}

}  // namespace holdfast::interleaving_test
