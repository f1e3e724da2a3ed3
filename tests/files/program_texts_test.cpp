// What stands in the texts of programs: sizes, placeholders, addresses with a port.
#include <catch2/catch.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/file/placeholders.hpp>
#include <holdfast/file/probe_text.hpp>
#include <holdfast/file/program_keys.hpp>
#include <holdfast/file/size_text.hpp>

namespace holdfast::program_texts_test {

using namespace holdfast::file;

TEST_CASE("a size is read back from its text, which has the largest unit that fits") {
  const std::vector<std::pair<std::uint64_t, std::string>> sizes{{0, "0B"},
                                                                 {1, "1B"},
                                                                 {1023, "1023B"},
                                                                 {1024, "1KiB"},
                                                                 {1536, "1536B"},
                                                                 {10U << 20U, "10MiB"},
                                                                 {kSizeMax, "524288TiB"}};
  for (const auto& [size, text] : sizes) {
    CHECK(size_text(size) == text);
    CHECK(parse_size(text) == size);
  }
  CHECK(parse_size("1_024KiB") == std::uint64_t{1} << 20U);
  for (const char* const wrong :
       {"", "10", "MiB", "10 MiB", "10MB", "10M", "-1B", "1.5GiB", "524289TiB", "9999999999999999999B"}) {
    INFO(wrong);
    CHECK(parse_size(wrong) == std::nullopt);
  }
}

TEST_CASE("what others write for a size is understood for a message") {
  for (const char* const megabytes : {"10M", "10m", "10MB", "10 mb", "10 MiB", "10Mib"})
    CHECK(meant_size(megabytes) == 10U << 20U);
  CHECK(meant_size("7") == 7);
  CHECK(meant_size("7 bytes") == 7);
  CHECK(meant_size("ten") == std::nullopt);
  CHECK(meant_size("10X") == std::nullopt);
}

TEST_CASE("placeholders are filled in, and what is none is refused or left alone") {
  CHECK(filled_in("${NAME}:80${INDEX}", "web-3", 3) == "web-3:803");
  CHECK(filled_in("$HOME $ $$ a$", "web", 0) == "$HOME $ $$ a$");
  CHECK(filled_in("echo $${HOME} $$${NAME}", "web", 0) == "echo ${HOME} $${NAME}");
  CHECK(filled_in("", "web", 0).empty());
  CHECK(placeholder_fault("$${X} ${NAME} ${INDEX} $X").empty());
  for (const char* const wrong : {"${name}", "${}", "${NAME", "${", "a ${HOST} b", "${NAME:-x}"}) {
    INFO(wrong);
    CHECK(placeholder_fault(wrong).find("known are ${NAME} and ${INDEX}") != std::string::npos);
  }
  CHECK(differs_by_service("log/${INDEX}.log"));
  CHECK_FALSE(differs_by_service("log/$${INDEX}.log"));
}

TEST_CASE("an endpoint is an address and a port") {
  const auto parts = [](std::string_view text) {
    const auto parsed = parse_endpoint(text);
    return parsed ? parsed->address + " " + std::to_string(parsed->port) : "none";
  };
  CHECK(parts("127.0.0.1:9464") == "127.0.0.1 9464");
  CHECK(parts("[::1]:80") == "::1 80");
  CHECK(parts("0.0.0.0:0") == "0.0.0.0 0");
  CHECK(parts("[fe80::1%eth0]:80") == "fe80::1%eth0 80");
  for (const char* const wrong : {"", "9464", ":9464", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:http",
                                  "localhost:80", "http://127.0.0.1:80", "::1:80", "[x]:80", "1.2.3:80", "*:80"})
    CHECK(parts(wrong) == "none");
}

TEST_CASE("a port that is asked is a number, perhaps behind an address") {
  const auto parsed = [](std::string_view text) {
    const auto port = parse_probe_port(text);
    return port ? port->address + ' ' + std::to_string(port->port) : "-";
  };
  CHECK(parsed("5433") == "127.0.0.1 5433");
  CHECK(parsed("localhost:1") == "127.0.0.1 1");
  CHECK(parsed("10.0.255.1:65535") == "10.0.255.1 65535");
  CHECK(parsed("[::1]:80") == "::1 80");
  CHECK(parsed("[::ffff:127.0.0.1]:80") == "::ffff:127.0.0.1 80");
  for (const auto* const text : {"", "0", "65536", "-1", "80 ", "http", ":80", "db:80", "1.2.3:80", "1.2.3.256:80",
                                 "1.2.3.4.5:80", "::1:80", "[::1]", "[x]:80", "127.0.0.1:", "99999999999999999999"}) {
    INFO(text);
    CHECK(parsed(text) == "-");
  }
  CHECK(is_probe_port("80${INDEX}"));
  CHECK_FALSE(is_probe_port("${NAME}:80"));
}

TEST_CASE("a page that is asked has an address, a port and a path") {
  const auto parsed = [](std::string_view text) {
    const auto url = parse_probe_url(text);
    return url ? url->at.address + ' ' + std::to_string(url->at.port) + ' ' + url->target + ' ' + url->host : "-";
  };
  CHECK(parsed("http://127.0.0.1:8080/healthz?all=1#part") == "127.0.0.1 8080 /healthz?all=1 127.0.0.1:8080");
  CHECK(parsed("http://localhost") == "127.0.0.1 80 / localhost");
  CHECK(parsed("http://[::1]/x") == "::1 80 /x [::1]");
  CHECK(parsed("http://10.0.0.1?x") == "10.0.0.1 80 /?x 10.0.0.1");
  for (const auto* const text : {"", "http://", "https://127.0.0.1", "http://db/", "http://127.0.0.1/a b", "127.0.0.1",
                                 "http://user@127.0.0.1/", "http://127.0.0.1:0/", "http://127.0.0.1/\xC3\xA9"}) {
    INFO(text);
    CHECK(parsed(text) == "-");
  }
}

}  // namespace holdfast::program_texts_test
