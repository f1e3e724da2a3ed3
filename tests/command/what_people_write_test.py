#!/usr/bin/env python3
"""What users of other formats and other supervisors write: for each the command says in one line what to write instead.

    what_people_write_test.py HOLDFAST
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

HOLDFAST = ""

FLEET = 'name = "x"\nduration = "1h"\n[[fleet]]\nname = "web"\n'

LENGTHS = {
    "30m": 'write "30min"', "1.5h": 'write "1h30min"', "1,5h": 'write "1h30min"', "30 seconds": 'write "30s"',
    "10 s": 'write "10s"', "5 minutes": 'write "5min"', "1h 30m": 'write "1h30min"', "1h, 30m": 'write "1h30min"',
    "1 hour and 30 minutes": 'write "1h30min"', "2w": 'write "14d"', "1y": 'write "365d"', "+5s": 'write "5s"',
    "00:05:00": 'write "5min"', "5:30": 'write "5min30s" or "5h30min"', "PT5M": 'write "5min"', "PT1H30M": 'write "1h30min"',
    "P1D": 'write "1d"', "1h30": 'write "1h30min"', "30S": 'write "30s"', "5 MIN": 'write "5min"', "30 sec.": 'write "30s"',
    "500\u00b5s": 'write "500us"', "0.5ms": 'write "500us"', "1_000ms": 'write "1s"', "30s1min": 'write "1min30s"',
    "90": 'write "1min30s" if seconds are meant', "1.5": 'write "1s500ms" if seconds are meant',
    "- 5s": "a length of time is never negative", "-5 seconds": "a length of time is never negative",
    "-5s": "allowed is 0s to ", "inf": 'the longest is "36500d"', "never": 'the longest is "36500d"',
    "30\u00a0s": 'write "30s"', "30\u202fs": 'write "30s"', "1d12": 'write "1d12h"', "1h30m15": 'write "1h30min15s"',
    # These may be anything: the general text.
    "ten minutes": "A length of time is a whole number with a unit", "5 parsecs": "A length of time is a whole number",
    "P1M": "A length of time is a whole number", "": "A length of time is a whole number",
    "1.0000000001s": "A length of time is a whole number", "99999999999999999999s": "allowed is 0s to 36500d",
    # A comma separates thousands, or a fraction.
    "1,000s": 'write "1s" or "16min40s"', "1,500": 'write "1s500ms" or "25min"', "1,000,000ms": 'write "16min40s"', "0,500s": 'write "500ms"',
}
# Of a length of time, as TOML has it.
VALUES = {
    "30": 'write "30s" if seconds are meant', "1.5": 'write "1s500ms" if seconds are meant',
    "00:05:00": "write a length of time in quotes", "2026-01-01": "write a length of time in quotes",
    '["5min"]': 'write "5min" without brackets', '["30m"]': 'write "30min"', "true": "allowed is a length", '"none"': 'write "0s"', "'30m'": 'write "30min"', "30s": 'write "30s" in quotes',
    "5min": 'write "5min" in quotes', "1h 30m": 'write "1h30min" in quotes', "-1": "allowed is a length of time",
    "null": "leave the key out: there is no null", "None": "leave the key out", '"30s";': "leave out the ; at the end",
    '"30s",': "leave out the , at the end", "`30s`": "straight quotes", '30s"': "its first one is missing",
}
IN_FLEET = {
    # systemd
    'restart = "on-failure"': 'write "on_failure"', 'restart = "no"': 'write "never"', 'restart = "on-abnormal"': '"on_failure"',
    "RestartSec = 5": "backoff = { base =", "StartLimitBurst = 5": "max_failures = 5", "StartLimitIntervalSec = 9": "window = ",
    "RestartMaxDelaySec = 9": "backoff = { max =", "TimeoutStopSec = 90": 'stop_grace = "10s"', 'ExecStart = "x"': 'command = ["web",',
    'Restart = "always"': 'did you mean "restart"?', "KillSignal = 9": 'stop_signal = "TERM"',
    'before = ["db"]': 'after = ["db"]', 'UMask = "022"': 'did you mean "umask"?', 'PIDFile = "x"': "nothing like it", 'ExecReload = "x"': "nothing like it",
    "Nice = 5": "nothing like it", 'ports = ["80:80"]': "nothing like it", "watchdog = 0": "leave the key out", 'start_timeout = "0"': "leave the key out",
    'after = ["a"]\non_dependency = true': '"keep", "wait", "restart", "stop"', 'after = ["a"]\non_dependency = false': 'write "keep"', 'on_dependency = "ignore"': 'write "keep"',
    'wake_jitter = "none"': 'write "0s"', 'stop_grace = "off"': 'write "0s" for none, or leave the key out (then: the supervisor\'s)', 'environment = ["A=1"]': 'write { A = "1" }',
    'environment = "A=1 B=x"': 'write { A = "1", B = "x" }', 'needs = ["db"]': 'write { resource = "db" }', 'needs = "db"': 'write { resource = "db" }', "fails_first = 3": "write { runs = 3 }",
    'backoff = { jitter = "10%" }': "write { proportional = 0.1 } for 10 %", "backoff = { jitter = { proportional = 10 } }": "write 0.1 for 10 %", "backoff = { jitter = 0.1 }": "write { proportional = 0.1 }",
    'backoff = { growth = "double" }': 'write "exponential"', 'backoff = { growth = "linear" }': 'write { linear = "1s" }', "backoff = { growth = 1.5 }": "write { exponential = 1.5 }",
    'backoff = "k8s"': 'write "kubernetes"', 'backoff = "off"': 'write { base = "0s", growth = "fixed" }', 'backoff = "exponential"': 'write { growth = "exponential" }',
    "backoff = { growth = { factor = 3 } }": "is exponential = 1.5", "backoff = { jitter = { factor = 3 } }": "is proportional = 0.1",
    "backoff = { breaker = 0 }": 'write "off"', "backoff = { breaker = 99999 }": 'write "off"', 'log = { file = "x" }': 'path = "web.log"', 'log = { maxsize = "10MB" }': "max_bytes =",
    # Docker
    'restart = "on-failure:0"': 'write "on_failure", and backoff = { breaker = "off" }: without a limit',
    'restart = "unless-stopped"': 'write "always"',
    'restart = "on-failure:5"': 'write "on_failure", and backoff = { breaker = { max_failures = 5 } }',
    "replicas = 3": "count = 3", 'stop_grace_period = "5s"': "stop_grace", "max_attempts = 3": "max_failures",
    'depends_on = ["a"]': 'write after = ["db"]', 'image = "x"': "command = [",
    # Kubernetes
    'restart = "Always"': 'did you mean "always"?', 'restart = "OnFailure"': 'write "on_failure"',
    'restartPolicy = "Always"': 'write restart = "always"', "backoffLimit = 3": "max_failures",
    "CrashLoopBackOff = true": "backoff", "terminationGracePeriodSeconds = 5": "stop_grace",
    # supervisord
    "autorestart = true": 'write restart = "always"', 'restart = "unexpected"': 'write "on_failure"',
    "startretries = 3": "max_failures", "numprocs = 4": "count = 3", "stopwaitsecs = 5": "stop_grace", "startsecs = 5": "cooldown", "startsecs = 3": "ready = { tcp = 8080 }",
    # programs
    'command = "web --port 80"': 'write ["web", "--port", "80"]: no shell splits it',
    'command = "web | tee x"': 'write ["sh", "-c", "web | tee x"] for a shell', 'command = "echo ${HOME}"': '"echo $${HOME}"] for a shell', 'command = []': "array of texts that is not empty",
    'command = ["web", 80]': 'write "80"', 'working_dir = "/srv"': 'folder = "/srv/web"', 'WorkingDirectory = "/srv"': "folder =",
    'exec = "web"': "command = [", 'cmd = ["web"]': "command = [", 'entrypoint = "x"': "command = [", 'env = { A = "1" }': "environment = {",
    'env_file = ".env"': "environment_files =", 'stdout_logfile = "x"': "log = { path", 'logfile = "x"': "log = { path",
    'stopsignal = "QUIT"': 'did you mean "stop_signal"?', 'stopasgroup = true': "stop_to =", 'exitcodes = [0, 2]': "exit_rules = { clean = [3] }",
    'SuccessExitStatus = 3': "exit_rules = { clean =", 'RestartPreventExitStatus = 78': "exit_rules = { fatal =", 'success = [3]': "exit_rules = { clean =",
    'RestartForceExitStatus = 0': "exit_rules = { failure =", 'fatal = [78]': "exit_rules = { fatal =",
    "rlimits = 5": "limits", 'command = ["web"]\nlimits = { core = 0 }': 'write "0B"', 'LimitNOFILE = 5': "limits = {", 'uid = 1000': "user =", 'socket = "x"': "in [supervisor]",
    'command = ["web"]\nstop_signal = "SIGQUIT"': 'write "QUIT"', 'command = ["web"]\nstop_signal = "int"': 'write "INT"',
    'command = ["web"]\numask = 18': "three octal digits", 'command = ["web"]\nlog = { to = "stdout" }': 'write "output"',
    'command = ["web"]\nlog = { path = "x", max_bytes = "50MB" }': 'write "50MiB"', 'command = ["web"]\nlog = "x.log"': 'write { path = "x.log" }',
    'command = ["web"]\nenvironment = { PORT = 80 }': 'write "80"', 'command = ["web"]\nenvironment_files = "x.env"': 'write ["x.env"]',
    'command = ["$HOME/${HOME}"]': 'itself is "$${"', 'command = ["web"]\nlimits = { memory = "1G" }': 'write "1GiB"',
    # asked from outside
    "livenessProbe = {}": "health = { http =", "healthcheck = {}": "health = { http =", 'test = ["CMD", "x"]': "exec = [", "periodSeconds = 5": "every =",
    "httpGet = {}": "health = { http =", "WatchdogSec = 5": 'watchdog = "30s"', 'ExecStartPre = "x"': "before_start = [", 'ExecStopPost = "x"': "after_stop = [",
    'pre_start = ["x"]': "before_start = [", 'finish = "x"': "after_stop = [", 'command = ["web"]\nbefore_start = "migrate"': 'write ["migrate"]', "ready = 5433": "write { tcp = 5433 } to ask this port",
    'ready = "http://127.0.0.1/"': 'write { http = "http://127.0.0.1/" }', 'health = "127.0.0.1:80"': 'write { tcp = "127.0.0.1:80" }',
    'ready = ":8080"': "write { tcp = 8080 }", 'ready = "http"': 'write { http = "http://127.0.0.1:8080/healthz" }', 'ready = "/ready"': "8080/ready", 'ready = ["tcp:80"]': "write { tcp = 80 }",
    'ready = ["pg_isready", "-q"]': 'write { exec = ["pg_isready", "-q"] }', 'health = ["CMD-SHELL", "curl x"]': 'write { exec = ["sh", "-c", "curl x"] }', 'ready = "tcp://127.0.0.1:80"': 'write { tcp = "127.0.0.1:80" }',
    'command = ["web"]\nready = { tcp = "tcp://127.0.0.1:80" }': 'write "127.0.0.1:80"', 'command = ["web"]\nready = { http = "http://127.0.0.1:99999/x" }': "a port is 1 to 65535",
    'command = ["web"]\nready = { tcp = "::1:80" }': 'write "[::1]:80"', 'command = ["web"]\nready = { http = "http://::1:80/x" }': 'write "http://[::1]:80/x"', 'ready = "http://db/"': "no name is looked up",
    'ready = "listening"': "or a table with one of: tcp, http, exec, line, fd",
    'command = ["web"]\nready = { tcp = 80, http = "http://127.0.0.1" }': "has tcp, http together; exactly one of them is allowed",
    'command = ["web"]\nready = { tcp = 0 }': "is 0; allowed is a whole number from 1 to 65535", 'command = ["web"]\nready = { every = "1s" }': "has none of: tcp, http, exec",
    'command = ["web"]\nready = { tcp = "db:5432" }': "no name is looked up: write its address", 'command = ["web"]\nready = { tcp = ":80" }': "write 80, or an address",
    'command = ["web"]\nready = { tcp = "127.0.0.1:99999" }': "a port is 1 to 65535", 'command = ["web"]\nready = { tcp = "http://x" }': 'asked for with http = "http://127.0.0.1:8080',
    'command = ["web"]\nready = { tcp = "http://127.0.0.1/" }': 'asked for with http = "http://127.0.0.1/"',
    'command = ["web"]\nready = { http = "https://127.0.0.1/" }': "https is not spoken here", 'command = ["web"]\nready = { http = "http://db/" }': "no name is looked up",
    'command = ["web"]\nready = { http = "/healthz" }': '"http://127.0.0.1:8080/healthz"', 'command = ["web"]\nready = { http = "localhost:80" }': 'write "http://localhost:80"',
    'command = ["web"]\nready = { exec = "pg_isready -q" }': 'write ["pg_isready", "-q"]', 'command = ["web"]\nready = { tcp = 80, within = "9s" }': 'start_timeout = "30s", beside ready',
    'command = ["web"]\nready = { httpGet = { } }': "a page is asked for with http =", 'command = ["web"]\nready = { tcp = 80, failures = 3 }': "in health",
    'command = ["web"]\nhealth = { test = ["CMD", "x"] }': "exec = [", 'command = ["web"]\nhealth = { tcp = 80, interval = "5s" }': 'every = "10s"',
    'command = ["web"]\nhealth = { tcp = 80, retries = 5 }': "failures = 3", 'command = ["web"]\nhealth = { tcp = 80, initialDelaySeconds = 5 }': "start_timeout =",
    'command = ["web"]\nhealth = { line = "up" }': "unknown key", "health = { tcp = 80 }": 'it needs "command" beside it', 'command = ["web"]\nready = { fd = 2 }': "from 3 to 255",
    'command = ["web"]\nhealth = { grpc = 80 }': "grpc_health_probe", 'command = ["web"]\nhealth = { https = "x" }': "curl",
    # OTP
    'restart = "permanent"': 'write "always"', 'restart = "transient"': 'write "on_failure"',
    'shutdown = 5000': 'how long a stop may take is stop_grace = "10s"', 'shutdown = "brutal_kill"': "stop_grace",
    "significant = true": "nothing like it", 'modules = ["a"]': "nothing like it", 'start = "a"': "runs_for =",
    'restart = "temporary"': 'write "never"', "intensity = 3": "max_failures", "period = 5": "window",
    # More of them, of PM2, runit, dinit and libraries of retries; keys that came later than the first version
    "TimeoutStartSec = 30": "start_timeout =", 'Type = "notify"': 'ready = "notified"', "readinessProbe = {}": "ready = { http =",
    "startupProbe = {}": "start_timeout =", "initialDelaySeconds = 3": "ready_after =", "stop_timeout = 10": "stop_grace =",
    "stop-timeout = 10": "stop_grace =", "kill_timeout = 3": "stop_grace =", "TimeoutAbortSec = 3": "stop_grace =",
    "start-timeout = 3": 'did you mean "start_timeout"?', "reset_timeout = 3": "backoff = { breaker = { half_open = { open_for =",
    "listen_timeout = 3": "start_timeout =", "wait_ready = true": 'ready = "notified"', 'mttr = "4h"': "recovers_after =",
    "scale = 3": "count = 3", 'After = "db"': 'did you mean "after"', "max_restart = 3": "max_failures", "respawn = true": "restart =",
    "attempts = 3": "max_failures", 'max_interval = "1s"': "backoff = { max =", 'initial_interval = "1s"': "backoff = { base =",
    'min_uptime = "5s"': "cooldown =", 'User = "x"': 'did you mean "user"?', 'ExecStop = "x"': "stop_signal =", 'warmup = "3s"': "ready_after =",
    "ready = true": 'write "notified"', "ready = false": 'write "at_once"', 'ready = "notify"': 'write "notified"',
    'ready = "sd_notify"': 'write "notified"', 'ready = "immediately"': 'write "at_once"', 'restart = "on-fail"': 'write "on_failure"',
    "on_stop = true": 'write "obey"', 'on_kill = "die"': 'write "obey"',
    "backoff = { breaker = { max = 5 } }": "max_failures = 5", "backoff = { breaker = { failures = 5 } }": "max_failures = 5",
    'backoff = { breaker = { interval = "9s" } }': "window =", 'backoff = { breaker = { timeout = "9s" } }': "half_open",
    "backoff = { breaker = 5 }": "write { max_failures = 5 }", 'backoff = "1s"': 'write { base = "1s" }',
    "backoff = { breaker = { half_open = true } }": "write { } for its defaults",
    'backoff = { breaker = { half_open = "30s" } }': 'write { open_for = "30s" }',
    'backoff = { breaker = { half_open = { for = "3s" } } }': "open_for =",
    # Distributions
    'runs_for = { min = "1s", max = "5s" }\nthen = "fail"': 'is { uniform = ["1s", "5s"] }',
    'runs_for = { from = "1s", to = "5s" }\nthen = "fail"': 'is { uniform = ["1s", "5s"] }',
    'runs_for = "1s..5s"\nthen = "fail"': 'write { uniform = ["1s", "5s"] }',
    'runs_for = "1s-5m"\nthen = "fail"': 'write { uniform = ["1s", "5min"] }',
    'runs_for = "1 to 5 hours"\nthen = "fail"': "allowed is a length of time",
    'runs_for = ["1s", "5s"]\nthen = "fail"': 'write { uniform = ["1s", "5s"] }',
    'runs_for = ["5s", "1s"]\nthen = "fail"': "allowed is a length of time",
    'runs_for = { mean = "5s" }\nthen = "fail"': 'is { exponential = "1h" }',
    'runs_for = { distribution = "exponential" }\nthen = "fail"': "the distribution is the key itself",
    'runs_for = { normal = "5s" }\nthen = "fail"': "log_normal = { median =",
    'on_stop = { delay = "5s" }': 'how long it takes is { takes = "5s" }', 'on_stop = { takes = ["1s", "2s"] }': "uniform",
    'behaviour = { runs_for = "1h" }': "runs_for =", 'backoff = { min = "1s" }': 'is base = "1s"',
    'backoff = { initial = "1s" }': 'is base = "1s"', 'backoff = { cap = "1s" }': 'is max = "1min"',
    # Words, types and places
    "restart = true": 'write "always"', "restart = false": 'write "never"',
    'runs_for = "1h"\nthen = { crash = 1 }': "write fail", 'runs_for = "1h"\nthen = { fail = "90%" }': "write 0.9", "then = { fail = 0 }": "a number above 0",
    'runs_for = "1h"\nthen = "crash"': 'write "fail"', 'runs_for = "1h"\nthen = "panic"': 'write "throw"',
    'runs_for = "1h"\nthen = "crashes"': 'write "fail"',
    'runs_for = { fixed = "1h" }\nthen = "fail"': 'is a text alone: "1h"',
    'runs_for = "1h"\nthen = "exit 0"': 'write "end"', 'runs_for = "1h"\nthen = "freeze"': 'write "hang"',
    'on_stop = "5s"': 'write { takes = "5s" }', 'on_stop = "5 s"': 'write { takes = "5s" }', 'on_stop = "ignores"': '"ignore"',
    'stop_grace = "none"': "leave the key out (then: the supervisor's)", 'stop_grace = "forever"': "leave the key out (then: the supervisor's)", 'breaker = "off"': "it stands inside backoff: backoff = {",
    'base = "1s"': "it stands inside backoff", "max_failures = 3": "backoff = { breaker = { max_failures",
    "backoff = { breaker = false }": 'write "off"', 'backoff = { breaker = "none" }': 'write "off"',
    'backoff = { base = "2min" }': "this max is the default", 'count = "3"': "write 3 without quotes", "count = 3.0": "write 3",
    'shutdown_timeout = "3s"': "it stands in [supervisor]", "seed = 3": "at the top of the file", "share = 0.5": "inside storm of [[chaos]]",
    'at = "5min"': "it stands in [[chaos]]", "jitter = true": "backoff = { jitter =", "factor = 1.5": "growth = { exponential = 1.5 }", 'mtbf = "4h"': "exponential",
}
IN_CHAOS = {
    "storm = { share = 50 }": "write 0.5 for 50 %", 'storm = { share = "50%" }': "write 0.5 for 50 %",
    'storm = { share = "0.5" }': "write 0.5 without quotes", "storm = { share = 500 }": "a number above 0 and up to 1",
    'storm = { of = "web-{7..9}" }': '"web" would be all services of that group',
    'storm = { of = "all" }': "leave the key out", 'storm = { of = ["web-[0-9]"] }': "a pattern has * for any text",
    'storm = { of = "w?b" }': "a pattern has * for any text", "storm = true": "write { }", 'storm = "web"': 'write { of = "web" }',
    'outage = "5 min"': 'write { for = "5min" }', 'outage = { for = 300 }': 'write "5min" if seconds are meant',
    'shutdown = "true"': "write true, without quotes", "shutdown = 1": "write true",
    'of = "web"\nstorm = {}': "it stands inside storm: storm = { of", 'crash = {}\nstorm = {}': "storm = { of",
    'hang = { until = "5min" }': "how long it lasts is for", 'hang = { duration = "5min" }': "write for",
    'freeze = {}\nstorm = {}': "hang = {", 'recorded = "x.csv"': 'write { file = "x.csv" }', 'recorded = { path = "x.csv" }': "write file =",
    'storm = { for = "5min" }': "a storm is one instant", 'storm = { duration = "5min" }': "a storm is one instant",
    'outage = { for = "5min", mode = "down" }': 'write "gone"', 'outage = { for = "5min", mode = "fail" }': 'write "failing"',
    'outage = { for = "5min", mode = "refused" }': 'write "refusing"', 'outage = { for = "5min", gone = true }': 'mode = "gone"', 'type = "outage"': "the kind is the key itself",
    'repeat = "5min"\nstorm = {}': "begins again is every =", 'stop = "web"': 'command = { of = "web", do = "stop" }',
    'restart = "web"': 'command = { of = "web", do = "restart" }', 'remove = "web"': 'do = "remove" }', 'terminate = "web"': 'do = "stop" }',
    'time = "5min"\nstorm = {}': "at =", 'storm = { share = "0.5%" }': "write 0.005 for 0.5 %",
    # What a table has to have is in the advice.
    'command = "restart"': 'write { do = "restart" }', "command = true": 'write { do = "restart" }', 'command = "web"': 'write { of = "web", do = "restart" }',
    'command = "terminate"': 'write { do = "stop" }', 'command = { of = "web", do = "rolling" }': 'write "restart"', 'command = ["web"]': 'write { of = "web", do = "restart" }',
    "outage = true": 'write { for = "5min" }', 'outage = "gone"': 'write { mode = "gone", for = "5min" }', "outage = 300": 'write { for = "5min" } if seconds are meant',
    'recorded = true': 'write { file = "trace.csv" }', 'storm = ["web-0", "web-1"]': 'write { of = ["web-0", "web-1"] }', "storm = 0.5": "write { share = 0.5 }", 'storm = "50%"': "write { share = 0.5 } for 50 %", 'storm = "all"': "write { }", 'command = "all"': 'write { do = "restart" }',
    'storm = {}\nevery = "none"': "leave the key out (then: once)", "capacity = true": 'write { of = "db" }', "storm = 3": "a table with: of,",
    'storm = { share = "0%" }': "a number above 0 and up to 1", 'storm = { share = 50% }': "write 0.5 for 50 %", "storm = { of = web }": 'write "web" in quotes',
    'poison = { then = "crash" }': 'write "fail"', 'poison = { then = "hang" }': 'one of "fail", "fatal"', "shutdown = true\nshutdown = true": "the key stands twice",
    'outage = { for = "5min", repairs = "sequential" }': 'write "in_turn"', 'hang = { heartbeats = "continue" }': 'write "go_on"',
    'storm = { name = "web" }': 'of = "feed"', 'storm = { group = "web" }': 'of = "feed"', 'command = { restart = "web" }': 'do = "restart"', 'command = { command = "stop" }': 'do = "restart"',
    'command = { do = "restart", size = 3 }': "batches = {", 'hang = { target = "web" }': 'of = "feed"', 'outage = { for = "1s", probability = 0.5 }': "share = 0.5",
}
IN_EXPECT = {
    "availability_min = 99.9": "write 0.999 for 99.9 %", 'availability_min = "99.9%"': "write 0.999 for 99.9 %",
    "availability_min = 99.95": "write 0.9995 for 99.95 %", "availability_min = 100": "write 1.0 for 100 %",
    'restarts = "<= 3"': "write { max = 3 }", 'restarts = ">3"': "write { min = 4 }", 'restarts = "0..3"': "write { min = 0, max = 3 }",
    "restarts = [0, 3]": "write { min = 0, max = 3 }", 'restarts = "3"': "write 3 without quotes", 'mttr = "1s"': "recovery_median_max",
    'recovery_p50_max = "1s"': "recovery_median_max", "lost = 0": "circuit_open, failed and abandoned", "crashes = 0": "failures",
    'availability_min = "0%"': "a number above 0 and up to 1", "restarts_max = 3": "restarts = { max =", "down_max = 3": "down_at_once_max", 'p99 = "1s"': "recovery_p99_max",
}
IN_PROPERTY = {
    "always = true": "write { running = { min = 2 } }", 'always = "running >= 2"': "write { running = { min = 2 } }, with of", 'never = "lost > 0"': "write { lost = { min = 1 } }",
    'always = "running = 3"': "write { running = 3 }", "always = 3": "write { running = 3 }", 'always = "web"': 'write { of = "web", running = { min = 2 } }',
    'when = { running = 1 }': "whenever =", 'condition = "x"': "always =", "down = 3": "always =", 'always = { down = 3 }': "running =", 'always = { group = "web", running = 1 }': 'of = "feed"',
}
FILES = {
    'name = \u201cx\u201d\n': "write straight quotes", "name = \u2018x\u2019\n": "write straight quotes",
    'name = "C:\\Users\\x"\n': "in single quotes, or each backslash twice", "name = x\n": 'write "x" in quotes',
    "name: x\n": "write name = \u2026 with an equals sign", "; text\n": "a comment begins with #", "// text\n": "a comment begins with #",
    "name =\n": "a value is missing", "shutdown = True\n": "write true", 'name = "x\n': "its second quote is missing",
    "share = 50%\n": "write 0.5 for 50 %", "share = 500%\n": "a share is a number", "seed = 1\nseed = -1\n": "the key stands twice",
    "[supervisor]\n[supervisor]\n": "the table stands twice", "x = 1,000s\n": 'write "1s" or "16min40s" in quotes', "of = [web, db]\n": 'write "web" in quotes', "[program:web]\n": "write [[fleet]], with a name in it",
    'a = { b = "1s", }\n': "leave out the comma before the }", "a = {\n b = 1\n}\n": "ends in the line where it begins",
    'name = "x"\n[fleet]\nname = "a"\n': "[[fleet]]", 'name = "x"\n[fleet]\nname = "a"\n[fleet]\nname = "b"\n': "[[fleet]]",
    'name = "x"\n[fleet.web]\ncount = 3\n': "[[fleet]]", FLEET + '[chaos]\nat = "5s"\n': "[[chaos]]",
    FLEET + '[expect.fleet]\nname = "web"\n': "[[expect.fleet]]", FLEET + '[[supervisor]]\nstop_grace = "5s"\n': "[supervisor]: there is only one",
    FLEET + "[[expect]]\nrestarts = 1\n": "[expect]: there is only one", FLEET + '[[budget]]\nevents = 1\n': "[budget]: there is only one",
    FLEET + '[backoff]\nbase = "1s"\n': "it stands in [supervisor]", FLEET + "[breaker]\nmax_failures = 3\n": "inside backoff of [supervisor]",
    'time = "1h"\n' + FLEET: 'duration = "1h"', 'length = "1h"\n' + FLEET: 'duration = "1h"', 'description = "x"\n' + FLEET: "as a comment",
    '{"name": "x"}\n': "TOML, not JSON", "---\nname: x\n": "TOML, not YAML", "<x/>\n": "not XML", "/* x */\n": "a comment begins with #",
    FLEET + "count = 1,000\n": "a number has no commas", FLEET + "count = 010\n": "no leading zero",
    "seed = 18446744073709551615\n" + FLEET: "the largest whole number is 9223372036854775807", FLEET + "[supervisor]\ntimeout = 3\n": "shutdown_timeout",
    FLEET + '[supervisor]\nrestart_limit = { every = "0" }\n': "from 1ns", 'duration = "0"\n': "leave the key out", "duration = 0\n": "leave the key out", FLEET + "[supervisor]\nrestart_limit = true\n": "write { } for its defaults",
    FLEET + '[supervisor]\nendpoint = "http://127.0.0.1:9464"\n': 'write "127.0.0.1:9464"', FLEET + '[supervisor]\nendpoint = "localhost:9464"\n': 'write "127.0.0.1:9464"',
    FLEET + '[supervisor]\nendpoint = "9464"\n': 'write "127.0.0.1:9464"', FLEET + '[supervisor]\nendpoint = "::1:80"\n': 'write "[::1]:80"', FLEET + '[supervisor]\nendpoint = "web:80"\n': "no name is looked up",
    FLEET + '[[resource]]\nname = "db"\nnext = "fifo"\n': 'write "oldest"', FLEET + '[[resource]]\nname = "db"\nstale = "drop"\n': 'write "dropped"', FLEET + '[[resource]]\nname = "db"\nsize = 3\n': "slots = 3",
    FLEET + '[[service]]\nname = "a"\n': "services stand in [[fleet]]", FLEET + "[defaults]\na = 1\n": "[supervisor]",
}
# The first lines of a recorded trace, and what is said of it; empty: it is accepted.
HEADER = "entity,from,until,cause\n"
TRACES = {
    "\ufeff" + HEADER + "web,1min,2min,disk\n": "",
    "\ufeff" + HEADER.replace("\n", "\r\n") + "web,1min,2min,disk\r\n": "",
    "\ufeff# a comment\n" + HEADER + "web,1min,2min,disk\n": "",
    HEADER.replace(",", ";") + "web;1min;2min;disk\n": "separated by semicolons: write commas",
    HEADER.replace(",", "\t"): "separated by tabs: write commas",
    '"entity","from","until","cause"\n': "nothing is quoted here",
    "entity,from,until,severity,cause\nweb,1min,2min,0.5,disk\n": "",
    "entity,from,until,cause,severity\nweb,1min,2min,disk,0.5\n": 'with severities the first line that is not a comment is "entity,from,until,severity,cause"',
    "entity;from;until;severity;cause\n": "separated by semicolons: write commas",
    "Entity,From,Until,Cause\n": "write it in small letters", "entity, from, until, cause\n": "without blanks",
    "sep=;\n" + HEADER.replace(",", ";"): "only a spreadsheet reads this line: leave it out",
    "web,1min,2min,disk\n": "the header is missing",
    HEADER + "web;1min;2min;disk\n": "separated by semicolons", HEADER + "web\t1min\t2min\tdisk\n": "separated by tabs",
    HEADER + 'web,"1min","2min",disk\n': "nothing is quoted here",
    HEADER + "web,2026-01-01T00:00:00Z,2026-01-01T00:05:00Z,disk\n": "it is a date: write the time since the beginning",
    HEADER + "web,2026-01-01 00:00,2026-01-01 00:05,disk\n": "it is a date", HEADER + "web,01/02/2026,01/03/2026,disk\n": "it is a date",
    HEADER + "web,60,120,disk\n": 'write "1min" if seconds are meant', HEADER + "web,0.5,120,disk\n": 'write "500ms" if seconds are meant',
    HEADER + "web,1767225600,1767225700,disk\n": "it counts from 1970", HEADER + "web,5m,10m,disk\n": 'write "5min"',
    HEADER + "web,00:01:00,00:02:00,disk\n": 'write "1min"', HEADER + "web,1 min,2 min,disk\n": 'write "1min"',
    HEADER + "web,1767225600.5,1767225700,disk\n": "it counts from 1970", HEADER + "web,10:00,11:00,disk\n": 'write "10min" or "10h"',
    HEADER + '"web",1min,2min,x\n': "nothing is quoted here", HEADER + 'web,1min,2min,"x"\n': "", HEADER + 'we"b,1min,2min,a "x" b\n': "",
    HEADER.replace(",", "|"): "separated by bars: write commas", HEADER + "web,1min,,disk\n": "until the end of the trace",
    HEADER + "web,1min,ongoing,disk\n": "until the end of the trace", "PK\x03\x04abc\n": "a workbook of a spreadsheet",
    HEADER.replace("\n", "\r") + "web,1min,2min,disk\r": "end with CR alone",
}


# What is said of other places than the one that advice is about: what has to stand beside it, and what an example names.
OF_OTHERS = (r"stands alone; it needs|asks a program, but there is none|which is not a resource|which is neither a group nor a service|"
             "which is no group and no service|does not exist")


class WhatPeopleWrite(unittest.TestCase):
    said: dict[str, list[str]] = {}  # of a text, for the tests that ask again

    def complaints(self, text: str, cwd: str | None = None) -> list[str]:
        if cwd is None and text in self.said:
            return self.said[text]
        done = subprocess.run([HOLDFAST, "validate", "-"], input=text.encode(), capture_output=True, timeout=60, cwd=cwd,
                              env={"LC_ALL": "C.UTF-8"})
        lines = done.stderr.decode().splitlines()
        self.assertEqual(done.returncode, 2 if lines else 0, text)
        if cwd is None:
            self.said[text] = lines
        return lines

    def expect(self, says: str, text: str) -> None:
        with self.subTest(text=text, says=says):
            lines = self.complaints(text)
            self.assertTrue(any(says in line for line in lines), lines)

    def test_lengths_of_time(self):
        for written, says in LENGTHS.items():
            self.expect(f'is "{written}"; ', FLEET + f'[[chaos]]\nat = "{written}"\nstorm = {{}}\n')
            self.expect(says, FLEET + f'[[chaos]]\nat = "{written}"\nstorm = {{}}\n')
        self.expect("leave the key out", FLEET.replace('"1h"', '"forever"'))

    def everything(self) -> list[str]:
        """Every file of the tables above."""
        chaos = FLEET.replace('"web"', '"web"\ncount = 3') + '[[chaos]]\nat = "5min"\n'
        long = FLEET.replace('"1h"', '"500d"')
        return ([long + f'[[chaos]]\nat = "{written}"\nstorm = {{}}\n' for written in LENGTHS] +
                [long + f"[[chaos]]\nat = {written}\nstorm = {{}}\n" for written in VALUES] + [FLEET + written + "\n" for written in IN_FLEET] +
                [chaos + written + "\n" for written in IN_CHAOS] + [FLEET + f"[expect]\n{written}\n" for written in IN_EXPECT] +
                [FLEET + f'[[expect.property]]\nname = "x"\n{written}\n' for written in IN_PROPERTY] + list(FILES))

    @staticmethod
    def value_in(text: str) -> str:
        """The longest beginning of the text that is a value of TOML."""
        for end in range(len(text), 0, -1):
            try:
                if text[end - 1] != " " and "\n" not in text[:end] and tomllib.loads("x = " + text[:end]):
                    return text[:end]
            except tomllib.TOMLDecodeError:
                pass
        return ""

    def test_what_is_to_be_written_is_accepted(self):
        """Advice that is refused in turn is worse than none."""
        written = 0
        for text in self.everything():
            for complaint in self.complaints(text):
                found = re.fullmatch(r"<stdin>:(\d+):(\d+): ([^:]+): is (.*); write (.*)", complaint)
                value = self.value_in(found[5]) if found else ""
                if not value:
                    continue
                lines = text.encode().split(b"\n")
                at, column = int(found[1]) - 1, int(found[2]) - 1
                old = self.value_in(lines[at][column:].decode())
                lines[at] = lines[at][:column] + value.encode() + lines[at][column + len(old.encode()):]
                with self.subTest(text=text, complaint=complaint):
                    again = [line for line in self.complaints(b"\n".join(lines).decode()) if re.search(rf": {re.escape(found[3])}[.:\[]", line)]
                    again = [line for line in again if not re.search(OF_OTHERS, line)]
                    self.assertEqual(again, [])
                written += 1
        self.assertGreater(written, 150)

    def test_what_stands_as_an_example_is_accepted(self):
        """Of a key that is unknown: "how many there are is count = 3"."""
        seen = 0
        for text in self.everything():
            for complaint in self.complaints(text):
                found = re.fullmatch(r"<stdin>:(\d+):(\d+): ([^:]+): unknown key; (.*)", complaint)
                example = re.search(r"\b(\w+) = (.*)", found[4]) if found else None
                value = self.value_in(example[2]) if example else ""
                if not value or re.search(r"stands in|inside|, in \w|in place of|in \[|beside ready", complaint):
                    continue
                lines = text.encode().split(b"\n")
                at, column = int(found[1]) - 1, int(found[2]) - 1
                old = re.match(rb"[\w-]+ *= *", lines[at][column:])[0]
                old_value = self.value_in(lines[at][column + len(old):].decode())
                lines[at] = lines[at][:column] + f"{example[1]} = {value}".encode() + lines[at][column + len(old) + len(old_value.encode()):]
                path = found[3].rpartition(".")[0]
                with self.subTest(text=text, complaint=complaint):
                    place = rf": {re.escape(path + '.' if path else '')}{example[1]}[.:\[]"
                    again = [line for line in self.complaints(b"\n".join(lines).decode()) if re.search(place, line)]
                    again = [line for line in again if not re.search(OF_OTHERS, line)]
                    self.assertEqual(again, [])
                seen += 1
        self.assertGreater(seen, 80)

    def test_values_of_other_types(self):
        for written, says in VALUES.items():
            self.expect(says, FLEET + f"[[chaos]]\nat = {written}\nstorm = {{}}\n")

    def test_words_and_keys_of_other_supervisors(self):
        for written, says in IN_FLEET.items():
            self.expect(says, FLEET + written + "\n")

    def test_chaos(self):
        for written, says in IN_CHAOS.items():
            self.expect(says, FLEET.replace('"web"', '"web"\ncount = 3') + f'[[chaos]]\nat = "5min"\n{written}\n')

    def test_expectations(self):
        for written, says in IN_EXPECT.items():
            self.expect(says, FLEET + f"[expect]\n{written}\n")

    def test_properties(self):
        for written, says in IN_PROPERTY.items():
            self.expect(says, FLEET + f'[[expect.property]]\nname = "x"\n{written}\n')

    def test_lengths_of_time_on_the_command_line(self):
        for arguments in (["predict", "x", "--fails-after"], ["restart", "web", "--wait", "--timeout"]):
            for written, says in (("5", "write 5s"), ("1.5", "write 1s500ms"), ("5 minutes", "write 5min"), ("x", "write a number and a unit")):
                with self.subTest(arguments=arguments, written=written):
                    done = subprocess.run([HOLDFAST, *arguments, written], capture_output=True, timeout=60)
                    self.assertEqual(done.returncode, 2)
                    self.assertIn(says, done.stderr.decode())

    def test_files_that_are_no_toml_or_have_wrong_tables(self):
        for written, says in FILES.items():
            self.expect(says, written)

    def test_files_that_are_no_text_of_utf_8(self):
        good = FLEET.encode()
        for written, says in ((good.decode().encode("utf-16"), "UTF-16"), (good.decode().encode("utf-16-le"), "UTF-16"),
                              (good.replace(b"\n", b"\r"), "end with CR alone"), (b'name = "caf\xe9"\n', "not UTF-8"),
                              (b"\x1f\x8b\x08\x00abc", "compressed")):
            with self.subTest(written=written):
                done = subprocess.run([HOLDFAST, "validate", "-"], input=written, capture_output=True, timeout=60)
                self.assertEqual(done.returncode, 2)
                self.assertIn(says, done.stderr.decode())

    def test_recorded_traces(self):
        with tempfile.TemporaryDirectory() as folder:
            for written, says in TRACES.items():
                with self.subTest(trace=written):
                    (Path(folder) / "t.csv").write_bytes(written.encode())
                    lines = self.complaints(FLEET + '[[chaos]]\nrecorded = { file = "t.csv" }\n', folder)
                    self.assertTrue(any(says in line for line in lines) if says else not lines, lines)
            (Path(folder) / "t.csv").write_bytes((HEADER + "web,1min,2min,disk\n").encode("utf-16"))
            self.assertIn("UTF-16", self.complaints(FLEET + '[[chaos]]\nrecorded = { file = "t.csv" }\n', folder)[0])


if __name__ == "__main__":
    HOLDFAST = sys.argv[1]
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
