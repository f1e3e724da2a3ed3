// Compose files as fleets: what each key becomes, what is left out with its line, what is refused.
#include <catch2/catch.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/file/fleet.hpp>
#include <holdfast/up/import.hpp>
#include <holdfast/up/import_variables.hpp>

namespace holdfast::import_compose_test {

using namespace holdfast::up;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;
using Lines = std::vector<std::string>;

struct Given {
  Imported imported;
  file::FleetFile fleet;
  Lines notes;
};

Given given(const std::string& text, const std::map<std::string, std::string>& variables = {}) {
  Given made;
  made.imported = import_fleet({.file = "nowhere/compose.yaml",
                                .text = text,
                                .format = ForeignFormat::compose,
                                .variable = [&](const std::string& name) -> std::optional<std::string> {
                                  const auto found = variables.find(name);
                                  return found == variables.end() ? std::nullopt : std::optional{found->second};
                                }});
  INFO(made.imported.text);
  if (made.imported.services > 0) made.fleet = file::parse_fleet(made.imported.text, "fleet.toml");
  for (const auto& note : made.imported.notes) made.notes.push_back(to_string(note).substr(20));
  return made;
}

std::string refused(const std::string& text) {
  try {
    return "accepted: " + given(text).imported.text;
  } catch (const file::BadInput& bad) {
    return bad.what();
  }
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// A service `a` with these lines and a command.
std::string service(const std::string& lines) { return "services:\n  a:\n    command: x\n" + lines; }

// ---------------------------------------------------------------------------------------------------------------------
// Keys
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a service of Compose becomes a group with the same keys") {
  const auto all = given(R"(name: shop
services:
  web:
    entrypoint: ["./run me", --port]
    command: 80 'a b'
    working_dir: /srv
    user: "www:web"
    restart: unless-stopped
    stop_signal: sigint
    stop_grace_period: 1m30s
    environment:
      A: 1
      B: ${HOME}/x
    env_file: [a.env, { path: b.env, required: false }]
    deploy: { replicas: 3 }
    depends_on: [db]
    ulimits: { nofile: { soft: 64, hard: 128 }, memlock: -1, core: 0 }
  db:
    command: [postgres]
    restart: "no"
)",
                         {{"HOME", "/home/me"}});
  CHECK(all.fleet.name == "shop");
  CHECK(all.imported.services == 4);
  CHECK(has(all.imported.text, R"(
name = "web"
count = 3
command = ["./run me", "--port", "80", "a b"]
restart = "always"
backoff = "docker"
stop_grace = "1min30s"
stop_signal = "INT"
folder = "/srv"
user = "www"
group = "web"
environment_files = ["a.env", "-b.env"]
environment = { A = "1", B = "/home/me/x" }
limits = { open_files = 128, locked_memory = "unlimited", core = "0B" }
after = ["db"]
)"));
  CHECK(has(all.imported.text, "command = [\"postgres\"]\nrestart = \"never\"\n"));
  CHECK(all.notes == Lines{": ${HOME} has the value that it had when this was imported",
                           ":17: web.ulimits.nofile: soft and hard limit are one here, the hard one"});
}

TEST_CASE("the restart policies of Compose become policies with Docker's law") {
  const auto restart = [](const std::string& word) {
    const auto text = given(service("    restart: " + word + "\n")).imported.text;
    const auto begin = text.find("restart = ");
    return begin == std::string::npos ? "" : text.substr(begin);
  };
  CHECK(restart("always") == "restart = \"always\"\nbackoff = \"docker\"\n");
  CHECK(restart("on-failure") == "restart = \"on_failure\"\nbackoff = \"docker\"\n");
  CHECK(restart("on-failure:0") ==
        "restart = \"on_failure\"\nbackoff = { preset = \"docker\", breaker = { max_failures = 1, window = "
        "\"36500d\" } }\n");
  CHECK(restart("no") == "restart = \"never\"\n");
  CHECK(given(service("")).imported.text.find("restart =") == std::string::npos);
}

TEST_CASE("a health check of Compose says when a service is ready, and whether it is well") {
  const auto all = given(service(R"(    healthcheck:
      test: pg_isready -U $$ROLE
      interval: 5s
      timeout: 2s
      retries: 4
      start_period: 1m
)"));
  CHECK(
      has(all.imported.text,
          "ready = { exec = [\"sh\", \"-c\", \"pg_isready -U $ROLE\"], every = \"5s\", timeout = \"2s\" }\nhealth = { "
          "exec = [\"sh\", \"-c\", \"pg_isready -U $ROLE\"], every = \"5s\", timeout = \"2s\", failures = 4 }\n"));
  CHECK(all.notes ==
        Lines{":4: a.healthcheck: a service whose check fails so often is stopped and starts again, which Compose does "
              "not do",
              ":9: a.healthcheck.start_period: left out: it may take any time until its check is good for the first "
              "time; `start_timeout` limits that"});
  CHECK(has(given(service("    healthcheck: { test: [CMD, a, b c] }\n")).imported.text, "exec = [\"a\", \"b c\"]"));
  CHECK(has(given(service("    healthcheck: { test: [CMD-SHELL, a b] }\n")).imported.text,
            "exec = [\"sh\", \"-c\", \"a b\"]"));
  CHECK_FALSE(has(given(service("    healthcheck: { test: [NONE] }\n")).imported.text, "ready"));
  CHECK_FALSE(has(given(service("    healthcheck: { test: a, disable: true }\n")).imported.text, "ready"));
}

TEST_CASE("a service of Compose comes after those that it depends on, and that can be waited for") {
  const auto all = given(R"(services:
  a:
    command: x
    depends_on:
      b: { condition: service_healthy, restart: true }
      c: { condition: service_started, required: false }
      d: { condition: service_completed_successfully }
      e:
      f: { condition: service_started, required: false }
  b: { command: x }
  c: { command: x }
  d: { command: x }
  e: { image: x }
)");
  CHECK(has(all.imported.text, "on_dependency = \"restart\"\nafter = [\"b\"]\nafter_if_present = [\"c\"]\n"));
  CHECK(all.notes ==
        Lines{":7: a.depends_on: left out: nobody waits for a job to be over; make \"d\" the `before_start` of this "
              "service",
              ":8: a.depends_on: left out: \"e\" stands as a comment, and nobody can wait for it",
              ":13: e: has no command: that of its image is meant. Write it here; until then this group stands as a "
              "comment",
              ":13: e.image: left out: no image is fetched or built; the program has to be on this machine"});
}

TEST_CASE("what has no counterpart of a Compose file is named with its line, and so is what Compose does not know") {
  const auto all = given(R"(version: "3"
x-mine: 1
networks: {}
bogus: 1
services:
  a:
    command: x
    ports: ["80:80"]
    x-mine: 1
    bogus: 1
    environment: [A=1, SECRET]
    deploy: { mode: global, resources: {} }
)");
  CHECK(
      all.notes ==
      Lines{":1: version: left out: a file of holdfast has none",
            ":2: x-mine: left out: it is an extension of somebody's own",
            ":3: networks: left out: there is no network of its own; services share that of the machine, as 127.0.0.1",
            ":4: bogus: left out: Compose has no such key",
            ":8: a.ports: left out: the program listens on a port of this machine by itself",
            ":9: a.x-mine: left out: it is an extension of somebody's own",
            ":10: a.bogus: left out: Compose has no such key",
            ":11: a.environment: left out: SECRET has no value, and is not set here; services have the variables of "
            "`up`",
            ":12: a.deploy.mode: left out: it is for a cluster; `up` runs the services of one machine",
            ":12: a.deploy.resources: left out: there are no control groups; services have limits = { memory = "
            "\"1GiB\" }"});
}

TEST_CASE("a service of Compose that nobody here would start stands as a comment") {
  for (const std::string lines :
       {"    profiles: [debug]\n", "    deploy: { replicas: 0 }\n", "    scale: 0\n", "    extends: b\n"}) {
    CAPTURE(lines);
    const auto all = given(service(lines));
    CHECK(all.imported.services == 0);
    CHECK(has(all.imported.text, "#name = \"a\"\n#command = [\"x\"]\n"));
  }
  const auto options = given("services:\n  a: { image: postgres, command: -c fsync=off }\n");
  CHECK(options.imported.services == 0);
  CHECK(has(options.imported.text, "begins with an option, which is meant for the program of its image"));
}

// ---------------------------------------------------------------------------------------------------------------------
// YAML, and variables
// ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("anchors and merges are read as Compose reads them: what a table has itself comes first") {
  const auto all = given(R"(x-one: &one { restart: always, stop_signal: HUP }
x-two: &two { restart: "no", user: me }
services:
  a: { <<: [*one, *two], command: x, stop_signal: QUIT }
)");
  CHECK(has(all.imported.text, "restart = \"always\"\n"));
  CHECK(has(all.imported.text, "stop_signal = \"QUIT\"\n"));
  CHECK(has(all.imported.text, "user = \"me\"\n"));
  // Tables that merge each other, and themselves.
  CHECK(given("services:\n  a: &a { <<: *a, command: x }\n").imported.services == 1);
}

TEST_CASE("the variables of a Compose file have the forms that Compose knows") {
  ComposeVariables variables{[](const std::string& name) -> std::optional<std::string> {
    if (name == "SET") return "s";
    if (name == "EMPTY") return "";
    return std::nullopt;
  }};
  const auto text = [&](const std::string& of) {
    const auto made = variables.replaced(of);
    return made.fault.empty() ? made.text : "fault: " + made.fault;
  };
  CHECK(text("a $SET ${SET} $$SET $${SET}") == "a s s $SET ${SET}");
  CHECK(text("[${UNSET}][$EMPTY]") == "[][]");
  CHECK(text("${UNSET-x} ${EMPTY-x} ${SET-x}") == "x  s");
  CHECK(text("${UNSET:-x} ${EMPTY:-x} ${SET:-x}") == "x x s");
  CHECK(text("${UNSET+x} ${EMPTY+x} ${SET+x}") == " x x");
  CHECK(text("${UNSET:+x} ${EMPTY:+x} ${SET:+x}") == "  x");
  CHECK(text("${SET:?why} ${SET?why} ${EMPTY?why}") == "s s ");
  CHECK(text("${UNSET:-${EMPTY:-${SET}}}") == "s");
  CHECK(text("${EMPTY:?why not}") ==
        "fault: needs the variable EMPTY, which is not set here (\"why not\"); set it and import again");
  CHECK(text("${UNSET?}") == "fault: needs the variable UNSET, which is not set here; set it and import again");
  for (const std::string wrong :
       {"$", "a $ b", "${", "${}", "${SET", "${1}", "$1", "${SET:}", "${SET!x}", "${SET x}"}) {
    CAPTURE(wrong);
    CHECK(has(text(wrong), "fault: has a $ that begins no variable: "));
  }
  CHECK(variables.used() == std::set<std::string>{"EMPTY", "SET"});
  CHECK(variables.unset() == std::set<std::string>{"UNSET"});
}

TEST_CASE("a Compose file that is wrong in its own language is refused, with every line that is") {
  CHECK(refused(R"(services:
  a:
    restart: sometimes
    command: "unclosed 'x"
    depends_on: [nobody]
    stop_grace_period: 10
    environment: { A: "${B:?must be set}" }
    scale: many
    ulimits: { nofile: lots }
    healthcheck: { test: [RUN, x], retries: 0 }
  b: true
)") == "nowhere/compose.yaml:3: a.restart: is \"sometimes\"; allowed are no, always, unless-stopped, on-failure and "
       "on-failure:N, N from 0 to 9999\n"
       "nowhere/compose.yaml:4: a.command: has a quote that is not closed: \"unclosed 'x\"\n"
       "nowhere/compose.yaml:5: a.depends_on: has \"nobody\", and there is no such service\n"
       "nowhere/compose.yaml:6: a.stop_grace_period: is \"10\"; allowed is a length of up to a year like 90s or 1m30s\n"
       "nowhere/compose.yaml:7: a.environment: needs the variable B, which is not set here (\"must be set\"); set it "
       "and import again\n"
       "nowhere/compose.yaml:8: a.scale: is \"many\"; allowed is a whole number from 0 to 1000\n"
       "nowhere/compose.yaml:9: a.ulimits.nofile: is \"lots\"; allowed is a whole number, and -1 for none\n"
       "nowhere/compose.yaml:10: a.healthcheck.test: begins with \"RUN\"; allowed are NONE, and CMD or CMD-SHELL with "
       "a command\n"
       "nowhere/compose.yaml:11: b: is no table of keys; required is at least an image or a command");
  CHECK(refused("services:\n  a: { command: [x, \"\\x01\"] }\n") ==
        "nowhere/compose.yaml:2: a.command: has a control character that cannot be passed on (a byte of 0 or 1)");
  CHECK(refused("services:\n  a: { command: x }\n  a: { command: y }\n") ==
        "nowhere/compose.yaml:3: has \"a\" a second time; the first is in line 2");
  CHECK(refused("services: [a\n") == "nowhere/compose.yaml:2:1: is no YAML: did not find expected ',' or ']'");
  CHECK(refused("a: *b\n") == "nowhere/compose.yaml:1:4: is no YAML: found undefined alias");
  CHECK(refused("? [a]\n: b\n") == "nowhere/compose.yaml:1: has a key that is no word");
  CHECK(refused("services: { a: { command: x } }\n---\nservices: {}\n") ==
        "nowhere/compose.yaml:2: has a second document; allowed is one");
  CHECK(refused("web:\n  image: x\n") == "nowhere/compose.yaml: services: is missing; required is a table of services");
  CHECK(refused("") == "nowhere/compose.yaml: services: is missing; required is a table of services");
}

TEST_CASE("a file of YAML, or one that begins with services, is taken for a Compose file") {
  CHECK(guessed_format("compose.yaml", "") == ForeignFormat::compose);
  CHECK(guessed_format("stack.yml", "") == ForeignFormat::compose);
  CHECK(guessed_format("-", "# mine\nservices:\n  a: {}\n") == ForeignFormat::compose);
  CHECK(foreign_format_of("compose") == ForeignFormat::compose);
}

}  // namespace holdfast::import_compose_test
