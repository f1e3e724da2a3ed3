#include <holdfast/asio/detail/before_exec.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <initializer_list>

// No tool may add code to what runs in the new process. A compiler must not call memset or memcpy there either, which a
// sanitizer replaces. It would for arrays and structures that are set on the stack, so these are constants.
#if defined(__clang__)
#define HOLDFAST_BARE __attribute__((disable_sanitizer_instrumentation, no_profile_instrument_function, noinline))
#else
#define HOLDFAST_BARE                                                                   \
  __attribute__((no_sanitize("address", "thread", "undefined"), no_instrument_function, \
                 no_profile_instrument_function, noinline))
#endif

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

namespace holdfast::detail {

namespace {

// ---------------------------------------------------------------------------------------------------------------------
// System calls: what is negative is an error
// ---------------------------------------------------------------------------------------------------------------------

#if defined(__x86_64__) && defined(__LP64__)
HOLDFAST_BARE long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) noexcept {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  long result = number;
  asm volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return result;
}

// clone() that calls `begin` on another stack in the new process. `process` and `in_use` are addresses.
HOLDFAST_BARE long clone_onto(void* stack_end, long flags, long process, long in_use, void (*begin)(const void*),
                              const void* orders) noexcept {
  register long r10 asm("r10") = in_use;
  register long r8 asm("r8") = 0;
  register long r12 asm("r12") = reinterpret_cast<long>(begin);
  register long r13 asm("r13") = reinterpret_cast<long>(orders);
  long result = SYS_clone;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r13, %%rdi\n\t"
      "call *%%r12\n\t"
      "hlt\n"
      "1:"
      : "+a"(result)
      : "D"(flags), "S"(stack_end), "d"(process), "r"(r10), "r"(r8), "r"(r12), "r"(r13)
      : "rcx", "r11", "memory", "cc");
  return result;
}
#elif defined(__aarch64__) && defined(__LP64__)
HOLDFAST_BARE long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) noexcept {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}

HOLDFAST_BARE long clone_onto(void* stack_end, long flags, long process, long in_use, void (*begin)(const void*),
                              const void* orders) noexcept {
  register long x8 asm("x8") = SYS_clone;
  register long x0 asm("x0") = flags;
  register long x1 asm("x1") = reinterpret_cast<long>(stack_end);
  register long x2 asm("x2") = process;
  register long x3 asm("x3") = 0;
  register long x4 asm("x4") = in_use;
  register long x10 asm("x10") = reinterpret_cast<long>(begin);
  register long x11 asm("x11") = reinterpret_cast<long>(orders);
  asm volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x0, x11\n\t"
      "blr x10\n\t"
      "brk #0\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x10), "r"(x11)
      : "memory", "cc");
  return x0;
}
#else
// The memory is a copy, so errno is the new process's own.
long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) noexcept {
  const long result = ::syscall(number, a, b, c, d, e);
  return result < 0 ? -errno : result;
}

long clone_onto(void*, long, long, long, void (*)(const void*), const void*) noexcept { return -ENOSYS; }
#endif

template <class T>
HOLDFAST_BARE long at(T* pointer) noexcept {
  return reinterpret_cast<long>(pointer);
}

// ---------------------------------------------------------------------------------------------------------------------
// In the new process
// ---------------------------------------------------------------------------------------------------------------------

[[noreturn]] HOLDFAST_BARE void leave(int status) noexcept {
  for (;;) call(SYS_exit_group, status);
}

[[noreturn]] HOLDFAST_BARE void give_up(const Orders& orders, Stage stage, long error, int detail = 0) noexcept {
  orders.trouble->error = static_cast<int>(-error);
  orders.trouble->detail = detail;
  orders.trouble->stage = stage;
  leave(stage == Stage::execute && error == -ENOENT ? kNotFoundStatus : kNotExecutableStatus);
}

struct SignalMask {
  unsigned long words[64 / (8 * sizeof(unsigned long))];
};

constexpr unsigned long kDefaultAction[8] = {};  // SIG_DFL, no flags, in the form of any machine
constexpr SignalMask kNoSignal{};

// All of them are below 32.
constexpr SignalMask dumping_core() noexcept {
  SignalMask mask{};
  for (const int signal : {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGSYS, SIGXCPU, SIGXFSZ}) {
    mask.words[0] |= 1UL << (signal - 1);
  }
  return mask;
}
constexpr SignalMask kDumpingCore = dumping_core();

// Handlers of the supervisor must not run here, and the program would inherit what the supervisor ignores. From now on
// a signal ends the process, except those that dump core: kernels before 5.16 end every process that uses the dumped
// memory.
HOLDFAST_BARE void use_default_signals() noexcept {
  for (int signal = 1; signal < _NSIG; ++signal) call(SYS_rt_sigaction, signal, at(&kDefaultAction), 0, _NSIG / 8);
  call(SYS_rt_sigprocmask, SIG_SETMASK, at(&kDumpingCore), 0, _NSIG / 8);
}

HOLDFAST_BARE void unblock_all_signals() noexcept {
  call(SYS_rt_sigprocmask, SIG_SETMASK, at(&kNoSignal), 0, _NSIG / 8);
}

// Closes stdin first, so that a supervisor without a free descriptor can still start a program.
HOLDFAST_BARE void use_stdio(const Orders& orders) noexcept {
  call(SYS_close, STDIN_FILENO);
  const long input = call(SYS_openat, AT_FDCWD, at(orders.input), O_RDONLY);
  if (input < 0) give_up(orders, Stage::open_input, input);
  long output = orders.output;
  if (orders.output_file) {
    call(SYS_close, STDOUT_FILENO);
    output = call(SYS_openat, AT_FDCWD, at(orders.output_file), O_WRONLY | O_APPEND | O_CREAT, 0666);
    if (output < 0) give_up(orders, Stage::open_output, output);
  }
  if (output < 0) return;
  for (long target = STDOUT_FILENO; target <= STDERR_FILENO; ++target) {
    const long source = target == STDERR_FILENO && orders.error_output >= 0 ? orders.error_output : output;
    if (source == target) continue;
    if (const long failed = call(SYS_dup3, source, target, 0); failed < 0) give_up(orders, Stage::set_up, failed);
  }
}

HOLDFAST_BARE void use_limits(const Orders& orders) noexcept {
  for (std::size_t i = 0; i < orders.limit_count; ++i) {
    const ResourceLimit& limit = orders.limits[i];
    const long failed = call(SYS_prlimit64, 0, limit.resource, at(&limit.value), 0);
    if (failed < 0) give_up(orders, Stage::limit, failed, limit.resource);
  }
}

// The user comes last: after that change the process may change nothing else.
HOLDFAST_BARE void become_the_user(const Orders& orders) noexcept {
#if defined(SYS_setgroups32)
  constexpr long kSetGroups = SYS_setgroups32, kSetGroup = SYS_setresgid32, kSetUser = SYS_setresuid32;
#else
  constexpr long kSetGroups = SYS_setgroups, kSetGroup = SYS_setresgid, kSetUser = SYS_setresuid;
#endif
  if (orders.groups) {
    const long failed = call(kSetGroups, static_cast<long>(orders.group_count), at(orders.groups));
    if (failed < 0) give_up(orders, Stage::groups, failed);
  }
  if (orders.changes_group) {
    const long group = static_cast<long>(orders.group);
    if (const long failed = call(kSetGroup, group, group, group); failed < 0) give_up(orders, Stage::group, failed);
  }
  if (orders.changes_user) {
    const long user = static_cast<long>(orders.user);
    if (const long failed = call(kSetUser, user, user, user); failed < 0) give_up(orders, Stage::user, failed);
  }
}

// This must follow the change of the user, at which the kernel forgets the setting. The parent may end before the
// kernel has it, so look afterwards. (A parent in another PID namespace has the number 0.)
HOLDFAST_BARE void die_with_the_supervisor(const Orders& orders) noexcept {
  const long failed = call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (failed < 0) give_up(orders, Stage::set_up, failed);
  const long parent = call(SYS_getppid);
  if (parent != orders.supervisor && parent != 0) give_up(orders, Stage::set_up, -ESRCH);
}

HOLDFAST_BARE void close_the_rest_at_exec(const Orders& orders) noexcept {
#ifdef SYS_close_range
  if (call(SYS_close_range, STDERR_FILENO + 1, static_cast<long>(~0U), CLOSE_RANGE_CLOEXEC) >= 0) return;
#endif
  for (unsigned number = STDERR_FILENO + 1; number < orders.descriptors_max; ++number) {  // a kernel before 5.11
    call(SYS_fcntl, static_cast<long>(number), F_SETFD, FD_CLOEXEC);
  }
}

// After the rest was marked: this one stays open, over whatever had its number.
HOLDFAST_BARE void keep_the_one_to_say_ready(const Orders& orders) noexcept {
  if (orders.ready < 0) return;
  const long failed = orders.ready == orders.ready_number ? call(SYS_fcntl, orders.ready_number, F_SETFD, 0)
                                                          : call(SYS_dup3, orders.ready, orders.ready_number, 0);
  if (failed < 0) give_up(orders, Stage::set_up, failed);
}

// Returns the most telling error: if a candidate exists but may not be executed, that one.
HOLDFAST_BARE long execute(const Orders& orders) noexcept {
  long error = -ENOENT;
  for (const char* const* candidate = orders.candidates; *candidate; ++candidate) {
    const long failed = call(SYS_execve, at(*candidate), at(orders.arguments), at(orders.environment));
    if (failed == -ENOENT || failed == -ENOTDIR) continue;
    error = failed;
    if (failed != -EACCES) break;
  }
  return error;
}

HOLDFAST_BARE void begin(const void* given) noexcept {
  const Orders& orders = *static_cast<const Orders*>(given);
  call(SYS_setsid);  // never fails: a new process leads no group
  use_default_signals();
  if (orders.file_mode_mask >= 0) call(SYS_umask, orders.file_mode_mask);
  if (orders.folder) {
    if (const long failed = call(SYS_chdir, at(orders.folder)); failed < 0)
      give_up(orders, Stage::enter_folder, failed);
  }
  use_stdio(orders);
  use_limits(orders);
  become_the_user(orders);
  die_with_the_supervisor(orders);
  close_the_rest_at_exec(orders);
  keep_the_one_to_say_ready(orders);
  unblock_all_signals();
  give_up(orders, Stage::execute, execute(orders));
}

// ---------------------------------------------------------------------------------------------------------------------
// In the supervisor
// ---------------------------------------------------------------------------------------------------------------------

// Blocks all signals, including those that the C library reserves: no handler of the supervisor may run in the new
// process.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    SignalMask all{};
    for (unsigned long& word : all.words) word = ~0UL;
    call(SYS_rt_sigprocmask, SIG_SETMASK, at(&all), at(&before_), _NSIG / 8);
  }
  ~SignalsBlocked() { call(SYS_rt_sigprocmask, SIG_SETMASK, at(&before_), 0, _NSIG / 8); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  SignalMask before_{};
};

// The new process continues in this function, on a copy of this stack.
HOLDFAST_BARE long clone_copied(int* process, const Orders& orders) noexcept {
  constexpr long kFlags = CLONE_PIDFD | SIGCHLD;
  const long id = call(SYS_clone, kFlags, 0, at(process), 0, 0);
  if (id == 0) begin(&orders);
  return id;
}

}  // namespace

Created create_process(Memory memory, void* stack_end, const Orders& orders) noexcept {
  const SignalsBlocked blocked;
  int process = -1;
  long id = -EINVAL;
  if (memory == Memory::shared) {
    constexpr long kFlags = CLONE_VM | CLONE_PIDFD | CLONE_CHILD_CLEARTID | SIGCHLD;
    id = clone_onto(stack_end, kFlags, at(&process), at(orders.in_use), begin, &orders);
  } else {
    id = clone_copied(&process, orders);
  }
  return {static_cast<pid_t>(id), process, id < 0 ? static_cast<int>(-id) : 0};
}

}  // namespace holdfast::detail
