#include <holdfast_sim/diff/line_source.hpp>

#include <istream>
#include <sstream>
#include <string_view>
#include <utility>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::sim {

namespace {

// Inside of a text quotes are escaped, so that a key is found by its letters.
bool has_key(std::string_view line, std::string_view quoted) { return line.find(quoted) != std::string_view::npos; }

bool is_event(std::string_view line) { return has_key(line, "\"kind\":") || has_key(line, "\"chaos\":"); }

class FileSource final : public LineSource {
 public:
  FileSource(std::istream& in, std::string file) : in_(in), name_(std::move(file)) {
    std::string line;
    const bool any = read(line);
    if (!any || (!line.starts_with("{\"holdfast_trace\":1") && !line.starts_with("{\"holdfast_recording\":1"))) {
      throw file::BadInput{{{.file = name_,
                             .line = any ? 1U : 0U,
                             .says = "is neither a trace nor a recording: the first line would say holdfast_trace or "
                                     "holdfast_recording"}}};
    }
  }

  bool next(std::string& line) override {
    while (read(line)) {
      if (is_event(line)) return true;
      if (line.starts_with("{\"end\":")) end_ = line;
    }
    return false;
  }
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  [[nodiscard]] const std::string& end() const noexcept override { return end_; }
  [[nodiscard]] std::uint64_t number() const noexcept override { return number_; }

 private:
  bool read(std::string& line) {
    if (!std::getline(in_, line)) return false;
    ++number_;
    return true;
  }

  std::istream& in_;
  const std::string name_;
  std::string end_;
  std::uint64_t number_ = 0;
};

class SimulatedSource final : public LineSource {
 public:
  SimulatedSource(const Scenario& scenario, Seed seed, const std::string& file)
      : name_(file + ", seed " + std::to_string(seed.value)),
        writer_(text_, scenario.name, seed),
        simulation_(scenario, {&digest_, &writer_}, seed) {}

  bool next(std::string& line) override {
    for (;;) {
      while (std::getline(text_, line)) {
        ++number_;
        if (is_event(line)) return true;
        if (line.starts_with("{\"end\":")) end_ = line;
      }
      if (ended_) return false;
      text_ = std::stringstream{};
      go_on();
    }
  }
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  [[nodiscard]] const std::string& end() const noexcept override { return end_; }
  [[nodiscard]] std::uint64_t number() const noexcept override { return number_; }

 private:
  // The writer hands on many whole lines at a time.
  void go_on() {
    constexpr std::uint64_t kTimers = 4096;
    ended_ = simulation_.run_to_end(kTimers);
    if (ended_) writer_.finish(simulation_.end(), digest_);
  }

  const std::string name_;
  std::string end_;
  std::uint64_t number_ = 0;
  bool ended_ = false;
  std::stringstream text_;
  Digest digest_;
  TraceWriter writer_;
  Simulation simulation_;
};

}  // namespace

std::unique_ptr<LineSource> line_source(std::istream& in, const std::string& file) {
  return std::make_unique<FileSource>(in, file);
}

std::unique_ptr<LineSource> line_source(const Scenario& scenario, std::optional<Seed> seed, const std::string& file) {
  return std::make_unique<SimulatedSource>(scenario, seed.value_or(scenario.seed), file);
}

}  // namespace holdfast::sim
