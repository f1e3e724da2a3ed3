// holdfast sweep: scenarios under many seeds, and what these came to together. What it prints does not depend on the
// number of threads.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast_sim/present/diff_text.hpp>
#include <holdfast_sim/present/sweep_text.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/search/ledger.hpp>
#include <holdfast_sim/search/rerun.hpp>
#include <holdfast_sim/text/file.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "corpus_folder.hpp"
#include "engine.hpp"
#include "engine_sweep.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "interruption.hpp"
#include "ledger_file.hpp"
#include "ledger_folder.hpp"
#include "merging.hpp"
#include "seed_pool.hpp"
#include "sweep_output.hpp"
#include "terminal.hpp"

namespace holdfast::tools::sweep {

namespace {

constexpr auto kFooter = R"(
Says how many seeds held; why the others did not, each reason with the number of its seeds, the smallest of them and
the command that repeats it; and how availability, losses, recoveries, restarts and the drain spread over the seeds.
The output is the same however many run at a time. Ctrl-C ends the sweep and shows what there is so far; when the
reader of the output goes away, the sweep ends, too.

Examples:
  holdfast sweep FILE --seeds 1..1000                     a thousand seeds
  holdfast sweep scenarios/f*.toml --seeds 1..5           several scenarios
  holdfast sweep FILE --seeds 1..1000 --set supervisor.backoff.max=10s   with another value
  holdfast sweep failures/*.toml                          each with the seed that stands in it
  holdfast sweep FILE --seeds 1..1000 --stop-at-first     is there any seed that fails?
  holdfast sweep FILE --seeds 1..1000 --failed            also a line for each seed that did not hold
  holdfast sweep FILE --seeds 1..1000 --json | jq .failures
  holdfast sweep FILE --seeds 1..1000 --junit results.xml
  holdfast sweep FILE --seeds 1..1000000 --ledger my.ledger   may be killed, and goes on when it is called again
  holdfast sweep FILE --seeds 1..1000 --corpus failures       keep failing seeds as small files, and run them each time
  holdfast sweep FILE --seeds 1..1000000 --on slurm --tasks 8 --jobs 16    on a cluster, in 8 tasks of 16 processors
  holdfast sweep FILE --seeds 1..1000000 --on parallel --sshlogin one --sshlogin two

Exit status, that of the worst run:
  0    every run held
  1    at least one run was violated, or none showed what some run has to (a property "sometimes")
  2    bad input: the scenario, the command line, the ledger, or an output that cannot be written
  3    at least one run ran out of budget, and none was violated
  4    nothing that the sweep says could be trusted: two runs of one seed differ, or the checks miss a planted bug
  130  Ctrl-C)";

constexpr auto kSlurm = "slurm";
constexpr auto kParallel = "parallel";
constexpr std::uint32_t kTasks = 16;
constexpr std::uint32_t kTasksMax = 1000;  // Slurm's default limit
constexpr std::uint64_t kRecheckMax = 1'000'000'000;

struct Arguments {
  std::vector<std::string> files;
  std::vector<std::string> settings;
  std::optional<sim::SeedRange> seeds;  // nullopt: of each file its own
  sim::Shard shard;
  unsigned jobs = 0;  // rehearsals at a time; 0: as many as the machine has processors
  bool stop_at_first = false;
  std::uint64_t recheck = 100;  // one in so many seeds runs twice; 0: none
  std::string ledger;           // a file or a folder; empty: none
  std::string corpus;           // a folder; empty: none
  std::string on;               // the engine; empty: none
  std::vector<std::string> sshlogins;
  std::uint32_t tasks = 0;  // 0: a few
  bool quiet = false;
  SweepOutputOptions output;
};

// The checks of this build miss a planted bug.
class CanaryMissed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Whether the user or the reader no longer wants the rest.
bool is_over() { return interrupted() || output_reader_gone(); }

// Runs one seed with an event that the checks do not see. Checks that find nothing wrong then would find nothing in any
// run.
void check_canary(const std::string& file, const sim::Scenario& scenario, std::uint64_t seed) {
  const auto result =
      sim::rehearse(scenario, {.seed = Seed{seed}, .interrupted = is_over, .canary = true, .with_history = false});
  if (!result.canary_planted || !result.violations.empty() || is_over()) return;
  throw CanaryMissed{
      fmt::format("{}: the checks did not notice a planted bug, the beginning of a run that was not reported to them. "
                  "Nothing that they say of any seed can be trusted: please report it.",
                  sim::printable(file))};
}

// Two runs of one seed differ: where they part.
int complain_about(const sim::RunsDiffer& differ, const std::string& file, const sim::Scenario& scenario) {
  constexpr unsigned kAttempts = 5;
  complain(
      fmt::format("holdfast: {}: {}. The simulation is not deterministic, which must never be, and nothing that it "
                  "says of any seed can be trusted: please report it.\n",
                  sim::printable(file), differ.what()));
  const auto parted = where_runs_part(scenario, differ.one().seed, kAttempts, interrupted);
  complain(parted.same() ? fmt::format("Up to {} more pairs of runs of this seed had the same events.\n", kAttempts)
                         : diff_text(parted, width(Stream::error)));
  return not_trustworthy;
}

// Sweeps one scenario after the other.
class Sweeper {
 public:
  Sweeper(const Arguments& arguments, SweepOutput& output)
      : arguments_(arguments),
        output_(output),
        jobs_(arguments.jobs > 0 ? arguments.jobs : std::max(1U, std::thread::hardware_concurrency())) {}

  // 0, or the exit status after a complaint.
  int sweep(const std::string& file, const sim::Scenario& scenario) {
    try {
      return sweep_one(file, scenario) ? all_held : bad_input;
    } catch (const sim::RunsDiffer& differ) {
      progress_.reset();
      return complain_about(differ, file, scenario);
    } catch (const OutcomesDiffer& differ) {
      return complain_of(differ);
    } catch (const TaskNotDeterministic& differ) {
      return complain_of(differ);
    } catch (const CanaryMissed& missed) {
      return complain_of(missed);
    }
  }

  [[nodiscard]] bool goes_on() const {
    return !is_over() && (all_.empty() || all_.back().end == sim::SweepSummary::End::complete);
  }
  [[nodiscard]] const std::deque<Swept>& all() const noexcept { return all_; }

 private:
  int complain_of(const std::exception& differ) {
    progress_.reset();
    complain(fmt::format("holdfast: {}\n", differ.what()));
    return not_trustworthy;
  }

  // False: something could not be written.
  bool sweep_one(const std::string& file, const sim::Scenario& scenario) {
    const sim::SweepPlan whole{.file = file,
                               .settings = arguments_.settings,
                               .scenario = scenario.name,
                               .expectations = sim::expectation_names(scenario),
                               .sometimes = sim::sometimes_names(scenario),
                               .seeds = arguments_.seeds.value_or(own_seed(scenario))};
    check_canary(file, scenario, whole.seeds.first);
    const auto seeds = seeds_of(arguments_.shard, whole.seeds);
    Swept& swept = all_.emplace_back(Swept{.plan = whole});
    if (seeds) swept.plan.seeds = *seeds;
    open_corpus(scenario, whole);
    if (!arguments_.on.empty()) return sweep_on_engine(swept, scenario, ledger_head(scenario, whole, {}));
    const bool written = arguments_.ledger.empty()
                             ? run(swept, scenario, swept.plan.seeds, {.is_over = is_over, .twice = twice(whole.seeds)})
                             : run_on(swept, scenario, ledger_head(scenario, whole, arguments_.shard), whole.seeds);
    return written && show(swept);
  }

  void open_corpus(const sim::Scenario& scenario, const sim::SweepPlan& whole) {
    if (arguments_.corpus.empty()) return;
    taken_ = 0;
    corpus_.emplace(CorpusFolder::Options{.path = arguments_.corpus,
                                          .source = scenario_source(arguments_.settings, whole.file),
                                          .scenario = scenario,
                                          .fingerprint = ledger_head(scenario, whole, {}).fingerprint,
                                          .interrupted = is_over,
                                          .shrinking = [this](std::uint64_t seed) {
                                            if (!progress_) progress_.emplace();
                                            if (progress_->possible()) {
                                              progress_->show([&](Duration) {
                                                return fmt::format("making a small file of seed {}", seed);
                                              });
                                            }
                                          }});
    corpus_->judge();
  }

  // Of the seeds without a gap from the first on: an engine that was interrupted has others, too.
  void close_corpus(Swept& swept) {
    if (!corpus_) return;
    const auto first = swept.plan.seeds.first;
    if (taken_ > 0) corpus_->finish({first, first + (taken_ - 1)});
    swept.corpus = corpus_->summary();
    corpus_.reset();
  }

  bool show(Swept& swept) {
    close_corpus(swept);
    progress_.reset();
    return arguments_.quiet || output_reader_gone() || output_.show(swept);
  }

  bool sweep_on_engine(Swept& swept, const sim::Scenario& scenario, const sim::LedgerHead& head) {
    EngineSweep sweep{{.head = head,
                       .folder = arguments_.ledger,
                       .words = task_options(),
                       .tasks = arguments_.tasks > 0 ? arguments_.tasks : kTasks,
                       .jobs_of_task = arguments_.on == kSlurm ? std::max(1U, arguments_.jobs) : 1}};
    complain(fmt::format("holdfast: the ledgers are in {}\n", sim::printable(sweep.folder())));
    check_still_same(scenario, sweep.ledgers());
    progress_.emplace();
    std::string said;
    const bool complete = sweep.run([&] { return engine(); },
                                    [&](std::uint64_t done, const std::string& says) {
                                      show_progress(swept.plan.seeds.size(), done, says, said);
                                      return !is_over();
                                    });
    progress_.reset();
    if (const auto ledgers = sweep.ledgers(); !ledgers.empty()) {
      Merger merger{ledgers};
      while (const auto outcome = merger.next()) {
        if (!take(swept, {*outcome})) return false;
      }
    }
    if (!complete) swept.end = sim::SweepSummary::End::interrupted;
    return show(swept);
  }

  [[nodiscard]] std::unique_ptr<Engine> engine() const {
    return arguments_.on == kSlurm ? slurm() : gnu_parallel(arguments_.sshlogins, arguments_.jobs);
  }

  [[nodiscard]] std::vector<std::string> task_options() const {
    std::vector<std::string> words{"--recheck", std::to_string(arguments_.recheck)};
    for (const auto& setting : arguments_.settings) words.insert(words.end(), {"--set", setting});
    return words;
  }

  // On a terminal in a line that is written over, elsewhere whenever the engine says something else.
  void show_progress(std::uint64_t of, std::uint64_t done, const std::string& says, std::string& said) {
    if (!progress_->possible()) {
      if (says != said) complain(fmt::format("holdfast: {} of {} seeds; {}\n", done, of, says));
      said = says;
      return;
    }
    progress_->show([&](Duration wall) {
      const auto words = sim::progress_text({.done = done, .of = of, .wall = wall}, 0);
      return fmt::format("{}; {}", words, says);
    });
  }

  // What stands in the ledger, and then the seeds that do not.
  bool run_on(Swept& swept, const sim::Scenario& scenario, const sim::LedgerHead& head, const sim::SeedRange& all) {
    sim::LedgerOrder order{swept.plan.seeds};
    std::optional<sim::SeedOutcome> latest;
    bool written = true;
    const auto known = [&](sim::SeedOutcome outcome) {
      latest = outcome;
      order.add(std::move(outcome));
      for (auto next = order.take(); next; next = order.take()) written = written && take(swept, {*next});
    };
    std::unique_ptr<LedgerFile> ledger;
    std::optional<LedgerFolder> folder;
    if (is_ledger_folder(arguments_.ledger)) {
      folder.emplace(arguments_.ledger, head).read(known);
    } else {
      ledger = std::make_unique<LedgerFile>(arguments_.ledger, head, known);
    }
    if (latest) check_still_same(scenario, *latest);
    if (!written || order.complete() || swept.end != sim::SweepSummary::End::complete) return written;
    if (folder) ledger = folder->begin();
    return run(swept, scenario, {order.next(), swept.plan.seeds.last},
               {.is_over = is_over,
                .known = [&](std::uint64_t seed) { return order.find(seed); },
                .finished = [&](const auto& outcomes) { ledger->append(outcomes); },
                .twice = twice(all)});
  }

  static sim::SeedRange own_seed(const sim::Scenario& scenario) { return {scenario.seed.value, scenario.seed.value}; }

  [[nodiscard]] std::function<bool(std::uint64_t)> twice(const sim::SeedRange& all) const {
    return [this, all](std::uint64_t seed) { return runs_twice(all, seed, arguments_.recheck); };
  }

  void check_still_same(const sim::Scenario& scenario, const std::vector<std::string>& ledgers) const {
    if (ledgers.empty()) return;
    if (const auto before = Merger{ledgers}.next()) check_still_same(scenario, *before);
  }

  // A ledger of another build must not be gone on with.
  void check_still_same(const sim::Scenario& scenario, const sim::SeedOutcome& before) const {
    const auto again =
        outcome_of(scenario, sim::rehearse(scenario, {.seed = Seed{before.seed}, .interrupted = interrupted}));
    if (again.verdict == sim::RehearsalVerdict::interrupted || again == before) return;
    throw LedgerTrouble(
        fmt::format("{}: seed {} has digest {} now, and had {}: another build wrote the ledger; name another one",
                    sim::printable(arguments_.ledger), before.seed, again.digest, before.digest));
  }

  bool run(Swept& swept, const sim::Scenario& scenario, const sim::SeedRange& seeds, SeedPool::Hooks hooks) {
    progress_.emplace();
    done_before_ = swept.sweep.runs();
    SeedPool pool{scenario, seeds, jobs_, std::move(hooks)};
    for (;;) {
      const auto outcomes = pool.next([&] { show_progress(swept); });
      if (outcomes.empty()) return true;
      if (!take(swept, outcomes)) return false;
      if (swept.end != sim::SweepSummary::End::complete) return true;
      show_progress(swept);
    }
  }

  // False: something could not be written.
  bool take(Swept& swept, const std::vector<sim::SeedOutcome>& outcomes) {
    using End = sim::SweepSummary::End;
    std::string lines;
    for (const auto& outcome : outcomes) {
      if (swept.end != End::complete) break;
      if (outcome.verdict == sim::RehearsalVerdict::interrupted) {
        swept.end = End::interrupted;
        break;
      }
      swept.sweep.add(outcome);
      if (corpus_ && outcome.seed - swept.plan.seeds.first == taken_) {
        corpus_->take(outcome);
        ++taken_;
      }
      lines += output_.lines(swept.plan, outcome);
      if (arguments_.stop_at_first && !outcome.held()) swept.end = End::stopped;
    }
    const bool cut_short = is_over() && swept.sweep.runs() < swept.plan.seeds.size();
    if (swept.end == End::complete && cut_short) swept.end = End::interrupted;
    if (lines.empty()) return true;
    if (progress_) progress_->erase();
    return arguments_.quiet || output_.print_lines(lines);
  }

  void show_progress(const Swept& swept) {
    if (!progress_->possible()) return;
    progress_->show([&](Duration wall) {
      return sim::progress_text({.done = swept.sweep.runs(),
                                 .done_before = done_before_,
                                 .of = swept.plan.seeds.size(),
                                 .not_held = swept.sweep.runs() - swept.sweep.runs_of(sim::RehearsalVerdict::held),
                                 .wall = wall},
                                width(Stream::error) - 1);
    });
  }

  const Arguments& arguments_;
  SweepOutput& output_;
  const unsigned jobs_;
  std::deque<Swept> all_;
  std::optional<ProgressLine> progress_;  // while seeds are run
  std::uint64_t done_before_ = 0;         // that came out of the ledger
  std::optional<CorpusFolder> corpus_;    // while a scenario is swept, if failures are kept
  std::uint64_t taken_ = 0;               // seeds that it has seen
};

void check_engine(const Arguments& arguments) {
  if (arguments.on.empty()) {
    if (arguments.tasks > 0) throw UsageError{"--tasks: are tasks of an engine; add --on slurm or --on parallel"};
    if (!arguments.sshlogins.empty()) throw UsageError{"--sshlogin: is for GNU parallel; add --on parallel"};
    return;
  }
  const auto refuse = [&](std::string_view option, std::string_view why) {
    throw UsageError{fmt::format("{}: cannot be together with --on: {}", option, why)};
  };
  if (!arguments.sshlogins.empty() && arguments.on != kParallel) refuse("--sshlogin", "it is for --on parallel");
  if (arguments.shard.of != 1) refuse("--shard", "the engine has shards of its own, as many as --tasks says");
  if (arguments.stop_at_first) refuse("--stop-at-first", "tasks do not know of each other");
  if (arguments.quiet) refuse("--quiet", "it is for the tasks themselves");
  for (const auto& file : arguments.files) {
    if (is_standard_stream(file)) refuse("-", "tasks have no standard input; name a file");
  }
  std::error_code error;
  if (std::filesystem::is_regular_file(arguments.ledger, error)) {
    refuse("--ledger " + sim::printable(arguments.ledger),
           "it has to be a folder, for each task has a ledger of its own");
  }
}

void check(const Arguments& arguments) {
  check_engine(arguments);
  if (arguments.quiet && arguments.ledger.empty()) {
    throw UsageError{"--quiet: nothing would come of it; add --ledger"};
  }
  if (arguments.quiet && !arguments.corpus.empty()) {
    throw UsageError{
        "--corpus: cannot be together with --quiet: the sweep that puts the tasks together keeps the files"};
  }
  if (!arguments.corpus.empty() && std::any_of(arguments.files.begin(), arguments.files.end(), is_standard_stream)) {
    throw UsageError{"--corpus: a scenario from standard input is gone when its failures are looked at; name a file"};
  }
  if (!arguments.ledger.empty() && arguments.files.size() > 1) {
    throw UsageError{"--ledger: a ledger is of one scenario; sweep each file with a ledger of its own"};
  }
  if (!arguments.seeds && (arguments.shard.of != 1 || !arguments.on.empty())) {
    throw UsageError{fmt::format("{}: one seed cannot be shared out; add --seeds 1..1000",
                                 arguments.on.empty() ? "--shard" : "--on")};
  }
  if (arguments.seeds && !seeds_of(arguments.shard, *arguments.seeds)) {
    throw UsageError{fmt::format("--shard: there is no seed for {}/{}: there are only {} of them",
                                 arguments.shard.index, arguments.shard.of, arguments.seeds->size())};
  }
}

int call(const Arguments& arguments) {
  check(arguments);
  std::vector<sim::Scenario> scenarios;  // all are read first, so a mistake in the last file is reported at once
  for (const auto& file : arguments.files) scenarios.push_back(scenario_with(arguments.settings, file));
  const auto& junit = arguments.output.junit;
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    if (const auto input = overwritten_input(junit, arguments.files[i], scenarios[i])) {
      return complain_overwrites("JUnit XML", *input);
    }
  }
  if (!junit.empty() && !arguments.ledger.empty() && would_be_one_file(junit, arguments.ledger)) {
    throw UsageError{"--junit: is the file of --ledger as well; name another one"};
  }
  SweepOutput output{arguments.output};
  if (const int status = output.open(arguments.files); status != all_held) return status;
  watch_for_interruption();
  Sweeper sweeper{arguments, output};
  for (std::size_t i = 0; i < scenarios.size() && sweeper.goes_on(); ++i) {
    const int status = sweeper.sweep(arguments.files[i], scenarios[i]);
    if (status != all_held) return status;
  }
  if (const int status = output.close(sweeper.all()); status != all_held) return status;
  if (interrupted()) return interrupted_status();
  return arguments.quiet ? static_cast<int>(all_held) : exit_status(sweeper.all());
}

// "2/4"
sim::Shard shard_from(std::string_view text) {
  const auto slash = text.find('/');
  const auto index = whole_number(text.substr(0, slash));
  const auto of = slash == std::string_view::npos ? std::nullopt : whole_number(text.substr(slash + 1));
  if (!index || !of || *index < 1 || *index > *of || *of > UINT32_MAX) {
    throw UsageError{fmt::format("--shard: \"{}\" is not a shard; write 1/4 for the first of four, up to 4/4",
                                 sim::printable(text))};
  }
  return {static_cast<std::uint32_t>(*index), static_cast<std::uint32_t>(*of)};
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("sweep", "Run scenarios under many seeds and sum up what happened");
  line->footer(kFooter);
  line->add_option("FILE", arguments->files, "The scenarios, TOML files; - is standard input")->required();
  add_seeds(
      *line, [arguments](const sim::SeedRange& seeds) { arguments->seeds = seeds; },
      "The first seed and the last, both included, or a single one; without it each file's own");
  add_settings(*line, arguments->settings);
  add_jobs(*line, arguments->jobs);
  line->add_option("--recheck", arguments->recheck, "Run one in N seeds twice, and compare; 0: none")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{0}, kRecheckMax));
  line->add_flag("--stop-at-first", arguments->stop_at_first, "End with the first seed that does not hold");
  line->add_option("--ledger", arguments->ledger,
                   "Keep what is done in this file, and go on from there next time; a folder: one file a process")
      ->type_name("FILE");
  line->add_option("--corpus", arguments->corpus,
                   "Keep failing seeds in this folder as small files, and run those that are there first")
      ->type_name("FOLDER");
  line->add_option_function<std::string>(
          "--shard", [arguments](const std::string& text) { arguments->shard = shard_from(text); },
          "Only the i-th of n equal parts of the seeds; \"holdfast merge\" puts their ledgers together")
      ->type_name("I/N");
  line->add_option("--on", arguments->on, "Run it in tasks on an engine: parallel (GNU parallel) or slurm")
      ->type_name("ENGINE")
      ->check(CLI::IsMember({kParallel, kSlurm}));
  line->add_option("--tasks", arguments->tasks, "How many tasks an engine is given; 16 by default")
      ->type_name("N")
      ->check(CLI::Range(std::uint32_t{1}, kTasksMax));
  line->add_option("--sshlogin", arguments->sshlogins, "A machine for GNU parallel, as its own option says")
      ->type_name("HOST")
      ->allow_extra_args(false);
  line->add_flag("--quiet", arguments->quiet,
                 "Print nothing, and end with 0 if all seeds were run: for tasks with ledgers");
  add_output_options(*line, arguments->output);
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::sweep
