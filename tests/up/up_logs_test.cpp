// How lines are cut, shown and written.
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <holdfast/up/kept_lines.hpp>
#include <holdfast/up/line_cutter.hpp>
#include <holdfast/up/log_file.hpp>
#include <holdfast/up/log_text.hpp>
#include <holdfast/up/logs.hpp>

namespace holdfast::up_logs_test {

namespace {

using namespace holdfast::up;
namespace fs = std::filesystem;
using Cut = std::vector<std::pair<std::string, bool>>;

struct Folder {
  Folder() {
    char name[] = "/tmp/holdfast-logs-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path path;
};

std::string content_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

Cut cut(const std::vector<std::string>& pieces) {
  Cut lines;
  const auto take = [&lines](std::string_view line, bool goes_on) { lines.emplace_back(line, goes_on); };
  LineCutter cutter;
  for (const auto& piece : pieces) cutter.take(piece, take);
  cutter.finish(take);
  return lines;
}

// Found in another thread.
class Findings {
 public:
  void add(const std::string& what) {
    const std::lock_guard lock{mutex_};
    found_.push_back(what);
    news_.notify_all();
  }
  [[nodiscard]] bool wait_for(const std::string& what) {
    std::unique_lock lock{mutex_};
    return news_.wait_for(lock, std::chrono::seconds{60}, [&] { return has(what); });
  }
  [[nodiscard]] bool has(const std::string& what) const {
    return std::find(found_.begin(), found_.end(), what) != found_.end();
  }

 private:
  std::mutex mutex_;
  std::condition_variable news_;
  std::vector<std::string> found_;
};

void write_to(int descriptor, std::string_view text) {
  CHECK(::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

}  // namespace

TEST_CASE("a text is found in what a service writes after somebody began to look for it, on either stream") {
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  Logs logs{nowhere, LogFormat::text, {{"db", {}}, {"web", {}}, {"quiet", {.to = file::LogTo::nothing}}}};
  const auto [output, error] = logs.descriptors("db");
  Findings findings;
  const auto look = [&](const std::string& text) {
    return logs.find("db", text, [&findings, text] { findings.add(text); });
  };
  write_to(output, "an earlier run is up\n");
  write_to(error, "and list");
  SECTION("written before") {
    const auto up = look("up");
    logs.begin();
    CHECK(logs.finish(std::chrono::seconds{60}));
    CHECK_FALSE(findings.has("up"));
  }
  SECTION("begun before") {
    const auto listening = look("listening");
    logs.begin();
    write_to(error, "ening\n");
    CHECK(logs.finish(std::chrono::seconds{60}));
    CHECK_FALSE(findings.has("listening"));
  }
  SECTION("before it is written") {
    const auto up = look("up");
    logs.begin();
    write_to(output, "not yet\n");
    write_to(error, "u");
    write_to(error, "p\n");
    CHECK(findings.wait_for("up"));
  }
  SECTION("nobody looks any more") {
    logs.begin();
    { const auto up = look("up"); }
    write_to(output, "up\n");
    const auto end = look("end");
    write_to(output, "end\n");
    CHECK(findings.wait_for("end"));
    CHECK_FALSE(findings.has("up"));
  }
  SECTION("nobody writes") {
    CHECK_FALSE(logs.find("quiet", "up", [] {}));
    CHECK_FALSE(logs.find("nobody", "up", [] {}));
    logs.begin();
  }
  CHECK(logs.finish(std::chrono::seconds{60}));
  ::close(nowhere);
}

TEST_CASE("of what a service has written the last lines are kept, and not much more") {
  KeptLines kept;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    kept.add({.milliseconds = 7, .number = i, .stream = LogStream::error, .goes_on = false},
             "line " + std::to_string(i));
  }
  std::uint64_t expected = 0;
  std::size_t bytes = 0;
  kept.visit([&](const KeptLines::Head& head, std::string_view line) {
    if (bytes == 0) expected = head.number;
    CHECK(line == "line " + std::to_string(expected));
    CHECK((head.number == expected && head.milliseconds == 7 && head.stream == LogStream::error && !head.goes_on));
    bytes += line.size() + sizeof head;
    ++expected;
  });
  CHECK(expected == 5000);
  CHECK(bytes >= kKeptMax - sizeof(KeptLines::Head) - 10);
  CHECK(bytes <= 2 * kKeptMax);
}

TEST_CASE("bytes are cut into lines wherever they were read apart") {
  CHECK(cut({"a\nb\n"}) == Cut{{"a", false}, {"b", false}});
  CHECK(cut({"a", "b", "c\nd"}) == Cut{{"abc", false}, {"d", false}});
  CHECK(cut({"\n\n"}) == Cut{{"", false}, {"", false}});
  CHECK(cut({"a\r\nb\r", "\nc\rd\n"}) == Cut{{"a", false}, {"b", false}, {"c\rd", false}});
  CHECK(cut({"", ""}).empty());
}

TEST_CASE("a line that is too long comes in pieces between characters, and all but the last are marked") {
  const std::string most(kLinePieceMax, 'x');
  CHECK(cut({most + "\n"}) == Cut{{most, false}});
  CHECK(cut({most, "\n"}) == Cut{{most, false}});
  CHECK(cut({most + "y\n"}) == Cut{{most, true}, {"y", false}});
  CHECK(cut({most, "y\n"}) == Cut{{most, true}, {"y", false}});
  const std::string before(kLinePieceMax - 1, 'x');
  CHECK(cut({before + "é\n"}) == Cut{{before, true}, {"é", false}});
  CHECK(cut({before + "\xc3", "\xa9z"}) == Cut{{before, true}, {"éz", false}});
  // Bytes that are no UTF-8 are cut anywhere.
  const std::string odd(2 * kLinePieceMax + 1, '\x80');
  const auto pieces = cut({odd + "\n"});
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[0].first + pieces[1].first + pieces[2].first == odd);
}

TEST_CASE("a line has time, name and stream, as a text and as JSON") {
  std::string text;
  LogLabel{LogFormat::text, "web", 0, 8}.append_line(text, "T", LogStream::output, "hello", false);
  LogLabel{LogFormat::text, "web", 0, 8}.append_line(text, "T", LogStream::error, "he", true);
  CHECK(text == "T web out hello\nT web err+ he\n");
  text.clear();
  LogLabel{LogFormat::json, "w\"b", 0, 8}.append_line(text, "T", LogStream::error, "a\xff\t\"", true);
  CHECK(text ==
        "{\"time\":\"T\",\"service\":\"w\\\"b\",\"stream\":\"err\",\"line\":\"a\xef\xbf\xbd\\t\\\"\",\"continues\":"
        "true}\n");
  text.clear();
  append_own_line(text, LogFormat::text, "T", LogLevel::warning, "web", "event=ended", 8);
  CHECK(text == "T holdfast warning event=ended\n");
}

TEST_CASE("on a terminal names have a colour and a width, and a program's own colours end with its line") {
  std::string text;
  LogLabel{LogFormat::terminal, "web", 1, 5}.append_line(text, "T", LogStream::output, "\x1b[1mbold", false);
  CHECK(text == "\x1b[2mT\x1b[0m \x1b[32mweb  \x1b[0m out \x1b[1mbold\x1b[0m\n");
}

TEST_CASE("a full file is renamed, so many stay, and lines are whole") {
  const Folder folder;
  const auto path = folder.path / "sub" / "web.log";
  {
    LogFile file{path.string(), 10, 2};
    for (const char* const line :
         {"one\n", "two\n", "three\n", "a line that is longer\n", "four\n", "five\n", "six\n"}) {
      file.pending() += line;
      file.line_added();
      file.flush();
    }
  }
  CHECK(content_of(path) == "six\n");
  CHECK(content_of(path.string() + ".1") == "four\nfive\n");
  CHECK(content_of(path.string() + ".2") == "a line that is longer\n");
  CHECK_FALSE(fs::exists(path.string() + ".3"));
  {
    LogFile again{path.string(), 10, 0};
    again.pending() += "7\nseven\n8\n";
    again.flush();
  }
  CHECK(content_of(path) == "seven\n8\n");
}

TEST_CASE("lines that cannot be written are counted, and the next one begins a line") {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  LogFile file{full};
  file.pending() += "one\ntwo\n";
  file.flush();
  const auto lost = file.take_lost();
  CHECK(lost.count == 2);
  CHECK(lost.error == ENOSPC);
  CHECK(file.take_lost().count == 0);
  ::close(full);
}

TEST_CASE("a log that cannot be opened says why") {
  CHECK_THROWS_WITH(LogFile("/proc/no/web.log", 10, 1), Catch::StartsWith("cannot write the log /proc/no/web.log: "));
}

}  // namespace holdfast::up_logs_test
