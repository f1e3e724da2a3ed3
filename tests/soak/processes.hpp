// Services of a soaked fleet that are real processes, and what becomes of them.
//
// Most obey, at once or after half a second; others ignore SIGTERM, have children, leave something of theirs in another
// session, flood their output, halt themselves, crash or end at once. Each ends by itself within a minute, so that
// nothing is left of a soak that went wrong; what leaves its group lives for three seconds, with SOAK_ESCAPED in its
// environment.
//
// Thread-safety: none; all on the runtime's executor.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/event.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/service.hpp>

namespace soak {

struct ProcessKind {
  std::string_view name;
  std::string_view script;  // for /bin/sh
  std::string_view
      unasked{};         // the beginning of the error with which it ends by itself; "clean", or empty: it does not
  bool flushes = false;  // its worker notes that it was asked to stop, and that it had time to flush
  bool is_well_behaved = true;  // it ends at once, or half a second after SIGTERM
};

// What is known of each process service, by its name. Sees all events.
class ProcessWard final : public holdfast::EventSink {
 public:
  ProcessWard();
  ~ProcessWard();
  ProcessWard(const ProcessWard&) = delete;
  ProcessWard& operator=(const ProcessWard&) = delete;

  void on_event(const holdfast::Event& event) override;

  // A service of the kind that `number` stands for.
  std::shared_ptr<holdfast::Service> make(boost::asio::any_io_executor executor, unsigned number, bool with_flushes);
  // Of those that flush, if there are any.
  static bool is_a_pipeline(unsigned number) noexcept { return number % 7 == 0; }
  // How it is named, and restarted.
  static holdfast::ServiceConfig config_of(unsigned number);

  // What went wrong so far, since the last call.
  std::vector<std::string> take_complaints();
  // The same at the end: besides, no flush was lost for which there was time.
  std::vector<std::string> complaints_at_the_end();
  // "211 processes, 14 killed (3 that obey), 2 flushes"
  [[nodiscard]] std::string figures() const;

 private:
  friend class ProcessPatient;
  using Clock = std::chrono::steady_clock;
  struct Life {
    const ProcessKind* kind = nullptr;
    pid_t process = 0;  // 0: none, or unknown
    bool was_asked_to_stop = false;
    std::optional<Clock::time_point> seen_ended;  // the first time
  };

  void look_who_has_ended();
  void on_kill(const std::string& name);
  void on_end(const std::string& name, Life& life, const holdfast::event::Ended& ended);
  void complain(const std::string& name, const Life& life, const std::string& says);
  [[nodiscard]] std::uint64_t lines_of(const std::string& file) const;

  std::string folder_;  // for the notes of those that flush
  std::map<std::string, Life, std::less<>> lives_;
  std::vector<std::string> complaints_;
  Clock::time_point latest_look_;
  std::uint64_t starts_ = 0;
  std::uint64_t killed_ = 0;
  std::uint64_t killed_though_well_behaved_ = 0;
  std::uint64_t flushes_cut_off_ = 0;  // rightly: the grace or the drain was over
};

// At the end of everything: what is wrong with the children of this program.
std::vector<std::string> children_left();
// Processes that have ended and nobody has reaped, the children of this program in this moment.
std::vector<pid_t> zombies();

}  // namespace soak
