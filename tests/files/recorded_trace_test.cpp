// Recorded traces: what good ones become, and what is wrong with bad ones.

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <holdfast_sim/format/recorded_trace_writer.hpp>
#include <holdfast_sim/scenario/recorded_trace.hpp>

#include "scenario_texts.hpp"

namespace holdfast::scenario_reader_test {

TEST_CASE("a recorded trace is ordered by time, and names are numbered as they come") {
  const auto trace = parse_recorded_trace(
      "# Comment, with a comma\n#\nentity,from,until,cause\n"
      "b,5min,6min,late\n"
      "a,1min,2min,Hardware: Dimm, the left one\n"
      "b,1min,3min,late\r\n"
      "a,0s,0s,\n",
      "x.csv");
  CHECK(trace.entities == std::vector<std::string>{"b", "a"});
  CHECK(trace.causes == std::vector<std::string>{"late", "Hardware: Dimm, the left one", ""});
  CHECK(trace.failures ==
        std::vector<Failure>{{1, 2, 0s, 0s}, {1, 1, 1min, 2min}, {0, 0, 1min, 3min}, {0, 0, 5min, 6min}});
  CHECK(trace.zero_length == 1);
  CHECK(trace.duplicates == 0);
  CHECK(trace.overlapping == 0);
}

TEST_CASE("what is odd in a recorded trace is counted, once under each heading that fits, and kept") {
  const auto trace = parse_recorded_trace(
      "entity,from,until,cause\n"
      "a,1min,10min,x\n"
      "a,2min,3min,x\n"    // within the first: overlapping
      "a,9min,12min,x\n"   // begins before the first has ended, though after the second: overlapping
      "a,12min,13min,x\n"  // begins as the one before ends: not overlapping
      "a,1min,10min,x\n"   // again: duplicate and overlapping
      "a,1min,10min,y\n"   // another cause: no duplicate, but overlapping
      "b,1min,10min,x\n"   // another entity
      "b,20min,20min,x\n"  // zero length
      "b,20min,20min,x\n"  // zero length and duplicate; nothing is down, so nothing overlaps
      "c,1min,2min,x",
      "x.csv");
  CHECK(trace.failures.size() == 10);
  CHECK(trace.zero_length == 2);
  CHECK(trace.duplicates == 2);
  CHECK(trace.overlapping == 4);
}

TEST_CASE("a recorded trace may say which share of the starts fails") {
  const auto trace = parse_recorded_trace(
      "entity,from,until,severity,cause\n"
      "a,1min,2min,0.25,one, two\n"
      "a,2min,3min,1,x\n"
      "a,2min,3min,1.000,x\n"
      "a,3min,4min,0.000000001,x\n",
      "x.csv");
  CHECK(trace.causes == std::vector<std::string>{"one, two", "x"});
  REQUIRE(trace.failures.size() == 4);
  CHECK(trace.failures[0].severity == file::Ratio::from(0.25));
  CHECK(trace.failures[1].severity == file::Ratio::from(1));
  CHECK(trace.failures[3].severity == file::Ratio{4});  // 4.29 times 2^-32
  CHECK(trace.duplicates == 1);
  CHECK(trace.has_severities());
  CHECK_FALSE(parse_recorded_trace("entity,from,until,severity,cause\na,1s,2s,1.0,x\n", "x.csv").has_severities());
  CHECK(recorded_trace_text(trace, "x.csv") ==
        "entity,from,until,severity,cause\n"
        "a,1min,2min,0.25,one, two\n"
        "a,2min,3min,1,x\n"
        "a,2min,3min,1,x\n"
        "a,3min,4min,0.000000001,x\n");
}

TEST_CASE("a severity that is no share of the starts is refused, with what would be right") {
  const auto says = [](const std::string& severity) {
    try {
      (void)parse_recorded_trace("entity,from,until,severity,cause\na,1min,2min," + severity + ",x\n", "x.csv");
    } catch (const BadInput& bad) {
      return std::string{bad.what()};
    }
    return std::string{"accepted"};
  };
  for (const std::string bad :
       {"0", "0.0", "1.1", "2", "-0.5", "", ".5", "0.", "25%", "0,5", "1e-3", "0.0000000001", "high", "nan", "01"}) {
    INFO(bad);
    CHECK(says(bad).find("allowed is a number above 0 and up to 1") != std::string::npos);
  }
  CHECK(says("0.25,") == "accepted");  // the cause begins with a comma
  CHECK(says("25%").find("25 percent are \"0.25\"") != std::string::npos);
  CHECK(says("1.1").find("x.csv:2:13: severity: ") != std::string::npos);
}

TEST_CASE("the shipped recorded traces are as odd as their description says") {
  enter_source_folder();
  struct Row {
    const char* file;
    std::size_t rows, entities;
    std::uint64_t zero_length, duplicates, overlapping;
  };
  const std::vector<Row> rows{
      {"scenarios/data/lanl_system_18.csv", 3972, 964, 0, 5, 12},
      {"scenarios/data/lanl_system_18_planned.csv", 25, 7, 0, 0, 0},
      {"scenarios/data/lanl_system_2.csv", 5915, 49, 0, 4, 15},
      {"scenarios/data/lanl_system_2_planned.csv", 1189, 48, 0, 2, 6},
  };
  for (const auto& row : rows) {
    INFO(row.file);
    const auto trace = read_recorded_trace(row.file);
    CHECK(trace.failures.size() == row.rows);
    CHECK(trace.entities.size() == row.entities);
    CHECK(trace.zero_length == row.zero_length);
    CHECK(trace.duplicates == row.duplicates);
    CHECK(trace.overlapping == row.overlapping);
  }
}

TEST_CASE("a recorded trace of a million rows is read, and one row more is refused") {
  std::string text = "entity,from,until,cause\n";
  for (std::size_t i = 0; i < kRecordedRowsMax; ++i) text += "a,1s,2s,\n";
  const auto trace = parse_recorded_trace(text, "x.csv");
  CHECK(trace.failures.size() == kRecordedRowsMax);
  CHECK(trace.duplicates == kRecordedRowsMax - 1);
  text += "a,1s,2s,\n";
  CHECK(refusal([&text] { return parse_recorded_trace(text, "x.csv"); }) ==
        "x.csv:1000002:1: is row 1000001; allowed are up to 1000000 rows");
}

TEST_CASE("recorded traces of one scenario have a million rows together at most, however often a file is named") {
  std::string csv = "entity,from,until,cause\n";
  for (std::size_t i = 0; i < kRecordedRowsMax / 2; ++i) csv += "0,1s,2s,\n";
  const TemporaryFile file{csv};
  const auto folder = file.path().parent_path();
  const std::string entry =
      "[[chaos]]\nrecorded = { file = \"" + file.path().filename().string() + "\", of = \"a\" }\n";
  const std::string twice = "name = \"large\"\n[[fleet]]\nname = \"a\"\ncount = 1\n" + entry + entry;
  CHECK(refusal([&] { return parse_scenario(twice, "x.toml", folder); }) == "accepted");
  CHECK(refusal([&] { return parse_scenario(twice + entry, "x.toml", folder); }) ==
        "x.toml:10:21: chaos[2].recorded.file: brings the rows of all recorded chaos to 1500000; allowed are up to "
        "1000000 together");
}

TEST_CASE("a recorded trace that is wrong in every row is refused with a hundred complaints") {
  std::string text = "entity,from,until,cause\n";
  for (int i = 0; i < 1000; ++i) text += "a,1,2s,\n";
  const auto message = refusal([&text] { return parse_recorded_trace(text, "x.csv"); });
  CHECK(std::count(message.begin(), message.end(), '\n') == 100);
  CHECK_THAT(message, Catch::StartsWith("x.csv:2:3: from: is \"1\"; write \"1s\" if seconds are meant\n"));
  CHECK_THAT(message, Catch::EndsWith("\nx.csv: there is more; these are 100 complaints"));
}

TEST_CASE("a recorded trace that cannot be read is refused") {
  enter_source_folder();
  CHECK(refusal([] { return read_recorded_trace("scenarios/data/none.csv"); }) ==
        "scenarios/data/none.csv: does not exist");
  CHECK(refusal([] { return read_recorded_trace("scenarios/data"); }) ==
        "scenarios/data: is a folder; allowed is a file");
}

}  // namespace holdfast::scenario_reader_test
