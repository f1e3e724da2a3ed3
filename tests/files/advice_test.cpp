// What a message says to write is accepted: nobody is sent from one refusal to the next. Every key of the format is
// given what people write for other keys, and every advice goes back into the reader.
#include <catch2/catch.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/complaints.hpp>
#include <holdfast/file/format_check.hpp>
#include <holdfast/file/hints.hpp>
#include <holdfast/file/meant_duration.hpp>
#include <holdfast/time.hpp>

#include "scenario_keys.hpp"

namespace holdfast::advice_test {

namespace {

using namespace holdfast::test;
using file::BadInput;
using file::Key;

// Of every TOML type, and of every kind that some key has a hint for.
constexpr auto kWritten = std::to_array<std::string_view>(
    {"true",
     "false",
     "0",
     "1",
     "-1",
     "3",
     "10",
     "50",
     "100",
     "300",
     "8080",
     "99999",
     "99999999999",
     "0.0",
     "0.1",
     "0.5",
     "1.0",
     "1.5",
     "3.0",
     "-0.5",
     "1e300",
     "00:05:00",
     "2026-01-01",
     "\"\"",
     "\" \"",
     "\"0\"",
     "\"1\"",
     "\"3\"",
     "\"0.5\"",
     "\"0%\"",
     "\"10%\"",
     "\"50%\"",
     "\"99.9%\"",
     "\"500%\"",
     "\"0s\"",
     "\"5s\"",
     "\"30m\"",
     "\"1h30\"",
     "\"5:30\"",
     "\"1,000s\"",
     "\"1,5h\"",
     "\"1s..5s\"",
     "\"-5s\"",
     "\"inf\"",
     "\"none\"",
     "\"never\"",
     "\"always\"",
     "\"off\"",
     "\"on\"",
     "\"yes\"",
     "\"no\"",
     "\"null\"",
     "\"web\"",
     "\"web db\"",
     "\"all\"",
     "\"crash\"",
     "\"hang\"",
     "\"panic\"",
     "\"exit\"",
     "\"stop\"",
     "\"restart\"",
     "\"terminate\"",
     "\"kill\"",
     "\"delete\"",
     "\"gone\"",
     "\"down\"",
     "\"fail\"",
     "\"refused\"",
     "\"sequential\"",
     "\"parallel\"",
     "\"all\"",
     "\"fifo\"",
     "\"lifo\"",
     "\"drop\"",
     "\"keep\"",
     "\"continue\"",
     "\"ignore\"",
     "\"double\"",
     "\"linear\"",
     "\"constant\"",
     "\"exponential\"",
     "\"steps\"",
     "\"full\"",
     "\"half\"",
     "\"random\"",
     "\"k8s\"",
     "\"erlang\"",
     "\"systemd\"",
     "\"notify\"",
     "\"immediately\"",
     "\"on-failure\"",
     "\"on-failure:0\"",
     "\"on-failure:3\"",
     "\"on-failure:99999\"",
     "\"unless-stopped\"",
     "\"temporary\"",
     "\"SIGTERM\"",
     "\"int\"",
     "\"stdout\"",
     "\"/dev/null\"",
     "\"mixed\"",
     "\"022\"",
     "\"50MB\"",
     "\"1G\"",
     "\"unlimited\"",
     "\"8080\"",
     "\":8080\"",
     "\"127.0.0.1:80\"",
     "\"localhost:80\"",
     "\"::1:80\"",
     "\"[::1]:80\"",
     "\"tcp://127.0.0.1:80\"",
     "\"tcp:80\"",
     "\"tcp\"",
     "\"db:5432\"",
     "\"127.0.0.1:99999\"",
     "\"http\"",
     "\"https\"",
     "\"http://127.0.0.1/x\"",
     "\"http://db/x\"",
     "\"http://127.0.0.1:99999/x\"",
     "\"http://::1:80/x\"",
     "\"https://127.0.0.1/\"",
     "\"/healthz\"",
     "\"running >= 2\"",
     "\"running = 3\"",
     "\"lost\"",
     "\"<= 3\"",
     "\">3\"",
     "\"0..3\"",
     "\"3-5\"",
     "\"< 0\"",
     "\"A=1\"",
     "\"A=1 B=2\"",
     "\"=1\"",
     "\"web --port 80\"",
     "\"web | tee x\"",
     "\"echo ${HOME} $${X} ${NAME}\"",
     "\"x.csv\"",
     "\"a\\u0007b\"",
     "\"a text that is longer than what a message quotes: 0123456789 0123456789 0123456789 0123456789\"",
     "[]",
     "[1]",
     "[3]",
     "[1, 5]",
     "[\"web\"]",
     "[\"web\", \"db\"]",
     "[\"5min\"]",
     "[\"30m\"]",
     "[\"1s\", \"5s\"]",
     "[\"5s\", \"1s\"]",
     "[\"A=1\"]",
     "[\"tcp:80\"]",
     "[\"crash\"]",
     "[\"fifo\"]",
     "[\"CMD\", \"x\"]",
     "[\"CMD-SHELL\", \"x y\"]",
     "[\"CMD\"]",
     "[\"http://127.0.0.1/\"]",
     "[true]",
     "[{ }]",
     "{ }",
     "{ x = 1 }"});

// What is complained about `written` behind the key, in a table that has this key alone.
std::vector<std::string> complaints_about(const Key& key, std::string_view written) {
  Key alone = key;
  alone.required = false;
  alone.needs = {};
  file::Table table{.name = "a table"};
  table.keys.push_back(std::move(alone));
  auto document = file::parse_toml(std::string{key.name} + " = " + std::string{written} + '\n', "x.toml");
  file::Complaints complaints{"x.toml"};
  file::check_format(document, table, complaints);
  std::vector<std::string> says;
  for (const auto& complaint : complaints.in_order()) {
    if (complaint.key == key.name) says.push_back(complaint.says);
  }
  return says;
}

bool is_value(std::string_view text) {
  if (text.empty() || text.back() == ' ' || text.find('\n') != text.npos) return false;
  try {
    return !file::parse_toml("x = " + std::string{text} + '\n', "x.toml").entries.empty();
  } catch (const BadInput&) {
    return false;
  }
}

// The longest beginning that is a value of TOML: `{ do = "restart" }` of `{ do = "restart" } to …`. Empty: there is
// none.
std::string_view value_in(std::string_view text) {
  while (!text.empty() && !is_value(text)) text.remove_suffix(1);
  return text;
}

}  // namespace

TEST_CASE("what a message says to write is accepted, whatever was written for whichever key") {
  std::size_t advised = 0;
  std::size_t tried = 0;
  const auto all = listing();
  for (const auto& [path, key] : all.keys) {
    for (const auto written : kWritten) {
      if (HOLDFAST_SLOW_BUILD && ++tried % 7 != 0) continue;
      for (const auto& says : complaints_about(*key, written)) {
        const auto at = says.find("; write ");
        if (at == std::string::npos) continue;
        const auto value = value_in(std::string_view{says}.substr(at + std::string_view{"; write "}.size()));
        if (value.empty()) continue;
        ++advised;
        INFO(path << " = " << written << ": " << says);
        CHECK(complaints_about(*key, value).empty());
        CHECK(value.find("…") == std::string_view::npos);
      }
    }
  }
  CHECK(advised > (HOLDFAST_SLOW_BUILD ? 200 : 2000));
}

TEST_CASE("advice that would be refused is not given") {
  const Key count{.name = "count", .forms = {file::Integer{1, 10}}};
  CHECK(file::is_good_advice("write 3 without quotes", count));
  CHECK_FALSE(file::is_good_advice("write 30 without quotes", count));
  CHECK_FALSE(file::is_good_advice("write \"3\"", count));
  CHECK(file::is_good_advice("write a number", count));
  CHECK(file::is_good_advice("leave the key out", count));
  CHECK_FALSE(file::is_good_advice("write 3 or 30", count));
  CHECK(file::fits(file::toml(std::uint64_t{10}), count));
  CHECK_FALSE(file::fits(file::toml(std::uint64_t{11}), count));
}

TEST_CASE("a comma may separate thousands or a fraction, and a colon minutes or hours") {
  using file::either_duration;
  using file::meant_duration;
  const auto both = [](std::string_view text) {
    const auto either = either_duration(text);
    return either ? to_string(either->first) + " " + to_string(either->second) : "-";
  };
  CHECK(both("1,000s") == "1s 16min40s");
  CHECK(both("1,500ms") == "1ms500us 1s500ms");
  CHECK(both("10:00") == "10min 10h");
  for (const auto* const text : {"1,5s", "1,0000s", "0,500s", "1h, 30m", "1,000,000s", "00:10:00", "x:00", "1,000"}) {
    INFO(text);
    CHECK(both(text) == "-");
  }
  CHECK_FALSE(meant_duration("1,000s"));
  CHECK(meant_duration("1,5s") == Duration{1'500'000'000});
  CHECK(meant_duration("1,000,000ms") == Duration{1'000'000'000'000});
  CHECK(file::meant_seconds("5") == Duration{5'000'000'000});
  CHECK_FALSE(file::meant_seconds("5s"));
}

}  // namespace holdfast::advice_test
