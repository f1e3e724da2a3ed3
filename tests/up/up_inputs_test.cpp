// What `holdfast up` reads beside its file: files of variables, and requests.
#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

#include <holdfast/up/control_path.hpp>
#include <holdfast/up/environment_file.hpp>
#include <holdfast/up/request.hpp>

namespace holdfast::up_inputs_test {

using namespace holdfast::up;
using Variables = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("a file of variables has a line for each") {
  const auto read = parse_environment(
      "# a comment\n; another\n\nA=1\nexport B = two words \r\nC=\"in quotes \"\nD='x=$y'\nE=\nF=a#b\nG='\n", "x.env");
  CHECK(read.problem.empty());
  CHECK(read.variables ==
        Variables{
            {"A", "1"}, {"B", "two words"}, {"C", "in quotes "}, {"D", "x=$y"}, {"E", ""}, {"F", "a#b"}, {"G", "'"}});
  CHECK(parse_environment("A=1\nwrong\n", "x.env").problem == "line 2 of x.env is \"wrong\"; allowed is NAME=value");
  CHECK_FALSE(parse_environment("1A=1", "x.env").problem.empty());
  CHECK_FALSE(parse_environment("=1", "x.env").problem.empty());
}

TEST_CASE("a file of variables that is not there is a problem unless it may be missing") {
  CHECK(read_environment_file("/no/such.env", true).problem.empty());
  CHECK(read_environment_file("/no/such.env", false).problem == "/no/such.env: does not exist");
}

TEST_CASE("a request is one object of texts, numbers and truths") {
  const auto good = parse_request(R"( { "do" : "stop" , "names" : [ "a\"b", "\u00e9\u20ac\n" ] } )");
  CHECK(good.problem.empty());
  CHECK(good.what == "stop");
  CHECK(good.names == std::vector<std::string>{"a\"b", "\xc3\xa9\xe2\x82\xac\n"});
  CHECK(parse_request(R"({"do":"status"})").names.empty());
  CHECK(parse_request(request_text({.what = "stop", .names = {"a\"b", "c\n"}})).names ==
        std::vector<std::string>{"a\"b", "c\n"});
  const auto whole = parse_request(
      request_text({.what = "x", .wait = true, .timeout_ms = 0, .signal = 9, .lines = 4294967295, .follow = true}));
  CHECK((whole.problem.empty() && whole.wait && whole.timeout_ms == 0 && whole.signal == 9 && whole.follow));
  CHECK(whole.lines == 4294967295);
  for (const char* const wrong :
       {"", "{", "{}", "[]", "\"do\"", R"({"do":1})", R"({"do":"stop"} x)", R"({"do":"a)", R"({"do":"\x"})",
        R"({"do":"\u12"})", R"({"do":"\ud800"})", R"({"names":[]})", R"({"do":"a","names":"b"})",
        R"({"do":"a","names":["b",]})", R"({"do" "a"})", R"({"do":"a","wait":1})", R"({"do":"a","lines":-1})",
        R"({"do":"a","lines":4294967296})", R"({"do":"a","signal":"9"})"}) {
    INFO(wrong);
    CHECK_FALSE(parse_request(wrong).problem.empty());
  }
  CHECK(parse_request(R"({"do":"stop","force":"yes"})").problem ==
        "has the key \"force\"; allowed are do, names, wait, timeout_ms, signal, dry_run, lines and follow");
}

TEST_CASE("a fleet's name becomes the name of a file") {
  CHECK(as_file_name("shop-1_a.b") == "shop-1_a.b");
  CHECK(as_file_name("../a b") == "%2e.%2fa%20b");
}

}  // namespace holdfast::up_inputs_test
