#include <holdfast/file/policy_keys.hpp>

namespace holdfast {

using namespace file;

void describe(TableOf<HalfOpenPolicy>& table) {
  table.name("half_open");
  table.is_small();
  table.key("open_for", &HalfOpenPolicy::open_for,
            {.forms = {kPositiveLength},
             .help = "ceiling of the first open time, after which one run, the probe, is tried; the open time is drawn "
                     "between its half and the whole, and doubles each time that the probe fails; not above "
                     "`open_for_max`"});
  table.key("open_for_max", &HalfOpenPolicy::open_for_max,
            {.forms = {kPositiveLength}, .help = "ceiling of every open time"});
  table.key("probe_success_after", &HalfOpenPolicy::probe_success_after,
            {.forms = {kPositiveLength},
             .help = "a probe that has run this long closes the breaker, and so does one that ends cleanly"});
}

void describe(TableOf<BreakerPolicy>& table) {
  table.name("breaker");
  table.is_small();
  table.key(
      "max_failures", &BreakerPolicy::max_failures,
      {.forms = {Integer{1, kMaxFailuresMax}},
       .help = "the breaker opens when the window holds this many failures; 3 means three runs and two restarts"});
  table.key("window", &BreakerPolicy::window,
            {.forms = {kPositiveLength}, .help = "a failure exactly this old still counts"});
  table.key(
      "half_open", &BreakerPolicy::half_open,
      {.otherwise = "none: it stays open, and the service terminates",
       .help = "with it an open breaker tries again, so that the service is never given up; `{}` has the defaults"});
}

void describe(TableOf<BackoffPolicy>& table) {
  table.name("backoff");
  table.key("base", &BackoffPolicy::base, {.help = "ceiling of the first delay; not above `max`"});
  table.key("max", &BackoffPolicy::max, {.help = "ceiling of every delay"});
  table.key("cooldown", &BackoffPolicy::cooldown,
            {.help = "a run that lasts this long or longer clears attempt and failure history"});
  table.key("clean_restart_delay", &BackoffPolicy::clean_restart_delay,
            {.help = "the wait after a clean exit under `restart = \"always\"`"});
  table.key("breaker", &BackoffPolicy::breaker,
            {.otherwise = "see below", .help = "when the supervisor gives a service up; `\"off\"`: never"});
}

void describe(TableOf<ServicePolicy>& table) {
  table.name("policy");
  table.key("restart", &ServicePolicy::restart, {.help = "after which kinds of end another run starts"});
  table.key("stop_grace", &ServicePolicy::stop_grace, {.otherwise = "the supervisor's", .help = "see `[supervisor]`"});
  table.key("ready", &ServicePolicy::ready,
            {.help = "when a run counts as ready, until which its service is `starting`: at once, or when it says so"});
  table.key("start_timeout", &ServicePolicy::start_timeout,
            {.forms = {kPositiveLength},
             .otherwise = "none",
             .help = "how long a run may take from its start until it is ready; one that takes longer is stopped, and "
                     "has failed. It takes effect with `ready = \"notified\"`"});
  table.key(
      "backoff", &ServicePolicy::backoff,
      {.otherwise = "the supervisor's",
       .help = "replaces the supervisor's as a whole: what it leaves out has the default of the table `backoff`"});
}

void describe(TableOf<SupervisorConfig>& table) {
  table.name("supervisor");
  table.key("shutdown_timeout", &SupervisorConfig::shutdown_timeout,
            {.help = "the drain's deadline, counted from the shutdown request; a service that has not stopped by then "
                     "is abandoned"});
  table.key("when_all_terminated", &SupervisorConfig::when_all_terminated,
            {.help = "what to do when every service has terminated: wait for a shutdown, or shut down"});
  table.key("stop_grace", &SupervisorConfig::stop_grace,
            {.otherwise = "the shutdown_timeout",
             .help = "how long a run that was asked to stop has before it is killed, and then again before it is "
                     "abandoned; one that cannot be killed (`on_kill`) is abandoned at once"});
  table.key("abandoned_runs_max", &SupervisorConfig::abandoned_runs_max,
            {.forms = {Integer{0, kAbandonedRunsMaxMax}},
             .help = "how many abandoned runs of one service may be alive while a restart goes on without them; it "
                     "matters to services whose runs can live side by side"});
  table.without_key(&SupervisorConfig::kill_wait);  // a run of a scenario dies when its behaviour says
  table.key("backoff", &SupervisorConfig::backoff, {.help = "the policy of every group that has none of its own"});
}

}  // namespace holdfast
