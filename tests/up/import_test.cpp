// Files of other supervisors as fleets: what each key becomes, what is left out with its line, what is refused.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/fleet.hpp>
#include <holdfast/up/import.hpp>
#include <holdfast/up/import_writing.hpp>

namespace holdfast::import_test {

using namespace holdfast::up;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

struct Given {
  Imported imported;
  file::FleetFile fleet;
};

Given given(const std::string& text, ForeignFormat format = ForeignFormat::supervisord,
            const std::map<std::string, std::string>& variables = {}, const std::filesystem::path& file = "x.conf") {
  Given made;
  made.imported = import_fleet({.file = file,
                                .text = text,
                                .format = format,
                                .name = "shop",
                                .variable = [&](const std::string& name) -> std::optional<std::string> {
                                  const auto found = variables.find(name);
                                  return found == variables.end() ? std::nullopt : std::optional{found->second};
                                }});
  INFO(made.imported.text);
  if (made.imported.services > 0) made.fleet = file::parse_fleet(made.imported.text, "fleet.toml");
  return made;
}

std::string notes_of(const Given& given) {
  std::string text;
  for (const auto& note : given.imported.notes) text += to_string(note) + '\n';
  return text;
}

std::string refused(const std::string& text, ForeignFormat format = ForeignFormat::supervisord) {
  try {
    return "accepted: " + given(text, format).imported.text;
  } catch (const file::BadInput& bad) {
    return bad.what();
  }
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("a program of supervisord becomes a group with the same keys") {
  const auto all = given(R"(; a comment
[supervisord]
identifier = other
environment = A="all",B="both"
[program:web]
command = /srv/web --name "two words" 'it''s' back\ slash %(program_name)s 100%%   ; a comment
directory = /srv
user = www-data
umask = 027
environment = B="own",
   C='a,b'
autorestart = unexpected
exitcodes = 0,2,3
startsecs = 5
startretries = 7
stopsignal = QUIT
stopwaitsecs = 30
stopasgroup = true
redirect_stderr = true
stdout_logfile = /var/log/%(program_name)s.log
stdout_logfile_maxbytes = 5MB
stdout_logfile_backups = 3
)");
  REQUIRE(all.fleet.fleet.size() == 1);
  CHECK(all.fleet.name == "shop");
  const auto& web = all.fleet.fleet.front();
  CHECK(web.name == "web");
  CHECK_FALSE(web.count.has_value());
  CHECK(web.program.command == Words{"/srv/web", "--name", "two words", "its", "back slash", "web", "100%"});
  CHECK(web.program.folder == "/srv");
  CHECK(web.program.user == "www-data");
  CHECK(web.program.umask->bits == 027);
  CHECK(web.program.environment ==
        std::vector<std::pair<std::string, std::string>>{{"A", "all"}, {"B", "own"}, {"C", "a,b"}});
  CHECK(web.policy.restart == RestartPolicy::on_failure);
  CHECK(web.policy.exit_rules.clean == ExitStatuses{2, 3});
  CHECK(web.policy.exit_rules.failure == ExitStatuses{});
  REQUIRE(web.policy.backoff.has_value());
  CHECK(web.policy.backoff->cooldown == 5s);
  CHECK(web.policy.backoff->breaker->max_failures == 8);
  CHECK(web.policy.stop_grace == 30s);
  CHECK(web.program.stop_signal.number == 3);
  CHECK(web.program.stop_to == file::StopsFirst::group);
  CHECK(web.program.log.path == "/var/log/web.log");
  CHECK(web.program.log.max_bytes.bytes == 5U << 20U);
  CHECK(web.program.log.keep == 3);
}

TEST_CASE("what a program of supervisord does not say has holdfast's defaults, but for the stop") {
  const auto all = given(
      "[program:a]\ncommand=a\n[program:b]\ncommand=b\nautorestart=true\nexitcodes=1\n"
      "[program:c]\ncommand=c\nautorestart=0\nstopsignal=15\nstopwaitsecs=10\nstdout_logfile=NONE\n"
      "stderr_logfile=/dev/null\n");
  const auto& [a, b, c] = std::tie(all.fleet.fleet[0], all.fleet.fleet[1], all.fleet.fleet[2]);
  CHECK(a.policy.restart == RestartPolicy::on_failure);
  CHECK_FALSE(a.policy.backoff.has_value());
  CHECK_FALSE(a.policy.stop_grace.has_value());
  CHECK(a.program.stop_to == file::StopsFirst::process);  // supervisord's way
  CHECK(a.program.log.target() == file::LogTo::output);
  CHECK(b.policy.restart == RestartPolicy::always);
  CHECK(b.policy.exit_rules.clean == ExitStatuses{1});
  CHECK(b.policy.exit_rules.failure == ExitStatuses{0});
  CHECK(c.policy.restart == RestartPolicy::never);
  CHECK(c.program.log.target() == file::LogTo::nothing);
  CHECK_FALSE(a.policy.order.is_after_any());
}

TEST_CASE("several processes are one group where ${INDEX} says what the file says") {
  const auto all = given(
      "[program:web]\ncommand=web --port 80%(process_num)d of %(numprocs)d\nnumprocs=3\n"
      "process_name=%(program_name)s_%(process_num)02d\nstdout_logfile=web.log\n");
  REQUIRE(all.fleet.fleet.size() == 1);
  CHECK(all.fleet.fleet.front().count == 3U);
  CHECK(all.fleet.fleet.front().program.command == Words{"web", "--port", "80${INDEX}", "of", "3"});
  CHECK(all.fleet.fleet.front().program.log.path == "web.log.${INDEX}");
  CHECK(has(notes_of(all), "x.conf:4: program:web.process_name: the services are called web-0 to web-2 here"));
  CHECK(has(notes_of(all), "x.conf:5: program:web.stdout_logfile: has a number at its end here"));
}

TEST_CASE("several processes are groups of their own where it cannot") {
  for (const std::string text : {"command=web 80%(process_num)02d\nnumprocs=2\nnumprocs_start=9\n",
                                 "command=web 80%(process_num)02d\nnumprocs=2\nnumprocs_start=9\nuser=u\n"}) {
    const auto all = given("[program:web]\n" + text + "process_name=%(process_num)d\n");
    REQUIRE(all.fleet.fleet.size() == 2);
    CHECK(all.fleet.fleet[0].name == "web-9");
    CHECK(all.fleet.fleet[0].program.command == Words{"web", "8009"});
    CHECK(all.fleet.fleet[1].name == "web-10");
    CHECK(all.fleet.fleet[1].program.command == Words{"web", "8010"});
  }
  CHECK(given("[program:w]\ncommand=w $%(process_num)d\nnumprocs=2\n").fleet.fleet.size() ==
        2);  // "$${" means another thing
  CHECK(
      given("[program:w]\ncommand=w %(process_num)d\nnumprocs=2\nnumprocs_start=5\n").fleet.fleet[1].program.command ==
      Words{"w", "6"});
  CHECK(given("[program:w]\ncommand=w\nnumprocs=2\nnumprocs_start=5\n").fleet.fleet.size() == 1);
  CHECK(given("[program:w]\ncommand=w %(process_num)03d\nnumprocs_start=5\n").fleet.fleet[0].program.command ==
        Words{"w", "005"});
  CHECK(has(refused("[program:w]\ncommand=w %(process_num)02d\nnumprocs=101\n"),
            "x.conf:3: program:w.numprocs: is 101, and %(process_num) is used"));
}

TEST_CASE("a ${ of the program's own stays its own") {
  const auto all = given("[program:a]\ncommand=sh -c 'echo ${HOME} $${X} $Y'\nenvironment=P=\"${Q}\"\n");
  CHECK(all.fleet.fleet[0].program.command == Words{"sh", "-c", "echo $${HOME} $$${X} $Y"});
  CHECK(all.fleet.fleet[0].program.environment.front().second == "$${Q}");
}

TEST_CASE("variables of the environment are those of the import") {
  const auto all = given("[program:a]\ncommand=%(ENV_BIN)s/a\ndirectory=%(ENV_NONE)s/x\n", ForeignFormat::supervisord,
                         {{"BIN", "/opt/${x}"}});
  CHECK(all.fleet.fleet[0].program.command == Words{"/opt/$${x}/a"});
  CHECK(all.fleet.fleet[0].program.folder.empty());
  CHECK(
      has(notes_of(all), "x.conf:3: program:a.directory: left out: it needs the variable NONE, which is not set here"));
  CHECK(has(notes_of(all), "%(ENV_BIN)s has the value that it had when this was imported"));
  const auto none = given("[program:a]\ncommand=%(ENV_NONE)s/a\n");
  CHECK(none.imported.services == 0);
  CHECK(has(none.imported.text, "#[[fleet]]\n#name = \"a\"\n"));
}

TEST_CASE("priorities become an order, in which those that stand as comments have no place") {
  const auto all = given(
      "[program:a]\ncommand=a\npriority=20\n[program:b]\ncommand=b\npriority=-1\n[program:c]\n"
      "command=c\n[program:d]\ncommand=d\npriority=5\nautostart=false\n[program:e]\ncommand=e\n"
      "priority=20\n");
  REQUIRE(all.fleet.fleet.size() == 4);
  CHECK(all.imported.services == 4);
  CHECK(all.fleet.fleet[0].policy.order.after.names() == Words{"b"});
  CHECK(all.fleet.fleet[1].policy.order.after.empty());
  CHECK(all.fleet.fleet[2].policy.order.after.names() == Words{"a", "e"});
  CHECK(all.fleet.fleet[3].policy.order.after.names() == Words{"b"});
  CHECK(has(notes_of(all), "program:d.autostart: is false: every service here starts with the fleet"));
}

TEST_CASE("nobody waits for a program that runs once") {
  const auto all = given(
      "[program:a]\ncommand=a\npriority=1\nautorestart=false\n[program:b]\ncommand=b\npriority=2\n[program:c]\n"
      "command=c\npriority=3\n");
  CHECK(all.fleet.fleet[1].policy.order.after.empty());
  CHECK(all.fleet.fleet[2].policy.order.after.names() == Words{"b"});
  CHECK(has(notes_of(all), "x.conf:3: program:a.priority: nobody waits for it"));
}

TEST_CASE("whatever has no place is named with its line and a reason") {
  const auto all = given(R"([unix_http_server]
file=/run/s.sock
[supervisord]
pidfile=/run/s.pid
loglevel=info
wrong=1
[group:g]
programs=a
[strange]
x=1
[program:a]
command=a
serverurl=AUTO
killasgroup=false
stopsignal=KILL
stdout_events_enabled=true
stderr_logfile=/var/log/a.err
stdout_logfile_backups=7
nonsense=1
[eventlistener:e]
command=e
)");
  const auto notes = notes_of(all);
  for (const auto* const part :
       {"x.conf:1: [unix_http_server]: left out: the control socket", "x.conf:4: supervisord.pidfile: left out: ",
        "x.conf:5: supervisord.loglevel: left out: ", "x.conf:6: supervisord.wrong: left out: supervisord 4.2 has no",
        "x.conf:7: [group:g]: left out: ", "x.conf:9: [strange]: left out: supervisord 4.2 has no such section",
        "x.conf:13: program:a.serverurl: left out: ", "x.conf:14: program:a.killasgroup: left out: ",
        "x.conf:15: program:a.stopsignal: left out: ", "x.conf:16: program:a.stdout_events_enabled: left out: ",
        "x.conf:17: program:a.stderr_logfile: left out: ", "x.conf:18: program:a.stdout_logfile_backups: left out: ",
        "x.conf:19: program:a.nonsense: left out: supervisord 4.2 has no",
        "x.conf:20: [eventlistener:e]: left out: "}) {
    INFO(part << "\n" << notes);
    CHECK(has(notes, part));
  }
  CHECK(has(all.imported.text, "# - line 13: serverurl: left out: "));
  CHECK(all.fleet.fleet.size() == 1);
}

TEST_CASE("logs that cannot be as they were are said") {
  CHECK(has(notes_of(given("[program:a]\ncommand=a\nstdout_logfile=x\n[program:b]\ncommand=b\nstdout_logfile=x\n")),
            "x.conf:6: program:b.stdout_logfile: left out: service \"a\" writes to this file"));
  const auto dropped = given("[program:a]\ncommand=a\nstdout_logfile=/dev/null\nstderr_logfile=e.log\n");
  CHECK(dropped.fleet.fleet[0].program.log.path == "e.log");
  CHECK(has(notes_of(dropped), "program:a.stdout_logfile: left out"));
  const auto output = given("[program:a]\ncommand=a\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n");
  CHECK(output.fleet.fleet[0].program.log.target() == file::LogTo::output);
  CHECK(has(notes_of(given("[program:a]\ncommand=a\nstdout_logfile=l\nstdout_logfile_maxbytes=0\n")),
            "has a limit here"));
}

TEST_CASE("files that are included are read, too, and their lines have their names") {
  const auto folder = std::filesystem::temp_directory_path() / "holdfast_import_test";
  std::filesystem::create_directories(folder / "conf.d");
  std::ofstream{folder / "conf.d" / "a.conf"} << "[program:a]\ncommand=a\nnonsense=1\n";
  std::ofstream{folder / "conf.d" / "b.conf"} << "[program:b]\ncommand=%(here)s/b\n";
  const auto all =
      given("[include]\nfiles = conf.d/*.conf none/*.ini\n", ForeignFormat::supervisord, {}, folder / "x.conf");
  REQUIRE(all.fleet.fleet.size() == 2);
  CHECK(all.fleet.fleet[1].program.command == Words{(folder / "b").string()});
  CHECK(has(notes_of(all), (folder / "conf.d" / "a.conf").string() + ":3: program:a.nonsense: left out"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("a file that is wrong in its own language is refused, with every line that is") {
  CHECK(refused("[program:a]\ncommand=\"x\n[program:b]\nnumprocs=0\ncommand=b\n[program:c]\n") ==
        "x.conf:2: program:a.command: has a quote that is not closed: \"\\\"x\"\n"
        "x.conf:4: program:b.numprocs: is \"0\"; allowed is a whole number from 1 to 1000\n"
        "x.conf:6: program:c: has no command; required is command=/path/to/program");
  CHECK(refused("x=1\n") ==
        "x.conf:1: is \"x=1\" before any section; a file of supervisord begins with a line like "
        "[supervisord] or [program:web]");
  CHECK(has(refused("[program:a]\ncommand\n"), "x.conf:2: is \"command\"; allowed is key=value"));
  CHECK(has(refused("[program:a\n"), "x.conf:1: is \"[program:a\"; a section is [program:web]"));
  CHECK(has(refused("[program:a]\ncommand=a %(nome)s\n"), "x.conf:2: program:a.command: has %(nome)s; known are"));
  CHECK(has(refused("[program:a]\ncommand=a 100%\n"), "a % itself is %%"));
  CHECK(has(refused("[program:a]\ncommand=a\nautostart=maybe\n"), "allowed are true and false"));
  CHECK(has(refused("[program:a]\ncommand=a\nautorestart=maybe\n"), "allowed are true, false and unexpected"));
  CHECK(has(refused("[program:a]\ncommand=a\numask=9\n"), "octal"));
  CHECK(has(refused("[program:a]\ncommand=a\nexitcodes=0,x\n"), "has \"x\"; allowed are numbers from 0 to 255"));
  CHECK(has(refused("[program:a]\ncommand=a\nenvironment=A\n"), "allowed is KEY=\"value\""));
  CHECK(has(refused("[program:a]\ncommand=a\nenvironment=A=\"x\n"), "a quote that is not closed"));
  CHECK(has(refused("[program:a]\ncommand=a\nstdout_logfile=x\nstdout_logfile_maxbytes=1TB\n"), "a size like 50MB"));
  CHECK(has(refused("[program:a]\ncommand=a\npriority=high\n"), "a whole number"));
  CHECK(has(refused("[supervisord]\n"), "has no [program:x]"));
  CHECK(has(refused(std::string{"[program:a]\ncommand=a\0b\n", 24}), "x.conf:2:10: has a control character"));
  CHECK(has(refused("[program:\xff]\n"), "x.conf:1:10: is not UTF-8 from here on"));
}

TEST_CASE("names that two groups would share are made to differ") {
  const auto all = given("[program:w]\ncommand=w\nnumprocs=2\n[program:w-1]\ncommand=b\n");
  REQUIRE(all.fleet.fleet.size() == 2);
  CHECK(all.fleet.fleet[1].name == "w-1_2");
  CHECK(has(notes_of(all), "is called \"w-1_2\" here: another service has its name"));
}

TEST_CASE("a Procfile's lines become groups, with a shell only where one is needed") {
  const auto all = given(
      "# comment\nweb: bundle exec puma -p $PORT\nworker: rake 'jobs work'\nA_b-1: A=1 b\n"
      "pipe: a | b\nrelease: rake db:migrate\n\r\n",
      ForeignFormat::procfile);
  REQUIRE(all.fleet.fleet.size() == 4);
  CHECK(all.fleet.fleet[0].program.command == Words{"sh", "-c", "exec bundle exec puma -p $PORT"});
  CHECK(all.fleet.fleet[0].program.environment.front() == std::pair<std::string, std::string>{"PORT", "5000"});
  CHECK(all.fleet.fleet[1].program.command == Words{"rake", "jobs work"});
  CHECK(all.fleet.fleet[2].program.command == Words{"sh", "-c", "A=1 b"});
  CHECK(all.fleet.fleet[3].program.command == Words{"sh", "-c", "a | b"});
  CHECK(has(notes_of(all), "x.conf:6: release: is run once"));
  CHECK(refused("web bundle\nok: a\nx: 'a\n y:\n", ForeignFormat::procfile) ==
        "x.conf:1: is \"web bundle\"; a line of a Procfile is NAME: COMMAND\n"
        "x.conf:3: x: has a quote that is not closed: \"'a\"\n"
        "x.conf:4: is \"y:\"; a line of a Procfile is NAME: COMMAND");
  CHECK(has(refused("", ForeignFormat::procfile), "has no processes"));
}

TEST_CASE("import recognises a kind of file by its name or by its text") {
  CHECK(guessed_format("a/Procfile.dev", "") == ForeignFormat::procfile);
  CHECK(guessed_format("a.conf", "") == ForeignFormat::supervisord);
  CHECK(guessed_format("a", "; c\n\n[program:x]") == ForeignFormat::supervisord);
  CHECK(guessed_format("a", "x: y") == std::nullopt);
}

// Every change of one byte, and every cut: an answer or a refusal, never anything else.
TEST_CASE("no broken file ends the program") {
  const std::string whole =
      "[supervisord]\nenvironment=A=\"%(ENV_H)s\"\n[program:w]\ncommand=sh -c \"a\\\" %(process_num)02d ${x}\" 'q'\n"
      "numprocs=2\nprocess_name=%(process_num)d\nenvironment=K='v',\n L=w\npriority=3\nexitcodes=1,2\n"
      "stdout_logfile=/x/%(program_name)s\n";
  for (const auto format : {ForeignFormat::supervisord, ForeignFormat::procfile}) {
    const auto outcome = [&](const std::string& text) {
      try {
        static_cast<void>(given(text, format, {{"H", "h"}}));
      } catch (const file::BadInput& bad) {
        CHECK_FALSE(std::string_view{bad.what()}.empty());
      }
    };
    for (std::size_t i = 0; i < whole.size(); ++i) {
      outcome(whole.substr(0, i));
      for (const char c : {'\0', '\n', '"', '%', '$', '{', '=', '[', '(', '\\', '9', '\xff'}) {
        auto changed = whole;
        changed[i] = c;
        outcome(changed);
      }
    }
  }
}

}  // namespace holdfast::import_test
