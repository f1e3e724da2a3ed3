#include <holdfast/presets.hpp>

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

using namespace std::chrono_literals;

// A fixed delay never reaches it: so every other base may be put in the place of a preset's.
constexpr Duration kNoLimit = kDurationMax;
constexpr Duration kNever = kDurationMax;

constexpr std::array kPresets{
    Preset{.name = "docker",
           .of = "Docker 1.12 to 28, `--restart on-failure` without a count",
           .source = "moby, restartmanager/restartmanager.go",
           .differs =
               "its delay grows after clean exits too, under `always`; here they wait for 100 ms. A limit on retries "
               "counts all of them, whatever time has passed: `breaker` counts in a window",
           .granularity = 0s,
           .policy = {.base = 100ms,
                      .max = 60s,
                      .cooldown = 10s,
                      .clean_restart_delay = 100ms,
                      .breaker = std::nullopt,
                      .jitter = NoJitter{}}},
    Preset{.name = "kubernetes",
           .of = "kubelet 1.0 to 1.35 without `ReduceDefaultCrashLoopBackOffDecay`, any restartPolicy but `Never`",
           .source = "kubernetes, pkg/kubelet/kuberuntime/kuberuntime_manager.go (doBackOff) and client-go, "
                     "util/flowcontrol/backoff.go",
           .differs =
               "its first restart is immediate and the 10 s come with the second; here they come with the first. Clean "
               "exits make its delay grow, too; here they wait for 10 s. Its 10 min count from the restart to the end "
               "of the run, which is the run's length",
           .granularity = 10s,
           .policy = {.base = 10s,
                      .max = 5min,
                      .cooldown = 10min,
                      .clean_restart_delay = 10s,
                      .breaker = std::nullopt,
                      .jitter = NoJitter{}}},
    Preset{.name = "nomad",
           .of = "Nomad 0.9 to 1.10, the defaults of a service job (2 attempts in 30 min, mode `fail`)",
           .source = "nomad, client/allocrunner/taskrunner/restarts/restarts.go",
           .differs =
               "its 30 min begin with the first failure after the last 30 min; here a window slides, so that two "
               "failures before and one after such an end open the breaker. The task is then rescheduled to another "
               "machine; here it has terminated",
           .granularity = 0s,
           .policy = {.base = 15s,
                      .max = kNoLimit,
                      .cooldown = 30min,
                      .clean_restart_delay = 15s,
                      .breaker = BreakerPolicy{.max_failures = 3, .window = 30min, .counts = BreakerCounts::ends},
                      .growth = FixedDelay{},
                      .jitter = AdditiveJitter{Thousandths::of(0.25)}}},
    Preset{
        .name = "otp",
        .of = "Erlang/OTP 18 to 27, the default intensity of a supervisor (1 restart in 5 s)",
        .source = "otp, lib/stdlib/src/supervisor.erl (add_restart)",
        .differs =
            "its restarts are counted for all children of a supervisor together, in whole seconds; here each service "
            "counts its own. A supervisor that gives up stops all its children, and its own supervisor decides",
        .granularity = 0s,
        .policy = {.base = 0s,
                   .max = kNoLimit,
                   .cooldown = kNever,
                   .clean_restart_delay = 0s,
                   .breaker = BreakerPolicy{.max_failures = 2, .window = 5s, .counts = BreakerCounts::ends},
                   .growth = FixedDelay{},
                   .jitter = NoJitter{}}},
    Preset{.name = "runit",
           .of = "runit 2.1",
           .source = "runit, src/runsv.c",
           .differs =
               "after a run that has lasted a second or more it restarts at once; here that waits for a second, too",
           .granularity = 0s,
           .policy = {.base = 1s,
                      .max = kNoLimit,
                      .cooldown = kNever,
                      .clean_restart_delay = 1s,
                      .breaker = std::nullopt,
                      .growth = FixedDelay{},
                      .jitter = NoJitter{}}},
    Preset{.name = "s6",
           .of = "s6 2.11",
           .source = "s6, src/supervision/s6-supervise.c",
           .differs = "it runs `./finish`, and then waits",
           .granularity = 0s,
           .policy = {.base = 1s,
                      .max = kNoLimit,
                      .cooldown = kNever,
                      .clean_restart_delay = 1s,
                      .breaker = std::nullopt,
                      .growth = FixedDelay{},
                      .jitter = NoJitter{}}},
    Preset{
        .name = "supervisord",
        .of = "Supervisor 3.0 to 4.2, the defaults of a program (startsecs 1, startretries 3)",
        .source = "supervisor, process.py (transition, finish, change_state)",
        .differs =
            "a run that has lasted `startsecs` is restarted at the next look, within a second; here it waits for the "
            "first delay of 1 s. A clean exit before `startsecs` is a failed start there. It gives up a moment after "
            "the fourth failed start, and so does this policy",
        .granularity = 1s,
        .policy = {.base = 1s,
                   .max = kNoLimit,
                   .cooldown = 1s,
                   .clean_restart_delay = 0s,
                   .breaker = BreakerPolicy{.max_failures = 4, .window = kNever},
                   .growth = LinearGrowth{1s},
                   .jitter = NoJitter{}}},
    Preset{
        .name = "systemd",
        .of = "systemd 230 to 261, the defaults of a service with `Restart=on-failure`",
        .source = "systemd, src/core/service.c (service_restart_usec_next) and src/basic/ratelimit.c",
        .differs =
            "its five starts in 10 s are counted from the first of them, and it notices with the sixth; here a window "
            "slides over the ends, and the fifth opens the breaker. For `RestartSteps=8` and "
            "`RestartMaxDelaySec=1min` (systemd 254) write `growth = { steps = 8 }, max = \"1min\"`: they grow after "
            "clean exits too, are rounded to microseconds, and no long run resets them, as here. "
            "`RestartRandomizedDelaySec` (262) has no counterpart",
        .granularity = 0s,
        .policy = {.base = 100ms,
                   .max = kNoLimit,
                   .cooldown = kNever,
                   .clean_restart_delay = 100ms,
                   .breaker = BreakerPolicy{.max_failures = 5, .window = 10s, .counts = BreakerCounts::ends},
                   .growth = FixedDelay{},
                   .jitter = NoJitter{}}},
};

}  // namespace

std::span<const Preset> presets() noexcept { return kPresets; }

const Preset* find_preset(std::string_view name) noexcept {
  const auto* const found =
      std::find_if(kPresets.begin(), kPresets.end(), [&](const Preset& preset) { return preset.name == name; });
  return found == kPresets.end() ? nullptr : found;
}

}  // namespace holdfast
