// How long clients of the endpoint hold up a service: a fleet, a service that ticks every millisecond, and 32 clients.
//
//     endpoint_stall [SERVICES [slow|pipelines|none [SECONDS]]]     50000 slow 10
//
// Slow clients take 2 KiB of /metrics every 20 ms; the others send eight requests for it at once, read as fast as they
// can, and do it again. Prints the ticks, the longest time between two of them, and the longest processor time of the
// thread that runs the fleet between two of them: that is what the fleet did meanwhile, and does not depend on what
// else the machine does.
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/asio/runtime.hpp>

namespace {

using namespace holdfast;
using namespace std::chrono_literals;

constexpr std::string_view kRequest = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr int kClients = 32;
constexpr int kPipelined = 8;

Duration processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

// What is between two ticks.
struct Gaps {
  std::vector<Duration> all;
  std::vector<Duration> of_processor;

  static void tell(const char* what, std::vector<Duration> gaps) {
    if (gaps.empty()) return;
    std::sort(gaps.begin(), gaps.end());
    const auto ms = [](Duration gap) { return std::chrono::duration<double, std::milli>(gap).count(); };
    std::printf("%s: longest %.2f ms, 99.9 %% within %.2f ms, half within %.2f ms\n", what, ms(gaps.back()),
                ms(gaps[gaps.size() - 1 - gaps.size() / 1000]), ms(gaps[gaps.size() / 2]));
  }
};

boost::asio::awaitable<void> tick(Context& ctx, Gaps& gaps) {
  auto last = std::chrono::steady_clock::now();
  Duration processor = processor_time();
  for (;;) {
    co_await ctx.sleep_for(1ms);
    const auto now = std::chrono::steady_clock::now();
    const Duration used = processor_time();
    gaps.all.push_back(now - last);
    gaps.of_processor.push_back(used - processor);
    last = now;
    processor = used;
  }
}

int connected(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  static_cast<void>(
      ::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address));  // goes on by itself
  return client;
}

class Client {
 public:
  Client(std::uint16_t port, bool is_slow) : port_(port), is_slow_(is_slow), socket_(connected(port)) {}

  [[nodiscard]] pollfd wish() const { return {socket_, static_cast<short>(has_asked_ ? POLLIN : POLLIN | POLLOUT), 0}; }
  void on_ready(short what) {
    if (!has_asked_ && (what & POLLOUT)) ask();
    if (what & (POLLIN | POLLHUP | POLLERR)) read();
  }

 private:
  void ask() {
    std::string requests;
    for (int i = is_slow_ ? 1 : kPipelined; i > 0; --i) requests += kRequest;
    has_asked_ = ::send(socket_, requests.data(), requests.size(), MSG_NOSIGNAL) > 0;
  }
  // A slow one that has its page asks anew on another connection once its own is closed for its slowness.
  void read() {
    static std::array<char, 1 << 18> piece;
    const auto size = ::recv(socket_, piece.data(), is_slow_ ? 2048 : piece.size(), 0);
    if (size > 0) {
      had_ += static_cast<std::size_t>(size);
      if (!is_slow_ && had_ >= kAskAgain) had_ = 0, ask();
      return;
    }
    ::close(socket_);
    socket_ = connected(port_);
    has_asked_ = false;
    had_ = 0;
  }

  static constexpr std::size_t kAskAgain = 100'000;
  const std::uint16_t port_;
  const bool is_slow_;
  int socket_;
  bool has_asked_ = false;
  std::size_t had_ = 0;
};

// In a process of their own, until they are killed.
[[noreturn]] void be_clients(std::uint16_t port, bool is_slow) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<Client> clients;
  clients.reserve(kClients);
  for (int i = 0; i < kClients; ++i) clients.emplace_back(port, is_slow);
  for (;;) {
    std::vector<pollfd> wishes;
    wishes.reserve(clients.size());
    for (const Client& client : clients) wishes.push_back(client.wish());
    ::poll(wishes.data(), wishes.size(), -1);
    for (std::size_t i = 0; i < clients.size(); ++i) clients[i].on_ready(wishes[i].revents);
    if (is_slow) ::usleep(20'000);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int services = argc > 1 ? std::atoi(argv[1]) : 50'000;
  const std::string_view kind = argc > 2 ? argv[2] : "slow";
  const std::chrono::seconds time{argc > 3 ? std::atoi(argv[3]) : 10};

  Gaps gaps;
  Runtime runtime{{.endpoint = Endpoint{.port = 0}}};
  for (int i = 0; i < services; ++i) {
    runtime.add({.name = "service-" + std::to_string(i)}, [](Context& ctx) { return ctx.stopped(); }).value();
  }
  pid_t clients = 0;
  const auto began = processor_time();
  runtime
      .add({.name = "main"},
           [&](Context& ctx) -> boost::asio::awaitable<void> {
             co_await ctx.sleep_for(1s);  // all have started
             if (kind != "none") {
               clients = ::fork();
               if (clients == 0) be_clients(runtime.endpoint_port(), kind == "slow");
             }
             runtime.add({.name = "ticker"}, [&](Context& of) { return tick(of, gaps); }).value();
             co_await ctx.sleep_for(time);
             runtime.request_shutdown();
           })
      .value();
  runtime.run_until_shutdown();
  if (clients > 0) {
    ::kill(clients, SIGKILL);
    ::waitpid(clients, nullptr, 0);
  }
  std::printf("%d services, %d clients, %.*s, %lld s: %zu ticks, %.1f s of processor time\n", services,
              clients > 0 ? kClients : 0, static_cast<int>(kind.size()), kind.data(),
              static_cast<long long>(time.count()), gaps.all.size(),
              std::chrono::duration<double>(processor_time() - began).count());
  Gaps::tell("between two ticks", gaps.all);
  Gaps::tell("processor time between two ticks", gaps.of_processor);
}
