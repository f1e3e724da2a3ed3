// The stream of a recording: when it is flushed, and what happens when it can no longer be written.
#include "recorded.hpp"

#include <cerrno>
#include <optional>
#include <ostream>
#include <sstream>
#include <streambuf>
#include <string>
#include <string_view>

#include <holdfast/recorder.hpp>

namespace holdfast::recorder_test {

namespace {

// Takes so many bytes, and throws at the next one.
class Bursting final : public std::streambuf {
 public:
  explicit Bursting(std::size_t bytes) : left_(bytes) {}
  std::string written;

 private:
  int_type overflow(int_type byte) override {
    if (left_ == 0) throw 42;
    --left_;
    written += traits_type::to_char_type(byte);
    return byte;
  }
  std::size_t left_;
};

TEST_CASE("a recording that cannot be written ends, once, and nothing else does: wherever it fails") {
  class Trouble final : public RecordingTrouble {
   public:
    void recording_failed_with(std::string_view error) noexcept override { errors.emplace_back(error); }
    Lines errors;
  };
  const auto run_on = [](std::ostream& out, RecordingTrouble* trouble) {
    sim::VirtualScheduler scheduler;
    test::Recorder sink;
    Script feed;
    std::optional<holdfast::Recorder> recorder;
    recorder.emplace(out, scheduler, config_of(kAtOnce), kSeed, sink, trouble);
    {
      Supervisor supervisor{*recorder, config_of(kAtOnce), kSeed, *recorder, &*recorder};
      REQUIRE(supervisor.add({.name = "feed"}, feed));
      let_pass(scheduler, 1us);
      feed.fail();
      let_pass(scheduler, 1us);
      supervisor.request_shutdown();
      scheduler.run_tasks();
      feed.end_cleanly();
      scheduler.run_tasks();
      CHECK(supervisor.shutdown_result());
    }
    recorder.reset();
    return sink.lines();
  };
  std::ostringstream whole;
  const Lines expected = run_on(whole, nullptr);
  for (std::size_t bytes = 0; bytes < whole.str().size(); bytes += 7) {
    for (const bool passes_on : {false, true}) {
      CAPTURE(bytes, passes_on);
      Bursting buffer{bytes};
      std::ostream out{&buffer};
      if (passes_on) out.exceptions(std::ios::badbit | std::ios::failbit);
      Trouble trouble;
      CHECK(run_on(out, &trouble) == expected);
      CHECK(trouble.errors.size() == 1);
      CHECK(buffer.written == whole.str().substr(0, bytes));
    }
  }
  Bursting buffer{0};
  std::ostream out{&buffer};
  out.exceptions(std::ios::badbit);
  CHECK(run_on(out, nullptr) == expected);  // nobody wants to know
}

// Fails as a file does whose disk is full, or as a stream of its own kind does that nobody can say anything of.
class Refusing final : public std::streambuf {
 public:
  explicit Refusing(int error) : error_(error) {}

 private:
  int_type overflow(int_type) override {
    if (error_ != 0) errno = error_;
    return traits_type::eof();
  }
  const int error_;
};

TEST_CASE("the reason of a recording that failed is the system's if there is one, and never an old one") {
  class Trouble final : public RecordingTrouble {
   public:
    void recording_failed_with(std::string_view error) noexcept override { says = error; }
    std::string says;
  };
  const auto reason = [](int error, bool throws) {
    sim::VirtualScheduler scheduler;
    test::Recorder sink;
    Refusing buffer{error};
    std::ostream out{&buffer};
    if (throws) out.exceptions(std::ios::badbit | std::ios::failbit);
    Trouble trouble;
    errno = EBADF;  // of something else, long ago
    const holdfast::Recorder recorder{out, scheduler, {}, kSeed, sink, &trouble};
    return trouble.says;
  };
  CHECK(reason(ENOSPC, false) == "No space left on device");
  CHECK(reason(ENOSPC, true) == "No space left on device");
  CHECK(reason(0, false) == "the stream has failed");
  CHECK(reason(0, true).find("basic_ios::clear") != std::string::npos);
}

// Counts how often it was flushed.
class Flushed final : public std::stringbuf {
 public:
  int times = 0;

 private:
  int sync() override {
    ++times;
    return 0;
  }
};

TEST_CASE("lines are flushed when a handler returns, after an input from outside, and at the end") {
  sim::VirtualScheduler scheduler;
  test::Recorder sink;
  Flushed buffer;
  std::ostream out{&buffer};
  Script feed;
  std::optional<holdfast::Recorder> recorder;
  recorder.emplace(out, scheduler, config_of(kAtOnce), kSeed, sink);
  std::optional<Supervisor> supervisor;
  supervisor.emplace(*recorder, config_of(kAtOnce), kSeed, *recorder, &*recorder);
  const auto flushes = [&](const auto& act) {
    const int before = buffer.times;
    act();
    return buffer.times - before;
  };
  CHECK(flushes([&] { CHECK(supervisor->add({.name = "feed"}, feed)); }) == 1);
  CHECK(flushes([&] { scheduler.run_tasks(); }) == 1);  // three events
  CHECK(flushes([&] { feed.fail(); }) == 1);
  CHECK(flushes([&] { scheduler.run_tasks(); }) == 1);
  CHECK(flushes([&] { CHECK(scheduler.fire_next(TimePoint::max())); }) >= 1);
  supervisor.reset();
  CHECK(flushes([&] { recorder.reset(); }) == 1);
}

}  // namespace

}  // namespace holdfast::recorder_test
