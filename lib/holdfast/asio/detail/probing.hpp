// How one run of a process is found to be ready and well (probe.hpp), and what is said about it when it is not.
//
// Its process owns it, and tells it what happens.
//
// Thread-safety: none; all on the executor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/asio/detail/descriptor.hpp>
#include <holdfast/asio/detail/probe_attempt.hpp>
#include <holdfast/asio/detail/prober.hpp>
#include <holdfast/asio/detail/read_watch.hpp>
#include <holdfast/asio/detail/text_finder.hpp>
#include <holdfast/asio/probe.hpp>
#include <holdfast/asio/process_service.hpp>
#include <holdfast/service.hpp>

namespace holdfast::detail {

class Probing : public std::enable_shared_from_this<Probing> {
 public:
  // Whether this run needs one: something else than its NOTIFY_SOCKET says how it is.
  [[nodiscard]] static bool is_needed(const Process& process, const Run& run) noexcept;

  Probing(const boost::asio::any_io_executor& executor, Probed probed, const Run& run);
  ~Probing();
  Probing(const Probing&) = delete;
  Probing& operator=(const Probing&) = delete;

  // Before there is a process. `find_line` reads its output, if this program does not (it may be empty then).
  void prepare(const FindLine& find_line);
  // The process is there. `ready` is the descriptor on which it says that it is ready, or closed.
  void begin(Descriptor ready);
  // It has said so on its NOTIFY_SOCKET.
  void is_ready();
  void take_output(std::string_view piece);
  // What it had said before its end.
  void read_what_is_left();
  // It is being stopped, or has ended: nothing is asked any more.
  void stop() noexcept;

  // "its readiness probe failed: tcp 127.0.0.1:5432: Connection refused", for the error of a run that missed a
  // deadline.
  [[nodiscard]] std::string why() const;
  // How it is now, for people; empty: it is ready and well, or nothing is known yet.
  [[nodiscard]] std::string now() const;

 private:
  void on_ready_result(const ProbeResult& result);
  void on_health_result(const ProbeResult& result);
  void await_descriptor();
  void read_descriptor();
  void found_line();
  void begin_health();
  [[nodiscard]] bool answers_for_another() const;
  void cannot_be_made(const ProbeResult& result);
  void warn(const std::string& says) const noexcept;

  const boost::asio::any_io_executor executor_;
  const Probed probed_;
  const Run run_;
  std::shared_ptr<Prober> ready_;
  std::shared_ptr<Prober> health_;
  std::optional<TextFinder> line_;
  std::shared_ptr<void> line_watch_;
  Descriptor descriptor_;
  ReadWatch descriptor_watch_;
  std::optional<std::vector<std::uint32_t>> listeners_before_;
  std::string trouble_;         // of the latest probe; empty: it was good
  std::uint32_t in_a_row_ = 0;  // health probes that failed
  std::uint32_t failed_ = 0;    // in all
  bool is_ready_ = false;
  bool is_over_ = false;
  bool warned_ = false;
};

}  // namespace holdfast::detail
